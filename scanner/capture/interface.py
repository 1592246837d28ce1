"""Network interfaces as Linux tells of them: number, kind, whether they are up, what they count."""

from __future__ import annotations

import errno
import socket
import struct
from contextlib import suppress
from typing import NamedTuple

from scanner.capture.live import TapError
from scanner.wire.batch import LinkType

with suppress(ImportError):  # Windows has none, and no interfaces that are looked at like this
    import fcntl

_SIOCGIFFLAGS, _SIOCGIFMTU, _SIOCGIFHWADDR = 0x8913, 0x8921, 0x8927
_UP, _LOOPBACK, _RUNNING = 1, 8, 0x40
_LINKS = {1: LinkType.ETHERNET, 772: LinkType.ETHERNET, 512: LinkType.RAW, 65534: LinkType.RAW,
          768: LinkType.RAW, 769: LinkType.RAW, 776: LinkType.RAW, 778: LinkType.RAW}  # fmt: skip
"""By ARPHRD_* (linux/if_arp.h): Ethernet, loopback; PPP, none (tun, WireGuard) and tunnels have no header."""


class Interface(NamedTuple):
    """What there is under a name now."""

    name: str
    number: int
    link: LinkType
    mtu: int
    up: bool
    """Switched on, and with a carrier."""
    loopback: bool


def look(name: str) -> Interface:
    """Look an interface up. Raises TapError, also where packets of its kind cannot be read."""
    request = struct.pack("256s", name.encode("utf-8", "surrogateescape")[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            number = socket.if_nametoindex(name)
            flags, mtu, kind = (
                struct.unpack_from(form, fcntl.ioctl(asked, which, request), 16)[0]
                for which, form in ((_SIOCGIFFLAGS, "H"), (_SIOCGIFMTU, "i"), (_SIOCGIFHWADDR, "H"))
            )
        except OSError as fault:
            missing = fault.errno in (None, errno.ENODEV, errno.ENXIO)  # None: from if_nametoindex
            why = "no such interface" if missing else fault.strerror
            raise TapError(f"{name}: {why}; there are: {', '.join(names())}") from None
    if kind not in _LINKS:
        raise TapError(f"{name}: packets of its kind (ARPHRD {kind}) cannot be read")
    up = flags & (_UP | _RUNNING) == _UP | _RUNNING
    return Interface(name, number, _LINKS[kind], mtu, up, bool(flags & _LOOPBACK))


def name_of(number: int) -> str | None:
    """What an interface is called now; None: it is gone."""
    try:
        return socket.if_indextoname(number)
    except OSError:
        return None


def names() -> list[str]:
    """All interfaces."""
    return [name for _, name in socket.if_nameindex()]


def received(name: str) -> int | None:
    """Packets that came in at an interface since it was made, as proc_net_dev tells; None: not told."""
    try:
        with open("/proc/net/dev", encoding="utf-8", errors="surrogateescape") as lines:
            counts = dict(line.strip().split(":", 1) for line in lines if ":" in line)
    except OSError:
        return None
    return int(counts[name].split()[1]) if name in counts else None
