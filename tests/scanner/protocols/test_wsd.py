"""What machines say of themselves by WS-Discovery, and that no XML does harm."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID
from xml.etree.ElementTree import fromstring

import pytest

from scanner.protocols.wsd import MATCHES_READ, WORDS_READ, question, read

OLD = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
NEW = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01"
DEVICES = "http://schemas.xmlsoap.org/ws/2006/02/devprof"
TYPES = "<d:Types>w:Device</d:Types>"
AT = "<d:XAddrs>http://192.0.2.7:5357/x</d:XAddrs>"


def envelope(body: str, namespace: str = OLD, before: str = "") -> bytes:
    return (
        f'{before}<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:d="{namespace}"'
        f' xmlns:w="{DEVICES}"><s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


def hello(inside: str, namespace: str = OLD) -> bytes:
    return envelope(f"<d:Hello>{inside}</d:Hello>", namespace)


def matches(*inside: str) -> bytes:
    body = "".join(f"<d:ProbeMatch>{one}</d:ProbeMatch>" for one in inside)
    return envelope(f"<d:ProbeMatches>{body}</d:ProbeMatches>")


def types(text: str, *ips: str | None) -> list[tuple[str, str, str | None]]:
    return [("wsd.types", text, ip) for ip in ips]


DEVICE = types("wsdp:Device", "192.0.2.7")
OTHER = "<d:Types>w:Other</d:Types><d:XAddrs>http://192.0.2.8/</d:XAddrs>"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(hello(TYPES + AT), DEVICE, id="hello of 2005"),
        pytest.param(hello(TYPES + AT, NEW), DEVICE, id="hello of 1.1"),
        pytest.param(hello(TYPES), types("wsdp:Device", None), id="no address: it is the sender's"),
        pytest.param(
            hello(TYPES + "<d:XAddrs>http://192.0.2.7/ http://[fe80::7]/ http://192.0.2.8/</d:XAddrs>"),
            types("wsdp:Device", "192.0.2.7", "192.0.2.8"),
            id="several addresses of one machine",
        ),
        pytest.param(matches(TYPES + AT), DEVICE, id="an answer to a probe"),
        pytest.param(
            envelope(f"<d:ResolveMatches><d:ResolveMatch>{TYPES}{AT}</d:ResolveMatch></d:ResolveMatches>"),
            DEVICE,
            id="an answer to who asked where it is",
        ),
        pytest.param(
            matches(TYPES + AT, OTHER),
            [*DEVICE, *types("wsdp:Other", "192.0.2.8")],
            id="a proxy answers for two",
        ),
        pytest.param(
            matches(TYPES, OTHER), types("wsdp:Other", "192.0.2.8"), id="of two, one without an address"
        ),
        pytest.param(envelope(f"<d:Probe>{TYPES}</d:Probe>"), [], id="a probe says what it looks for"),
        pytest.param(envelope(f"<d:Resolve>{TYPES}{AT}</d:Resolve>"), [], id="a question where somebody is"),
        pytest.param(envelope(f"<d:Bye>{TYPES}{AT}</d:Bye>"), [], id="a goodbye"),
        pytest.param(hello(TYPES + AT, "urn:discovery"), [], id="another language"),
        pytest.param(
            hello(f'<d:Types xmlns:q="{DEVICES}" xmlns:z="urn:z">q:Device z:Thing Bare y:Odd</d:Types>'),
            types("wsdp:Device z:Thing Bare y:Odd", None),
            id="prefixes mean what they were declared for",
        ),
        pytest.param(
            hello('<d:EndpointReference xmlns:w="urn:w"/>' + TYPES),
            types("wsdp:Device", None),
            id="a prefix means something else only inside of its element",
        ),
        pytest.param(
            hello(f'<d:Types xmlns="{DEVICES}">Device</d:Types>'), types("wsdp:Device", None), id="no prefix"
        ),
        pytest.param(hello("<x xmlns='urn:x'>" + TYPES + "</x>"), [], id="types that are not the machine's"),
        pytest.param(
            hello(
                "<d:Scopes>onvif://www.onvif.org/name/Cam%20%C3%9C onvif://www.onvif.org/hardware/C9"
                " onvif://www.onvif.org/location/country/de onvif://www.onvif.org/manufacturer/Maker"
                " onvif://www.onvif.org/type/ptz onvif://elsewhere/name/x http://www.onvif.org/name/x"
                " onvif://www.onvif.org/name/ onvif://[/name/x ldap:///ou=x</d:Scopes>"
            ),
            [
                ("wsd.name", "Cam Ü", None),
                ("wsd.model", "C9", None),
                ("wsd.location", "country/de", None),
                ("wsd.vendor", "Maker", None),
            ],
            id="a camera's scopes",
        ),
        pytest.param(
            hello("<d:Types>a&amp;&#98;</d:Types>"), types("a&b", None), id="the entities all XML has"
        ),
        pytest.param(
            hello(TYPES + AT).replace(b"<s:Env", b'<?xml version="1.0" encoding="utf-16"?><s:Env'),
            DEVICE,
            id="a codec that is not the text's is not asked for",
        ),
        pytest.param(hello(TYPES + AT)[:-20], DEVICE, id="what is there in whole counts"),
        pytest.param(hello(TYPES + AT)[:-40], [], id="half a machine may be anybody's"),
        pytest.param(matches(TYPES, TYPES)[:-60], [], id="one of two without an address, the other cut"),
        pytest.param(b"discovery <", [], id="no XML"),
        pytest.param(hello("<q:x/>"), [], id="a prefix of nobody"),
        pytest.param(b"\xff\xfediscovery", [], id="no text"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_what_a_message_says(payload: bytes, expected: Sequence[tuple[str, str, str | None]]) -> None:
    assert [(one.field, one.text, one.ip) for one in read(payload)] == list(expected)


def laughs(levels: int) -> str:
    more = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, levels))
    return f'<!DOCTYPE l [<!ENTITY l0 "laugh">{more}]>'


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(laughs(10), id="a billion laughs"),
        pytest.param(laughs(1), id="one laugh"),
        pytest.param('<!DOCTYPE l SYSTEM "file:///etc/passwd">', id="a definition from elsewhere"),
        pytest.param(
            '<!DOCTYPE l [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>', id="an entity from elsewhere"
        ),
        pytest.param("<!DOCTYPE l>", id="a document type that does nothing"),
    ],
)
def test_who_declares_a_document_type_is_not_heard(before: str) -> None:
    said = f"<d:Hello>{TYPES}{AT}</d:Hello>"
    assert read(envelope(said))
    assert read(envelope(said, before=before)) == ()
    assert read(envelope(f"<d:Hello><d:Types>&l9;</d:Types>{AT}</d:Hello>", before=before)) == ()


def test_nesting_without_end_does_no_harm() -> None:
    assert read(hello("<x>" * 10_000 + "</x>" * 10_000 + TYPES + AT))
    assert read(hello(TYPES + AT) + b"<x>" * 20_000)


def test_a_flood_of_matches_and_of_words_is_bounded() -> None:
    many = [
        f"<d:Types>t</d:Types><d:XAddrs>http://10.0.{n // 200}.{n % 200 + 1}/</d:XAddrs>" for n in range(300)
    ]
    assert len(read(matches(*many))) == MATCHES_READ
    (label,) = read(hello(f"<d:Types>{'t ' * 999}</d:Types>"))
    assert len(label.text.split()) == WORDS_READ


def test_a_probe_is_for_any_device() -> None:
    probe = fromstring(question(UUID(int=7)))
    assert probe.findtext(".//{http://schemas.xmlsoap.org/ws/2004/08/addressing}MessageID") == UUID(int=7).urn
    (asked,) = probe.findall(f".//{{{OLD}}}Probe")
    assert not list(asked)
