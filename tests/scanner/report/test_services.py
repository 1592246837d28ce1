"""What a table shows of services and of what changed, in 80 columns, and nothing of the wire acts on it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from scanner.events import TlsMode
from scanner.model import Device
from scanner.report import formats
from scanner.report.formats import Format, write
from scanner.report.records import Record, service_record
from scanner.report.services import CHANGES, SERVICES, change_record, offer_lines
from scanner.report.views import View
from scanner.scan_diff import changes
from scanner.services import Answered, Relaying, Service, TlsAccepted
from tests.services import CERTIFICATE, bare, whole

HOSTILE = "=cmd|' /C calc'!A0\x1b[2J\u202e\r\n\x00"
OTHER = whole(
    at=7, offered=(), offered_tls=("XOAUTH2",), tls=TlsAccepted("TLSv1.2", "TLSv1.3"), certificate=None,
    ntlm=None, paths=(), relaying=Relaying.TAKES, banner="mail.example.com ESMTP Exim 4.96",
)  # fmt: skip


def row(service: Service, column: str) -> Any:
    return SERVICES.columns[column](service_record(service, Device()))


def said(before: list[Service], after: list[Service]) -> list[Record]:
    return [json.loads(json.dumps(change_record(one))) for one in changes(before, after)]


def table(records: list[Record], view: View, monkeypatch: pytest.MonkeyPatch, width: int) -> str:
    monkeypatch.setattr(formats, "PLAIN_WIDTH", width)
    out = io.StringIO()
    write(records, Format.TABLE, view, "Title", out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("changed", "spoken"),
    [
        pytest.param(bare(protocol="smtp"), ["smtp"], id="in clear"),
        pytest.param(bare(protocol="smtp", starttls=True), ["smtp, STARTTLS"], id="STARTTLS, not tried"),
        pytest.param(bare(protocol="imap", tls_mode=TlsMode.IMPLICIT), ["imap, TLS"], id="inside TLS"),
        pytest.param(bare(protocol="http", service="ews", tls=TlsAccepted("TLSv1.2", "TLSv1.2")),
                     ["ews, TLSv1.2"], id="one version"),
        pytest.param(bare(protocol="http", tls=TlsAccepted("TLSv1", "TLSv1.3")), ["http, TLSv1 to v1.3"],
                     id="several versions"),
        pytest.param(bare(protocol="http", tls=TlsAccepted(None, "TLSv1.3")), ["http, TLSv1.3"],
                     id="the oldest was not tried"),
        pytest.param(bare(outcome=Answered.REFUSED), ["refused"], id="nobody listens"),
        pytest.param(bare(protocol="imap", outcome=Answered.TIMEOUT), ["imap", "timeout"], id="it hangs"),
        pytest.param(bare(), ["nothing known"], id="nothing"),
    ],
)  # fmt: skip
def test_what_is_spoken(changed: Service, spoken: list[str]) -> None:
    assert row(changed, "speaks") == spoken


@pytest.mark.parametrize(
    ("host", "shown"), [("10.0.0.1", "10.0.0.1:25"), ("2001:db8::1", "[2001:db8::1]:25")]
)
def test_an_address_with_its_port(host: str, shown: str) -> None:
    assert row(bare(host=host), "address") == shown


def test_offers_stand_by_where_they_are_made() -> None:
    assert row(whole(), "offered") == ["clear: LOGIN PLAIN", "TLS: LOGIN PLAIN XOAUTH2"]
    assert row(bare(), "offered") == row(bare(), "findings") == []


def test_a_changed_service_says_what_from_and_to() -> None:
    (record,) = said([whole()], [OTHER])
    assert tuple(record) == CHANGES.fields
    assert (record["host"], record["port"], record["change"]) == ("10.0.0.1", 587, "changed")
    assert (record["before"]["offered"], record["after"]["offered"]) == (["LOGIN", "PLAIN"], [])
    assert CHANGES.columns["what"](record) == [
        "offered: LOGIN PLAIN -> none", "offered_tls: LOGIN PLAIN XOAUTH2 -> XOAUTH2",
        "tls_oldest: TLSv1 -> TLSv1.2", "tls_weak: TLS_RSA_WITH_RC4_128_SHA -> none",
        "certificate: mail.example.com RSA 2048 until 2026-09-22 -> none",
        "banner: mail.example.com ESMTP Postfix -> mail.example.com ESMTP Exim 4.96",
        "ntlm: mail.example.com EXAMPLE -> none", "paths: /Microsoft-Server-ActiveSync -> none",
        "relaying: refuses -> takes",
    ]  # fmt: skip


def test_what_appeared_or_went_says_what_it_is() -> None:
    (new,), (old,) = said([], [whole()]), said([whole()], [bare(port=587, outcome=Answered.REFUSED)])
    assert (new["change"], new["before"], old["change"]) == ("appeared", None, "gone")
    assert old["after"]["outcome"] == "refused"
    what = ["submission, TLSv1 to v1.3", "clear: LOGIN PLAIN", "TLS: LOGIN PLAIN XOAUTH2"]
    assert CHANGES.columns["what"](new) == CHANGES.columns["what"](old) == what


def test_a_csv_without_records_has_the_head_of_one_with_records() -> None:
    assert tuple(service_record(whole(), Device())) == SERVICES.fields


@pytest.mark.parametrize("width", [80, 160])
def test_a_table_fits(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    longest = whole(host="2001:db8:1234:5678:9abc:def0:1234:5678", port=65535, certificate=CERTIFICATE)
    services = [service_record(one, Device()) for one in (longest, bare(), whole(banner=HOSTILE))]
    for records, view in ((services, SERVICES), (said([longest, whole()], [OTHER]), CHANGES)):
        lines = table(records, view, monkeypatch, width).splitlines()
        assert max(map(len, lines)) <= width


@pytest.mark.parametrize("form", Format)
def test_nothing_hostile_reaches_who_reads(form: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = whole(
        banner=HOSTILE, detail=HOSTILE, protocol=HOSTILE, service=HOSTILE, offered=(HOSTILE,),
        server_name=HOSTILE,
    )  # fmt: skip
    services = [service_record(hostile, Device())]
    for records, view in ((services, SERVICES), (said([whole()], [hostile]), CHANGES)):
        out = io.StringIO()
        write(records, form, view, "Title", out)
        assert not set(out.getvalue()) & {"\x1b", "\u202e", "\r", "\x00"}
        assert form is not Format.CSV or ",=cmd" not in out.getvalue()
    assert not set("".join(offer_lines(services))) & {"\x1b", "\u202e", "\r", "\n", "\x00"}
