"""Rows of lease files that are no tables: ISC's ``dhcpd.leases``, dnsmasq's, and Windows' export as XML.

dhcpd.leases(5); dnsmasq(8), ``--dhcp-leasefile``; ``Export-DhcpServer -Leases``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

from scanner.importers.family import TEXT_KEPT, Rejected, Row, loose
from scanner.importers.source import Source

LINE_LONGEST = 4096
"""Characters."""
LINES_A_LEASE = 200
"""Lines of one lease; those of servers have some fifteen."""
TEXT_LONGEST = 4096
"""Characters of an element."""
SILENCE = 1_000_000
"""Characters that may pass without an element or text."""
_LEASE = re.compile(r"\s*lease\s+([0-9a-fA-F.:]+)\s*\{")
_SET = re.compile(
    r"\s*(starts|ends|hardware ethernet|client-hostname|binding state)\s+(?:\d\s+)?(.*?)\s*;\s*(?:#.*)?$"
)
_NAMES = {
    "starts": "starts", "ends": "expire", "hardware ethernet": "hwaddr", "client-hostname": "hostname",
    "binding state": "state",
}  # fmt: skip
_ISC = re.compile(
    r"^\s*(?:lease\s+[0-9a-fA-F.:]+\s*\{|# The format of this file is documented in the dhcpd)", re.M
)
_DNSMASQ = re.compile(
    r"^(?:\d{1,11} (?:[0-9a-f]{2}-)?(?:[0-9a-f]{2}:){5}[0-9a-f]{2} [0-9a-f.:]+ \S+ \S+|duid [0-9a-f:]+)\r?$",
    re.M | re.I,
)
_LOOKED_AT = 4096
"""Characters in which a file shows what it is."""


def is_isc(head: str) -> bool:
    """Whether a file that begins so is ISC's."""
    return bool(_ISC.search(head[:_LOOKED_AT]))


def is_dnsmasq(head: str) -> bool:
    """Whether a file that begins so is dnsmasq's."""
    return bool(_DNSMASQ.match(head[:_LOOKED_AT]))


def is_markup(head: str) -> bool:
    """Whether a file that begins so is XML."""
    return head.lstrip("\ufeff \t\r\n").startswith("<")


def isc(source: Source) -> Iterator[Row | Rejected]:
    """Leases of ``dhcpd.leases``: the file is a log, in which one comes again with each change."""
    begun, cells, text = 0, dict[str, str](), list[str]()
    for number, line in source.lines(LINE_LONGEST):
        if opens := _LEASE.match(line):
            if begun:
                yield Rejected(begun, "it has no end", "".join(text)[:TEXT_KEPT])
            begun, cells, text = number, {"address": opens[1]}, [line]
        elif begun:
            text.append(line)
            if line.strip() == "}":
                yield Row(begun, cells, "".join(text))
                begun = 0
            elif len(text) > LINES_A_LEASE:
                yield Rejected(begun, "it has no end", "".join(text)[:TEXT_KEPT])
                begun = 0
            elif told := _SET.match(line):
                cells[_NAMES[told[1]]] = _value(told[2])
    if begun:
        yield Rejected(begun, "the file ends within it", "".join(text)[:TEXT_KEPT])


def _value(text: str) -> str:
    """A value without quotes; times are in UTC, or Unix seconds."""
    if found := re.fullmatch(r"(\d{4})/(\d\d)/(\d\d) (\d\d:\d\d:\d\d)", text):
        return f"{found[1]}-{found[2]}-{found[3]}T{found[4]}Z"
    return text.removeprefix("epoch ").strip('"')


def dnsmasq(source: Source) -> Iterator[Row | Rejected]:
    """Leases of dnsmasq; those of DHCPv6, below a line with the server's id, tell no card."""
    for number, line in source.lines(LINE_LONGEST):
        words = line.split()
        if not words or words[0] == "duid":
            continue
        if len(words) != 5 or not words[0].isdecimal():
            yield Rejected(number, "not of five words", line[:TEXT_KEPT])
            continue
        card = words[1].rpartition("-")[2]
        yield Row(
            number, {"expire": words[0], "hwaddr": card, "address": words[2], "hostname": words[3]}, line
        )


def markup(source: Source) -> Iterator[Row | Rejected]:
    """Elements of XML that tell an address and a client, as rows; a document type is refused."""
    reader = _Markup()
    for chunk in source.chunks():
        yield from reader.feed(chunk, False)
        if reader.fault:
            return
    yield from reader.feed("", True)


_TOLD = {"ipaddress", "clientid"}


class _Markup:
    """Hears elements; those inside of one are its cells."""

    def __init__(self) -> None:
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.buffer_text = True
        parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = self._data, self._refuse
        self._open: list[tuple[int, dict[str, str]]] = []
        """Lines and cells of the elements that are open."""
        self._text = ""
        """Since the last of them began."""
        self._found: list[Row | Rejected] = []
        self._silent = 0
        """Characters fed since anything was heard: expat keeps what is not yet whole."""
        self.fault = False

    def feed(self, text: str, last: bool) -> list[Row | Rejected]:
        self._silent += len(text)
        try:
            if self._silent > SILENCE:
                raise ValueError("a name, a comment or the like without end")
            self._parser.Parse(text.encode("utf-8", "replace"), last)
        except (expat.ExpatError, ValueError) as fault:
            self.fault = True
            self._found.append(Rejected(self._parser.CurrentLineNumber, f"no XML: {fault}", ""))
        found, self._found = self._found, []
        return found

    def _start(self, _: str, __: dict[str, str]) -> None:
        self._silent = 0
        if len(self._open) >= LINES_A_LEASE:
            raise ValueError("elements in elements without end")
        self._open.append((self._parser.CurrentLineNumber, {}))
        self._text = ""

    def _data(self, text: str) -> None:
        self._silent = 0
        if len(self._text) < TEXT_LONGEST:
            self._text += text[:TEXT_LONGEST]

    def _end(self, name: str) -> None:
        self._silent = 0
        line, cells = self._open.pop()
        if cells.keys() >= _TOLD:
            self._found.append(Row(line, cells, str(cells)))
        elif self._open and not cells:
            inside = self._open[-1][1]
            if len(inside) < LINES_A_LEASE:
                inside[loose(name.rpartition(":")[2])] = self._text.strip()
        self._text = ""

    def _refuse(self, *_: object) -> None:
        raise ValueError("it declares a document type")
