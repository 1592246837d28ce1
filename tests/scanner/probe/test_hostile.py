"""Servers that mean no good: each is left in time, with little kept of it, and told as an outcome."""

import asyncio
import os
import time
import tracemalloc
from collections.abc import Iterator

import hostile
import pytest
from hostile import NOISE, Server, closes, drips, floods, inside, resets, says, waits

from scanner.conversation import Endpoint
from scanner.probe import dial, errand
from scanner.probe.dial import Dialler
from scanner.probe.errand import WAYS_TRIED, Errand, Found, Way
from scanner.probe.pace import Pace
from scanner.protocols import http, imap, pop3, smtp
from scanner.session import Asker

WAYS = {
    "smtp": Way(smtp.DIALECT), "imap": Way(imap.DIALECT), "pop3": Way(pop3.DIALECT),
    "http": Way(http.DIALECT), "smtps": Way(smtp.DIALECT, True), "https": Way(http.DIALECT, True),
}  # fmt: skip
QUIET_S, LONGEST_S = 0.3, 0.8
MOST_BYTES = 8 * 2**20
"""Kept of any server, its own buffers included."""
HI, OFFER, GO = b"220 mx ESMTP\r\n", b"250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n", b"220 go\r\n"
IMAP_HI, POP3_HI = b"* OK IMAP4rev1 ready\r\n", b"+OK ready\r\n"
OK, GIGABYTE = b"HTTP/1.1 200 OK\r\n", b"Content-Length: 1073741824\r\n\r\n"
CHUNKED, CONTINUE = b"Transfer-Encoding: chunked\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"
AGAIN = b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "QUIET_S", QUIET_S)
    monkeypatch.setattr(dial, "LONGEST_S", LONGEST_S)


@pytest.fixture(autouse=True)
def all_is_closed() -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) == before


def asked(how: str, server: Server, monkeypatch: pytest.MonkeyPatch, quick: bool = False) -> Found:
    """What an errand brings from a server, in time and within memory."""

    async def ask() -> Found:
        async with hostile.listening(server) as port:
            monkeypatch.setitem(errand.WAYS, port, WAYS[how])
            sent = Errand(Dialler(["127.0.0.1"], Pace(0, 0)), Asker(), lambda: 0, quick)
            return await sent.ask(Endpoint("127.0.0.1", port))

    hostile.tls()
    began = time.monotonic()
    tracemalloc.start()
    try:
        found = asyncio.run(ask())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES
    assert time.monotonic() - began < (WAYS_TRIED + 1) * LONGEST_S + 2
    assert bool(found.service.detail) == (found.service.outcome != "answered")
    return found


TARPIT = drips(b"250-x\r\n")


@pytest.mark.parametrize(
    ("how", "server", "outcome"),
    [
        pytest.param("smtp", waits, "timeout", id="says nothing"),
        pytest.param("smtp", closes, "closed", id="hangs up at once"),
        pytest.param("smtp", resets, "closed", id="resets at once"),
        pytest.param("smtp", says(HI, then=resets), "closed", id="resets after its greeting"),
        pytest.param("smtp", says(HI, OFFER[:9], then=resets, at_once=True), "closed",
                     id="resets in its reply"),
        pytest.param("smtp", says(HI, OFFER, then=resets), "closed", id="resets at STARTTLS"),
        pytest.param("smtp", says(HI, OFFER, GO, then=resets), "handshake-error",
                     id="resets in the handshake"),
        pytest.param("smtp", says(HI, OFFER, GO, then=waits), "timeout", id="stalls there"),
        pytest.param("smtp", says(HI, OFFER, GO, NOISE), "handshake-error", id="noise there"),
        pytest.param("smtp", says(HI, OFFER, GO, b"\x15\x03\x03\0\2\2\x28"), "handshake-error",
                     id="an alert there"),
        pytest.param("smtp", says(HI, OFFER, GO, b"\x16\x03\x03\xff\xff" + bytes(70000)),
                     "handshake-error", id="a record that is too large there"),
        pytest.param("smtp", drips(b"x"), "protocol-error", id="a byte a second that is no greeting"),
        pytest.param("smtp", drips(b"x", b"220 "), "timeout", id="a greeting, a byte a second"),
        pytest.param("smtp", floods(b"220-welcome\r\n"), "protocol-error", id="a banner of 100 MB"),
        pytest.param("smtp", floods(b"x", b"220 "), "protocol-error", id="a line of 100 MB"),
        pytest.param("smtp", floods(b"\n", b"220-\r\n"), "protocol-error", id="100 MB of empty lines"),
        pytest.param("smtp", floods(NOISE), "protocol-error", id="100 MB of noise"),
        pytest.param("smtp", floods(b"\0"), "protocol-error", id="100 MB of nothing"),
        pytest.param("smtp", says(HI, then=TARPIT), "timeout", id="a tarpit"),
        pytest.param("smtp", says(HI, then=floods(b"250-AUTH A B C D E F G\r\n")),
                     "protocol-error", id="offers without end"),
        pytest.param("smtps", waits, "timeout", id="TLS that does not begin"),
        pytest.param("smtps", drips(b"\x16"), "handshake-error", id="TLS, a byte a second, all the same"),
        pytest.param("smtps", drips(b"\0", b"\x16\x03\x03\x40\x00\x02"), "timeout",
                     id="TLS, a byte a second"),
        pytest.param("smtps", floods(b"\x16\x03\x03\x00\x04\x00\x00\x00\x00"), "protocol-error",
                     id="TLS that asks for a hello without end"),
        pytest.param("smtps", inside(resets), "closed", id="resets inside TLS"),
        pytest.param("smtps", inside(closes), "closed", id="hangs up inside TLS"),
        pytest.param("smtps", inside(drips(b"x", b"220 ")), "timeout", id="a byte a second inside TLS"),
        pytest.param("smtps", inside(floods(b"220-welcome\r\n")), "protocol-error", id="100 MB inside TLS"),
        pytest.param("smtps", inside(floods(NOISE)), "protocol-error", id="noise inside TLS"),
        pytest.param("imap", says(IMAP_HI, b"* X {2147483648}\r\n", then=floods(b"x"), at_once=True),
                     "protocol-error", id="a literal of 2 GB"),
        pytest.param("imap", says(IMAP_HI, then=drips(b"* CAPABILITY AUTH=PLAIN\r\n")), "timeout",
                     id="capabilities without end"),
        pytest.param("imap", says(IMAP_HI, then=floods(b"* CAPABILITY AUTH=PLAIN AUTH=X\r\n")),
                     "protocol-error", id="100 MB of capabilities"),
        pytest.param("pop3", says(POP3_HI, b"+OK list\r\n", then=drips(b"SASL PLAIN\r\n"), at_once=True),
                     "timeout", id="a listing without end"),
        pytest.param("pop3", says(POP3_HI, b"+OK list\r\n", then=floods(b"SASL PLAIN\r\n"), at_once=True),
                     "protocol-error", id="a listing of 100 MB"),
    ],
)  # fmt: skip
def test_mail(how: str, server: Server, outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(how, server, monkeypatch).service.outcome == outcome


@pytest.mark.parametrize(
    ("server", "outcome"),
    [
        pytest.param(waits, "timeout", id="says nothing"),
        pytest.param(closes, "closed", id="hangs up at once"),
        pytest.param(resets, "closed", id="resets at once"),
        pytest.param(says(b"", OK, then=resets, at_once=True), "answered", id="resets in its head"),
        pytest.param(floods(b"X-Again: and again\r\n", OK), "protocol-error", id="headers without end"),
        pytest.param(drips(b"X-Again: x\r\n", OK), "timeout", id="a header a second"),
        pytest.param(floods(b"X" * 64, OK), "protocol-error", id="a header of 100 MB"),
        pytest.param(floods(b"10\r\n0123456789abcdef\r\n", OK + CHUNKED), "answered",
                     id="chunks without end"),
        pytest.param(drips(b"1\r\nx\r\n", OK + CHUNKED), "timeout",
                     id="a chunk a second"),
        pytest.param(floods(b"x", OK + GIGABYTE), "answered", id="a page of 1 GB"),
        pytest.param(says(b"", OK + GIGABYTE, then=waits), "timeout",
                     id="a page of 1 GB that does not come"),
        pytest.param(floods(b"x", OK + b"\r\n"), "answered", id="a page without length or end"),
        pytest.param(says(b"", *[AGAIN] * 99), "answered", id="redirections to itself"),
        pytest.param(floods(NOISE), "protocol-error", id="noise"),
        pytest.param(says(b"", OK + b"Content-Length: -1\r\n\r\n", then=closes, at_once=True), "answered",
                     id="a length below 0"),
        pytest.param(says(b"", CONTINUE, then=floods(CONTINUE), at_once=True),
                     "protocol-error", id="continues without end"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["http", "https"])
def test_the_web(how: str, server: Server, outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    meant = inside(server) if how == "https" else server
    assert asked(how, meant, monkeypatch, quick=True).service.outcome == outcome
