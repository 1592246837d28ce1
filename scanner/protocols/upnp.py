"""The description of a UPnP device: what stands at the LOCATION (UPnP Device Architecture 2.0, 2.3).

Only asked, never overheard. Read is what the root device says of itself, not those inside of it. As with
WS-Discovery, a text with a document type declaration is not read, so no entity makes much of little.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import ParseError, XMLPullParser

from scanner.conversation import CLIENT, SERVER
from scanner.events import Label
from scanner.protocols.announcement import clean
from scanner.protocols.http_answer import SERVED, asking, request
from scanner.session import Asker, Dialect, Example, Script

_FIELDS = {
    "friendlyName": "upnp.name",
    "manufacturer": "upnp.vendor",
    "modelName": "upnp.model",
    "modelDescription": "upnp.description",
    "deviceType": "ssdp.type",
}
_DEPTH = 3
"""Root, device, and what it says."""


def read(description: bytes) -> tuple[Label, ...]:
    """Read a description; of one that is cut what stands before that."""
    if b"<!DOCTYPE" in description:
        return ()
    said: dict[str, str] = {}
    for name, text in _elements(description.decode("utf-8", "replace")):
        if text and name in _FIELDS:
            said.setdefault(_FIELDS[name], text)
    return tuple(Label(field, text) for field, text in said.items())


def _elements(description: str) -> Iterator[tuple[str, str]]:
    """Local name and text of what the root device says."""
    parser: XMLPullParser[Any] = XMLPullParser(("start", "end"))
    parser.feed(description)
    events: Iterator[Any] = parser.read_events()
    depth = 0
    try:
        for event, element in events:
            if event == "start":
                depth += 1
                continue
            if depth == _DEPTH:
                yield element.tag.rpartition("}")[2], clean((element.text or "").encode())
            depth -= 1
    except ParseError:
        return  # it is cut, or no XML: what stands before that counts


def described_at(port: int, path: str) -> Dialect:
    """Make the dialect that asks for a description where a device said that it is."""

    def script(asker: Asker) -> Script:
        yield request("GET", path, asker, port, "Connection: close")

    return replace(DIALECT, ports=frozenset({port}), script=script)


_DESCRIPTION = (
    b'<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major>'
    b"</specVersion><device><deviceType>urn:schemas-upnp-org:device:Printer:1</deviceType>"
    b"<friendlyName>Copier (office)</friendlyName><manufacturer>Acme</manufacturer>"
    b"<modelName>Copier 12</modelName><serialNumber>123</serialNumber></device></root>"
)
_DESCRIBED = Example(
    "a printer describes itself",
    (
        (CLIENT, b"GET /desc.xml HTTP/1.1\r\nHost: 192.0.2.7\r\n\r\n"),
        (SERVER, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + _DESCRIPTION),
    ),
    (
        Label("ssdp.type", "urn:schemas-upnp-org:device:Printer:1"),
        Label("upnp.name", "Copier (office)"),
        Label("upnp.vendor", "Acme"),
        Label("upnp.model", "Copier 12"),
        SERVED,
    ),
)
DIALECT = asking("upnp", frozenset(), read, None, (_DESCRIBED,))
"""Each device has its description elsewhere: see ``described_at``."""
