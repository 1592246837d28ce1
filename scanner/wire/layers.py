"""What one layer hands to the next when a batch is peeled: rows, where they are, and what comes there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum, auto
from typing import Any

import numpy as np
import numpy.typing as npt

from scanner.wire.batch import Bytes, Ints, Tally

Mask = npt.NDArray[np.bool_]
Header = npt.NDArray[np.void]
Form = np.dtype[np.void]


class Kind(IntEnum):
    """What stands at a row's offset. Lower ones are peeled first, so that rows meet at higher ones."""

    SLL = auto()
    SLL2 = auto()
    NULL = auto()
    ETHERNET = auto()
    SNAP = auto()
    PPPOE = auto()
    PPP = auto()
    CISCO_HDLC = auto()
    VLAN = auto()
    METADATA = auto()
    PORT_TAG = auto()
    """IEEE 802.1BR."""
    MPLS = auto()
    RAW = auto()
    """IP, version to be read off."""
    IPV4 = auto()
    IPV6 = auto()
    OPTIONS = auto()
    """An IPv6 extension header that only has to be passed."""
    AUTHENTICATION = auto()
    GRE = auto()
    ERSPAN2 = auto()
    ERSPAN3 = auto()
    VXLAN = auto()
    GENEVE = auto()
    TZSP = auto()
    UDP = auto()
    TCP = auto()
    LLDP = auto()
    CDP = auto()
    FRAGMENT4 = auto()
    """The payload of an IPv4 fragment."""
    FRAGMENT6 = auto()
    """An IPv6 fragment header."""


@dataclass(frozen=True, slots=True)
class Front:
    """Rows that are peeled together; every array has one entry a row."""

    row: Ints
    """Number of the packet in its batch."""
    pos: Ints
    """Offset of the layer's first byte."""
    end: Ints
    """Offset behind the last captured byte."""
    whole: Ints
    """Offset behind the last byte that was on the wire."""
    net: Ints
    """Offset of the IP header passed last, -1: none yet."""
    source_mac: Ints
    """Offset of the six bytes, -1: none."""
    target_mac: Ints

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.row)

    def where(self, mask: Mask) -> Front:
        """Keep some rows; itself if that is all."""
        if mask.all():
            return self
        return self.at(np.flatnonzero(mask))

    @staticmethod
    def joined(fronts: list[Front]) -> Front:
        """Put rows together, in no order."""
        if len(fronts) == 1:
            return fronts[0]

        def column(name: str) -> Ints:
            return np.concatenate([getattr(front, name) for front in fronts])

        return Front(
            column("row"), column("pos"), column("end"), column("whole"), column("net"), column("source_mac"),
            column("target_mac"),
        )  # fmt: skip

    def ordered(self) -> Front:
        """Put rows in the order of capture."""
        if (self.row[1:] > self.row[:-1]).all():
            return self
        return self.at(np.argsort(self.row, kind="stable"))

    def at(self, keep: npt.NDArray[np.intp]) -> Front:
        """Take rows by their places."""
        return Front(
            self.row.take(keep),
            self.pos.take(keep),
            self.end.take(keep),
            self.whole.take(keep),
            self.net.take(keep),
            self.source_mac.take(keep),
            self.target_mac.take(keep),
        )

    def past(self, size: int | Ints) -> Front:
        """Move behind a header."""
        return Front(
            self.row, self.pos + size, self.end, self.whole, self.net, self.source_mac, self.target_mac
        )


Next = Iterable[tuple[Kind, Front]]


@dataclass(frozen=True, slots=True)
class Block:
    """The bytes that are peeled, and the counts of what fell away."""

    buffer: Bytes
    tally: Tally

    def holds(self, front: Front, size: int | Ints) -> Mask:
        """Tell which rows have so many bytes captured; the others are counted."""
        fits = front.pos + size <= front.end
        if not fits.all():
            on_wire = front.pos + size <= front.whole
            cut = int(np.count_nonzero(on_wire & ~fits))
            self.tally.truncated += cut
            self.tally.malformed += int(np.count_nonzero(~fits)) - cut
        return fits

    def read(self, front: Front, form: Form) -> tuple[Front, Header]:
        """Read a header of each row; rows too short for it are counted and left out."""
        front = front.where(self.holds(front, form.itemsize))
        return front, self.header(front.pos, form)

    def header(self, at: Ints, form: Form) -> Header:
        """Copy the headers at some offsets; they must lie within the buffer."""
        span = form.itemsize
        if not len(at):
            return np.empty(0, dtype=form)
        # A view in which every offset begins an element of the header's size: one copy a row, no arithmetic.
        every = np.ndarray((len(self.buffer) - span + 1,), dtype=f"V{span}", buffer=self.buffer, strides=(1,))
        return every[at].view(form)

    def malformed(self, front: Front, good: Mask) -> Mask:
        """Count the rows that are not good."""
        self.tally.malformed += len(front) - int(np.count_nonzero(good))
        return good


Peel = Callable[[Block, Front], Next]


def split(front: Front, key: npt.NDArray[Any], ways: dict[int, Kind]) -> tuple[list[tuple[Kind, Front]], int]:
    """Sort rows by a key; also counts those whose key leads nowhere."""
    found: list[tuple[Kind, Front]] = []
    left = len(front)
    for value, kind in ways.items():
        if not left:
            break
        mask = key == value
        count = int(np.count_nonzero(mask))
        if count:
            found.append((kind, front.where(mask)))
            left -= count
    return found, left
