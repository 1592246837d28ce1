"""Send captures: ``python replay.py INTERFACE CAPTURE… [--pps N | --timed] [--loops N [--renumber]]``.

Any pcap or pcapng that is Ethernet throughout, as fast as it goes unless said otherwise, with its VLAN tags;
of packets cut short what is left. Prints what was sent as JSON, and ends with 2 if that is nothing.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import json
import os
import socket
import sys
import time
from dataclasses import replace
from itertools import product

import numpy as np
import numpy.typing as npt

from scanner.capture import UnreadableCapture
from scanner.capture.file import CaptureFile
from scanner.wire.batch import Batch, Ints, LinkType

AT_ONCE = 512
"""Frames a call: few enough to keep to a pace."""
MOST_LOOPS = 10_000
Seconds = npt.NDArray[np.float64]
IOVEC = np.dtype([("base", "u8"), ("size", "u8")])
MMSGHDR = np.dtype({"names": ["iov", "iovlen"], "formats": ["u8", "u8"], "offsets": [16, 24], "itemsize": 64})
"""struct mmsghdr of 64-bit Linux (sendmmsg(2)); the fields that are not named stay zero."""
UNSENDABLE = (errno.EMSGSIZE, errno.ENOBUFS, errno.ENETDOWN, errno.EINVAL)
"""Longer than the MTU, no room, nobody at the other end, shorter than Ethernet's header: a frame is lost."""


class NotEthernetError(Exception):
    """A capture cannot be sent on Ethernet; names its link type."""


def renumbered(batch: Batch, by: int) -> Batch:
    """Give clients other ports, so that connections are new: those from 32768 on, right behind IP."""
    first, end = int(batch.start[0]), int(batch.start[-1] + batch.captured[-1])
    data, start = batch.buffer[first:end].copy(), batch.start - first
    internet = start + np.where((data[start + 12] == 0x81) & (data[start + 13] == 0), 18, 14)
    six = data[internet] >> 4 == 6
    ports = internet + np.where(six, 40, 20)
    whole = (batch.captured >= ports + 4 - start) & (six | (data[internet] == 0x45))
    protocol = data[np.where(whole, internet + np.where(six, 6, 9), 0)]
    for at in (ports, ports + 2):
        at = at[whole & ((protocol == 6) | (protocol == 17))]
        data[at[data[at] >= 0x80] + 1] ^= by
    return replace(batch, buffer=data, start=start)


class Sender:
    """Sends batches at a pace, and counts."""

    def __init__(self, interface: str, pps: float | None, timed: bool) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self._socket.bind((interface, 0))
        self._call = ctypes.CDLL(None, use_errno=True).sendmmsg
        self._call.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
        self._pps, self._timed = pps, timed
        self._first_at: int | None = None
        self._began = time.perf_counter()
        self.frames = self.bytes = self.refused = 0

    def begin(self) -> None:
        """Take the next batch for the beginning of a capture."""
        self._first_at, self._began = None, time.perf_counter() if self._timed else self._began

    def send(self, batch: Batch) -> None:
        """Send a batch's frames, each not before it is due."""
        if batch.link != LinkType.ETHERNET:
            raise NotEthernetError(f"{batch.capture}: link type {batch.link} cannot be sent on Ethernet")
        count = len(batch.start)
        parts = np.empty(count, IOVEC)
        parts["base"] = batch.buffer.ctypes.data + batch.start
        parts["size"] = batch.captured
        heads = np.zeros(count, MMSGHDR)
        heads["iov"] = parts.ctypes.data + np.arange(count) * IOVEC.itemsize
        heads["iovlen"] = 1
        due = self._due(batch.at)
        done = 0
        while done < count:
            ready = self._ready(due, done)
            sent = self._call(self._socket.fileno(), heads.ctypes.data + done * MMSGHDR.itemsize, ready, 0)
            if sent < 0:
                if (number := ctypes.get_errno()) not in UNSENDABLE:
                    raise OSError(number, os.strerror(number))
                self.refused += 1
                sent = 1
            done += sent
        self.frames += count
        self.bytes += int(batch.captured.sum())

    def _due(self, at: Ints) -> Seconds:
        """When each frame is to be sent, in seconds since the beginning."""
        if self._pps:
            return (self.frames + np.arange(len(at))) / self._pps
        if not self._timed:
            return np.zeros(len(at))
        if self._first_at is None:
            self._first_at = int(at[0])
        return (at - self._first_at) / 1e9

    def _ready(self, due: Seconds, done: int) -> int:
        """Wait until a frame is due; give how many are."""
        while (now := time.perf_counter() - self._began) < due[done]:
            time.sleep(due[done] - now)
        return min(AT_ONCE, int(np.searchsorted(due[done : done + AT_ONCE], now, "right")) or 1)


def main() -> None:
    """Send, and tell what was sent."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("interface")
    words.add_argument("captures", nargs="+", metavar="capture")
    words.add_argument("--pps", type=float)
    words.add_argument("--timed", action="store_true", help="as far apart as they were captured")
    words.add_argument("--loops", type=int, default=1)
    words.add_argument("--renumber", action="store_true", help="other client ports in each loop")
    given = words.parse_args()
    began = time.perf_counter()
    sender = Sender(given.interface, given.pps, given.timed)
    for number, path in product(range(min(given.loops, MOST_LOOPS)), given.captures):
        sender.begin()
        try:
            with CaptureFile(path) as capture:
                for batch in capture:
                    sender.send(renumbered(batch, number & 0xFF) if given.renumber else batch)
        except (UnreadableCapture, NotEthernetError) as fault:  # as far as it goes, and the others
            print(fault, file=sys.stderr)
    sent = {name: getattr(sender, name) for name in ("frames", "bytes", "refused")}
    print(json.dumps(sent | {"seconds": time.perf_counter() - began}))
    sys.exit(0 if sender.frames else 2)


if __name__ == "__main__":
    main()
