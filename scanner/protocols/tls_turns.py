"""From the lengths of TLS records to turns: who wrote how many plaintext bytes, one side after the other.

What belongs to TLS itself is set apart: in TLS 1.3 the client's last flight, which looks like data, up to its
Finished, by whose length padding is calibrated; below TLS 1.1 the first byte of a message, which travels in a
record of its own. Sources: RFC 8446 4.4 and 5.4, RFC 5246 6.2.3; the split is OpenSSL's and NSS's answer to
chosen plaintexts (CVE-2011-3389).
"""

from __future__ import annotations

from collections.abc import Iterator

from scanner.conversation import CLIENT, Side
from scanner.events import Event, ServerHello, Turn
from scanner.wire.ciphers import TLS13, Kind, Protection, plaintext, protection

SIZES_KEPT = 8
"""Records of a turn whose sizes are told: tickets and a greeting, a command in pieces; more are bulk."""
FLIGHT = 6
"""Records in which a client's last flight lies: certificate in three, proof, Finished, and one to spare; if
none of them looks like Finished, what follows them is data."""
_JAVA = 16
"""Bytes that Java's TLS adds to every record of TLS 1.3 (measured: lab 5)."""
_EMPTY_CERTIFICATE = 8
"""RFC 8446 4.4.2 without a certificate: what a client answers that has none."""
_BLOCKS = (64, 128, 256, 512, 1024, 2048, 4096)
"""Blocks to which some libraries can be told to pad (OpenSSL: record_padding)."""


class Turns:
    """The turns of one connection, from the server's choice on."""

    __slots__ = ("_block", "_flight", "_hash", "_padding", "_shield", "_split", "_splits", "_turn")

    def __init__(self, choice: ServerHello) -> None:
        """Begin behind the server's hello."""
        self._shield = protection(choice.cipher, choice.version, choice.encrypt_then_mac)
        self._flight: list[int] | None = [] if choice.version == TLS13 else None
        self._hash = 52 if choice.cipher.endswith("SHA384") else 36
        self._padding = 0
        self._block = 0
        cbc = self._shield.kind is Kind.CBC
        splits = cbc and choice.version in ("SSLv3", "TLSv1")
        self._splits = _split_length(self._shield, choice.encrypt_then_mac) if splits else -1
        self._split: tuple[Side, int] | None = None
        self._turn: tuple[Side, int, int, int, int, tuple[int, ...]] | None = None

    def push(self, side: Side, length: int, at: int, heard: list[Event]) -> None:
        """Take a record of application data; add the turn that it ended, if it did."""
        if self._flight is not None:
            if side is CLIENT:
                self._calibrate(length - self._shield.overhead)
            return
        if length == self._splits and (self._split is None or self._split[0] is not side):
            self._flush(heard)
            self._split = side, at
            return
        low, high = plaintext(length, self._shield)
        if self._split is not None:
            if self._split[0] is side:
                high, at = high + 1, self._split[1]
                self._split = None
            else:
                self._flush(heard)
        if side is CLIENT and self._padding:
            low = high = max(high - self._padding, 0)
        elif side is CLIENT and self._block:
            low = max(high - self._block + 1, 0)
        self._add(side, low, high, at, heard)

    def end(self) -> Iterator[Turn]:
        """Give what is left."""
        heard: list[Event] = []
        self._flush(heard)
        yield from (turn for turn in heard if isinstance(turn, Turn))
        if self._turn:
            yield Turn(*self._turn)
            self._turn = None

    def _flush(self, heard: list[Event]) -> None:
        """A short record that nothing followed was no split: it was all."""
        if self._split is not None:
            side, at = self._split
            self._split = None
            self._add(side, *plaintext(self._splits, self._shield), at, heard)

    def _add(self, side: Side, low: int, high: int, at: int, heard: list[Event]) -> None:
        turn = self._turn
        if turn and turn[0] is side:
            sizes = (*turn[5], high) if len(turn[5]) < SIZES_KEPT else turn[5]
            self._turn = side, turn[1] + low, turn[2] + high, turn[3] + 1, turn[4], sizes
            return
        if turn:
            heard.append(Turn(*turn))
        self._turn = side, low, high, 1, at, (high,)

    def _calibrate(self, size: int) -> None:
        """Find the client's Finished."""
        flight = self._flight
        if flight is None:
            return
        flight.append(size)
        finished = self._hash
        for extra in (finished, _EMPTY_CERTIFICATE + finished):
            if size in (extra, extra + _JAVA):
                self._padding, self._flight = size - extra, None
                return
        if len(flight) == 1 and (block := _block_of(size + 1)) and size > finished:
            self._block, self._flight = block, None
        elif len(flight) == FLIGHT:
            self._flight = None


def _block_of(inner: int) -> int:
    """The largest block that an inner plaintext of TLS 1.3 (RFC 8446 5.2) is a multiple of; 0: none."""
    return next((block for block in reversed(_BLOCKS) if inner % block == 0), 0)


def _split_length(shield: Protection, encrypt_then_mac: bool) -> int:
    """Length of a record that holds one byte or none; the MAC is padded with it, or behind (RFC 7366)."""
    if encrypt_then_mac:
        return shield.overhead + shield.block
    return -(-(shield.overhead + 1) // shield.block) * shield.block
