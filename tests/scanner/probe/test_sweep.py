"""In a network of the test's own who is there is found, nobody else is asked, and not faster than allowed."""

from __future__ import annotations

import shutil
import socket
import sys
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_network import inside
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    IPv6,
)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from scanner.capture.classic_filter import attach_classic
from scanner.probe.sweep import answered, answers_to

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("unshare"), reason="namespaces are Linux's"
)
OURS, THEIRS = "02:00:00:00:00:01", "02:00:00:00:00:02"

HOUSE = """
import asyncio, json, os, socket, struct, subprocess, sys, threading, time
from contextlib import aclosing
from scanner.probe.neighbourhood import may_sweep, neighbours, own_addresses, way
from scanner.probe.pace import Pace
from scanner.probe.scope import Scope
from scanner.probe.sweep import Sweep
from scanner.probe.targets import Written

def told(**what):
    print(json.dumps(what), flush=True)
def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
def ip(*words):
    return run("ip", *words)
def room():
    "Another namespace, as the prefix of commands in it."
    sleeper = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 60"], stdout=subprocess.PIPE)
    sleeper.stdout.readline()
    rooms.append(sleeper)
    return "nsenter", "-t", str(sleeper.pid), "-n"
def write(path, text):
    with open("/proc/sys/net/" + path, "w") as file:
        file.write(text)
def there(where, script):
    run(*where, "sh", "-ec", script)
rooms = []
quick = "for of in all default; do echo 0 > /proc/sys/net/ipv6/conf/$of/accept_dad; done; ip link set lo up; "
far, beyond = room(), room()
for where in ((), far, beyond):
    there(where, quick)
ip("link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", far[2])
there(far, f"ip link add r0 type veth peer name r1 netns {beyond[2]};"
    "for at in 10.0.0.2/22 10.0.0.3/22 10.0.0.200/22 10.0.3.9/22 fd00::2/64 fd00:b::2/64"
    " fd00:a:0:0:8000::5/64; do ip addr add $at dev v1; done;"
    "ip addr add 10.9.0.1/24 dev r0; ip addr add fd09::1/64 dev r0;"
    "ip link set v1 address 02:00:00:00:00:02; ip link set v1 up; ip link set r0 up;"
    "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
there(beyond, "for at in 10.9.0.5/24 10.9.0.6/24 fd09::5/64; do ip addr add $at dev r1; done;"
    "ip link set r1 up; ip route add default via 10.9.0.1; ip route add default via fd09::1")
there((), "ip link set v0 address 02:00:00:00:00:01; ip addr add 10.0.0.1/22 dev v0;"
    "for at in fd00::1/64 fd00:a::1/64 fd00:b::1/64; do ip addr add $at dev v0; done; ip link set v0 up;"
    "ip route add 10.9.0.0/24 via 10.0.0.2; ip route add fd09::/64 via fd00::2")
while len([own for own in own_addresses() if own.interface == "v0"]) < 4:
    time.sleep(0.02)

def sweep(*words, rate=0, per_host=0, excludes=(), also=()):
    scope = Scope(map(Written, words), map(Written, excludes), resolve=None, allow_public=True)
    async def sweeping():
        begun, found = time.monotonic(), []
        one = Sweep(scope, Pace(rate, per_host))
        async with aclosing(one.over([*also, *scope.addresses(1)])) as answers:
            async for answer in answers:
                found.append(answer)
        told(found=sorted(found), took=time.monotonic() - begun, strangers=one.strangers, unasked=one.unasked)
    asyncio.run(sweeping())

def arp(frame):
    "A request to all: those to one machine are the kernel's, which sees whether a neighbour is still there."
    return frame[:6] == bytes(6 * [255]) and frame[12:14] == b"\\x08\\x06" and frame[20:22] == b"\\0\\1"

class Wire:
    "What we send, and when."
    def __enter__(self):
        self.tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.tap.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
        self.tap.bind(("v0", 3))
        self.tap.setblocking(False)
        return self
    def __exit__(self, *_):
        self.sent = []
        while True:
            try:
                frame, said, _, sender = self.tap.recvmsg(128, 64)
            except BlockingIOError:
                break
            seconds, ns = struct.unpack("=qq", said[0][2])
            if sender[2] == 4:  # PACKET_OUTGOING
                self.sent.append((seconds + ns / 1e9, frame))
        self.tap.close()
"""
END = """
for sleeper in rooms:
    sleeper.kill()
    sleeper.communicate()
"""


def house(script: str) -> list[dict[str, Any]]:
    """What a script tells that runs in a house of three rooms, the middle one of which is a router."""
    return inside(script + END, before=HOUSE)


@cache
def everything() -> list[dict[str, Any]]:
    return house("""
with Wire() as wire:
    sweep("10.0.0.0/22", "10.9.0.0/28", "fd00::1-fd00::1f", "fd09::1-fd09::9", "fd00:a::/65", "fe80::/64%v0",
        "fd00:b::/64", "fd00:b::2", "8.8.8.8", excludes=["10.0.0.3", "fd09::9"],
        also=["10.0.0.3", "fe80::9%none"])
asked = set()
for _, frame in wire.sent:
    if arp(frame):
        asked.add(socket.inet_ntop(socket.AF_INET, frame[38:42]))
    elif frame[12:14] == b"\\x08\\0":
        asked.add(socket.inet_ntop(socket.AF_INET, frame[30:34]))
    elif frame[:2] == b"33" and frame[12:14] == b"\\x86\\xdd" and frame[54] == 135:
        asked.add(socket.inet_ntop(socket.AF_INET6, frame[62:78]))
    elif frame[12:14] == b"\\x86\\xdd" and frame[54] == 128:
        asked.add(socket.inet_ntop(socket.AF_INET6, frame[38:54]))
told(asked=sorted(asked), local=own_addresses()[0].ip)
told(neighbours=neighbours())
""")


TWICE = "fd00:b::2"
"""It is asked alone, and with all nodes."""


def found(how: str) -> list[list[str | None]]:
    return [[ip, mac] for ip, mac, its in everything()[0]["found"] if its == how and ip != TWICE]


def test_arp_finds_all_on_the_link_that_are_not_excluded() -> None:
    assert found("arp") == [["10.0.0.2", THEIRS], ["10.0.0.200", THEIRS], ["10.0.3.9", THEIRS]]
    assert found("local") == [["10.0.0.1", None], ["fd00::1", None]]


def test_echoes_find_all_behind_a_router_and_no_mac() -> None:
    assert found("icmp") == [
        ["10.9.0.1", None],
        ["10.9.0.5", None],
        ["10.9.0.6", None],
        ["fd09::1", None],
        ["fd09::5", None],
    ]


def test_neighbours_are_solicited_one_by_one() -> None:
    assert found("nd") == [["fd00::2", THEIRS]]


def test_all_nodes_are_called_where_a_prefix_is_too_large_and_answers_from_outside_the_scope_dropped() -> (
    None
):
    assert found("multicast") == [["fe80::ff:fe00:2%v0", THEIRS]]
    assert everything()[0]["strangers"] == 2


def test_who_answers_twice_is_told_once() -> None:
    assert [ip for ip, _, _ in everything()[0]["found"]].count(TWICE) == 1


def test_who_cannot_or_may_not_be_asked_is_counted() -> None:
    assert everything()[0]["unasked"] == 3


def test_a_22_takes_seconds() -> None:
    assert 2 <= everything()[0]["took"] < 12  # 2.7


def test_nobody_outside_the_scope_is_asked() -> None:
    asked = set(everything()[1]["asked"])
    link = {f"10.0.{third}.{last}" for third in range(4) for last in range(256)}
    link -= {"10.0.0.0", "10.0.0.1", "10.0.0.3", "10.0.3.255"}
    behind = {f"10.9.0.{last}" for last in range(1, 15)}
    six = {f"fd00::{last:x}" for last in range(2, 32)} | {f"fd09::{last}" for last in range(1, 9)}
    kernels = {"fe80::ff:fe00:2", "fd00:a::8000:0:0:5", TWICE}  # the kernel looks for whom it answers
    assert asked - kernels == link | behind | six | {"ff02::1"}


def test_the_kernels_neighbours_are_known_without_rights() -> None:
    assert everything()[2]["neighbours"]["10.0.0.2"] == THEIRS


def test_the_rate_holds_on_the_wire() -> None:
    took, wire = house("""
with Wire() as wire:
    sweep("10.0.0.0/25", rate=100, per_host=1, also=["10.0.0.99", "10.0.0.99"])
sent = [at for at, frame in wire.sent if arp(frame)]
told(count=len(sent), most=max(sum(begin <= at <= begin + 1 for at in sent) for begin in sent))
""")
    assert wire["count"] == 125 + 123
    assert wire["most"] <= 100
    assert 2.4 < took["took"] < 25  # 3.4; more on a busy machine, where timers are late


def test_one_may_stop_in_the_middle() -> None:
    told, after = house("""
async def stopping():
    scope = Scope([Written("10.0.0.0/22")], resolve=None)
    async with aclosing(Sweep(scope, Pace(50, 4)).over(["10.0.0.2", *scope.addresses()])) as answers:
        async for answer in answers:
            break
    await asyncio.sleep(0)
    told(first=answer, tasks=len(asyncio.all_tasks()))
def descriptors():
    return len(os.listdir("/proc/self/fd"))
before = descriptors()
asyncio.run(stopping())
told(left=descriptors() - before)
""")
    assert told["first"] == ["10.0.0.2", THEIRS, "arp"]
    assert (told["tasks"], after["left"]) == (1, 0)


def six(message: Packet, hops: int = 255, to: str = OURS) -> Packet:
    return Ether(src=THEIRS, dst=to) / IPv6(src="fe80::2", dst="fe80::1", hlim=hops) / message


ADVERTISED = ICMPv6ND_NA(tgt="fe80::2") / ICMPv6NDOptDstLLAddr(lladdr=THEIRS)


@pytest.mark.parametrize(
    ("packet", "passes", "means"),
    [
        (Ether(src=THEIRS, dst=OURS) / ARP(op="is-at", hwsrc=THEIRS), True, "arp"),
        (Ether(src=THEIRS, dst=OURS) / ARP(op="who-has", hwsrc=THEIRS), False, "arp"),
        (Ether(src=THEIRS, dst=THEIRS) / ARP(op="is-at", hwsrc=THEIRS), False, "arp"),
        (six(ADVERTISED), True, "nd"),
        (six(ADVERTISED, hops=254), False, "nd"),
        (six(ADVERTISED, to="33:33:00:00:00:01"), False, "nd"),
        (six(ICMPv6EchoReply(id=7)), True, "multicast"),
        (six(ICMPv6EchoReply(id=8)), True, None),
        (six(ICMPv6EchoRequest(id=7)), False, None),
        (six(ICMPv6ND_NS(tgt="fe80::1")), False, None),
        (Ether(src=THEIRS, dst=OURS, type=0x800) / (b"\x45" + bytes(60)), False, None),
    ],
)
def test_the_kernel_lets_answers_to_us_in_and_nothing_else(
    packet: Packet, passes: bool, means: str | None
) -> None:
    frame = bytes(packet)
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        attach_classic(there, answers_to(bytes.fromhex(OURS.replace(":", ""))))
        there.setblocking(False)
        here.send(frame)
        try:
            passed = there.recv(1000) == frame
        except BlockingIOError:
            passed = False
    assert passed is passes
    assert answered(frame, 7) == (means and (THEIRS, means))


@given(st.sampled_from([ARP(op="is-at"), IPv6() / ADVERTISED, IPv6() / ICMPv6EchoReply()]), st.data())
def test_a_broken_answer_is_none_or_one_and_no_fault(message: Packet, data: st.DataObject) -> None:
    frame = bytearray(bytes(Ether(src=THEIRS, dst=OURS) / message))
    for _ in range(data.draw(st.integers(0, 4))):
        frame[data.draw(st.integers(12, len(frame) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(14, len(frame)))
    answer = answered(bytes(frame[:end]) + data.draw(st.binary(max_size=40)), 0)
    assert answer is None or answer[1] in ("arp", "nd", "multicast")
