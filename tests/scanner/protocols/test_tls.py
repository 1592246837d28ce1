"""TLS from outside: hellos, certificate, alerts, and who wrote how much in turn."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from scanner.conversation import Side
from scanner.events import (
    Certificate,
    ClientHello,
    Event,
    Gap,
    Phase,
    Reached,
    ServerHello,
    Turn,
    Weird,
)
from scanner.protocols.tls import DIALECT, TlsSession

C, S = Side.CLIENT, Side.SERVER
Said = tuple[Side, bytes | int]
"""What one side said; a number stands for bytes that are lost."""
GCM, CBC, RC4 = b"\xc0\x2f", b"\0\x2f", b"\0\x05"
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
ANSWERED, OPENED = Reached(Phase.ANSWERED), Reached(Phase.OPENED)
CHANGE = b"\x14\x03\x03\0\x01\x01"
CLOSE_NOTIFY_13 = 2 + 17


def record(content: int, payload: bytes, minor: int = 3) -> bytes:
    return bytes([content, 3, minor]) + len(payload).to_bytes(2, "big") + payload


def data(length: int) -> bytes:
    """A record of application data of that length on the wire."""
    return record(23, bytes(length))


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def client_hello(versions: bytes = b"") -> bytes:
    extensions = b"\0\x2b" + (len(versions) + 1).to_bytes(2, "big") + bytes([len(versions)]) + versions
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\xc0\x2f" + b"\x01\0"
    return message(1, body + len(extensions).to_bytes(2, "big") + extensions if versions else body)


def server_hello(
    suite: bytes, version: bytes = b"\x03\x03", extensions: bytes = b"", random: bytes = b""
) -> bytes:
    body = version + (random or bytes(32)) + b"\0" + suite + b"\0"
    return message(2, body + len(extensions).to_bytes(2, "big") + extensions if extensions else body)


TLS13 = b"\0\x2b\0\x02\x03\x04"
HELLO: Said = (C, record(22, client_hello(), minor=1))
HELLO13: Said = (C, record(22, client_hello(b"\x03\x04\x03\x03"), minor=1))
ANSWER13: Said = (S, record(22, server_hello(b"\x13\x01", extensions=TLS13)) + CHANGE)
ANSWER13_384: Said = (S, record(22, server_hello(b"\x13\x02", extensions=TLS13)) + CHANGE)
FINISHED = record(22, bytes(40))
"""Encrypted; TLS 1.2."""


def heard(said: Iterable[Said]) -> list[Event]:
    session = TlsSession()
    events: list[Event] = []
    for at, (side, what) in enumerate(said):
        events.extend(session.gap(side, what, at) if isinstance(what, int) else session.feed(side, what, at))
    events.extend(session.end())
    return events


def turns(events: Iterable[Event]) -> list[tuple[Side, int, int, int]]:
    return [(event.side, event.low, event.high, event.records) for event in events if isinstance(event, Turn)]


def handshake(suite: bytes = GCM, version: bytes = b"\x03\x03", extensions: bytes = b"") -> list[Said]:
    """TLS 1.2 and before, up to both Finished."""
    answer = server_hello(suite, version, extensions) + message(14, b"")
    return [HELLO, (S, record(22, answer)), (C, CHANGE + FINISHED), (S, CHANGE + FINISHED)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            [*handshake(), (S, data(24 + 50)), (C, data(24 + 13)), (S, data(24 + 7))],
            [(S, 50, 50, 1), (C, 13, 13, 1), (S, 7, 7, 1)],
            id="AEAD is exact",
        ),
        pytest.param(
            [*handshake(), (C, data(24 + 5)), (C, data(24 + 6) + data(24 + 7)), (S, data(24))],
            [(C, 18, 18, 3), (S, 0, 0, 1)],
            id="records of one side are one turn",
        ),
        pytest.param(
            [*handshake(CBC), (C, data(16 + 48))],
            [(C, 12, 27, 1)],
            id="CBC in TLS 1.2: between 12 and 27 bytes in three blocks with a MAC of 20",
        ),
        pytest.param(
            [*handshake(CBC, b"\x03\x01"), (C, data(48)), (C, data(32))],
            [(C, 12, 38, 2)],
            id="CBC in TLS 1.0 has no IV in the record, and two ranges add up",
        ),
        pytest.param(
            [*handshake(CBC, extensions=b"\0\x16\0\0"), (C, data(16 + 32 + 20))],
            [(C, 16, 31, 1)],
            id="CBC with the MAC behind the ciphertext",
        ),
        pytest.param([*handshake(RC4), (C, data(20 + 9))], [(C, 9, 9, 1)], id="a stream cipher is exact"),
        pytest.param(
            [
                HELLO13,
                ANSWER13,
                (S, data(900)),
                (C, CHANGE + data(53)),
                (S, data(17 + 40)),
                (C, data(17 + 8)),
            ],
            [(S, 40, 40, 1), (C, 8, 8, 1)],
            id="TLS 1.3: the server's flight and the client's Finished (SHA-256) are no turns",
        ),
        pytest.param(
            [HELLO13, ANSWER13_384, (S, data(900)), (C, CHANGE + data(69) + data(17 + 8))],
            [(C, 8, 8, 1)],
            id="TLS 1.3: a Finished of SHA-384, and data in the same packet",
        ),
        pytest.param(
            [HELLO13, ANSWER13, (S, data(17 + 4) + data(900))],
            [],
            id="TLS 1.3: nothing before the client's Finished",
        ),
    ],
)
def test_turns_tell_who_wrote_how_much(said: list[Said], expected: list[tuple[Side, int, int, int]]) -> None:
    assert turns(heard(said)) == expected
    bytewise = [
        (side, what[at : at + 1]) for side, what in said if isinstance(what, bytes) for at in range(len(what))
    ]
    assert turns(heard(bytewise)) == expected


def test_a_turn_begins_with_its_first_record() -> None:
    events = heard([*handshake(), (C, data(30)), (C, data(30)), (S, data(30))])
    assert [event.at for event in events if isinstance(event, Turn)] == [4, 6]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([HELLO], [OPENED], id="a hello alone"),
        pytest.param(
            handshake()[:2],
            [ServerHello("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"), ANSWERED],
            id="a hello and its answer",
        ),
        pytest.param(
            [HELLO13, ANSWER13],
            [ServerHello("TLSv1.3", "TLS_AES_128_GCM_SHA256"), ANSWERED],
            id="TLS 1.3",
        ),
        pytest.param(
            [
                HELLO13,
                (S, record(22, server_hello(b"\x13\x02", extensions=TLS13, random=RETRY)) + CHANGE),
                (C, CHANGE + HELLO13[1]),  # type: ignore[operator]
                (S, record(22, server_hello(b"\x13\x01", extensions=TLS13)) + data(900)),
                (C, data(53)),
                (S, data(17 + 20)),
            ],
            [ServerHello("TLSv1.3", "TLS_AES_128_GCM_SHA256"), Turn(S, 20, 20, 1, 5, (20,)), ANSWERED],
            id="a HelloRetryRequest is no answer, and the second hello no other",
        ),
        pytest.param(
            [HELLO, (S, record(21, b"\x02\x46"))],
            [Weird("tls_alert_protocol_version", "from the server"), OPENED],
            id="an alert instead of an answer",
        ),
        pytest.param(
            [*handshake()[:2], (C, record(21, b"\x02\x30"))],
            [
                ServerHello("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
                Weird("tls_alert_unknown_ca", "from the client"),
                ANSWERED,
            ],
            id="a client that does not trust the certificate",
        ),
        pytest.param(
            [HELLO, (S, record(21, b"\x02\xfe"))],
            [Weird("tls_alert_254", "from the server"), OPENED],
            id="an alert that has no name",
        ),
        pytest.param(
            [HELLO, (S, b"220 mx.example.com ESMTP\r\n"), (S, b"500 what?\r\n")],
            [Weird("tls_not_tls"), OPENED],
            id="a plaintext answer to a hello, told once",
        ),
        pytest.param([HELLO, (S, -1)], [Gap(S, -1), OPENED], id="a server that is not heard"),
    ],
)
def test_what_is_told_behind_the_hello(said: list[Said], expected: list[Event]) -> None:
    events = heard(said)
    assert isinstance(events[0], ClientHello)
    assert events[1:] == expected


def test_encrypted_alerts_are_not_read() -> None:
    events = heard([*handshake(), (C, record(21, bytes(26))), (S, record(21, bytes(2)))])
    assert not [event for event in events if isinstance(event, Weird)]
    assert turns(events) == []


def test_a_close_notify_of_tls_1_3_looks_like_two_bytes() -> None:
    """It is a record like any other (RFC 8446 5.2); what weighs turns has to know."""
    events = heard([HELLO13, ANSWER13, (C, data(53)), (C, data(CLOSE_NOTIFY_13))])
    assert turns(events) == [(C, 2, 2, 1)]


def test_a_hello_may_lie_in_many_records() -> None:
    hello = client_hello()
    split = b"".join(record(22, hello[at : at + 7]) for at in range(0, len(hello), 7))
    assert heard([(C, split)]) == heard([HELLO])


def test_a_hello_that_is_cut_short_is_told() -> None:
    assert heard([(C, record(22, message(1, b"\x03\x03abc")))]) == [Weird("tls_bad_hello")]


def test_only_the_first_hello_counts() -> None:
    events = heard([HELLO, (C, record(22, client_hello(b"\x03\x04")))])
    assert [type(event) for event in events] == [ClientHello, Reached]


SSL2 = b"\x01" + b"\x03\x01" + b"\0\x06\0\0\0\x10" + b"\0\0\x2f\0\0\x05" + bytes(16)


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 20])
def test_a_hello_in_the_form_of_sslv2(cut: int) -> None:
    framed = bytes([0x80 | len(SSL2) >> 8, len(SSL2) & 0xFF]) + SSL2
    answer = (S, record(22, server_hello(b"\0\x2f", b"\x03\x01")))
    events = heard(
        [(C, framed[:cut]), (C, framed[cut:] + b""), answer, (C, CHANGE + FINISHED), (C, data(32))]
    )
    assert isinstance(events[0], ClientHello)
    assert events[0].versions == ("TLSv1",)
    assert events[1:] == [
        ServerHello("TLSv1", "TLS_RSA_WITH_AES_128_CBC_SHA"),
        Turn(C, 0, 11, 1, 4, (11,)),
        ANSWERED,
    ]


def test_the_certificate_of_tls_1_2_is_read() -> None:
    subject = bytes.fromhex("300c310a300806035504030c0161")
    body = b"\x02\x01\x05" + b"\x30\0" + subject + b"\x30\0" + subject + b"\x30\0"
    certificate = b"\x30" + bytes([len(body) + 2]) + b"\x30" + bytes([len(body)]) + body
    entry = len(certificate).to_bytes(3, "big") + certificate
    chain = message(11, len(entry).to_bytes(3, "big") + entry)
    events = heard([HELLO, (S, record(22, server_hello(GCM) + chain[:9]) + record(22, chain[9:]))])
    assert events[2] == Certificate("a", (), None)


def test_after_a_gap_no_turn_is_told() -> None:
    said: list[Said] = [*handshake(), (C, data(30)), (C, 100), (C, data(30)), (S, data(30))]
    events = heard(said)
    assert Gap(C, 100) in events
    assert turns(events) == [(C, 6, 6, 1)]


def test_data_without_hellos_has_no_size() -> None:
    assert heard([(C, data(30)), (S, data(40))]) == []


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(b"\x16\x03\x01\0\x80\x01", True, id="a hello"),
        pytest.param(b"\x16\x03\x01", True, id="the beginning of a record"),
        pytest.param(b"\x16", None, id="one byte"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"\x16\x03\x01\0\x80\x02", False, id="a server's hello"),
        pytest.param(b"\x80\x2e\x01\x03\x01", True, id="the form of SSLv2"),
        pytest.param(b"\x80", None, id="perhaps the form of SSLv2"),
        pytest.param(b"\0\x0e\x38\xac\x11\xd3\x43\xcd\x01\x2c\x27\0\0\0\0\0", False, id="OpenVPN over TCP"),
        pytest.param(b"EHLO x\r\n", False, id="a command"),
        pytest.param(b"\x17\x03\x03\0\x20", False, id="data of a connection begun before"),
        pytest.param(b"SSH-2.0-x\r\n", False, id="SSH"),
    ],
)
def test_the_mark_of_a_client(head: bytes, expected: bool | None) -> None:
    assert DIALECT.client_mark(head) is expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(b"\x16\x03\x03\0\x50\x02", True, id="a hello"),
        pytest.param(b"\x15\x03\x01\0\x02\x02\x46", True, id="an alert"),
        pytest.param(b"\x15", None, id="one byte"),
        pytest.param(b"\0\x1a\x40\x01\x02", False, id="OpenVPN over TCP"),
        pytest.param(b"220 mx.example.com ESMTP\r\n", False, id="a greeting"),
    ],
)
def test_the_mark_of_a_server(head: bytes, expected: bool | None) -> None:
    assert DIALECT.server_mark(head) is expected
