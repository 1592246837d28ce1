"""Lease files as their servers write them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scanner.importers import lease_files
from scanner.importers.family import Rejected, Row
from scanner.importers.source import Source

MAC = "00:1e:8c:0a:0b:0c"
ISC = f"""# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;
server-duid "\\000\\001";

lease 10.0.0.1 {{
  starts 4 2026/11/26 03:04:05;
  ends 4 2026/11/26 15:04:05;
  cltt 4 2026/11/26 03:04:05;
  binding state active;
  next binding state free;
  hardware ethernet {MAC};
  uid "\\001\\000";
  client-hostname "copier";
}}
lease 10.0.0.2 {{
  starts epoch 1764126245; # Wed Nov 26 03:04:05 2025
  ends never;
  binding state free;
"""
DNSMASQ = f"""1764126245 {MAC} 10.0.0.1 copier 01:{MAC}
0 06-{MAC} 10.0.0.2 * *
nonsense
duid 00:01:00:01:2a
1764126245 12345678 2001:db8::1 copier 00:01
"""
XML = """\ufeff<?xml version="1.0" encoding="utf-16"?>
<DHCPServer><MajorVersion>6</MajorVersion><IPv4><Scopes><Scope><ScopeId>10.0.0.0</ScopeId><Leases>
<Lease><IPAddress>10.0.0.1</IPAddress><ClientId>00-1e-8c-0a-0b-0c</ClientId><HostName>a&amp;b</HostName>
<AddressState>Active</AddressState></Lease>
</Leases></Scope></Scopes></IPv4></DHCPServer>"""
Read = Callable[[Source], Iterator[Row | Rejected]]


def rows(path: Path, read: Read, text: str) -> list[Row | Rejected]:
    (path / "a").write_text(text, "utf-8")
    return list(read(Source(str(path / "a"))))


def test_leases_of_isc(tmp_path: Path) -> None:
    first, second = rows(tmp_path, lease_files.isc, ISC)
    assert isinstance(first, Row) and first.line == 5
    assert first.cells == {
        "address": "10.0.0.1", "starts": "2026-11-26T03:04:05Z", "expire": "2026-11-26T15:04:05Z",
        "state": "active", "hwaddr": MAC, "hostname": "copier",
    }  # fmt: skip
    assert isinstance(second, Rejected) and (second.line, second.why) == (15, "the file ends within it")
    (whole,) = rows(tmp_path, lease_files.isc, ISC.partition("}\n")[2] + "}\n")
    assert isinstance(whole, Row)
    assert whole.cells == {"address": "10.0.0.2", "starts": "1764126245", "expire": "never", "state": "free"}


def test_a_lease_of_isc_without_end_costs_itself(tmp_path: Path) -> None:
    text = "lease 10.0.0.1 {\nlease 10.0.0.2 {\n}\nlease 10.0.0.3 {\n" + "x;\n" * 300
    told = [
        row.why if isinstance(row, Rejected) else row.cells for row in rows(tmp_path, lease_files.isc, text)
    ]
    assert told == ["it has no end", {"address": "10.0.0.2"}, "it has no end"]


def test_leases_of_dnsmasq(tmp_path: Path) -> None:
    found = rows(tmp_path, lease_files.dnsmasq, DNSMASQ)
    assert [(row.line, row.cells["hwaddr"] if isinstance(row, Row) else row.why) for row in found] == [
        (1, MAC),
        (2, MAC),
        (3, "not of five words"),
        (5, "12345678"),
    ]


def test_leases_of_windows(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, lease_files.markup, XML[1:])
    assert isinstance(row, Row) and row.line == 3
    assert row.cells == {
        "ipaddress": "10.0.0.1", "clientid": "00-1e-8c-0a-0b-0c", "hostname": "a&b", "addressstate": "Active",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<a><b>", "no element found"),
        ("<a></b>", "mismatched tag"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "declares a document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "declares a document type"),
        ("<a>" * 5000, "elements in elements"),
        ("<a>\0</a>", "not well-formed"),
        (f"<a><!-- {'x' * 2_000_000} --></a>", "without end"),
    ],
)
def test_broken_or_hostile_markup_is_told(tmp_path: Path, text: str, why: str) -> None:
    (row,) = rows(tmp_path, lease_files.markup, text)
    assert isinstance(row, Rejected) and why in row.why


def test_a_text_without_end_is_cut(tmp_path: Path) -> None:
    cells = f"<IPAddress>{'x' * 1_000_000}</IPAddress><ClientId>1</ClientId>"
    text = f"<a><b>{cells}</b><b><IPAddress>1</IPAddress></b></a>"
    (row,) = rows(tmp_path, lease_files.markup, text)
    assert isinstance(row, Row) and len(row.cells["ipaddress"]) < 10_000 and row.cells["clientid"] == "1"


def test_forms_know_their_own() -> None:
    known = {lease_files.is_isc: ISC, lease_files.is_dnsmasq: DNSMASQ, lease_files.is_markup: XML}
    for is_such in known:
        assert [is_such(text) for text in known.values()] == [is_such is one for one in known]
    assert lease_files.is_dnsmasq("duid 00:01:00\n")
    assert not lease_files.is_isc("a,b\nlease of the car,{\n")
