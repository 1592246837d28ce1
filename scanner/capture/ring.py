"""Packets of an interface through a ring that the kernel fills and this process maps: TPACKET_V3.

Source: Linux, Documentation/networking/packet_mmap.rst and include/uapi/linux/if_packet.h. The kernel hands
over whole blocks; each becomes a batch where it lies, without a copy, and goes back when the next is asked
for. A socket is made while there are privileges, and needs none later, whatever becomes of its interface.
"""

from __future__ import annotations

import mmap
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from scanner.capture.interface import Interface, look, name_of
from scanner.capture.live import Counts, Filter, TapError
from scanner.capture.walk import RecordForm, plain_walk
from scanner.wire.batch import Batch, Bytes

BLOCK = 1 << 20
"""Bytes of a block: the largest packet that offloading makes up (512 KiB) fits whole. Larger ones would be
handed over no less often, and so many fewer would stand between a slow moment here and a loss."""
RING_MB = 32
"""Of a ring, by default: if all of a gigabit a second passed the filter it would hold 0.25 s of it; mostly a
twentieth passes, and then it holds 6 s."""
FEWEST_BLOCKS = 2
"""One is filled while the other is read."""
RETIRE_MS = 200
"""After so long a block that is not full is handed over: a few batches a second cost next to nothing."""
_FRAME = 1 << 11
"""Must be given, and means nothing in this version of the ring."""
_SOL_PACKET, _ETH_P_ALL = 263, 3
_ADD_MEMBERSHIP, _DROP_MEMBERSHIP, _RX_RING, _STATISTICS, _VERSION = 1, 2, 5, 6, 10
_FANOUT, _IGNORE_OUTGOING = 18, 23
_V3, _PROMISCUOUS = 2, 1
_KERNEL, _USER = 0, 1
_TAGGED = 1 << 4
_STATUS_AT, _COUNT_AT, _FIRST_AT, _USED_AT = 8, 12, 16, 20
_FORM = RecordForm("<" if sys.byteorder == "little" else ">", 0, 0, 1, BLOCK)
_HEADER = np.dtype(
    [("next", "u4"), ("seconds", "u4"), ("nanoseconds", "u4"), ("captured", "u4"), ("length", "u4"),
     ("status", "u4"), ("mac", "u2"), ("net", "u2"), ("hash", "u4"), ("tag", "u4")]
)  # fmt: skip
"""struct tpacket3_hdr, as far as it is read."""


class Sockets:
    """Packet sockets that hear nothing yet: made with privileges, used when an interface is opened anew."""

    def __init__(self, count: int) -> None:
        """Make so many. Raises TapError where one may not."""
        try:
            self._spare = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) for _ in range(count)]
        except PermissionError:
            raise TapError("capturing needs root or CAP_NET_RAW: see 'Privileges' in the README") from None
        except OSError as fault:
            raise TapError(f"no packet sockets here: {fault.strerror}") from None

    def take(self) -> socket.socket | None:
        """Give one; None: all are used up."""
        return self._spare.pop() if self._spare else None

    def close(self) -> None:
        """Close those that are left."""
        while self._spare:
            self._spare.pop().close()


class Ring:
    """A tap on one interface; one of several, where ``group`` is given, that share its connections."""

    def __init__(
        self, name: str, sockets: Sockets, attach: Filter, megabytes: int = RING_MB, group: int | None = None
    ) -> None:
        """Listen. ``group``: a number that all who share an interface's packets give. Raises TapError."""
        self._sockets, self._attach, self._group = sockets, attach, group
        self._blocks = max((megabytes << 20) // BLOCK, FEWEST_BLOCKS)
        self._at = 0
        self._fault: str | None = None
        self._packets = self._dropped = self._tagged = self._cut = 0
        self._here: Interface | None = look(name)
        self._name = name
        self._open(self._here)

    @property
    def interface(self) -> str:
        """Its name."""
        return self._name

    def fileno(self) -> int:
        """Readable when a block is."""
        return self._socket.fileno()

    def batches(self) -> Iterator[Batch]:
        """Give the blocks that are full or old enough, at most as many as the ring has."""
        if self._here is None:
            return
        link = self._here.link
        for _ in range(self._blocks):
            block = self._ring[self._at * BLOCK : (self._at + 1) * BLOCK]
            if not int(block[_STATUS_AT : _STATUS_AT + 4].view(np.uint32)[0]) & _USER:
                return
            batch = self._batch(block, link)
            if len(batch.start):
                yield batch
            block[_STATUS_AT : _STATUS_AT + 4] = 0
            self._at = (self._at + 1) % self._blocks

    def counts(self) -> Counts:
        """Ask the kernel, which begins anew each time it is asked."""
        if self._here is not None:
            self._ask()
        return Counts(self._packets, self._dropped, self._tagged, self._cut)

    def refilter(self, attach: Filter) -> None:
        """Attach another filter, now and when it is opened anew."""
        self._attach = attach
        if self._here is not None:
            attach(self._socket, self._here.link)

    def look(self) -> list[str]:
        """See what became of the interface, and open it anew if it is back; tells what is new, in words."""
        was = self._here
        name = name_of(was.number) if was else None
        if was and name is None:
            self._ask()
            self._here = None
            return [f"{self._name} is gone; waiting for it"]
        try:
            now = look(name or self._name)
        except TapError:
            return []
        if was is None:
            return self._back(now)
        self._here, self._name = now, now.name
        self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # what it was down for is told once
        said = [f"{was.name} is called {now.name} now"] if was.name != now.name else []
        if was.up != now.up:
            said.append(f"{now.name} is {'up' if now.up else 'down'}")
        return said

    def _back(self, now: Interface) -> list[str]:
        """Listen anew; why that cannot be is told once, and tried again."""
        try:
            self._again(now)
        except TapError as fault:
            said, self._fault = [str(fault)] if str(fault) != self._fault else [], str(fault)
            return said
        self._here, self._name, self._fault = now, now.name, None
        return [f"{now.name} is back"]

    @property
    def up(self) -> bool:
        """Whether it is there, on, and has a carrier, as far as was looked."""
        return self._here is not None and self._here.up

    def close(self) -> None:
        """Leave the interface as it was found; a batch that somebody still holds would keep the socket."""
        if self._here is not None and self._socket.fileno() >= 0:
            with suppress(OSError):
                self._socket.setsockopt(_SOL_PACKET, _DROP_MEMBERSHIP, _membership(self._here))
        self._socket.close()
        self._sockets.close()
        self._unmap()

    def _open(self, interface: Interface) -> None:
        made = self._sockets.take()
        if made is None:
            raise TapError(f"{interface.name}: has come back too often; start anew")
        try:
            made.setsockopt(_SOL_PACKET, _VERSION, _V3)
            self._attach(made, interface.link)
            if interface.loopback:
                made.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
            size = self._blocks * BLOCK
            request = struct.pack("7I", BLOCK, self._blocks, _FRAME, size // _FRAME, RETIRE_MS, 0, 0)
            made.setsockopt(_SOL_PACKET, _RX_RING, request)
            self._map: mmap.mmap | None = mmap.mmap(made.fileno(), size)
            self._ring: Bytes = np.frombuffer(self._map, np.uint8)
            self._at = 0
            self._bind(made, interface)
        except OSError as fault:
            made.close()
            raise TapError(f"{interface.name}: cannot be listened to: {fault.strerror}") from None
        self._socket = made

    def _bind(self, made: socket.socket, interface: Interface) -> None:
        made.bind((interface.name, _ETH_P_ALL))
        made.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, _membership(interface))
        if self._group is not None:
            group = (self._group + interface.number) & 0xFFFF
            made.setsockopt(_SOL_PACKET, _FANOUT, group)

    def _again(self, interface: Interface) -> None:
        """Bind once more; whoever shares packets cannot, and takes a new socket."""
        if self._group is None:
            try:
                self._attach(self._socket, interface.link)  # another may have been asked for meanwhile
                self._bind(self._socket, interface)
            except OSError as fault:
                raise TapError(f"{interface.name}: {fault.strerror}") from None
            return
        old = self._socket
        self._unmap()
        self._open(interface)
        old.close()

    def _unmap(self) -> None:
        ring, self._map = self._map, None
        self._ring = np.empty(0, np.uint8)
        if ring is not None:
            with suppress(BufferError):  # somebody still looks at a batch: it goes when that does
                ring.close()

    def _ask(self) -> None:
        told = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 12)
        packets, dropped, _ = struct.unpack("3I", told)
        self._packets += packets - dropped
        self._dropped += dropped

    def _batch(self, block: Bytes, link: int) -> Batch:
        count, first, used = (
            int(block[at : at + 4].view(np.uint32)[0]) for at in (_COUNT_AT, _FIRST_AT, _USED_AT)
        )
        block = block[:used]  # what is copied of it later is then no more than there is
        if count:
            found = plain_walk(block, first, used, _FORM, count - 1)
            records = np.append(found.records, found.end)
        else:
            records = np.empty(0, np.int64)
        every = np.ndarray(
            (max(used - _HEADER.itemsize + 1, 0),), f"V{_HEADER.itemsize}", block, strides=(1,)
        )
        head = every[records].view(_HEADER)
        tagged = head["status"] & _TAGGED != 0
        some = tagged.any()
        self._tagged += int(np.count_nonzero(tagged)) if some else 0
        captured, length = head["captured"].astype(np.int64), head["length"].astype(np.int64)
        self._cut += int(np.count_nonzero(captured < length))
        return Batch(
            block,
            records + head["mac"],
            captured,
            length,
            head["seconds"].astype(np.int64) * 1_000_000_000 + head["nanoseconds"],
            link,
            self._name,
            np.where(tagged, head["tag"].astype(np.int64), -1) if some else None,
        )


def _membership(interface: Interface) -> bytes:
    """The request to see all packets of an interface, whomever they are for: struct packet_mreq."""
    return struct.pack("iHH8s", interface.number, _PROMISCUOUS, 0, b"")
