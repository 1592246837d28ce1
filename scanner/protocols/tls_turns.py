"""From the lengths of TLS records to turns: who wrote how many plaintext bytes, one side after the other.

What belongs to TLS itself is set apart: in TLS 1.3 the client's last flight, which looks like data, up to its
Finished, by whose length padding is calibrated; below TLS 1.1 the first byte of a message, which travels in a
record of its own. Sources: RFC 8446 4.4 and 5.4, RFC 5246 6.2.3; the split is OpenSSL's and NSS's answer to
chosen plaintexts (CVE-2011-3389).
"""

from __future__ import annotations

from functools import lru_cache

from scanner.conversation import CLIENT, SERVER, Side
from scanner.events import ServerHello, Turn
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


REMEMBERED = 2048
"""Connections whose turns are at hand, some 5 MB: devices repeat themselves; past it they are told anew."""
REMEMBERED_RECORDS = 64
"""Records of a connection that is remembered; one with more hardly comes again."""
RECORDS_KEPT = 8192
"""Records of a connection that are told of: more than a connection has that is cut where ours are."""
_Told = tuple[Side, int, int, int, int, tuple[int, ...]]
"""The fields of a turn; in place of the time of its first record the number of it."""


class Turns:
    """The turns of one connection, from the server's choice on."""

    __slots__ = ("_choice", "_lengths", "_times")

    def __init__(self, choice: ServerHello) -> None:
        """Begin behind the server's hello."""
        self._choice = choice
        self._lengths: list[int] = []
        self._times: list[int] = []

    def push(self, side: Side, length: int, at: int) -> None:
        """Take a record of application data."""
        if len(self._times) < RECORDS_KEPT:
            self._lengths.append(length << 1 | side)
            self._times.append(at)

    def end(self) -> list[Turn]:
        """Give the turns; there is no record to come."""
        tell = _told if len(self._lengths) <= REMEMBERED_RECORDS else _told.__wrapped__
        times, told = self._times, tell(self._choice, tuple(self._lengths))
        return [Turn(side, low, high, count, times[at], sizes) for side, low, high, count, at, sizes in told]


@lru_cache(REMEMBERED)
def _told(choice: ServerHello, lengths: tuple[int, ...]) -> list[_Told]:
    """The turns of records by their lengths, each twice what it is, and one more for the server's."""
    shape = _Shape(choice)
    for number, length in enumerate(lengths):
        shape.push(SERVER if length & 1 else CLIENT, length >> 1, number)
    return shape.end()


class _Shape:
    """The turns of records one after the other."""

    __slots__ = ("_block", "_flight", "_hash", "_padding", "_shield", "_split", "_splits", "_turns")

    def __init__(self, choice: ServerHello) -> None:
        self._shield = protection(choice.cipher, choice.version, choice.encrypt_then_mac)
        self._flight: list[int] | None = [] if choice.version == TLS13 else None
        self._hash = 52 if choice.cipher.endswith("SHA384") else 36
        self._padding = 0
        self._block = 0
        cbc = self._shield.kind is Kind.CBC
        splits = cbc and choice.version in ("SSLv3", "TLSv1")
        self._splits = _split_length(self._shield, choice.encrypt_then_mac) if splits else -1
        self._split: tuple[Side, int] | None = None
        self._turns: list[_Told] = []

    def push(self, side: Side, length: int, number: int) -> None:
        if self._flight is not None:
            if side is CLIENT:
                self._calibrate(length - self._shield.overhead)
            return
        if length == self._splits and (self._split is None or self._split[0] is not side):
            self._flush()
            self._split = side, number
            return
        low, high = plaintext(length, self._shield)
        if self._split is not None:
            if self._split[0] is side:
                high, number = high + 1, self._split[1]
                self._split = None
            else:
                self._flush()
        if side is CLIENT and self._padding:
            low = high = max(high - self._padding, 0)
        elif side is CLIENT and self._block:
            low = max(high - self._block + 1, 0)
        self._add(side, low, high, number)

    def end(self) -> list[_Told]:
        self._flush()
        return self._turns

    def _flush(self) -> None:
        """A short record that nothing followed was no split: it was all."""
        if self._split is not None:
            side, number = self._split
            self._split = None
            self._add(side, *plaintext(self._splits, self._shield), number)

    def _add(self, side: Side, low: int, high: int, number: int) -> None:
        if not self._turns or self._turns[-1][0] is not side:
            self._turns.append((side, low, high, 1, number, (high,)))
            return
        _, before, most, records, first, sizes = self._turns[-1]
        sizes = (*sizes, high) if len(sizes) < SIZES_KEPT else sizes
        self._turns[-1] = side, before + low, most + high, records + 1, first, sizes

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
