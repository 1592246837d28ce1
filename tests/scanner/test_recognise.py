"""What both sides say decides which protocol it is; the port is a hint."""

import pytest

from scanner.conversation import Chunk, Side
from scanner.recognise import hello_place, inner_protocol, known, recognise

C, S = Side.CLIENT, Side.SERVER


def said(*parts: tuple[Side, bytes]) -> list[Chunk]:
    return [Chunk(side, 0, data) if data else Chunk(side, 0, b"", -1) for side, data in parts]


@pytest.mark.parametrize(
    ("parts", "port", "expected"),
    [
        pytest.param([(S, b"220 x ESMTP\r\n"), (C, b"EHLO a\r\n")], 587, "smtp", id="SMTP on its port"),
        pytest.param([(S, b"220 x ESMTP\r\n"), (C, b"EHLO a\r\n")], 9025, "smtp", id="SMTP elsewhere"),
        pytest.param([(S, b"220 x ESMTP\r\n")], 25, "smtp", id="a greeting on its port"),
        pytest.param([(S, b"220 x ESMTP\r\n")], 9025, None, id="a greeting alone elsewhere proves nothing"),
        pytest.param(
            [(S, b"220 FTP ready\r\n"), (C, b"USER ann\r\n")], 21, None, id="FTP greets with 220 too"
        ),
        pytest.param([(S, b"Welcome!\r\n"), (C, b"EHLO a\r\n")], 25, "smtp", id="an odd banner on its port"),
        pytest.param([(S, b"Welcome!\r\n"), (C, b"EHLO a\r\n")], 9025, None, id="an odd banner elsewhere"),
        pytest.param(
            [(C, b"\x16\x03\x01\0\x05\x01\0\0\x01\0"), (S, b"\0\1\2")],
            993,
            "tls",
            id="a hello answered oddly",
        ),
        pytest.param(
            [(C, b"\x16\x03\x01\0\x05\x01\0\0\x01\0"), (S, b"220 x ESMTP\r\n")],
            465,
            "smtp",
            id="a hello answered in clear",
        ),
        pytest.param([(C, b"QUIT\r\n")], 25, "smtp", id="a farewell on its port"),
        pytest.param([(C, b"QUIT\r\n")], 9025, None, id="a farewell elsewhere"),
        pytest.param([(S, b"+OK ready\r\n"), (C, b"CAPA\r\n")], 1100, "pop3", id="POP3 elsewhere"),
        pytest.param([(S, b"+OK x\r\n"), (C, b"USER ann\r\n")], 1100, "pop3", id="POP3 by its USER"),
        pytest.param([(C, b"USER a 0 * :x\r\n"), (S, b":s 001 a :hi\r\n")], 1100, None, id="IRC"),
        pytest.param([(C, b"AUTH x\r\n"), (S, b"+OK\r\n")], 6379, None, id="Redis has AUTH, too"),
        pytest.param([(C, b"SET a b\r\n"), (S, b"+OK\r\n")], 6379, None, id="Redis says +OK too"),
        pytest.param([(S, b"* OK ready\r\n"), (C, b"a LOGIN x y\r\n")], 1430, "imap", id="IMAP elsewhere"),
        pytest.param([(C, b"GET / HTTP/1.1\r\n"), (S, b"HTTP/1.1 200 OK\r\n")], 8008, "http", id="HTTP"),
        pytest.param([(C, b"\x16\x03\x01\0\x05\x01\0\0\x01\0")], 465, "tls", id="TLS"),
        pytest.param(
            [(S, b""), (S, b"250 ok\r\n"), (C, b"QUIT\r\n")], 25, "smtp", id="the middle on its port"
        ),
        pytest.param(
            [(S, b""), (S, b"\xff\xfe\x17\3"), (C, b"\x17\3\3\0\x1a" + bytes(26))],
            993,
            "tls",
            id="the middle of TLS on its port",
        ),
        pytest.param(
            [(C, b""), (C, b"\x17\3\3\0\x1a" + bytes(26))], 587, "tls", id="the middle of TLS after STARTTLS"
        ),
        pytest.param(
            [(C, b""), (C, b"\x80\0\0\x28" + bytes(40))], 993, None, id="the middle of something binary"
        ),
        pytest.param(
            [(S, b"\x16\3\3\0\x2a\2\0\0\x26\3\3")], 993, "tls", id="a server's hello alone, on its port"
        ),
        pytest.param([(S, b"\x16\3\3\0\x2a\2\0\0\x26\3\3")], 9993, None, id="and elsewhere"),
        pytest.param([(S, b"22"), (S, b""), (C, b"EH")], 25, "smtp", id="text of which little was captured"),
        pytest.param([(C, b"\x16\3"), (C, b"")], 993, "tls", id="TLS of which little was captured"),
        pytest.param([(S, b""), (C, b"")], 110, "pop3", id="talk of which nothing was captured"),
        pytest.param([(S, b""), (C, b"")], 995, "tls", id="TLS of which nothing was captured"),
        pytest.param([(C, b""), (C, b"\x16\1"), (C, b"\x17\3\3\xff\xff")], 993, None, id="no records"),
        pytest.param([(C, b"\0\1\2\3")], 25, None, id="noise"),
        pytest.param(
            [(C, b"POST /ipp/print HTTP/1.1\r\n"), (S, b"HTTP/1.1 200 OK\r\n")], 631, "http", id="IPP is HTTP"
        ),
        pytest.param(
            [(C, b"\x1b%-12345X@PJL INFO ID\r\n"), (S, b"@PJL INFO ID\r\n")], 9100, None, id="printing"
        ),
        pytest.param([(S, b"@PJL INFO ID\r\n")], 9100, None, id="what a printer says alone"),
        pytest.param([(S, b"HTTP/1.1 200 OK\r\n")], 631, None, id="what answers by IPP alone"),
        pytest.param([], 25, None, id="nothing"),
    ],
)
def test_a_protocol_is_recognised(parts: list[tuple[Side, bytes]], port: int, expected: str | None) -> None:
    found = recognise(said(*parts), port, 50000)
    assert (found.dialect.name if found else None) == expected


def test_ends_taken_the_wrong_way_round_are_turned() -> None:
    found = recognise(said((C, b"220 x ESMTP\r\n"), (S, b"EHLO a\r\n")), 50000, 25)
    assert found is not None
    assert found.swapped


@pytest.mark.parametrize(
    ("alpn", "port", "name", "expected"),
    [
        (("imap",), 443, None, "imap"),
        (("h2", "http/1.1"), 8443, None, "http"),
        ((), 465, None, "smtp"),
        ((), 8465, "smtp.example.com", "smtp"),
        ((), 8465, "pop-legacy.office365.com", "pop3"),
        (("odd",), 8465, "www.example.com", None),
    ],
)
def test_what_is_inside_tls_is_guessed(
    alpn: tuple[str, ...], port: int, name: str | None, expected: str
) -> None:
    assert inner_protocol(alpn, port, name) == expected


HELLO = b"\x16\x03\x01\0\x05\x01\0\0\x01\0"


@pytest.mark.parametrize(
    ("parts", "port", "place"),
    [
        pytest.param([(S, b"220 go\r\n"), (C, HELLO)], 587, 1, id="a hello first"),
        pytest.param([(S, b"220 go\r\n"), (C, HELLO)], 465, None, id="TLS was asked of who greets in clear"),
        pytest.param([(C, b""), (C, HELLO)], 587, 1, id="behind a hole"),
        pytest.param([(S, b"220 x ESMTP\r\n"), (C, b"EHLO a\r\n")], 587, None, id="a greeting is answered"),
        pytest.param([(C, HELLO), (S, b"220 x\r\n")], 587, None, id="TLS was asked"),
        pytest.param([(S, b"220 x ESMTP\r\n")], 587, None, id="nobody answers"),
    ],
)
def test_a_capture_that_begins_at_the_answer_to_starttls(
    parts: list[tuple[Side, bytes]], port: int, place: int | None
) -> None:
    smtp = known("smtp")
    assert smtp is not None
    assert hello_place(smtp, said(*parts), port) == place
