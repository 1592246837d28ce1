"""What becomes of what a dialogue tells: fields of the service record, and labels of the host."""

from dataclasses import replace
from typing import Any

import pytest

from scanner.conversation import Endpoint
from scanner.events import Event, Greeting, Label, Offer, TlsMode, Weird
from scanner.probe.ledger import LABELS_KEPT, MECHANISMS_KEPT, Ledger
from scanner.services import Answered, NtlmNames, Relaying, Service, ServicePath, TlsAccepted
from scanner.session import Answer

HELLO = b"EHLO mailsunset\r\n"


def ledger(protocol: str = "smtp", port: int = 25) -> Ledger:
    return Ledger(Endpoint("192.0.2.1", port), protocol, TlsMode.CLEAR)


def told(
    *events: Event, said: bytes = HELLO, line: bytes = b"", inside: bool = False, **where: Any
) -> Service:
    kept = ledger(**where)
    kept.heard(said, Answer(events, line), inside)
    return kept.service(7)


def test_what_is_offered_is_told_apart_by_where() -> None:
    kept = ledger()
    kept.heard(HELLO, Answer((Offer(("PLAIN", "LOGIN"), starttls=True),), b""), False)
    kept.heard(HELLO, Answer((Offer(("XOAUTH2",)),), b""), True)
    service = kept.service(7)
    assert (service.offered, service.offered_tls) == (("LOGIN", "PLAIN"), ("XOAUTH2",))
    assert service.starttls is True
    assert (service.at, service.host, service.port) == (7, "192.0.2.1", 25)


@pytest.mark.parametrize(
    ("service", "field", "value"),
    [
        pytest.param(told(Greeting("mx ESMTP", "mx.lan")), "server_name", "mx.lan", id="name"),
        pytest.param(told(Greeting("mx ESMTP")), "banner", "mx ESMTP", id="greeting"),
        pytest.param(told(Label("http.server", "Boa"), protocol="http"), "banner", "Boa", id="web server"),
        pytest.param(told(Label("smtp.public_ip", "192.0.2.7")), "public_ip", "192.0.2.7", id="our address"),
        pytest.param(told(Label("ntlm.host", "MX"), Label("ntlm.domain", "AD")), "ntlm",
                     NtlmNames("MX", "AD"), id="names told by NTLM"),
        pytest.param(told(), "ntlm", None, id="no names told by NTLM"),
        pytest.param(told(Offer((), login_disabled=True), protocol="imap"), "login_disabled", True,
                     id="IMAP without logins in clear"),
        pytest.param(told(Offer(("LOGIN",))), "login_disabled", None, id="which SMTP does not have"),
        pytest.param(told(Offer(("HTTP-Basic",)), protocol="http"), "starttls", None, id="no STARTTLS"),
        pytest.param(told(Offer((), starttls=True), inside=True), "starttls", None,
                     id="STARTTLS inside TLS means nothing"),
        pytest.param(told(port=587), "service", "submission", id="submission"),
        pytest.param(told(port=25), "service", "mx", id="port 25 without logins is for servers"),
        pytest.param(told(Offer(("LOGIN",)), port=25), "service", "submission", id="port 25 with logins"),
        pytest.param(told(said=b"RCPT TO:<a@b>\r\n", line=b"250 ok"), "relaying", Relaying.TAKES,
                     id="a relay"),
        pytest.param(told(said=b"RCPT TO:<a@b>\r\n", line=b"550 no"), "relaying", Relaying.REFUSES,
                     id="no relay"),
        pytest.param(told(), "relaying", None, id="nobody tried to relay"),
        pytest.param(told(Weird("smtp_no_reply_code")), "banner", None, id="noise"),
    ],
)  # fmt: skip
def test_a_field_is_told(service: Service, field: str, value: object) -> None:
    assert getattr(service, field) == value


EAS, EWS = b"/Microsoft-Server-ActiveSync", b"/EWS/Exchange.asmx"
NO_EWS = (EWS, b"HTTP/1.1 404 Not Found", ())


@pytest.mark.parametrize(
    ("steps", "paths"),
    [
        pytest.param([(EAS, b"HTTP/1.1 401 Unauthorized", ("HTTP-Basic",)), NO_EWS],
                     (ServicePath("eas", EAS.decode(), 401, ("HTTP-Basic",)),), id="wants a login"),
        pytest.param([(EAS, b"HTTP/1.1 200 OK", ()), NO_EWS], (ServicePath("eas", EAS.decode(), 200, ()),),
                     id="ActiveSync answers OPTIONS to anybody"),
        pytest.param([(EAS, b"HTTP/1.1 401 Unauthorized", ("HTTP-Basic",))], (),
                     id="a device that was asked no more"),
        pytest.param([(EWS, b"HTTP/1.1 200 OK", ()), (EAS, b"HTTP/1.1 404 Not Found", ()),
                      (b"/", b"HTTP/1.1 401 no", ("HTTP-Basic",))], (), id="no Exchange"),
        pytest.param([(EWS, b"HTTP/1.1 401 no", ("HTTP-Negotiate", "HTTP-NTLM")),
                      (EWS, b"HTTP/1.1 401 again", ("HTTP-NTLM", "HTTP-Basic"))],
                     (ServicePath("ews", EWS.decode(), 401, ("HTTP-Basic", "HTTP-NTLM", "HTTP-Negotiate")),),
                     id="asked twice"),
        pytest.param([(EWS, b"", ("HTTP-Basic",)), (EWS, b"HTTP/1.1", ()), (EWS, b"HTTP/1.1 abc", ()),
                      (EWS, "HTTP/1.1 ²".encode(), ())], (), id="no status"),
    ],
)  # fmt: skip
def test_paths_of_exchange(steps: list[Any], paths: tuple[ServicePath, ...]) -> None:
    kept = ledger("http", 443)
    for path, line, offered in steps:
        kept.heard(b"GET " + path + b" HTTP/1.1\r\n\r\n", Answer((Offer(offered),), line), True)
    service = kept.service(0)
    assert service.paths == paths
    assert service.service == (paths[0].service if paths else None)


def test_a_flood_is_kept_in_bounds() -> None:
    kept = ledger("imap", 143)
    labels = tuple(Label("imap.id.name", f"device {number}") for number in range(10_000))
    offers = tuple(Offer((f"X{number}", f"Y{number}")) for number in range(10_000))
    kept.heard(HELLO, Answer((*labels, *offers), b""), False)
    kept.heard(HELLO, Answer(offers, b""), True)
    service = kept.service(0)
    assert len(kept.labels) == LABELS_KEPT
    assert (len(service.offered), len(service.offered_tls)) == (MECHANISMS_KEPT, MECHANISMS_KEPT)


def test_labels_of_a_host_are_those_that_a_sniffer_would_tell() -> None:
    kept = ledger()
    events = (Label("smtp.public_ip", "192.0.2.7"), Greeting("mx.example.net ESMTP Postfix (Debian)", "mx"))
    kept.heard(HELLO, Answer(events, b""), False)
    assert [label.field for label in kept.of_host] == ["smtp.banner"]


@pytest.mark.parametrize("outcome", [Answered.REFUSED, Answered.FILTERED, Answered.TIMEOUT])
def test_who_said_nothing_has_no_protocol(outcome: Answered) -> None:
    kept = ledger(port=587)
    kept.outcome, kept.detail = outcome, "why"
    service = kept.service(0)
    assert (service.outcome, service.detail) == (outcome, "why")
    assert (service.protocol, service.service, service.tls_mode) == (None, None, None)
    assert service.tls == TlsAccepted(None, None)


def test_who_greeted_and_fell_silent_has_a_protocol() -> None:
    kept = ledger(port=587)
    kept.heard(b"", Answer((Greeting("mx"),), b"220 mx"), False)
    kept.outcome = Answered.TIMEOUT
    service = kept.service(0)
    assert (service.protocol, service.service, service.tls_mode) == ("smtp", "submission", TlsMode.CLEAR)
    assert replace(service, outcome=Answered.ANSWERED).banner == "mx"
