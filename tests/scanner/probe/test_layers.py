"""TLS between the wire and a dialogue: handshakes in pieces, leaves that are taken, and what breaks."""

import ssl

import pytest
from hostile import tls
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.probe.layers import HelloLayer, LayerFault, TlsLayer


class Server:
    """A server's end, in memory."""

    def __init__(self) -> None:
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = tls().wrap_bio(self.into, self.out, server_side=True)
        self.ready = False

    def hear(self, data: bytes) -> bytes:
        """Go on with the handshake; gives what to send."""
        self.into.write(data)
        if not self.ready:
            try:
                self.tls.do_handshake()
                self.ready = True
            except ssl.SSLWantReadError:
                pass
        return self.out.read()


def shaken(piece: int = 1 << 20) -> tuple[TlsLayer, Server]:
    layer, server = TlsLayer("mx.example.net"), Server()
    while not (layer.ready and server.ready):
        came = server.hear(layer.pending())
        for start in range(0, len(came), piece):
            assert layer.receive(came[start : start + piece]) == b""
    return layer, server


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_a_handshake_comes_in_any_pieces(piece: int) -> None:
    layer, _ = shaken(piece)
    assert (layer.version, layer.over, layer.ended) == ("TLSv1.3", False, False)
    assert layer.certificate


def test_what_is_said_goes_both_ways() -> None:
    layer, server = shaken()
    layer.say(b"EHLO x\r\n")
    server.hear(layer.pending())
    assert server.tls.read(99) == b"EHLO x\r\n"
    said = b"250 mx\r\n" * 9000
    server.tls.write(said)
    assert layer.receive(server.out.read()) == said


def test_a_leave_is_taken_with_what_was_said_before_it() -> None:
    layer, server = shaken()
    server.tls.write(b"221 bye\r\n")
    with pytest.raises(ssl.SSLWantReadError):
        server.tls.unwrap()
    assert layer.receive(server.out.read()) == b"221 bye\r\n"
    assert layer.ended


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"220 mx ESMTP\r\n", "wrong version number"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "handshake failure"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "version"),
        (bytes(64), "version"),
    ],
)
def test_what_breaks_a_handshake_is_said(said: bytes, why: str) -> None:
    layer = TlsLayer(None)
    with pytest.raises(LayerFault, match=why):
        layer.receive(said)
    assert not layer.ready


def test_what_breaks_later_is_said() -> None:
    layer, server = shaken()
    server.tls.write(b"220 mx\r\n")
    with pytest.raises(LayerFault):
        layer.receive(server.out.read()[:-1] + b"!")


@given(st.lists(st.binary(max_size=64), max_size=8), st.booleans())
@settings(deadline=None, max_examples=50)
def test_nothing_else_is_raised(pieces: list[bytes], begun: bool) -> None:
    layer = shaken()[0] if begun else TlsLayer(None)
    try:
        for piece in pieces:
            layer.receive(piece)
            layer.say(b"x") if layer.ready else None
    except LayerFault as fault:
        assert str(fault)


def test_a_hello_is_sent_once_and_what_comes_of_it_is_all() -> None:
    layer = HelloLayer(b"hello")
    assert (layer.pending(), layer.pending(), layer.ready) == (b"hello", b"", False)
    layer.receive(b"\x15\x03\x03\x00")
    assert not layer.over
    layer.receive(b"\x02\x02\x28")
    assert layer.over
    assert layer.reply.verdict
