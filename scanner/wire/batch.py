"""What capture sources yield and decoding makes of it: blocks of packets, then columns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


class LinkType(IntEnum):
    """Link types that are decoded (tcpdump.org/linktypes.html; DLT numbers where files hold those)."""

    NULL = 0
    ETHERNET = 1
    PPP = 9
    RAW_OLD = 12
    RAW_OPENBSD = 14
    PPP_HDLC = 50
    PPP_ETHER = 51
    RAW = 101
    CISCO_HDLC = 104
    LOOP = 108
    LINUX_SLL = 113
    IPV4 = 228
    IPV6 = 229
    LINUX_SLL2 = 276


@dataclass(frozen=True, slots=True)
class Batch:
    """A block of raw bytes and where the packets lie in it, all of one link type, in the order of capture."""

    buffer: Bytes
    """The block; it may be a view of a mapped file or of a ring, valid until the next batch is asked for."""
    start: Ints
    """Offset of each packet's first byte in ``buffer``."""
    captured: Ints
    """Bytes of each packet that are in ``buffer``."""
    length: Ints
    """Bytes that the packet had on the wire (``captured`` or more)."""
    at: Ints
    """Time of each packet, ns."""
    link: int
    """Link type; one that is not in ``LinkType`` is counted and skipped by decode."""
    capture: str | None
    """Name of the file or interface."""
    tag: Ints | None = None
    """802.1Q control word (16 bits) that the kernel took off each packet, -1: none; None: off none."""


@dataclass(frozen=True, slots=True)
class Columns:
    """One row a TCP segment or UDP datagram, innermost headers, in the order of capture.

    Addresses are 128-bit numbers in two halves; IPv4 is ``::ffff:a.b.c.d``. Offsets point into ``buffer``.
    """

    buffer: Bytes
    packet: Ints
    """Number of the packet in the batch that it came in; -1: it came in an earlier batch."""
    at: Ints
    source_high: npt.NDArray[np.uint64]
    source_low: npt.NDArray[np.uint64]
    target_high: npt.NDArray[np.uint64]
    target_low: npt.NDArray[np.uint64]
    source_port: npt.NDArray[np.uint16]
    target_port: npt.NDArray[np.uint16]
    protocol: npt.NDArray[np.uint8]
    """6 or 17."""
    flags: npt.NDArray[np.uint8]
    """TCP flags (FIN 1, SYN 2, RST 4, PSH 8, ACK 16); 0 for UDP."""
    sequence: npt.NDArray[np.uint32]
    acknowledged: npt.NDArray[np.uint32]
    payload: Ints
    """Offset of the payload."""
    captured: Ints
    """Payload bytes that are in ``buffer``."""
    length: Ints
    """Payload bytes that were on the wire; more than ``captured`` where the snap length cut."""
    source_mac: Ints
    """Offset of the six bytes of the sender's MAC, -1 where the link has none."""
    target_mac: Ints
    """Likewise the receiver's."""

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.at)


@dataclass(slots=True)
class Tally:
    """What decoding saw and could not use; counts of packets, summed over a run."""

    packets: int = 0
    bytes: int = 0
    segments: int = 0
    datagrams: int = 0
    fragments: int = 0
    fragments_dropped: int = 0
    """Fragments that never became whole, or past the bound."""
    truncated: int = 0
    """Packets whose payload the snap length cut."""
    malformed: int = 0
    """Headers that end before they should."""
    not_ip: int = 0
    unknown_link: int = 0
    first_at: int | None = None
    last_at: int | None = None
