"""What tshark dissects comes as it is, in order, and nothing is left behind when it is no longer wanted."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from packets import ACK, FIN, SYN, C, Connection, Packet, S, pcap

from benchmarks.agreement import both, explained, judge
from scanner.capture import UnreadableCapture
from scanner.capture.tshark import dissect
from scanner.capture.wireshark import tshark_path
from scanner.catalogue.exchange import load_catalogue
from scanner.conversation import Transport
from scanner.dissection import Dissected, Field
from scanner.protocols import dialects

ROOT = Path(__file__).parents[3]
OFFICE = ROOT / "captures" / "office.pcapng"
HELLO = next(
    data
    for dialect in dialects()
    if dialect.name == "tls"
    for side, data in dialect.examples[0].lines
    if side is C
)
SECRET = b"secret-1"


def children() -> set[str]:
    """Processes that we began and that are still there, zombies too."""
    mine = subprocess.run(
        ["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())], capture_output=True, text=True
    )
    return {line.split()[1] for line in mine.stdout.splitlines() if line.split()[1] != "ps"}


def talk(number: int, port: int, *lines: tuple[int, bytes]) -> list[Packet]:
    """A whole connection of a client of its own."""
    connection = Connection(("10.0.0.1", 40000 + number), ("192.0.2.1", port))
    connection.at += number * 60_000_000_000
    connection.open()
    for side, data in lines:
        connection.send(C if side == 0 else S, data)
    return connection.close().packets


SMTP = (
    (1, b"220 mx.example.com ESMTP\r\n"), (0, b"EHLO copier\r\n"),
    (1, b"250-mx.example.com\r\n250 AUTH PLAIN\r\n"),
    (0, b"AUTH PLAIN AGFubgBzZWNyZXQtMQ==\r\n"), (1, b"235 ok\r\n"), (0, b"QUIT\r\n"), (1, b"221 bye\r\n"),
)  # fmt: skip
POP3 = (
    (1, b"+OK ready\r\n"), (0, b"USER ann\r\n"), (1, b"+OK\r\n"), (0, b"PASS secret-1\r\n"),
    (1, b"-ERR no\r\n"), (0, b"QUIT\r\n"), (1, b"+OK bye\r\n"),
)  # fmt: skip
SOCKS = (
    (0, b"\5\1\0"), (1, b"\5\0"), (0, b"\5\1\0\3\x0emx.example.com\0\x19"),
    (1, b"\5\0\0\1\xc0\0\2\x09\0\x19"),
)  # fmt: skip
CONNECT = (
    (0, b"CONNECT mx.example.com:25 HTTP/1.1\r\nHost: mx.example.com:25\r\n\r\n"),
    (1, b"HTTP/1.1 200 Connection established\r\n\r\n"),
)


def swapped(packets: list[Packet], one: int, other: int) -> list[Packet]:
    """Two packets change places, but not their times."""
    first, second = packets[one], packets[other]
    changed = list(packets)
    changed[one], changed[other] = Packet(first.at, second.data), Packet(second.at, first.data)
    return changed


def made() -> Iterator[tuple[str, list[Packet]]]:
    """Captures of one connection each: every dialect's examples, and what is hard to agree on."""
    for dialect in dialects():
        if dialect.transport is Transport.TCP and dialect.overheard and not dialect.alone:
            for example in dialect.examples:
                port = {"smtp": 587, "imap": 143, "pop3": 110, "http": 80, "tls": 993, "socks": 1080}[
                    dialect.name
                ]
                yield example.title, talk(0, port, *example.lines)
    yield "smtp on the customary second port", talk(0, 2525, *SMTP)
    yield "smtp on a port that nobody knows", talk(0, 2526, *SMTP)
    yield "smtp, one side only", [one for one in talk(0, 25, *SMTP) if one.data[34:36] != b"\0\x19"]
    yield "smtp with a hole before the login", [one for one in talk(0, 25, *SMTP) if b"EHLO" not in one.data]
    yield "smtp joined in its middle", talk(0, 25, *SMTP)[5:]
    yield "pop3, packets changed places", swapped(talk(0, 110, *POP3), 5, 7)
    yield "smtp through SOCKS 5", talk(0, 1080, *SOCKS, *SMTP)
    yield "smtp through CONNECT", talk(0, 8080, *CONNECT, *SMTP)
    yield "tls asked, smtp answered", talk(0, 465, (0, HELLO), (1, b"220 mx.example.com ESMTP\r\n"))


MADE = dict(made())


def test_all_that_is_made_has_a_name_of_its_own() -> None:
    assert len(MADE) == len(list(made()))


@pytest.fixture(scope="module")
def differing(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """Captures and fields in which our reading and tshark's differ; all in one file, for tshark's start."""
    path = tmp_path_factory.mktemp("made") / "all.pcap"
    names, packets = dict[int, str](), list[Packet]()
    for number, (name, one) in enumerate(MADE.items()):
        port = 40000 + number
        names[port] = name
        packets += [renumbered(packet, port, number) for packet in one]
    path.write_bytes(pcap(packets))
    found, tally, _ = both(str(path), load_catalogue())
    assert tally.compared + tally.only_ours + tally.only_tshark == len(MADE)
    return {(names[one.client[1] if one.client[1] in names else one.server[1]], one.field) for one in found}


def renumbered(packet: Packet, port: int, number: int) -> Packet:
    """The same packet of another client's port, some minutes later."""
    data = packet.data.replace((40000).to_bytes(2, "big"), port.to_bytes(2, "big"), 1)
    return Packet(packet.at + number * 60_000_000_000, data)


def test_differences_in_what_is_made_are_explained(differing: set[tuple[str, str]]) -> None:
    verdict = judge(differing, MADE, explained())
    assert verdict.unexplained == []
    assert verdict.vanished == []


def test_the_sample_is_read_alike() -> None:
    found, tally, _ = both(str(OFFICE), load_catalogue())
    assert found == []
    assert tally.equal == 8


def test_a_difference_that_is_not_in_the_table_is_told_and_one_that_is_gone_too() -> None:
    table = {("a", "x"): "why", ("b", "y"): "why"}
    assert judge([("a", "x"), ("a", "z")], ["a"], table) == ([("a", "z")], [])
    assert judge([("a", "x")], ["a", "b"], table) == ([], [("b", "y")])


def test_segments_come_with_their_ends_times_and_layers(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    packets = talk(0, 25, (1, b"220 mx.example.com ESMTP\r\n"))
    path.write_bytes(pcap(packets))
    told = [one for one in dissect(str(path), tshark_path()) if isinstance(one, Dissected)]
    assert [one.flags for one in told] == [SYN, SYN | ACK, ACK, FIN | ACK, FIN | ACK]
    greeting = told[2]
    assert greeting.at == packets[3].at, "to the nanosecond"
    assert (greeting.source, greeting.target) == (("192.0.2.1", 25), ("10.0.0.1", 40000))
    assert (greeting.source_mac, greeting.target_mac) == ("02:00:00:00:00:02", "02:00:00:00:00:01")
    assert (greeting.sequence, greeting.acknowledged, greeting.length) == (1, 1, 26)
    (layer,) = greeting.layers
    assert layer.fields == (
        Field("smtp.response.code", "220"),
        Field("smtp.rsp.parameter", "mx.example.com ESMTP"),
    )


@pytest.mark.parametrize("lines", [SMTP, POP3], ids=["smtp", "pop3"])
def test_no_secret_comes_along(tmp_path: Path, lines: tuple[tuple[int, bytes], ...]) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(talk(0, 587 if lines is SMTP else 110, *lines)))
    told = repr(list(dissect(str(path), tshark_path())))
    assert "ann" in told
    assert SECRET.decode() not in told
    assert "AGFubgBzZWNyZXQtMQ==" not in told


@pytest.mark.parametrize("packets", [0, 1, 1000], ids=["none", "one", "all"])
def test_nothing_is_left_behind(packets: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with closing(dissect(str(OFFICE), tshark_path())) as told:
            for _, _ in zip(range(packets), told, strict=False):
                pass
        gc.collect()
    assert "tshark" not in children()
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_a_capture_that_is_cut_is_given_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(talk(0, 25, *SMTP))[:-10])
    told = []
    with pytest.raises(UnreadableCapture, match=r"tshark could not read on: .*cut short") as caught:
        told.extend(dissect(str(path), tshark_path()))
    assert "\n" not in str(caught.value)
    assert "tshark" not in children()


@pytest.mark.parametrize("what", ["no capture", "a folder"])
def test_what_is_no_capture_is_told(tmp_path: Path, what: str) -> None:
    path = tmp_path
    if what == "no capture":
        path = tmp_path / "a.txt"
        path.write_text("hello")
    with pytest.raises(UnreadableCapture):
        list(dissect(str(path), tshark_path()))
