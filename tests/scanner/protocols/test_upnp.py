"""What the description of a UPnP device tells, and that no XML does harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.protocols.upnp import described_at, read
from scanner.session import Asker

XMLNS = ' xmlns="urn:schemas-upnp-org:device-1-0"'


def description(device: str, xmlns: str = XMLNS, before: str = "") -> bytes:
    return f"{before}<root{xmlns}><specVersion/><device>{device}</device></root>".encode()


MODEL = "<modelName>Copier 12</modelName>"
TOLD = [("upnp.model", "Copier 12")]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param(description(MODEL), TOLD, id="its model"),
        pytest.param(description(MODEL, xmlns=""), TOLD, id="without a namespace"),
        pytest.param(description(f" {MODEL}<modelName>Other</modelName>"), TOLD, id="the first counts"),
        pytest.param(
            description(
                "<friendlyName> B\u00fcro </friendlyName><manufacturer>Acme</manufacturer>"
                "<modelDescription>Copies</modelDescription><serialNumber>1</serialNumber>"
            ),
            [("upnp.name", "B\u00fcro"), ("upnp.vendor", "Acme"), ("upnp.description", "Copies")],
            id="all that is read",
        ),
        pytest.param(
            description(f"<deviceList><device><modelName>Inner</modelName></device></deviceList>{MODEL}"),
            TOLD,
            id="devices inside of it are others",
        ),
        pytest.param(description(MODEL)[:-15], TOLD, id="one that is cut"),
        pytest.param(description("<modelName/><manufacturer> </manufacturer>"), [], id="nothing said"),
        pytest.param(
            description("<modelName>&a;</modelName>", before='<!DOCTYPE r [<!ENTITY a "b">]>'),
            [],
            id="entities of its own",
        ),
        pytest.param(
            description("<modelName>a &amp; b</modelName>"), [("upnp.model", "a & b")], id="entities of XML"
        ),
        pytest.param(
            description(MODEL, before='<?xml version="1.0" encoding="utf-16"?>'),
            TOLD,
            id="a codec of its own",
        ),
        pytest.param(b"<x>" * 20_000, [], id="very deep"),
        pytest.param(b"HTTP", [], id="no XML"),
    ],
)
def test_what_a_description_tells(said: bytes, told: list[tuple[str, str]]) -> None:
    assert [(label.field, label.text) for label in read(said)] == told


@given(st.binary(max_size=200), st.text(max_size=50))
def test_bytes_of_any_kind_never_raise(data: bytes, text: str) -> None:
    read(data)
    read(description(text))


def test_a_description_is_asked_for_where_it_is() -> None:
    dialect = described_at(49152, "/desc.xml?a=b")
    assert dialect.script is not None
    (asked,) = dialect.script(Asker(name="me", host="192.0.2.7"))
    assert isinstance(asked, bytes)
    assert asked.startswith(b"GET /desc.xml?a=b HTTP/1.1\r\nHost: 192.0.2.7:49152\r\n")
    assert dialect.ports == {49152}
