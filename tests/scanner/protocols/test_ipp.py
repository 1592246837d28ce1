"""What a printer says of itself by IPP, and what it is asked."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.events import Label
from scanner.protocols.ipp import ATTRIBUTES_READ, PATHS, question, read, script
from scanner.session import Answer, Asker

TEXT, NAME, TEXT_IN, NAME_IN, KEYWORD, INTEGER = 0x41, 0x42, 0x35, 0x36, 0x44, 0x21
OK, GONE = b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found"


def attribute(tag: int, name: bytes, value: bytes) -> bytes:
    return bytes([tag]) + len(name).to_bytes(2, "big") + name + len(value).to_bytes(2, "big") + value


def said(*attributes: bytes, end: bytes = b"\3") -> bytes:
    return (
        b"\2\0\0\0\0\0\0\1\1"
        + attribute(0x47, b"attributes-charset", b"utf-8")
        + b"\4"
        + b"".join(attributes)
        + end
    )


MODEL = attribute(TEXT, b"printer-make-and-model", b"Copier 12")
TOLD = ("ipp.make_and_model", "Copier 12")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        pytest.param(said(MODEL), [TOLD], id="its make and model"),
        pytest.param(
            said(
                attribute(NAME, b"printer-name", b"copier"),
                attribute(TEXT, b"printer-info", "Büro".encode()),
                attribute(TEXT, b"printer-location", b"Floor 3"),
            ),
            [("ipp.name", "copier"), ("ipp.info", "Büro"), ("ipp.location", "Floor 3")],
            id="its name, and where it stands",
        ),
        pytest.param(
            said(
                attribute(TEXT_IN, b"printer-info", b"\0\2en\0\4Desk"),
                attribute(NAME_IN, b"printer-name", b"\0\2de\0\1x"),
            ),
            [("ipp.info", "Desk"), ("ipp.name", "x")],
            id="texts with their language (RFC 8010 3.9)",
        ),
        pytest.param(
            said(
                attribute(
                    TEXT, b"printer-device-id", b"MANUFACTURER:Acme ;COMMAND SET:PS,PCL;MODEL:C 12;SERN:A1;"
                )
            ),
            [("ipp.device_id", "MFG:Acme;MDL:C 12")],
            id="a device id in long words, without its serial number",
        ),
        pytest.param(
            said(attribute(TEXT, b"printer-device-id", b"SERN:A1")), [], id="a device id that tells nothing"
        ),
        pytest.param(
            said(
                MODEL, attribute(TEXT, b"", b"Another"), attribute(TEXT, b"printer-make-and-model", b"Third")
            ),
            [TOLD],
            id="the first value counts",
        ),
        pytest.param(
            said(
                attribute(KEYWORD, b"printer-name", b"x"),
                attribute(INTEGER, b"printer-info", b"\0\0\0\1"),
                MODEL,
            ),
            [TOLD],
            id="a name that is no text",
        ),
        pytest.param(said(attribute(TEXT, b"printer-info", b" ")), [], id="an empty text"),
        pytest.param(said(MODEL, end=b""), [TOLD], id="without an end"),
        pytest.param(
            said(MODEL, attribute(TEXT, b"printer-info", b"Desk")[:-1], end=b""), [TOLD], id="cut in a value"
        ),
        pytest.param(said(MODEL + b"\x41\0", end=b""), [TOLD], id="cut in a length"),
        pytest.param(
            said(attribute(TEXT_IN, b"printer-info", b"\0\x09e"), MODEL), [TOLD], id="a language that is cut"
        ),
        pytest.param(
            said(*[attribute(KEYWORD, b"k", b"v")] * ATTRIBUTES_READ, MODEL),
            [],
            id="behind too many attributes",
        ),
        pytest.param(
            said(
                attribute(TEXT, b"printer-make-and-model", b"HP LaserJet 4250 - CUPS+Gutenprint v5.3.4"),
                attribute(TEXT, b"printer-location", b"Floor 3"),
            ),
            [],
            id="a computer's queue for a printer that stands elsewhere",
        ),
        pytest.param(b"<html>", [], id="another language"),
    ],
)
def test_what_an_answer_tells(message: bytes, told: list[tuple[str, str]]) -> None:
    assert [(label.field, label.text) for label in read(message)] == told


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_never_raise(message: bytes) -> None:
    list(read(message))
    list(read(said(message)))


def test_a_question_asks_for_nothing_but_attributes() -> None:
    asked = question("ipp://192.0.2.7/ipp/print", 7)
    assert asked.startswith(b"\1\1\0\x0b\0\0\0\7\1\x47\0\x12attributes-charset\0\5utf-8")
    assert b"\x45\0\x0bprinter-uri\0\x19ipp://192.0.2.7/ipp/print" in asked
    assert b"\x44\0\x14requested-attributes\0\x16printer-make-and-model\x44\0\0\0\x0cprinter-name" in asked
    assert asked.endswith(b"\3")


@pytest.mark.parametrize(
    ("answers", "requests"),
    [
        pytest.param([Answer((Label(*TOLD),), OK)], 1, id="a printer that answers at once"),
        pytest.param([Answer((), GONE), Answer((Label(*TOLD),), OK)], 2, id="one that has the second path"),
        pytest.param([Answer((), OK)] * 3, 3, id="one that says nothing anywhere"),
        pytest.param(
            [Answer((), b"HTTP/1.1 401 Unauthorized")], 1, id="one that wants a login is left alone"
        ),
        pytest.param([Answer((), b"HTTP/1.1 426 Upgrade Required")], 1, id="one that wants TLS"),
        pytest.param([Answer((), b"")], 1, id="one that says nothing"),
    ],
)
def test_how_often_it_is_asked(answers: list[Answer], requests: int) -> None:
    saying = script(Asker(name="me", host="2001:db8::7"))
    asked = [cast(bytes, next(saying))]
    for answer in answers:
        try:
            asked.append(cast(bytes, saying.send(answer)))
        except StopIteration:
            break
    assert len(asked) == requests
    for path, one in zip(PATHS, asked, strict=False):
        head, _, body = one.partition(b"\r\n\r\n")
        assert head.startswith(f"POST {path} HTTP/1.1\r\nHost: [2001:db8::7]:631\r\n".encode())
        assert f"Content-Length: {len(body)}".encode() in head
        assert f"ipp://[2001:db8::7]{path}".encode() in body
