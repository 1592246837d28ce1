"""What each rule finds, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.events import TlsMode
from scanner.exposure import NOTES, WARNINGS, Relay, Severity, findings, relay_of
from scanner.services import Answered, NtlmNames, Relaying, Service, TlsAccepted
from tests.services import CERTIFICATE, WHOLE, bare

DAY = date(2026, 9, 21)
"""The one that the samples were asked on; their certificate is valid from the day before to the day after."""
EXCHANGE = "ex1.example.com Microsoft ESMTP MAIL Service ready at Mon, 21 Sep 2026 14:13:20 +0000"


def found(service: Service, as_of: date = DAY) -> dict[str, str]:
    return {one.rule: one.text for one in findings(service, as_of)}


def shows(**changes: Any) -> Service:
    return bare(certificate=replace(CERTIFICATE, **changes))


def takes(oldest: str | None, newest: str | None, **changes: Any) -> Service:
    return bare(tls=TlsAccepted(oldest, newest), **changes)


CASES = [
    pytest.param(bare(protocol="smtp", offered=("LOGIN", "PLAIN", "XOAUTH2")), "password-in-clear",
                 "takes passwords in clear: LOGIN, PLAIN", id="SMTP offers passwords in clear"),
    pytest.param(bare(protocol="pop3", offered=("USERPASS",)), "password-in-clear",
                 "takes passwords in clear: USERPASS", id="POP3 offers USER in clear"),
    pytest.param(bare(protocol="http", offered=("HTTP-Basic", "HTTP-NTLM")), "password-in-clear",
                 "takes passwords in clear: HTTP-Basic", id="a web page offers Basic in clear"),
    pytest.param(bare(protocol="smtp", offered=("CRAM-MD5", "XOAUTH2"), offered_tls=("PLAIN",)),
                 "password-in-clear", None, id="passwords are offered inside TLS only"),
    pytest.param(bare(protocol="imap", tls_mode=TlsMode.STARTTLS, login_disabled=False), "login-not-disabled",
                 "takes LOGIN in clear", id="IMAP takes LOGIN in clear"),
    pytest.param(bare(protocol="imap", tls_mode=TlsMode.CLEAR, login_disabled=True), "login-not-disabled",
                 None, id="IMAP says LOGINDISABLED"),
    pytest.param(bare(protocol="imap", tls_mode=TlsMode.IMPLICIT, login_disabled=False), "login-not-disabled",
                 None, id="IMAP takes LOGIN inside TLS"),
    pytest.param(bare(protocol="smtp", tls_mode=TlsMode.CLEAR, starttls=False), "no-starttls",
                 "offers no TLS", id="a mail server without STARTTLS"),
    pytest.param(bare(protocol="smtp", tls_mode=TlsMode.IMPLICIT, starttls=False), "no-starttls", None,
                 id="a mail server inside TLS"),
    pytest.param(bare(protocol="http", tls_mode=TlsMode.CLEAR, starttls=False), "no-starttls", None,
                 id="a web server has no STARTTLS"),
    pytest.param(bare(protocol="smtp", starttls=None), "no-starttls", None, id="nobody knows of STARTTLS"),
    pytest.param(takes("TLSv1", "TLSv1.3"), "old-tls-taken", "takes TLSv1", id="TLS 1.0 beside 1.3"),
    pytest.param(takes("TLSv1.2", "TLSv1.3"), "old-tls-taken", None, id="TLS 1.2 and newer"),
    pytest.param(takes(None, None), "old-tls-taken", None, id="TLS was not tried"),
    pytest.param(takes("SSLv3", "TLSv1.1"), "ends-below-tls-1-2", "speaks no TLS newer than TLSv1.1",
                 id="nothing newer than TLS 1.1"),
    pytest.param(takes("SSLv3", "TLSv1.1"), "old-tls-taken", None, id="which is said once"),
    pytest.param(takes("TLSv1", "TLSv1.2"), "ends-below-tls-1-2", None, id="TLS 1.2 at last"),
    pytest.param(takes("TLSv1", "TLSv1", protocol="http"), "old-web-page",
                 "its web page ends at TLSv1: its mail client likely does, too, and is refused",
                 id="a printer's page ends at TLS 1.0"),
    pytest.param(takes("TLSv1", "TLSv1", protocol="smtp"), "old-web-page", None, id="not of a mail server"),
    pytest.param(bare(tls=TlsAccepted("TLSv1.2", "TLSv1.2", ("A", "B"))), "weak-ciphers",
                 "takes weak ciphers: A, B", id="weak ciphers"),
    pytest.param(bare(), "weak-ciphers", None, id="no weak ciphers"),
    pytest.param(shows(key="RSA 1024"), "short-key", "its certificate's key is short: RSA 1024",
                 id="RSA of 1024"),
    pytest.param(shows(key="RSA 2048"), "short-key", None, id="RSA of 2048"),
    pytest.param(shows(key="EC secp256r1"), "short-key", None, id="elliptic curves are short by nature"),
    pytest.param(shows(signature="sha1"), "weak-signature", "its certificate is signed with sha1",
                 id="SHA-1"),
    pytest.param(shows(signature="MD5"), "weak-signature", "its certificate is signed with MD5", id="MD5"),
    pytest.param(shows(signature="sha256"), "weak-signature", None, id="SHA-256"),
    pytest.param(bare(), "weak-signature", None, id="no certificate"),
    pytest.param(bare(relaying=Relaying.TAKES), "open-relay",
                 "takes mail for the address that was named, without a login", id="mail is taken"),
    pytest.param(bare(relaying=Relaying.REFUSES), "open-relay", None, id="mail is refused"),
    pytest.param(bare(), "open-relay", None, id="it was not tried"),
    pytest.param(bare(ntlm=NtlmNames("h", "D")), "names-disclosed", "tells its names to anybody: h, D",
                 id="NTLM names"),
    pytest.param(bare(ntlm=NtlmNames(None, "D")), "names-disclosed", "tells its names to anybody: D",
                 id="NTLM names the domain alone"),
    pytest.param(bare(ntlm=NtlmNames(None, None)), "names-disclosed", None, id="NTLM names nobody"),
    pytest.param(bare(protocol="smtp", banner=EXCHANGE), "lan-relay", "may be a relay: Exchange Server",
                 id="Exchange on the LAN"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "rule", "text"), CASES)
def test_what_is_found(service: Service, rule: str, text: str | None) -> None:
    assert found(service).get(rule) == text


@pytest.mark.parametrize(
    ("as_of", "rule", "text"),
    [
        pytest.param(date(2026, 9, 19), "certificate-not-yet-valid",
                     "its certificate is not valid before 2026-09-20", id="the day before"),
        pytest.param(date(2026, 9, 20), None, None, id="its first day"),
        pytest.param(date(2026, 9, 22), None, None, id="its last day"),
        pytest.param(date(2026, 9, 23), "certificate-expired", "its certificate ran out on 2026-09-22",
                     id="the day after"),
    ],
)  # fmt: skip
def test_a_certificate_runs_out(as_of: date, rule: str | None, text: str | None) -> None:
    assert found(shows(), as_of) == ({rule: text} if rule else {})


@pytest.mark.parametrize(
    ("changes", "relay"),
    [
        pytest.param({"banner": EXCHANGE}, Relay.EXCHANGE, id="Exchange by its greeting"),
        pytest.param({"banner": f"220 {EXCHANGE}"}, Relay.EXCHANGE, id="with its status"),
        pytest.param({"banner": "gw ESMTP Proxmox", "offered": ("PLAIN",)}, Relay.GATEWAY, id="a gateway"),
        pytest.param({"banner": "220 DavMail 6.2.2-3546 SMTP ready"}, Relay.BRIDGE, id="a bridge"),
        pytest.param({"relaying": Relaying.TAKES, "offered": ("PLAIN",)}, Relay.WITHOUT_LOGIN, id="no login"),
        pytest.param({"offered": ("PLAIN",)}, Relay.LOGIN_IN_CLEAR, id="a login in clear"),
        pytest.param({"offered_tls": ("PLAIN",)}, None, id="a login inside TLS"),
        pytest.param({"banner": EXCHANGE, "host": "203.0.113.9"}, None, id="not on the LAN"),
        pytest.param({"banner": EXCHANGE, "outcome": Answered.CLOSED}, None, id="it hung up"),
        pytest.param({"banner": EXCHANGE, "protocol": "imap"}, None, id="not SMTP"),
        pytest.param({}, None, id="nothing known"),
    ],
)
def test_who_is_a_relay(changes: dict[str, Any], relay: Relay | None) -> None:
    assert relay_of(bare(**{"protocol": "smtp", **changes})) is relay


def test_a_good_service_has_no_findings() -> None:
    good = replace(
        WHOLE, offered=(), offered_tls=("XOAUTH2",), tls=TlsAccepted("TLSv1.2", "TLSv1.3"), ntlm=None
    )
    assert findings(good, DAY) == ()


def test_every_rule_finds_something_and_says_why_and_where_that_stands() -> None:
    caught = {case.values[1] for case in CASES if case.values[2]} | {
        "certificate-expired", "certificate-not-yet-valid"
    }  # fmt: skip
    assert caught == {rule.__name__.replace("_", "-") for rule in (*WARNINGS, *NOTES)}
    assert all((rule.__doc__ or "").endswith(".") for rule in (*WARNINGS, *NOTES))


def test_what_is_to_be_put_right_comes_first() -> None:
    levels = [one.level for one in findings(WHOLE, DAY)]
    assert levels == sorted(levels, key=list(Severity).index) and set(levels) == set(Severity)


@given(st.integers(-(2**70), 2**70), st.integers(-(2**70), 2**70), st.text(), st.text())
def test_no_certificate_upsets_it(begins: int, ends: int, key: str, signature: str) -> None:
    findings(shows(not_before=begins, not_after=ends, key=key, signature=signature), DAY)
