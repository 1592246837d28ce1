"""What crosses an interface comes through scapy's sockets as it was sent; a filter passes what is wanted."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import own_network
import pytest
from own_network import CABLE, ROOT
from packets import MACS, C, Connection, Packet, S, datagram, pcap

from scanner.capture.passing import Passing
from scanner.capture.portable import NETS_4, NETS_6, text_filter
from scanner.catalogue.exchange import load_catalogue
from scanner.net import Prefixes

CATALOGUE = load_catalogue()
FILTER = text_filter(Passing.of(CATALOGUE))
MACOS_MOST = 512
"""Instructions of a filter (BPF_MAXINSNS in net/bpf.h of macOS and the BSDs)."""
SET_UP = (
    CABLE
    + """
import scanner.capture.portable as portable
def promiscuous():
    return link("v1")["promiscuity"]
"""
)
PLAIN = MACS[1] + MACS[0] + b"\x88\xb5"
"""The head of a frame of no protocol (IEEE 802 9.2.3)."""


def inside(script: str, *arguments: str) -> list[dict[str, Any]]:
    """What a script tells that has two cards of its own."""
    return own_network.inside(script, *arguments, before=SET_UP)


def test_frames_come_as_they_were_sent() -> None:
    sizes = [60, 61, 1514, 9014]
    frames = [PLAIN + bytes([number]) * (size - 14) for number, size in enumerate(sizes)]
    tagged = PLAIN[:12] + b"\x81\0\x60\x05" + PLAIN[12:] + bytes(60)
    script = """
tap = portable.PortableTap("v1", None, said.append)
begin = time.time_ns()
send(*map(bytes.fromhex, sys.argv[1:]))
found, end = received(len(sys.argv) - 1), time.time_ns()
told(found=found, begin=begin, end=end, quiet=list(tap.batches()), promiscuous=promiscuous(), said=said,
     counts=tap.counts(), interface=tap.interface)
tap.close()
tap.close()
sender.close()
told(promiscuous=promiscuous())
"""
    first, last = inside(script, *(one.hex() for one in (*frames, tagged)))
    assert [row[:2] + row[3:] for row in first["found"]] == [
        [one.hex(), len(one), 1, "v1"] for one in (*frames, tagged)
    ]
    times = [row[2] for row in first["found"]]
    assert times == sorted(times)
    assert first["begin"] - 1000 <= times[0] <= times[-1] <= first["end"] + 1000
    assert (first["quiet"], first["said"], first["interface"]) == ([], [], "v1")
    delivered, dropped, *_ = first["counts"]
    assert delivered >= 5 and dropped == 0
    assert (first["promiscuous"], last["promiscuous"]) == (1, 0)


def test_so_many_are_given_at_once_and_those_without_room_are_counted() -> None:
    script = """
portable.PACKETS, portable.BATCHES, portable.BUFFER = 2, 3, 4096
tap = portable.PortableTap("v1", "ether src 02:00:00:00:00:01", said.append)
send(*[bytes.fromhex(sys.argv[1])] * 7)
select.select([tap], [], [], 10)
told(sizes=[[len(batch.at) for batch in tap.batches()] for _ in range(3)])
send(*[bytes.fromhex(sys.argv[1])] * 100)
for _ in range(50):
    list(tap.batches())
told(counts=[tap.counts()[:2] for _ in range(2)])
tap.close()
sender.close()
"""
    sizes, counts = inside(script, (PLAIN + bytes(200)).hex())
    assert sizes == {"sizes": [[2, 2, 2], [1], []]}
    (delivered, dropped), again = counts["counts"]
    assert again == [delivered, dropped]
    assert delivered + dropped == 107 and dropped > 0


def test_a_filter_of_nonsense_is_told_once_and_everything_is_looked_at() -> None:
    script = """
tap = portable.PortableTap("v1", "not a filter", said.append)
send(bytes.fromhex(sys.argv[1]))
told(found=len(received(1)), said=said)
tap.close()
sender.close()
"""
    (found,) = inside(script, (PLAIN + bytes(60)).hex())
    assert found["found"] == 1
    assert len(found["said"]) == 1
    assert found["said"][0].startswith("v1: everything is looked at, which is slow: v1: ")


def test_our_filter_is_attached() -> None:
    mail, other = (Connection(server=("192.0.2.1", port)).send(C).packets[0].data for port in (587, 5870))
    script = """
tap = portable.PortableTap("v1", sys.argv[1], said.append)
send(*map(bytes.fromhex, sys.argv[2:]))
told(found=[row[0] for row in received(1)], rest=received(0), said=said)
tap.close()
sender.close()
"""
    (found,) = inside(script, FILTER, other.hex(), mail.hex(), other.hex())
    assert found == {"found": [mail.hex()], "rest": [], "said": []}


def test_a_card_that_was_down_or_gone_is_listened_to_again() -> None:
    script = """
tap = portable.PortableTap("v1", None, said.append)
ip("link", "set", "v1", "down")
told(down=len(received(0)) + len(list(tap.batches())))
up("v1", "v0")
send(bytes.fromhex(sys.argv[1]))
told(up=len(received(1)))
ip("link", "del", "v1")
told(gone=len(received(0)) + len(list(tap.batches())), said=[*tap.look(), *tap.look()], up=tap.up)
sender.close()
sender = cable()
said = [*tap.look(), *tap.look()]
send(bytes.fromhex(sys.argv[1]))
told(back=len(received(1)), said=said, up=tap.up, promiscuous=promiscuous())
tap.close()
sender.close()
"""
    found = inside(script, (PLAIN + bytes(60)).hex())
    assert found == [
        {"down": 0},
        {"up": 1},
        {"gone": 0, "said": ["v1 is gone; waiting for it"], "up": False},
        {"back": 1, "said": ["v1 is back"], "up": True, "promiscuous": 1},
    ]


def test_another_filter_takes_the_place_of_the_first() -> None:
    script = """
tap: Tap = portable.PortableTap("v1", "udp", said.append)
send(bytes.fromhex(sys.argv[1]))
told(before=len(list(tap.batches())))
tap.refilter(lambda sock, link: told(link=link, socket=sock.fileno() == tap.fileno()))
tap.close()
sender.close()
"""
    found = inside("from scanner.capture.live import Tap" + script, (PLAIN + bytes(60)).hex())
    assert found == [{"before": 0}, {"link": 1, "socket": True}]


OPENED = """
import json, sys
import scanner.capture.portable as portable
from scanner.capture.live import TapError
try:
    portable.PortableTap(sys.argv[1], None, print)
except TapError as fault:
    print(json.dumps(str(fault)))
"""


@pytest.mark.parametrize(
    ("unshare", "name", "why"),
    [("-Urn", "nowhere", "nowhere: "), ("-Un", "lo", "capturing needs root or CAP_NET_RAW")],
)
def test_what_cannot_be_opened_is_told_in_a_line(unshare: str, name: str, why: str) -> None:
    (told,) = own_network.inside(OPENED, name, before="", unshare=unshare)
    assert str(told).startswith(why)
    assert "\n" not in str(told)


def test_importing_it_does_not_import_scapy() -> None:
    script = "import sys, scanner.capture.portable; sys.exit('scapy' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


def tcp(server: tuple[str, int], payload: bytes = b"x", client: str = "10.0.0.1") -> bytes:
    return Connection(client=(client, 50000), server=server).send(C, payload).packets[0].data


def udp(port: int) -> bytes:
    return datagram(("10.0.0.1", 50000), ("10.0.0.2", port), bytes(20)).data


def ip_of(protocol: int, fragment: int = 0) -> bytes:
    head = struct.pack(">BBHHHBBH8x", 0x45, 0, 60, 1, fragment, 64, protocol, 0)
    return MACS[1] + MACS[0] + b"\x08\0" + head + bytes(40)


def ip6_of(header: int) -> bytes:
    return MACS[1] + MACS[0] + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, 40, header, 64) + bytes(72)


def smb(magic: bytes, command: bytes) -> bytes:
    return b"\0\0\0\x40" + magic + command + bytes(40)


SMB2, SMB1 = b"\xfeSMB", b"\xffSMB"
PASSES = {
    "mail": tcp(("192.0.2.1", 587)),
    "an answer": Connection(server=("192.0.2.1", 587)).send(S, b"x").packets[0].data,
    "mail over IPv6": tcp(("2001:db8::1", 993), client="2001:db8::2"),
    "Exchange Online on any port": tcp(("52.96.0.1", 443)),
    "Exchange Online over IPv6": tcp(("2603:1026:c0d::1", 443), client="2001:db8::2"),
    "a name": udp(53),
    "an address": udp(67),
    "a mirror in VXLAN": udp(4789),
    "a session setup of SMB 2": tcp(("10.0.0.9", 445), smb(SMB2, bytes(8) + b"\1\0")),
    "a session setup of SMB 1": tcp(("10.0.0.9", 139), smb(SMB1, b"\x73" + bytes(9))),
    "GRE": ip_of(47),
    "IP in IP": ip_of(4),
    "the first fragment": ip_of(17, 0x2000),
    "the last fragment": ip_of(6, 100),
    "a fragment of IPv6": ip6_of(44),
    "an extension header": ip6_of(60),
    "LLDP": MACS[1] + MACS[0] + b"\x88\xcc" + bytes(50),
    "CDP": bytes.fromhex("01000ccccccc") + MACS[0] + b"\0\x40\xaa\xaa\3\0\0\x0c\x20\0" + bytes(56),
    "MPLS": MACS[1] + MACS[0] + b"\x88\x47" + bytes(60),
    "a tag in place": MACS[1] + MACS[0] + b"\x81\0\0\5" + tcp(("192.0.2.1", 9999))[12:],
}
STAYS = {
    "a page": tcp(("192.0.2.1", 443)),
    "a page over IPv6": tcp(("2001:db8::1", 443), client="2001:db8::2"),
    "time": udp(123),
    "video": udp(50001),
    "a file over SMB": tcp(("10.0.0.9", 445), smb(SMB2, bytes(8) + b"\x09\0")),
    "an answer to ping": ip_of(1),
    "ARP": MACS[1] + MACS[0] + b"\x08\x06" + bytes(50),
}


def test_what_our_filter_passes_and_what_not(tmp_path: Path) -> None:
    every = {**PASSES, **STAYS}
    (tmp_path / "all.pcap").write_bytes(pcap([Packet(at, data) for at, data in enumerate(every.values())]))
    tcpdump = shutil.which("tcpdump")
    assert tcpdump, "see tests/install-system-packages.sh"
    command = [tcpdump, "-n", "-r", str(tmp_path / "all.pcap"), "-w", str(tmp_path / "some.pcap")]
    subprocess.run([*command, FILTER], capture_output=True, check=True)
    passed = (tmp_path / "some.pcap").read_bytes()
    assert [name for name, data in every.items() if data in passed] == list(PASSES)


def test_it_is_short_enough_for_every_system_however_many_prefixes_there_are() -> None:
    tcpdump = shutil.which("tcpdump")
    assert tcpdump, "see tests/install-system-packages.sh"
    many = Prefixes(
        [f"{high}.{low}.7.0/24" for high in range(20, 60) for low in range(0, 250, 50)]
        + [f"2a01:{number:x}::/32" for number in range(1, 99)]
    )
    texts = FILTER, text_filter(replace(Passing.of(CATALOGUE), prefixes=many))
    for text in texts:
        command = [tcpdump, "-y", "EN10MB", "-ddd", text]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert int(done.stdout.split()[0]) <= MACOS_MOST


def of(prefixes: Prefixes) -> str:
    return text_filter(Passing(frozenset({25}), frozenset({53}), prefixes))


def test_prefixes_are_taken_together_only_where_they_are_too_many() -> None:
    few = Prefixes(["52.96.0.0/14", "10.0.0.1", "2603:1006::/40"])
    text = of(few)
    assert "net 10.0.0.1/32 or net 52.96.0.0/14 or net 2603:1006::/40" in text
    assert "net" not in of(Prefixes())
    many = [f"10.0.{number}.0/24" for number in range(64)] + ["10.0.0.0/16", "192.0.2.7"]
    assert "net 192.0.2.7/32" in (joined := of(Prefixes(many)))
    assert joined.count("net ") <= NETS_4
    assert "net 2001:db8::/32" in of(Prefixes(["2001:db8::/32"] * (NETS_6 + 1)))
