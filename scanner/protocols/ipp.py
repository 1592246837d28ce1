"""The Internet Printing Protocol: what a printer says it is (RFC 8010 3.1, RFC 8011 4.2.5 and 5.4).

Only asked, never overheard: ``dialects`` has it for its script. Nothing is printed: Get-Printer-Attributes is
a question that needs no login on most printers, and a printer that wants one is left alone.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import cast

from scanner.conversation import CLIENT, SERVER
from scanner.events import Label
from scanner.protocols.announcement import clean
from scanner.protocols.http_answer import SERVED, asking, request
from scanner.session import Asker, Example, Script

PORT = 631
PATHS = ("/ipp/print", "/ipp/printer", "/")
"""Where printers answer: IPP Everywhere 1.1 (PWG 5100.14) 4.2.1 names the first; older ones have others."""
ATTRIBUTES_READ = 512
"""Attributes looked through; those asked for are five, but some printers send all of their hundred."""
_ASKED = {
    b"printer-make-and-model": "ipp.make_and_model",
    b"printer-name": "ipp.name",
    b"printer-info": "ipp.info",
    b"printer-location": "ipp.location",
    b"printer-device-id": "ipp.device_id",
}
_QUEUE = re.compile(r"\bcups|driverless|^local raw printer", re.IGNORECASE)
"""How CUPS names the drivers of its queues: what these say is about no machine that was asked."""
_OPERATION, _END = 0x01, 0x03
_TEXT_IN, _NAME_IN, _TEXT, _NAME = 0x35, 0x36, 0x41, 0x42
_KEYWORD, _URI, _CHARSET, _LANGUAGE = 0x44, 0x45, 0x47, 0x48
_GET_PRINTER_ATTRIBUTES = 0x000B
_DEVICE_KEYS = {"MANUFACTURER": "MFG", "MFG": "MFG", "MODEL": "MDL", "MDL": "MDL"}


def read(message: bytes) -> Iterator[Label]:
    """Read the attributes of a response, the first value of each, up to what is cut or no attribute."""
    said: dict[str, str] = {}
    for name, text in _attributes(message):
        if field := _ASKED.get(name):
            said.setdefault(field, _device_id(text) if field == "ipp.device_id" else clean(text))
    if not _QUEUE.search(said.get("ipp.make_and_model", "")):
        yield from (Label(field, text) for field, text in said.items() if text)


def _attributes(message: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and texts; of one that has many values all but the first come without a name."""
    at = 8
    for _ in range(ATTRIBUTES_READ):
        tag = message[at : at + 1]
        if not tag or tag[0] == _END:
            return
        at += 1
        if tag[0] < 0x10:  # another group begins
            continue
        name, at = _counted(message, at)
        value, at = _counted(message, at)
        if name is None or value is None:
            return
        if tag[0] in (_TEXT_IN, _NAME_IN):  # a language stands before the text (RFC 8010 3.9)
            value, _ = _counted(value, _counted(value, 0)[1])
        if value and tag[0] in (_TEXT_IN, _NAME_IN, _TEXT, _NAME):
            yield name, value


def _counted(message: bytes, at: int) -> tuple[bytes | None, int]:
    """Bytes with their length before them, and where reading goes on; None if they are cut."""
    if at + 2 > len(message):
        return None, len(message)
    behind = at + 2 + int.from_bytes(message[at : at + 2], "big")
    return (message[at + 2 : behind], behind) if behind <= len(message) else (None, len(message))


def _device_id(text: bytes) -> str:
    """Maker and model alone: a device id (IEEE 1284) names languages and a serial number too."""
    pairs = (part.partition(":") for part in text.decode("utf-8", "replace").split(";"))
    said = {_DEVICE_KEYS.get(key.strip().upper()): clean(value.encode()) for key, _, value in pairs}
    return ";".join(f"{key}:{said[key]}" for key in ("MFG", "MDL") if said.get(key))


def question(uri: str, number: int) -> bytes:
    """Write Get-Printer-Attributes in IPP/1.1, which every later version knows (RFC 8011 4.1.8)."""
    wanted = [(_KEYWORD, b"" if place else b"requested-attributes", one) for place, one in enumerate(_ASKED)]
    attributes = (
        (_CHARSET, b"attributes-charset", b"utf-8"),
        (_LANGUAGE, b"attributes-natural-language", b"en"),
        (_URI, b"printer-uri", uri.encode()),
        *wanted,
    )
    head = struct.pack(">BBHIB", 1, 1, _GET_PRINTER_ATTRIBUTES, number, _OPERATION)
    return head + b"".join(_written(*one) for one in attributes) + bytes([_END])


def _written(tag: int, name: bytes, value: bytes) -> bytes:
    return struct.pack(f">BH{len(name)}sH{len(value)}s", tag, len(name), name, len(value), value)


def script(asker: Asker) -> Script:
    """Ask at each usual path until a printer says something of itself, or wants a login or TLS first."""
    host = f"[{asker.host}]" if ":" in asker.host else asker.host
    for number, path in enumerate(PATHS, start=1):
        body = question(f"ipp://{host}{path}", number)
        fields = ("Content-Type: application/ipp", f"Content-Length: {len(body)}")
        answer = yield request("POST", path, asker, PORT, *fields, body=body)
        told = any(isinstance(event, Label) for event in answer.events)
        if told or answer.line.split()[1:2] not in ([b"200"], [b"404"]):
            return


_SAYS = (
    b"\1\1\0\0\0\0\0\1"
    + b"\1" + _written(_CHARSET, b"attributes-charset", b"utf-8")
    + _written(_LANGUAGE, b"attributes-natural-language", b"en")
    + b"\4" + _written(_TEXT, b"printer-make-and-model", b"Copier 12")
    + _written(_NAME, b"printer-name", b"copier")
    + _written(_TEXT_IN, b"printer-location", b"\0\2en\0\7Floor 3")
    + _written(_TEXT, b"printer-device-id", b"MFG:Acme;CMD:PDF;MDL:Copier 12;SN:123;")
    + b"\3"
)  # fmt: skip
_ANSWERED = Example(
    "a printer says what it is",
    (
        (CLIENT, cast("bytes", next(script(Asker(host="192.0.2.7"))))),
        (SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(_SAYS) + _SAYS),
    ),
    (
        Label("ipp.make_and_model", "Copier 12"),
        Label("ipp.name", "copier"),
        Label("ipp.location", "Floor 3"),
        Label("ipp.device_id", "MFG:Acme;MDL:Copier 12"),
        SERVED,
    ),
)
DIALECT = asking("ipp", frozenset({PORT}), read, script, (_ANSWERED,))
