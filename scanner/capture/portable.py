"""Packets of an interface through scapy's sockets, where there is no ring: macOS, the BSDs, Windows (Npcap).

Each packet is a call and an object. scapy tells no length on the wire, so a packet that was cut seems whole.
A tag that the kernel of Linux took off, scapy puts back. It takes 200 ms to import: only opening a tap does.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from scanner.capture.live import Counts, Filter, TapError
from scanner.capture.passing import Passing
from scanner.net import Prefixes, text
from scanner.wire.batch import Batch, LinkType
from scanner.wire.internet import PROTOCOLS
from scanner.wire.links import ETHER_TYPES

if TYPE_CHECKING:
    from scapy.supersocket import SuperSocket

LARGEST = 1 << 18
"""Bytes that are asked for: super-packets of offloading are mostly 64 KiB, and may have more."""
PACKETS = 1 << 12
"""Of a batch."""
BATCHES = 8
"""Given at once: whoever asks has other things to do."""
BUFFER = 16 << 20
"""Bytes that the kernel is asked to hold back; where it grants fewer, more is lost."""
_SOL_PACKET, _STATISTICS = 263, 6
_QUIET = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ENETDOWN, errno.ENODEV, errno.ENXIO}
"""Nothing has come, or the interface is down or gone, which ``look`` sees."""
_LINKS = {
    "Ether": LinkType.ETHERNET,
    "CookedLinux": LinkType.LINUX_SLL,
    "CookedLinuxV2": LinkType.LINUX_SLL2,
    "IP": LinkType.RAW,
    "IPv6": LinkType.RAW,
    "Loopback": LinkType.NULL,
    "LoopbackOpenBSD": LinkType.LOOP,
}
"""By what scapy calls the first layer; others are taken for Ethernet."""
NETS_4, NETS_6 = 20, 6
"""Prefixes in a filter; more are taken together, so more may pass: macOS takes 512 instructions, not more."""
_LOW = (1 << 64) - 1


class PortableTap:
    """A tap on one interface."""

    def __init__(self, interface: str, bpf_text: str | None, say: Callable[[str], None]) -> None:
        """Listen; ``say`` is told if the filter (tcpdump's language) cannot be had. Raises TapError."""
        self._interface, self._text = interface, bpf_text
        self._delivered = self._dropped = 0
        try:
            self._socket = _opened(interface, bpf_text)
        except TapError as fault:
            if bpf_text is None:
                raise
            self._text = None
            self._socket = _opened(interface, None)
            say(f"{interface}: everything is looked at, which is slow: {fault}")
        self._link = _LINKS.get(getattr(_first_layer(self._socket), "__name__", ""), LinkType.ETHERNET)
        self._number = _number(interface)

    @property
    def interface(self) -> str:
        """Its name."""
        return self._interface

    @property
    def up(self) -> bool:
        """Whether it is there, as far as was looked; Windows does not tell by this name."""
        return self._number is not None or os.name == "nt"

    def look(self) -> list[str]:
        """See whether the interface is gone, and listen anew if it is back; tells what is new, in words."""
        was, number = self._number, _number(self._interface)
        if number == was:
            return []
        self._number = number
        if number is None:
            return [f"{self._interface} is gone; waiting for it"]
        try:
            self._reopen()
        except TapError:
            self._number = None
            return []
        return [f"{self._interface} is back"]

    def fileno(self) -> int:
        """Readable when a packet is; nothing that can be waited for on Windows."""
        return int(self._socket.fileno())

    def batches(self) -> Iterator[Batch]:
        """Give what has come, a bounded part at a time; it stays valid. Raises TapError."""
        for _ in range(BATCHES):
            packets, times = self._received()
            if packets:
                yield self._batch(packets, times)
            if len(packets) < PACKETS:
                return

    def refilter(self, attach: Filter) -> None:
        """Linux takes another program; elsewhere everything passes from now on, for more may be wanted."""
        self._text = None
        if isinstance(ins := getattr(self._socket, "ins", None), socket.socket):
            attach(ins, self._link)
        else:
            self._reopen()

    def counts(self) -> Counts:
        """What came; what was dropped only where scapy can tell: on Linux, macOS and the BSDs."""
        dropping = self._dropping()
        return Counts(self._delivered, self._dropped + dropping)

    def close(self) -> None:
        """Close the socket, and leave promiscuous mode."""
        self._socket.close()

    def _reopen(self) -> None:
        fresh = _opened(self._interface, self._text)
        dropping = self._dropping()
        self._dropped += dropping
        self._socket.close()
        self._socket = fresh

    def _dropping(self) -> int:
        """Dropped of the open socket; the kernel of Linux begins anew each time it is asked."""
        if stats := getattr(self._socket, "get_stats", None):
            return int(stats()[1] or 0)
        if isinstance(ins := getattr(self._socket, "ins", None), socket.socket):
            with suppress(OSError):
                told = ins.getsockopt(_SOL_PACKET, _STATISTICS, 8)
                self._dropped += int(np.frombuffer(told, np.uint32)[1])
        return 0

    def _received(self) -> tuple[list[bytes], list[float]]:
        packets: list[bytes] = []
        times: list[float] = []
        receive = self._socket.recv_raw
        try:
            while len(packets) < PACKETS:
                _, packet, at = receive(LARGEST)
                if packet is None:
                    break
                packets.append(packet)
                times.append(time.time() if at is None else at)
        except OSError as fault:
            if fault.errno not in _QUIET:
                raise TapError(f"{self._interface}: {fault.strerror}") from None
        self._delivered += len(packets)
        return packets, times

    def _batch(self, packets: list[bytes], times: list[float]) -> Batch:
        sizes = np.array([len(packet) for packet in packets], np.int64)
        at = (np.array(times) * 1e9).astype(np.int64)
        buffer = np.frombuffer(b"".join(packets), np.uint8)
        return Batch(buffer, np.cumsum(sizes) - sizes, sizes, sizes, at, self._link, self._interface)


def _number(interface: str) -> int | None:
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        return None


def _opened(interface: str, bpf_text: str | None) -> SuperSocket:
    """Open scapy's socket for listening, and have it never wait."""
    logging.getLogger("scapy").setLevel(logging.CRITICAL)  # what matters is raised
    import scapy.arch
    import scapy.layers.inet  # noqa: F401  # so that it knows link types
    from scapy.config import conf
    from scapy.error import Scapy_Exception

    conf.bufsize = BUFFER
    try:
        conf.ifaces.reload()
        opened = conf.L2listen(iface=interface, filter=bpf_text, promisc=True)
    except PermissionError:
        raise TapError("capturing needs root or CAP_NET_RAW: see 'Privileges' in the README") from None
    except (OSError, ImportError, ValueError, Scapy_Exception) as fault:
        raise TapError(f"{interface}: {' '.join(str(fault).split()) or 'cannot be opened'}") from None
    _never_wait(opened)
    return opened


def _never_wait(opened: Any) -> None:
    """Each of scapy's sockets has its own way."""
    if hasattr(opened, "set_nonblock"):
        opened.set_nonblock(True)
    elif hasattr(opened, "pcap_fd"):
        opened.pcap_fd.setnonblock(True)
    else:
        opened.ins.setblocking(False)
        opened.ins.getsockopt(_SOL_PACKET, _STATISTICS, 8)  # what had no room before it was bound is no loss


def _first_layer(opened: Any) -> object:
    return getattr(opened, "guessed_cls", None) or getattr(opened, "LL", None)


def text_filter(passing: Passing) -> str:
    """Say in tcpdump's language (pcap-filter(7)) what is wanted of Ethernet, and whatever may lead there.

    Mail on other ports than these is not in it: a filter of this kind cannot follow a connection. Frames
    whose tag is still in place pass whatever they hold, as do fragments and tunnels.
    """
    tcp, udp = ([f"port {port}" for port in sorted(its)] for its in (passing.tcp_ports, passing.udp_ports))
    tcp += [f"net {net}" for net in _nets(passing.prefixes)]
    wanted = (f"tcp and ({' or '.join(tcp)})", f"udp and ({' or '.join(udp)})", _SMB, *_WHOLE)
    return " or ".join(f"({part})" for part in wanted)


_SAID = "((tcp[12] & 0xf0) >> 2)"
_SMB = (
    f"tcp and (port 139 or port 445) and ((tcp[{_SAID} + 4:4] = 0xfe534d42 and tcp[{_SAID} + 16:2] = 0x100)"
    f" or (tcp[{_SAID} + 4:4] = 0xff534d42 and tcp[{_SAID} + 8] = 0x73))"
)
"""Session setups over IPv4, as ``datagrams.smb_rows`` has them."""
_INNER = sorted(PROTOCOLS.keys() - {6, 17})
_WHOLE = (
    "ip[6:2] & 0x3fff != 0",
    *(f"ip[9] = {number} or ip6[6] = {number}" for number in _INNER),
    *(f"ether proto {kind}" for kind in ETHER_TYPES if kind not in (0x0800, 0x86DD)),
    "ether dst 01:00:0c:cc:cc:cc",
)
"""Fragments, and all that leads on to IP; CDP."""


def _nets(prefixes: Prefixes) -> list[str]:
    """Write prefixes, of which those next to one another are taken together until they are few enough."""
    found: list[str] = []
    for version, bits, most in ((4, 32, NETS_4), (6, 128, NETS_6)):
        own = [(first, last) for first, last in prefixes.ranges if (first >> 32 == 0xFFFF) == (version == 4)]
        spans = sorted(own)
        while len(spans) > most:
            unlike = [(one[0] ^ max(one[1], other[1])).bit_length() for one, other in pairwise(spans)]
            least = min(unlike)
            at = unlike.index(least)
            first = spans[at][0] >> least << least
            spans[at : at + 2] = [(first, first + (1 << least) - 1)]
        for first, last in spans:
            found.append(f"{text(first >> 64, first & _LOW)}/{bits - (last - first).bit_length()}")
    return found
