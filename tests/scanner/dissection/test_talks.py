"""What each protocol's dissected fields mean: logins and outcomes, offers, tunnels, hellos."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packets import C, S

from scanner.conversation import Side
from scanner.dissection import Field, Layer, Talk
from scanner.dissection.attempt import PENDING_LIMIT
from scanner.dissection.fields import WANTED
from scanner.dissection.http import HttpTalk
from scanner.dissection.imap import ImapTalk
from scanner.dissection.pop3 import Pop3Talk
from scanner.dissection.smtp import SmtpTalk
from scanner.dissection.socks import SocksTalk
from scanner.dissection.streams import TALKS
from scanner.dissection.tls import TlsTalk
from scanner.events import (
    Certificate,
    ClientHello,
    ClientName,
    Event,
    Greeting,
    Label,
    Login,
    Mail,
    Offer,
    Outcome,
    Phase,
    Reached,
    ServerHello,
    Service,
    TlsMode,
    TlsStarted,
    Turn,
)

OK, NO = Outcome.ACCEPTED, Outcome.REFUSED
Said = tuple[Side, list[tuple[str, str]]]


def heard(make: Callable[[], Talk], *said: Said) -> list[Event]:
    talk = make()
    events: list[Event] = []
    for side, fields in said:
        events += talk.hear(side, Layer("x", tuple(Field(*one) for one in fields)), 0)
    return [*events, *talk.end()]


def asks(verb: str, word: str = "", **more: str) -> Said:
    """A command of SMTP."""
    fields = [("smtp.req.command", verb), *([("smtp.req.parameter", word)] if word else [])]
    return C, [*fields, *(((f"smtp.auth.{name}"), text) for name, text in more.items())]


def says(code: str, *texts: str) -> Said:
    """A reply of SMTP."""
    return S, [("smtp.response.code", code), *(("smtp.rsp.parameter", text) for text in texts)]


def tagged(tag: str, verb: str, *fields: tuple[str, str]) -> Said:
    """A command of IMAP."""
    return C, [("imap.request_tag", tag), ("imap.request.command", verb), *fields]


def answered(tag: str, status: str, text: str = "done") -> Said:
    answer = ("imap.response", f"{tag} {status} {text}")
    return S, [("imap.response_tag", tag), answer, ("imap.response.status", status)]


def knocks(verb: str, word: str = "") -> Said:
    """A command of POP3."""
    return C, [("pop.request.command", verb), *([("pop.request.parameter", word)] if word else [])]


def replies(indicator: str, text: str = "", *lines: str) -> Said:
    told = [("pop.response.indicator", indicator), ("pop.response.description", text)]
    return S, [*told, *(("pop.response.data", line) for line in lines)]


def gets(uri: str, *fields: tuple[str, str], method: str = "GET") -> Said:
    """A request of HTTP."""
    return C, [("http.request.method", method), ("http.request.uri", uri), *fields]


def gives(code: str, *offers: str) -> Said:
    told = [("http.response.code", code), ("http.response.phrase", "so")]
    return S, [*told, *(("http.www_authenticate", offer) for offer in offers)]


NTLM = ("http.authorization", "NTLM")
FIRST, LAST = ("ntlmssp.messagetype", "0x00000001"), ("ntlmssp.messagetype", "0x00000003")
ANN = (("ntlmssp.auth.domain", "EXAMPLE"), ("ntlmssp.auth.username", "ann"))
SERVED, ANSWERED, OPENED = Reached(Phase.SERVED), Reached(Phase.ANSWERED), Reached(Phase.OPENED)
HELLO = ClientHello("mail.example.com", ("h2",), ("TLSv1.3", "TLSv1.2"), "aa", None)

CASES: tuple[tuple[str, Callable[[], Talk], tuple[Said, ...], list[Event]], ...] = (
    (
        "SMTP: EHLO is offered mechanisms, and Exchange says whom it sees",
        SmtpTalk,
        (asks("EHLO", "copier"), says("250", "mx Hello [203.0.113.7]", "AUTH LOGIN=PLAIN", "STARTTLS")),
        [
            ClientName("copier", "EHLO"),
            Offer(("LOGIN", "PLAIN"), starttls=True, length=64),
            Label("smtp.public_ip", "203.0.113.7"),
            ANSWERED,
        ],
    ),
    (
        "SMTP: a challenge ends no login, and what is asked twice is tried twice",
        SmtpTalk,
        (
            asks("AUTH", "NTLM"),
            says("334", "x"),
            says("535", "no"),
            asks("AUTH", "LOGIN", username="ann"),
            says("235", "yes"),
        ),
        [Login("NTLM", NO, reason="no"), Login("LOGIN", OK, "ann"), ANSWERED],
    ),
    (
        "SMTP: a login without an answer has no outcome",
        SmtpTalk,
        (asks("AUTH", "PLAIN", username="ann"), asks("AUTH", "LOGIN")),
        [Login("PLAIN", None, "ann"), Login("LOGIN", None), OPENED],
    ),
    (
        "SMTP: envelopes by DATA and BDAT, taken and refused",
        SmtpTalk,
        (
            *(asks("DATA"), says("354", "go"), says("250", "taken")),
            *(asks("MAIL"), says("550", "no")),
            *(asks("BDAT"), says("250", "taken"), asks("BDAT"), says("250", "taken")),
        ),
        [Mail(accepted=True), Mail(accepted=False), Mail(accepted=True), SERVED],
    ),
    (
        "SMTP: STARTTLS, and one that is refused",
        SmtpTalk,
        (asks("STAR"), says("454", "no"), asks("STAR"), says("220", "go")),
        [TlsStarted(TlsMode.STARTTLS), ANSWERED],
    ),
    (
        "SMTP: a reply that comes first is a greeting",
        SmtpTalk,
        (says("220", "mx ready"),),
        [Greeting("mx ready"), OPENED],
    ),
    (
        "IMAP: a greeting with capabilities, and a login",
        ImapTalk,
        (
            (S, [("imap.line", "* OK [CAPABILITY IMAP4 AUTH=PLAIN LOGINDISABLED] mail.example.com\r\n")]),
            tagged("a", "LOGIN", ("imap.request.username", "ann")),
            answered("a", "NO", "LOGIN failed."),
            tagged("b", "LOGOUT"),
            answered("b", "OK"),
        ),
        [
            Greeting("OK [CAPABILITY IMAP4 AUTH=PLAIN LOGINDISABLED] mail.example.com", "mail.example.com"),
            Offer(("PLAIN",), login_disabled=True),
            Login("IMAP-LOGIN", NO, "ann", "NO LOGIN failed.", "bad-credentials"),
            SERVED,
        ],
    ),
    (
        "IMAP: AUTHENTICATE without an answer, STARTTLS, and one who is in already",
        ImapTalk,
        (
            (S, [("imap.line", "* PREAUTH hello\r\n")]),
            tagged("s", "STARTTLS"),
            answered("s", "OK"),
            tagged("a", "AUTHENTICATE", ("imap.request", "plain")),
        ),
        [
            Greeting("PREAUTH hello"),
            Label("imap.preauth", "yes"),
            TlsStarted(TlsMode.STARTTLS),
            Login("PLAIN", None),
            SERVED,
        ],
    ),
    (
        "POP3: what is offered, a name that is refused, a password, APOP, AUTH, STLS",
        Pop3Talk,
        (
            replies("+OK", "ready"),
            *(knocks("CAPA"), replies("+OK", "", "SASL PLAIN", "USER", "STLS", ".")),
            *(knocks("AUTH"), replies("+OK", "", "NTLM", ".")),
            *(knocks("USER", "ann"), replies("-ERR", "no")),
            *(knocks("USER", "bob"), replies("+OK"), knocks("PASS"), replies("+OK")),
            *(knocks("APOP", "ann"), replies("-ERR", "no"), knocks("STLS"), replies("+OK")),
            *(knocks("AUTH", "plain"), knocks("AUTH", "ntlm")),
        ),
        [
            Greeting("+OK ready"),
            Offer(("PLAIN", "USERPASS"), starttls=True),
            Offer(("NTLM",)),
            Login("USERPASS", NO, "ann", "no"),
            Login("USERPASS", OK, "bob"),
            Login("APOP", NO, "ann", "no"),
            TlsStarted(TlsMode.STARTTLS),
            Login("PLAIN", None),
            Login("NTLM", None),
            ANSWERED,
        ],
    ),
    (
        "HTTP: a phone's password is refused, once told",
        HttpTalk,
        2
        * (
            gets(
                "/Microsoft-Server-ActiveSync?DeviceId=AB12",
                ("http.host", "mail.example.com"),
                ("http.authorization", "Basic"),
                ("http.authbasic", "ann"),
                ("http.request.line", "14.1"),
            ),
            gives("401", "Basic realm=x"),
        ),
        [
            Label("http.host", "mail.example.com"),
            Label("eas.version", "14.1"),
            Service("eas"),
            Label("eas.device_id", "AB12"),
            Offer(("HTTP-Basic",)),
            Login("HTTP-Basic", NO, "ann", "401 so"),
            Offer(("HTTP-Basic",)),
            ANSWERED,
        ],
    ),
    (
        "HTTP: NTLM's first message is a step, its last one is the login",
        HttpTalk,
        (gets("/ews/", NTLM, FIRST), gives("401", "NTLM x"), gets("/ews/", NTLM, LAST, *ANN), gives("200")),
        [Service("ews"), Offer(("HTTP-NTLM",)), Login("HTTP-NTLM", OK, "EXAMPLE\\ann"), SERVED],
    ),
    (
        "HTTP: NTLM that is given up after its first message",
        HttpTalk,
        (gets("/", NTLM, FIRST), gives("100"), gives("401")),
        [Login("HTTP-NTLM", None), ANSWERED],
    ),
    (
        "HTTP: a token without an answer, a tunnel",
        HttpTalk,
        (
            gets("mx.example.com:25", method="CONNECT"),
            gives("200"),
            gets("http://mail.example.com/owa/", ("http.authorization", "Bearer")),
        ),
        [
            Label("http.connect", "mx.example.com:25"),
            Service("owa"),
            Login("HTTP-Bearer", None),
            SERVED,
        ],
    ),
    (
        "HTTP: a cookie that stands for a login, and a token beside which it stands for nothing",
        HttpTalk,
        (
            gets("/owa/", ("http.cookie_pair", "FedAuth")),
            gives("440"),
            gets("/owa/", ("http.cookie_pair", "FedAuth"), ("http.authorization", "Bearer")),
            gives("200"),
            gets("/owa/", ("http.cookie_pair", "FedAuth")),
            gives("200"),
        ),
        [
            Service("owa"),
            Login("HTTP-Cookie", Outcome.REFUSED, reason="440 so"),
            Login("HTTP-Bearer", OK),
            SERVED,
        ],
    ),
    (
        "SOCKS: a tunnel to a name",
        SocksTalk,
        (
            (C, [("socks.command", "1"), ("socks.remote_name", "mx.example.com"), ("socks.port", "25")]),
            (S, [("socks.results", "0")]),
            (C, [("socks.command", "1"), ("socks.dstport", "25")]),
        ),
        [Label("socks.connect", "mx.example.com:25"), ANSWERED],
    ),
    (
        "SOCKS: one that is refused",
        SocksTalk,
        ((C, [("socks.command", "1"), ("socks.dst", "192.0.2.1")]), (S, [("socks.results", "5")])),
        [ANSWERED],
    ),
    (
        "TLS: both hellos, GREASE left out, and a certificate",
        TlsTalk,
        (
            (
                C,
                [
                    ("tls.handshake.type", "1"),
                    ("tls.handshake.extensions.supported_version", "0x0a0a"),
                    ("tls.handshake.extensions.supported_version", "0x0304"),
                    ("tls.handshake.extensions.supported_version", "0x0303"),
                    ("tls.handshake.extensions_server_name", "mail.example.com"),
                    ("tls.handshake.extensions_alpn_str", "h2"),
                    ("tls.handshake.ja3", "aa"),
                ],
            ),
            (
                S,
                [
                    ("tls.handshake.type", "2"),
                    ("tls.handshake.version", "0x0303"),
                    ("tls.handshake.ciphersuite", "0xc02f"),
                ],
            ),
            (
                S,
                [
                    ("tls.handshake.type", "11"),
                    ("x509if.RDNSequence_item", "issuer.example.com"),
                    ("x509af.subject", "0"),
                    ("x509if.RDNSequence_item", "mail.example.com"),
                    ("x509ce.dNSName", "www.example.com"),
                ],
            ),
        ),
        [
            HELLO,
            ServerHello("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            Certificate("mail.example.com", ("www.example.com",), None),
            ANSWERED,
        ],
    ),
    (
        "TLS: who says how much in turn, by records of data, whatever their true type",
        TlsTalk,
        (
            (
                S,
                [
                    ("tls.record.content_type", "22"),
                    ("tls.record.length", "116"),
                    ("tls.handshake.type", "2"),
                    ("tls.handshake.version", "0x0303"),
                    ("tls.handshake.ciphersuite", "0xc014"),
                    ("tls.handshake.extension.type", "22"),
                    ("tls.handshake.extensions_alpn_str", "h2"),
                ],
            ),
            (C, [("tls.record.content_type", "22"), ("tls.record.length", "68")]),
            (C, [("tls.record.content_type", "23"), ("tls.record.length", "68")]),
            (
                S,
                [
                    ("tls.record.opaque_type", "23"),
                    ("tls.record.length", "84"),
                    ("tls.record.opaque_type", "23"),
                    ("tls.record.length", "68"),
                    ("tls.record.content_type", "21"),
                    ("tls.record.length", "26"),
                ],
            ),
        ),
        [
            ServerHello("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "h2", encrypt_then_mac=True),
            Turn(C, 16, 31, 1, 0, (31,)),
            Turn(S, 48, 78, 2, 0, (47, 31)),
            ANSWERED,
        ],
    ),
    ("TLS: records without a hello say nothing", TlsTalk, ((C, [("tls.handshake.type", "16")]),), []),
)  # fmt: skip


@pytest.mark.parametrize(
    ("make", "said", "events"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_fields_mean(make: Callable[[], Talk], said: tuple[Said, ...], events: list[Event]) -> None:
    assert heard(make, *said) == events


FIELD = st.sampled_from([(layer, name) for layer in TALKS for name in WANTED[layer] if "type" not in name])
WORDS = (
    "",
    "AUTH",
    "EHLO",
    "220",
    "250",
    "334",
    "354",
    "+OK",
    "-ERR",
    "OK",
    "LOGIN",
    "0x0303",
    "1",
    "a b",
    "\x00\u202e",
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.lists(st.tuples(FIELD, st.sampled_from(WORDS)), max_size=6))))
def test_no_fields_in_any_order_are_too_odd(
    said: list[tuple[bool, list[tuple[tuple[str, str], str]]]],
) -> None:
    for layer, (_, make) in TALKS.items():
        talk = make()
        for by_client, fields in said:
            own = tuple(Field(name, text) for (of, name), text in fields if of == layer)
            list(talk.hear(C if by_client else S, Layer(layer, own), 0))
        list(talk.end())


def test_commands_that_wait_are_bounded() -> None:
    talk = SmtpTalk()
    for _ in range(PENDING_LIMIT + 10):
        list(talk.hear(C, Layer("smtp", (Field("smtp.req.command", "NOOP"),)), 0))
    assert len(talk._pending) == PENDING_LIMIT
