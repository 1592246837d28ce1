"""SSDP: devices that announce themselves, answer a search, or search (UPnP Device Architecture 2.0, 1.2-1.3).

What is announced belongs to the host in LOCATION, which is the sender's own unless somebody passes it on;
where that host is a name or missing, it is the sender's. A search tells of its sender alone. ``ssdp:byebye``
tells nothing, and of the notification and search types only those of devices do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from scanner.conversation import SERVER, Transport
from scanner.events import Label
from scanner.protocols.announcement import announcing, clean
from scanner.protocols.fields import hosts_of
from scanner.protocols.pjl import PRINTING
from scanner.session import Example

LINES_READ = 64
"""Header lines of one datagram read; real ones have fifteen. What is behind them is not told."""
_ALIVE = ("ssdp:alive", "ssdp:update")
_ANSWER = re.compile(rb"HTTP/1\.[01] 200(?: |$)")
_PATH = re.compile(r"/[!-~]*")
"""Nothing that ends a request's line (RFC 9112 3)."""
_DEVICE = re.compile(r"urn:[^:]+:device:[^:]+:\d", re.ASCII)


def read(payload: bytes) -> tuple[Label, ...]:
    """Read one datagram: what it says of a device, for each address in its LOCATION."""
    first, *lines = payload.partition(b"\r\n\r\n")[0].split(b"\n", LINES_READ)
    verb = first.strip().upper()
    fields = _fields(lines[:LINES_READ])
    if verb == b"M-SEARCH * HTTP/1.1":
        said = (("ssdp.server", "user-agent"), ("ssdp.name", "cpfn.upnp.org"))
        return tuple(Label(label, text) for label, key in said if (text := fields.get(key)))
    if verb == b"NOTIFY * HTTP/1.1" and fields.get("nts", "").lower() in _ALIVE:
        return tuple(_device(fields, "nt"))
    if _ANSWER.match(verb):
        return tuple(_device(fields, "st"))
    return ()


def question(address: str, name: str) -> bytes:
    """Write a search that is sent to one machine (1.3.2): it has no MX, and is answered at once."""
    host = f"[{address}]" if ":" in address else address
    lines = (
        "M-SEARCH * HTTP/1.1",
        f"HOST: {host}:1900",
        'MAN: "ssdp:discover"',
        "ST: upnp:rootdevice",
        f"USER-AGENT: {name} UPnP/1.1",
        "",
        "",
    )
    return "\r\n".join(lines).encode()


def described_by(answer: bytes, address: str) -> tuple[int, str] | None:
    """Tell at which port and path a machine has its description, if it is at that address itself.

    None for any other host, names included, and for ports that print: whoever answers must not lead us there.
    """
    first, *lines = answer.split(b"\n", LINES_READ)
    if not _ANSWER.match(first.strip().upper()):
        return None
    try:
        url = urlsplit(_fields(lines[:LINES_READ]).get("location", ""))
        port = url.port or 80
        own = ip_address(url.hostname or "") == ip_address(address.partition("%")[0])
    except ValueError:
        return None
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    asked = url.scheme == "http" and own and port not in PRINTING and _PATH.fullmatch(path)
    return (port, path) if asked else None


def _device(fields: dict[str, str], type_in: str) -> Iterator[Label]:
    kind = fields.get(type_in, "")
    said = (("ssdp.server", fields.get("server")), ("ssdp.type", kind if _DEVICE.match(kind) else None))
    for ip in hosts_of([fields.get("location", "")]) or (None,):
        for label, text in said:
            if text:
                yield Label(label, text, ip)


def _fields(lines: list[bytes]) -> dict[str, str]:
    """Header fields by their names in lower case; the first of each counts."""
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if colon:
            fields.setdefault(clean(name).lower(), clean(value))
    return fields


_NOTIFIED = Example(
    "a printer announces itself",
    (
        (
            SERVER,
            b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age=1800\r\n"
            b"LOCATION: http://192.0.2.7:80/device.xml\r\nSERVER: OS/1.0 UPnP/1.0 Copier/12\r\n"
            b"NTS: ssdp:alive\r\nNT: urn:schemas-upnp-org:device:Printer:1\r\n"
            b"USN: uuid:1::urn:schemas-upnp-org:device:Printer:1\r\n\r\n",
        ),
    ),
    (
        Label("ssdp.server", "OS/1.0 UPnP/1.0 Copier/12", "192.0.2.7"),
        Label("ssdp.type", "urn:schemas-upnp-org:device:Printer:1", "192.0.2.7"),
    ),
)
DIALECT = announcing("ssdp", Transport.UDP, frozenset({1900}), read, (_NOTIFIED,))
