"""What appeared, went and changed between two scans, and what is no change."""

from __future__ import annotations

from typing import Any

import pytest

from scanner.scan_diff import Kind, changes
from scanner.services import Answered, Service, TlsAccepted
from tests.services import bare, whole

REFUSED, SILENT = bare(outcome=Answered.REFUSED), bare(outcome=Answered.FILTERED)
EXCHANGE = "ex Microsoft ESMTP MAIL Service ready at {} [{}]"


def told(before: list[Service], after: list[Service]) -> list[tuple[Any, ...]]:
    return [(one.kind.value, *one.place, *one.changed) for one in changes(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param([], [bare()], ["appeared"], id="it was not found"),
        pytest.param([REFUSED], [bare()], ["appeared"], id="it was closed"),
        pytest.param([bare()], [], ["gone"], id="it is not found"),
        pytest.param([bare()], [REFUSED], ["gone"], id="it is closed"),
        pytest.param([bare()], [SILENT], ["gone"], id="it is silent"),
        pytest.param([bare()], [bare(outcome=Answered.TIMEOUT)], ["changed"], id="it hangs"),
        pytest.param([bare()], [bare(at=7, detail="slow")], [], id="the time and what is said of it"),
        pytest.param([REFUSED], [SILENT], [], id="nobody listens, in another way"),
        pytest.param([REFUSED], [], [], id="nobody listened, and nobody asked"),
    ],
)
def test_what_becomes_of_a_port(before: list[Service], after: list[Service], expected: list[str]) -> None:
    assert [one.kind.value for one in changes(before, after)] == expected


def test_a_change_names_the_fields() -> None:
    new = whole(offered=(), tls=TlsAccepted("TLSv1.2", "TLSv1.3"), certificate=None)
    (one,) = changes([whole()], [new])
    assert (one.kind, one.before, one.after) == (Kind.CHANGED, whole(), new)
    assert one.changed == ("offered", "tls", "certificate")


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        pytest.param(EXCHANGE.format("Sat, 26 Apr 2025 18:08:13 +0000", "08DD84B323498C1A"),
                     EXCHANGE.format("Sun, 6 Jul 2025 08:00:00 +0200", "08DD84B323498C1B"), True,
                     id="Exchange"),
        pytest.param("+OK <1896.697170952@dbc.example>", "+OK <1897.697170999@dbc.example>", True, id="APOP"),
        pytest.param("m ESMTP; 2026-09-21T14:13:20Z", "m ESMTP; 2026-09-22 01:02:03.5", True, id="RFC 3339"),
        pytest.param("m ESMTP Exim 4.96 Mon, 21 Sep 2026 14:13:20 +0200 (CEST)",
                     "m ESMTP Exim 4.96 Wed, 25 Nov 2026 14:13:20 +0100 (CET)", True, id="Exim"),
        pytest.param("m ESMTP Postfix (3.1.4)", "m ESMTP Postfix (3.7.1)", False, id="another version"),
        pytest.param(None, "m ESMTP", False, id="it did not greet"),
    ],
)  # fmt: skip
def test_a_greeting_is_the_same_at_another_time(before: str | None, after: str, same: bool) -> None:
    found = told([bare(banner=before)], [bare(banner=after)])
    assert found == ([] if same else [("changed", "10.0.0.1", 25, "banner")])


def test_changes_come_by_address_and_port() -> None:
    hosts = ("2001:db8::1", "10.0.0.10", "10.0.0.9", "fe80::1%eth0")
    some = [bare(host=host, port=port) for host in hosts for port in (587, 25)]
    places = [place for _, *place in told([], some)]
    assert places == [[host, port] for host in (hosts[2], hosts[1], hosts[0], hosts[3]) for port in (25, 587)]
