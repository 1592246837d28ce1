"""What UPnP devices say of themselves."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from scanner.protocols.ssdp import LINES_READ, described_by, question, read

PRINTER = b"urn:schemas-upnp-org:device:Printer:1"
ALIVE = b"NOTIFY * HTTP/1.1"
SERVER = b"SERVER: Copier/12"
AT = b"LOCATION: http://192.0.2.7:80/d.xml"


def packet(*lines: bytes) -> bytes:
    return b"\r\n".join([*lines, b"", b""])


def device(ip: str | None) -> list[tuple[str, str, str | None]]:
    return [("ssdp.server", "Copier/12", ip), ("ssdp.type", PRINTER.decode(), ip)]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(
            packet(ALIVE, SERVER, AT, b"NTS: ssdp:alive", b"NT: " + PRINTER),
            device("192.0.2.7"),
            id="an announcement",
        ),
        pytest.param(
            packet(ALIVE, b"server:Copier/12", b"nts:ssdp:alive", b"Nt:" + PRINTER),
            device(None),
            id="no location",
        ),
        pytest.param(
            packet(ALIVE, SERVER, b"LOCATION: http://copier/", b"NTS: ssdp:alive", b"NT: " + PRINTER),
            device(None),
            id="a location that is a name",
        ),
        pytest.param(
            packet(ALIVE, SERVER, b"LOCATION: http://127.0.0.1/", b"NTS: ssdp:update", b"NT: " + PRINTER),
            device(None),
            id="a location inside of the machine",
        ),
        pytest.param(packet(ALIVE, SERVER, AT, b"NTS: ssdp:byebye", b"NT: " + PRINTER), [], id="a goodbye"),
        pytest.param(packet(ALIVE, SERVER, AT, b"NT: " + PRINTER), [], id="of no kind"),
        pytest.param(
            packet(b"HTTP/1.1 200 OK", SERVER, AT, b"ST: " + PRINTER),
            device("192.0.2.7"),
            id="an answer to a search",
        ),
        pytest.param(
            packet(b"HTTP/1.1 200", b"ST: uuid:1", SERVER), device(None)[:1], id="a type of no device"
        ),
        pytest.param(
            packet(b"HTTP/1.1 200 OK", b"ST: urn:schemas-upnp-org:service:Printer:1"),
            [],
            id="a type of a service",
        ),
        pytest.param(packet(b"HTTP/1.1 404 Not Found", SERVER), [], id="a failure"),
        pytest.param(packet(b"HTTP/1.1 2000", SERVER), [], id="an answer of no kind"),
        pytest.param(
            packet(
                b"M-SEARCH * HTTP/1.1", b"USER-AGENT: OS/1", b"CPFN.UPNP.ORG: Hall", b"ST: " + PRINTER, AT
            ),
            [("ssdp.server", "OS/1", None), ("ssdp.name", "Hall", None)],
            id="a search tells of who searches, and not of what is sought",
        ),
        pytest.param(packet(b"M-SEARCH * HTTP/1.1", b"ST: ssdp:all"), [], id="a search by nobody"),
        pytest.param(
            b"HTTP/1.1 200 OK\nSERVER: Copier/12\nST: x\n\n",
            device(None)[:1],
            id="lines that end in half an end",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nSERVER: Cop", [("ssdp.server", "Cop", None)], id="a line is cut"),
        pytest.param(
            packet(b"HTTP/1.1 200 OK", SERVER, b"SERVER: two"),
            device(None)[:1],
            id="the first of a field counts",
        ),
        pytest.param(
            packet(b"HTTP/1.1 200 OK", b"") + SERVER, [], id="what is behind the head is no part of it"
        ),
        pytest.param(
            packet(b"HTTP/1.1 200 OK", b"SERVER: a\x1b[2J"), [("ssdp.server", "a\x1b[2J", None)], id="hostile"
        ),
        pytest.param(packet(b"GET / HTTP/1.1", SERVER), [], id="another protocol"),
        pytest.param(b"\r\n\r\n", [], id="an empty head"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_what_a_datagram_says(payload: bytes, expected: Sequence[tuple[str, str, str | None]]) -> None:
    assert [(one.field, one.text, one.ip) for one in read(payload)] == list(expected)


def test_a_flood_of_lines_is_bounded() -> None:
    assert read(packet(b"HTTP/1.1 200 OK", *[b"X: y"] * LINES_READ, SERVER)) == ()


def test_one_machine_is_searched_without_waiting() -> None:
    head, *lines = question("192.0.2.7", "me").split(b"\r\n")
    assert head == b"M-SEARCH * HTTP/1.1"
    assert b"HOST: 192.0.2.7:1900" in lines and b"ST: upnp:rootdevice" in lines
    assert not any(line.startswith(b"MX") for line in lines)
    assert b"HOST: [2001:db8::7]:1900" in question("2001:db8::7", "me")


@pytest.mark.parametrize(
    ("location", "asked", "found"),
    [
        ("http://192.0.2.7:49152/d.xml?a=b", "192.0.2.7", (49152, "/d.xml?a=b")),
        ("http://192.0.2.7", "192.0.2.7", (80, "/")),
        ("http://[2001:DB8::7]:80/d", "2001:db8::7", (80, "/d")),
        ("http://[fe80::7]/d", "fe80::7%eth0", (80, "/d")),
        ("http://192.0.2.8/d.xml", "192.0.2.7", None),
        ("http://printer.example.com/d.xml", "192.0.2.7", None),
        ("http://192.0.2.7@192.0.2.8/d.xml", "192.0.2.7", None),
        ("http://0300.0.2.7/d.xml", "192.0.2.7", None),
        ("https://192.0.2.7/d.xml", "192.0.2.7", None),
        ("http://192.0.2.7/d.xml HTTP/1.1", "192.0.2.7", None),
        ("http://192.0.2.7/b\u00fcro", "192.0.2.7", None),
        ("http://192.0.2.7:99999/d", "192.0.2.7", None),
        ("http://192.0.2.7:9100/d", "192.0.2.7", None),
        ("http://[192.0.2.7/d", "192.0.2.7", None),
        ("", "192.0.2.7", None),
    ],
)
def test_a_description_is_looked_for_at_the_address_itself_only(
    location: str, asked: str, found: tuple[int, str] | None
) -> None:
    answer = packet(b"HTTP/1.1 200 OK", b"LOCATION: " + location.encode())
    assert described_by(answer, asked) == found
    assert described_by(answer.replace(b"HTTP/1.1 200 OK", ALIVE), asked) is None
