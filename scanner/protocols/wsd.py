"""WS-Discovery: printers, cameras and computers that say what they are (WS-Discovery 1.1, and of 2005/04).

Hello, ProbeMatch and ResolveMatch are read; Probe, Resolve and Bye tell nothing. What is said belongs to the
hosts in XAddrs, for a discovery proxy answers for others; without an address in them it is the sender's,
unless the message has matches of several. Scopes are read where ONVIF defines them (Core Specification
7.3.2.2).

The XML is read by expat, from the standard library, because types are qualified names: which prefix a sender
chose says nothing, so the namespaces must be known, and an expression over the text would guess. Nothing in
the text can make expat do more work than its length: a document type declaration ends reading at once, so
there is no entity to expand and none to fetch (SOAP 1.2 part 1, 5 forbids one anyhow), and nesting is
bounded. Text is taken for UTF-8 whatever the message says, so no codec is chosen by a sender. Of a message
that is cut, the machines that are there in whole are told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes, urlsplit
from xml.parsers.expat import ExpatError, ParserCreate

from scanner.conversation import SERVER, Transport
from scanner.events import Label
from scanner.protocols.addresses import hosts_of
from scanner.protocols.announcement import announcing, clean
from scanner.session import Example

DEPTH = 16
"""Elements within each other; WS-Discovery needs 6. Reading ends at a deeper one."""
MATCHES_READ = 64
"""Machines of one message; a discovery proxy's answer fits 40. Those behind are not told."""
WORDS_READ = 32
"""Types, scopes or addresses of one machine; ONVIF cameras have 15 scopes. Those behind are not told."""

_DISCOVERY = (
    "http://schemas.xmlsoap.org/ws/2005/04/discovery",
    "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01",
)
_PREFIXES = {
    "http://schemas.xmlsoap.org/ws/2006/02/devprof": "wsdp",
    "http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01": "wsdp",
    "http://schemas.microsoft.com/windows/2006/08/wdp/print": "wprt",
    "http://schemas.microsoft.com/windows/2006/08/wdp/scan": "wscn",
    "http://schemas.microsoft.com/windows/pub/2005/07": "pub",
    "http://www.onvif.org/ver10/device/wsdl": "tds",
    "http://www.onvif.org/ver10/network/wsdl": "dn",
}
"""Namespaces of types and how their own specifications call them; another keeps its sender's prefix."""
_SCOPES = {
    "name": "wsd.name",
    "hardware": "wsd.model",
    "manufacturer": "wsd.vendor",
    "location": "wsd.location",
}
_MACHINES = ("Hello", "ProbeMatch", "ResolveMatch")


class _Refused(Exception):
    """The message holds what no honest one does."""


@dataclass(slots=True)
class _Machine:
    """What is said of one machine, in words."""

    types: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)


def read(payload: bytes) -> tuple[Label, ...]:
    """Read one message: types and scopes, of each address in XAddrs."""
    if b"discovery" not in payload:  # both namespaces have it: most of what else comes costs no parser
        return ()
    reader = _Reader()
    reader.read(payload)
    several = reader.begun > 1
    labels: dict[Label, None] = {}
    for machine in reader.machines:
        sender = () if several else (None,)
        for ip in hosts_of(machine.addresses) or sender:
            labels |= dict.fromkeys(Label(name, text, ip) for name, text in _said(machine) if text)
    return tuple(labels)


def _said(machine: _Machine) -> list[tuple[str, str]]:
    said = [("wsd.types", clean(" ".join(machine.types).encode()))]
    for scope in machine.scopes:
        try:
            parts = urlsplit(scope)
        except ValueError:
            continue
        kind, _, text = parts.path.lstrip("/").partition("/")
        if parts.scheme == "onvif" and parts.netloc == "www.onvif.org" and kind in _SCOPES:
            said.append((_SCOPES[kind], clean(unquote_to_bytes(text))))
    return said


class _Reader:
    """Gathers machines from the elements of one message."""

    def __init__(self) -> None:
        self.machines: list[_Machine] = []
        self.begun = 0
        """Machines; the last may be cut."""
        self._machine = _Machine()
        self._depth = 0
        self._text: list[str] = []
        self._inside = 0
        """How deep the element of a machine lies; 0: outside of one."""
        self._namespaces: dict[str, list[str]] = {}

    def read(self, message: bytes) -> None:
        """Read up to the end, or to what must not be."""
        parser = ParserCreate("utf-8", namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        parser.CharacterDataHandler = self._text.append
        parser.StartNamespaceDeclHandler = self._declare
        parser.EndNamespaceDeclHandler = self._withdraw
        parser.StartDoctypeDeclHandler = self._refuse
        try:
            parser.Parse(message, True)
        except (ExpatError, _Refused):
            return

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._text.clear()
        begins = not self._inside and _discovery(name) in _MACHINES
        self.begun += begins
        if self._depth > DEPTH or self.begun > MATCHES_READ:
            raise _Refused
        if begins:
            self._inside = self._depth
            self._machine = _Machine()

    def _close(self, name: str) -> None:
        words = "".join(self._text).split()[:WORDS_READ]
        self._text.clear()
        if self._depth == self._inside:
            self._inside = 0
            self.machines.append(self._machine)
        elif self._inside and self._depth == self._inside + 1:
            match _discovery(name):
                case "Types":
                    self._machine.types = [self._qualified(word) for word in words]
                case "Scopes":
                    self._machine.scopes = words
                case "XAddrs":
                    self._machine.addresses = words
        self._depth -= 1

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        self._namespaces.setdefault(prefix or "", []).append(uri or "")

    def _withdraw(self, prefix: str | None) -> None:
        self._namespaces[prefix or ""].pop()

    def _refuse(self, *_: object) -> None:
        raise _Refused

    def _qualified(self, word: str) -> str:
        """A type with the prefix that its specification gives it."""
        prefix, _, local = word.rpartition(":")
        declared = self._namespaces.get(prefix)
        known = _PREFIXES.get(declared[-1]) if declared else None
        return f"{known}:{local}" if known else word


def _discovery(name: str) -> str | None:
    """The local name of an element of WS-Discovery; None for any other."""
    namespace, _, local = name.rpartition(" ")
    return local if namespace in _DISCOVERY else None


_HELLO = (
    b'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    b' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
    b' xmlns:x="http://schemas.xmlsoap.org/ws/2006/02/devprof"'
    b' xmlns:p="http://schemas.microsoft.com/windows/2006/08/wdp/print"><s:Body><d:Hello>'
    b"<d:Types>x:Device p:PrintDeviceType</d:Types><d:XAddrs>http://192.0.2.7:5357/copier</d:XAddrs>"
    b"<d:MetadataVersion>1</d:MetadataVersion></d:Hello></s:Body></s:Envelope>"
)
_CAMERA = (
    b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"'
    b' xmlns:w="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
    b' xmlns:n="http://www.onvif.org/ver10/network/wsdl"><e:Body><w:ProbeMatches><w:ProbeMatch>'
    b"<w:Types>n:NetworkVideoTransmitter</w:Types><w:Scopes>onvif://www.onvif.org/Profile/Streaming"
    b" onvif://www.onvif.org/name/Yard%20east onvif://www.onvif.org/hardware/Cam-9"
    b" onvif://www.onvif.org/location/city/Ulm</w:Scopes>"
    b"<w:XAddrs>http://192.0.2.9/onvif/device_service http://[fe80::9]/onvif/device_service</w:XAddrs>"
    b"</w:ProbeMatch></w:ProbeMatches></e:Body></e:Envelope>"
)
DIALECT = announcing(
    "wsd",
    Transport.UDP,
    frozenset({3702}),
    read,
    (
        Example(
            "a printer says hello",
            ((SERVER, _HELLO),),
            (Label("wsd.types", "wsdp:Device wprt:PrintDeviceType", "192.0.2.7"),),
        ),
        Example(
            "a camera answers a probe",
            ((SERVER, _CAMERA),),
            (
                Label("wsd.types", "dn:NetworkVideoTransmitter", "192.0.2.9"),
                Label("wsd.name", "Yard east", "192.0.2.9"),
                Label("wsd.model", "Cam-9", "192.0.2.9"),
                Label("wsd.location", "city/Ulm", "192.0.2.9"),
            ),
        ),
    ),
)
