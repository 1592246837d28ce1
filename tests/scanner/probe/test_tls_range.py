"""What a server takes of TLS is found out with few connections: of real servers, and of hostile bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tls_servers import connected, gnutls, openssl

from scanner.events import ServerHello
from scanner.probe.tls_range import ANSWER_LIMIT, WEAK_ROUNDS, Refusal, Reply, Verdict, search
from scanner.services import TlsAccepted
from scanner.wire.client_hello import VERSIONS

ALL = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
DECENT = "ALL:!aNULL:!eNULL:@SECLEVEL=0"
OLDEST_FIRST = tuple(VERSIONS)


def replied(port: int, hello: bytes) -> Verdict:
    reply = Reply()
    with connected(port) as line:
        line.sendall(hello)
        while not reply.done:
            try:
                reply.hear(line.recv(4096))
            except ConnectionError:
                reply.hear(b"")
    return reply.verdict


def explored(ask: Callable[[bytes], Verdict], newest: str | None) -> tuple[TlsAccepted, int]:
    """What was found, and with how many connections."""
    asking, asked = search("printer.example", newest), 0
    try:
        hello = next(asking)
        while True:
            asked += 1
            hello = asking.send(ask(hello))
    except StopIteration as end:
        return end.value, asked


@pytest.mark.parametrize(
    ("options", "newest", "expected", "connections"),
    [
        pytest.param(("-tls1",), "TLSv1", ("TLSv1", "TLSv1"), 2, id="TLS 1.0 alone"),
        pytest.param(("-tls1_1",), "TLSv1.1", ("TLSv1.1", "TLSv1.1"), 2, id="TLS 1.1 alone"),
        pytest.param(("-tls1_2",), "TLSv1.2", ("TLSv1.2", "TLSv1.2"), 2, id="TLS 1.2 alone"),
        pytest.param(("-tls1_3",), "TLSv1.3", ("TLSv1.3", "TLSv1.3"), 1, id="TLS 1.3 alone"),
        pytest.param(("-no_tls1", "-no_tls1_1"), "TLSv1.3", ("TLSv1.2", "TLSv1.3"), 3, id="a modern server"),
        pytest.param((), "TLSv1.3", ("TLSv1", "TLSv1.3"), 5, id="all that there is"),
        pytest.param(("-no_tls1_1",), "TLSv1.3", ("TLSv1", "TLSv1.3"), 4, id="with a version left out"),
        pytest.param(("-no_tls1_3",), None, ("TLSv1", "TLSv1.2"), 5, id="when no handshake told the newest"),
        pytest.param(
            ("-tls1",), None, ("TLSv1", "TLSv1"), 3, id="an old one when no handshake told the newest"
        ),
        pytest.param(("-tls1_3",), None, ("TLSv1.3", "TLSv1.3"), 2, id="one that asks for a key"),
    ],
)
def test_versions_of_a_real_server(
    tmp_path: Path, options: tuple[str, ...], newest: str | None, expected: tuple[str, str], connections: int
) -> None:
    with openssl(tmp_path, "-cipher", DECENT, *options) as port:
        found = explored(lambda hello: replied(port, hello), newest)
    assert found == (TlsAccepted(*expected), connections)


@pytest.mark.parametrize(
    ("options", "weak", "connections"),
    [
        pytest.param(("-cipher", DECENT, "-no_tls1_1"), (), 3, id="none"),
        pytest.param(
            ("-cipher", "NULL-SHA:AES128-SHA:@SECLEVEL=0", "-no_tls1_1"),
            ("TLS_RSA_WITH_NULL_SHA",), 4, id="no secrecy",
        ),
        pytest.param(
            ("-cipher", "ADH-AES128-SHA:@SECLEVEL=0", "-nocert", "-no_tls1_1"),
            ("TLS_DH_anon_WITH_AES_128_CBC_SHA",), 4, id="no proof of who answers",
        ),
        pytest.param(
            ("-cipher", ALL, "-no_tls1_1"),
            ("TLS_RSA_WITH_NULL_MD5", "TLS_DH_anon_WITH_AES_128_CBC_SHA"), 5, id="one of each kind",
        ),
    ],
)  # fmt: skip
def test_weak_ciphers_of_a_real_server(
    tmp_path: Path, options: tuple[str, ...], weak: tuple[str, ...], connections: int
) -> None:
    with openssl(tmp_path, "-no_tls1", *options) as port:
        found, asked = explored(lambda hello: replied(port, hello), "TLSv1.3")
    assert (found.weak, asked) == (weak, connections)


@pytest.mark.parametrize(
    ("priority", "newest", "expected"),
    [
        pytest.param(
            "NORMAL:-VERS-ALL:+VERS-TLS1.0:+ARCFOUR-128:+3DES-CBC:+SHA1:%VERIFY_ALLOW_BROKEN",
            "TLSv1",
            TlsAccepted("TLSv1", "TLSv1", ("TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA")),
            id="RC4 and 3DES under TLS 1.0",
        ),
        pytest.param(
            "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-X25519",
            None,
            TlsAccepted("TLSv1.3", "TLSv1.3"),
            id="TLS 1.3 alone, found without a handshake",
        ),
    ],
)
def test_another_makers_server(
    tmp_path: Path, priority: str, newest: str | None, expected: TlsAccepted
) -> None:
    with gnutls(tmp_path, priority) as port:
        found, _ = explored(lambda hello: replied(port, hello), newest)
    assert found == expected


def taking(versions: Sequence[str], ciphers: Sequence[str] = ()) -> Callable[[bytes], Verdict]:
    """A server that takes the newest of its versions that is offered; weak ciphers only where it has them."""

    left = list(ciphers)

    def ask(hello: bytes) -> Verdict:
        newest = next(name for name in OLDEST_FIRST if hello[9:11] == VERSIONS[name].to_bytes(2, "big"))
        newest = "TLSv1.3" if b"\0\x2b\0\x09" in hello else newest
        if hello[46:48] == b"\0\1":
            return ServerHello("TLSv1.2", left.pop(0)) if left else Refusal.ALERT
        taken = [name for name in versions if OLDEST_FIRST.index(name) <= OLDEST_FIRST.index(newest)]
        return ServerHello(taken[-1], "TLS_RSA_WITH_AES_128_CBC_SHA") if taken else Refusal.CLOSED

    return ask


@pytest.mark.parametrize(
    ("server", "newest", "expected", "connections"),
    [
        pytest.param(taking(["SSLv3"]), None, TlsAccepted("SSLv3", "SSLv3"), 2, id="SSL 3 alone"),
        pytest.param(taking(OLDEST_FIRST[:2]), "TLSv1", TlsAccepted("SSLv3", "TLSv1"), 2, id="two old ones"),
        pytest.param(taking([]), None, TlsAccepted(None, None), 5, id="a server that refuses everything"),
        pytest.param(lambda _: None, None, TlsAccepted(None, None), 1, id="one that is not TLS"),
        pytest.param(lambda _: None, "TLSv1.3", TlsAccepted("TLSv1.3", "TLSv1.3"), 1, id="one that leaves"),
        pytest.param(
            lambda _: ServerHello("TLSv1.2", "TLS_RSA_WITH_NULL_SHA"), "TLSv1.2",
            TlsAccepted("TLSv1.2", "TLSv1.2", ("TLS_RSA_WITH_NULL_SHA",)), 3,
            id="one that takes a newer version than was offered, and a cipher that was not",
        ),
        pytest.param(
            lambda _: ServerHello("0x0404", "0x1234"), None, TlsAccepted(None, None), 5,
            id="one that makes versions up",
        ),
    ],
)  # fmt: skip
def test_a_search_ends_and_tells_what_it_knows(
    server: Callable[[bytes], Verdict], newest: str | None, expected: TlsAccepted, connections: int
) -> None:
    found, asked = explored(server, newest)
    assert (found, asked) == (expected, connections)


KINDS = (
    "TLS_RSA_WITH_NULL_MD5",
    "TLS_DH_anon_WITH_RC4_128_MD5",
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_DES_CBC_SHA",
)


def test_three_kinds_of_weakness_are_enough() -> None:
    given_up = iter(KINDS)
    verdicts: list[Verdict] = [Refusal.ALERT]
    found, asked = explored(
        lambda _: verdicts.pop() if verdicts else ServerHello("TLSv1.2", next(given_up)), "TLSv1.2"
    )
    assert (found.weak, asked) == (KINDS[:WEAK_ROUNDS], 1 + WEAK_ROUNDS)


def record(content: int, payload: bytes, minor: int = 3) -> bytes:
    return bytes([content, 3, minor]) + len(payload).to_bytes(2, "big") + payload


def hello(version: bytes, suite: bytes, extensions: bytes = b"", random: bytes = bytes(32)) -> bytes:
    body = version + random + b"\0" + suite + b"\0" + extensions
    return b"\2" + len(body).to_bytes(3, "big") + body


SSL3 = hello(b"\3\0", b"\0\5")
TOOK_SSL3 = ServerHello("SSLv3", "TLS_RSA_WITH_RC4_128_SHA")
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
WARNING, FATAL = record(21, b"\1\x70"), record(21, b"\2\x46")


@pytest.mark.parametrize(
    ("said", "verdict", "done"),
    [
        pytest.param([record(22, SSL3, 0)], TOOK_SSL3, True, id="SSL 3"),
        pytest.param(
            [record(22, hello(b"\3\3", b"\x13\1", b"\0\6\0\x2b\0\2\3\4", RETRY))],
            ServerHello("TLSv1.3", "TLS_AES_128_GCM_SHA256"), True, id="one that asks for a key",
        ),
        pytest.param(
            [record(22, SSL3[:3], 0), record(22, SSL3[3:], 0)[:9], record(22, SSL3[3:], 0)[9:]],
            TOOK_SSL3, True, id="a hello in pieces of records",
        ),
        pytest.param([FATAL], Refusal.ALERT, True, id="an alert"),
        pytest.param([WARNING, record(22, SSL3, 0)], TOOK_SSL3, True, id="a warning first"),
        pytest.param([WARNING], None, False, id="a warning alone"),
        pytest.param([WARNING, b""], Refusal.ALERT, True, id="a warning, and it hangs up"),
        pytest.param([b""], Refusal.CLOSED, True, id="it hangs up"),
        pytest.param([FATAL[:4], b""], None, True, id="it hangs up amid a record"),
        pytest.param([FATAL[:4]], None, False, id="the beginning of a record"),
        pytest.param([b"220 mail.example.com ESMTP\r\n"], None, True, id="another protocol"),
        pytest.param([record(23, b"x")], None, True, id="data before a hello"),
        pytest.param([record(22, b"\x0b\0\0\0")], None, True, id="another message before a hello"),
        pytest.param([record(22, b"\2\0\0\1\3")], None, True, id="a hello that is cut"),
        pytest.param([WARNING * (ANSWER_LIMIT // len(WARNING) + 1)], None, True, id="warnings without end"),
        pytest.param([FATAL, record(22, SSL3, 0)], Refusal.ALERT, True, id="a hello behind an alert"),
    ],
)  # fmt: skip
def test_what_an_answer_means(said: list[bytes], verdict: Verdict, done: bool) -> None:
    reply = Reply()
    for data in said:
        reply.hear(data)
    assert (reply.verdict, reply.done) == (verdict, done)


@given(st.lists(st.one_of(st.binary(max_size=80), st.sampled_from([WARNING, FATAL, record(22, SSL3, 0)]))))
def test_any_bytes_are_heard(said: list[bytes]) -> None:
    reply = Reply()
    for data in said:
        reply.hear(data)
        assert reply.done or reply.verdict is None


@given(st.binary(max_size=120), st.data())
def test_cutting_changes_no_verdict(tail: bytes, data: st.DataObject) -> None:
    said = WARNING + data.draw(st.sampled_from([b"", record(22, SSL3, 0), FATAL])) + tail
    whole, cut = Reply(), Reply()
    whole.hear(said)
    for at in range(len(said)):
        cut.hear(said[at : at + 1])
    assert whole.verdict == cut.verdict
