"""WS-Discovery: printers, cameras and computers that say what they are (WS-Discovery 1.1, and of 2005/04).

Hello, ProbeMatch and ResolveMatch are read; Probe, Resolve and Bye tell nothing. What is said belongs to the
hosts in XAddrs, for a discovery proxy answers for others; without an address in them it is the sender's,
unless the message has matches of several. Scopes are read where ONVIF defines them (Core Specification
7.3.2.2).

The XML is read by the standard library, because types are qualified names: which prefix a sender chose says
nothing, so the namespaces must be known, and an expression over the text would guess. Nothing in the text can
make it do more work than its length: a message with a document type declaration is not read, so there is no
entity to expand and none to fetch (SOAP 1.2 part 1, 5 forbids one anyhow). It is given text, so no codec is
chosen by a sender. Of a message that is cut, the machines that are there in whole are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from uuid import UUID
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from scanner.conversation import SERVER, Transport
from scanner.events import Label
from scanner.protocols.announcement import announcing, clean
from scanner.protocols.fields import hosts_of
from scanner.session import Example

MATCHES_READ = 64
"""Machines of one message; a discovery proxy's answer fits 40. Those behind are not told."""
WORDS_READ = 32
"""Types, scopes or addresses of one machine; ONVIF cameras have 15 scopes. Those behind are not told."""

_DISCOVERY = (
    "{http://schemas.xmlsoap.org/ws/2005/04/discovery",
    "{http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01",
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


Words = Mapping[str, Sequence[str]]
"""What is said of one machine: the words of each of its elements."""


def read(payload: bytes) -> tuple[Label, ...]:
    """Read one message: types and scopes, of each address in XAddrs."""
    # Both namespaces have the word: most of what else comes costs no parser.
    if b"discovery" not in payload or b"<!DOCTYPE" in payload:
        return ()
    machines, begun = _machines(payload.decode("utf-8", "replace"))
    sender = () if begun > 1 else (None,)
    labels: dict[Label, None] = {}
    for machine in machines[:MATCHES_READ]:
        for ip in hosts_of(machine.get("XAddrs", ())) or sender:
            labels |= dict.fromkeys(Label(name, text, ip) for name, text in _said(machine) if text)
    return tuple(labels)


def question(number: UUID) -> bytes:
    """Write a Probe for devices of any type (5.2), to be sent to one of them.

    Of 2005/04, which printers, cameras and Samba's wsdd know. Windows answers a Probe only if a group was
    asked (Microsoft, WSDAPI, "Probe Message").
    """
    return _PROBE.format(number=number.urn).encode()


def _said(machine: Words) -> Iterator[tuple[str, str]]:
    yield "wsd.types", clean(" ".join(machine.get("Types", ())).encode())
    for scope in machine.get("Scopes", ()):
        try:
            parts = urlsplit(scope)
        except ValueError:
            continue
        kind, _, text = parts.path.lstrip("/").partition("/")
        if parts.scheme == "onvif" and parts.netloc == "www.onvif.org" and kind in _SCOPES:
            yield _SCOPES[kind], clean(unquote_to_bytes(text))


def _machines(message: str) -> tuple[list[Words], int]:
    """The machines that are told in whole, and how many were begun."""
    machines: list[Words] = []
    begun = 0
    declared: list[tuple[str, str]] = []
    parser: XMLPullParser[Any] = XMLPullParser(("start", "end", "start-ns", "end-ns"))
    parser.feed(message)
    events: Iterator[Any] = parser.read_events()
    try:
        for event, what in events:
            match event:
                case "start-ns":
                    declared.append(what)
                case "end-ns":
                    declared.pop()
                case "start":
                    begun += _discovery(what) in _MACHINES
                case _ if _discovery(what) == "Types":  # a prefix means what it means just here
                    what.text = " ".join(_qualified(_words(what), dict(declared)))
                case _ if _discovery(what) in _MACHINES:
                    machines.append({name: _words(one) for one in what if (name := _discovery(one))})
    except ParseError:
        pass  # it is cut, or no XML: what stands before that counts
    return machines, begun


def _discovery(element: Element) -> str | None:
    """The local name of an element of WS-Discovery; None for any other."""
    namespace, _, local = element.tag.rpartition("}")
    return local if namespace in _DISCOVERY else None


def _words(element: Element) -> Sequence[str]:
    return (element.text or "").split()[:WORDS_READ]


def _qualified(words: Sequence[str], declared: Mapping[str, str]) -> Iterator[str]:
    """Types with the prefixes that their specifications give them."""
    for word in words:
        prefix, _, local = word.rpartition(":")
        known = _PREFIXES.get(declared.get(prefix, ""))
        yield f"{known}:{local}" if known else word


_PROBE = (
    '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header>'
    "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
    "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>"
    "<a:MessageID>{number}</a:MessageID></s:Header><s:Body><d:Probe/></s:Body></s:Envelope>"
)
_HELLO = (
    b'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    b' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
    b' xmlns:x="http://schemas.xmlsoap.org/ws/2006/02/devprof"'
    b' xmlns:p="http://schemas.microsoft.com/windows/2006/08/wdp/print"><s:Body><d:Hello>'
    b"<d:Types>x:Device p:PrintDeviceType</d:Types><d:XAddrs>http://192.0.2.7:5357/copier</d:XAddrs>"
    b"<d:MetadataVersion>1</d:MetadataVersion></d:Hello></s:Body></s:Envelope>"
)
_HEARD = Example(
    "a printer says hello",
    ((SERVER, _HELLO),),
    (Label("wsd.types", "wsdp:Device wprt:PrintDeviceType", "192.0.2.7"),),
)
DIALECT = announcing("wsd", Transport.UDP, frozenset({3702}), read, (_HEARD,))
