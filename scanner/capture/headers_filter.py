"""What both kernel filters do alike: walk to TCP, pass or drop the rest, and look at how payloads begin.

Whatever user space can follow no further than IP's outer header passes whole: fragments, tunnels, extension
headers, MPLS, PPPoE, frames of machines that tell of themselves. It is rare, or it is a mirror in a tunnel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from scanner.announcements import NUMBERED
from scanner.capture.bpf import ADD, AND, LSH, RSH, Label, Program
from scanner.capture.passing import Passing, Ranges, coarsened
from scanner.wire.batch import LinkType
from scanner.wire.datagrams import SMB_PORTS
from scanner.wire.internet import PROTOCOLS
from scanner.wire.layers import Kind
from scanner.wire.links import ETHER_TYPES

WHOLE = 1 << 18
"""Bytes of a packet that passes: all of it, as libpcap says it (MAXIMUM_SNAPLEN)."""
KEY, PORTS, END, SEQUENCE, FLAGS, PAYLOAD, FAMILY = 0, 8, 9, 10, 11, 12, 13
"""Words of M. The key is source and target address of four words each (IPv4 as ``::ffff:a.b.c.d``), and both
ports in one."""
FIN_SYN_RST, SYN = 7, 2
TAGS = 2
"""VLAN tags in the frame that are looked through; with more it passes whole."""
_LONGEST = 1500
"""IEEE 802.3 3.2.6."""
_IPV4, _IPV6, _IPV6_SIZE = 0x0800, 0x86DD, 40
_MAPPED = 0xFFFF
_TCP, _UDP = 6, 17
_FRAGMENT = 0x3FFF
"""More fragments to come, or an offset (RFC 791 3.1)."""
_FLAGS_AT, _AUTHORITY_AT, _RESPONSE_OR_OPERATION = 8 + 2, 8 + 8, 0xF8
"""Behind UDP's header, RFC 1035 4.1.1: answers, claims to names, and probes, which propose records."""
_SMB_HEAD, _SMB1, _SMB2, _SETUP1, _SETUP2 = 18, 0xFF534D42, 0xFE534D42, 0x73, 0x0100
"""As ``datagrams.smb_setups`` reads it; the last as it stands there, least significant first."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Where the walk ends; whoever walks puts each label somewhere."""

    passed: Label = field(default_factory=Label)
    dropped: Label = field(default_factory=Label)
    wanted: Label = field(default_factory=Label)
    """TCP with payload, SYN, FIN or RST, from or to a wanted port or prefix; M is filled."""
    other: Label = field(default_factory=Label)
    """Likewise, between others."""


def walk(code: Program, passing: Passing, link: int, ways: Ways, openings_pass: bool) -> None:
    """Walk from the link on; ``openings_pass``: TCP with SYN is passed before anything is asked of it.

    ``link`` is ``LinkType.ETHERNET`` or ``RAW``; ValueError for others.
    """
    old, new, tcp, udp = Label(), Label(), Label(), Label()
    if link == LinkType.ETHERNET:
        _ethernet(code, ways, old, new)
    elif link == LinkType.RAW:
        code.index_number(0)
        code.load(1, 0)
        code.reckon(RSH, 4)
        code.if_equal(4, old)
        code.if_equal(6, new, ways.dropped)
    else:
        raise ValueError(f"no filter for link type {link}")
    code.here(old)
    _ipv4(code, ways, tcp, udp)
    code.here(new)
    _ipv6(code, ways, tcp, udp)
    code.here(udp)
    _udp(code, passing, ways)
    code.here(tcp)
    _tcp(code, ways, openings_pass)
    either_port(code, passing.tcp_ports, ways.wanted, asked := Label())
    code.here(asked)
    _prefixes(code, passing, ways)


def _ethernet(code: Program, ways: Ways, old: Label, new: Label) -> None:
    """Look through the tags that are left: the kernel takes the outer one off and tells it apart."""
    tags = [number for number, kind in ETHER_TYPES.items() if kind is Kind.VLAN]
    others = [number for number, kind in ETHER_TYPES.items() if kind not in (Kind.IPV4, Kind.IPV6)]
    other = Label()
    for depth in range(TAGS + 1):
        code.load(2, 12 + 4 * depth)
        code.index_number(14 + 4 * depth)
        code.if_equal(_IPV4, old)
        code.if_equal(_IPV6, new)
        tagged = Label()
        if depth < TAGS:
            code.within(_numbers(tags), tagged, other)
        code.here(tagged)
    code.here(other)
    lengths = [(0, _LONGEST)]
    code.within((*lengths, *_numbers(others)), ways.passed, ways.dropped)


def _ipv4(code: Program, ways: Ways, tcp: Label, udp: Label) -> None:
    pieces, is_tcp, is_udp = Label(), Label(), Label()
    code.load_behind(2, 6)
    code.if_any(_FRAGMENT, pieces)
    code.load_behind(1, 9)
    code.if_equal(_TCP, is_tcp)
    code.if_equal(_UDP, is_udp)
    code.within(_numbers(PROTOCOLS.keys() - {_TCP, _UDP}), ways.passed, ways.dropped)
    code.here(pieces)
    code.load_behind(1, 9)
    code.within(_numbers(PROTOCOLS), ways.passed, ways.dropped)
    for label, behind in ((is_udp, udp), (is_tcp, tcp)):
        code.here(label)
        if behind is tcp:
            _end(code, 2, 0)
            for at, first in ((12, KEY), (16, KEY + 4)):
                code.load_number(0)
                code.keep(first)
                code.keep(first + 1)
                code.load_number(_MAPPED)
                code.keep(first + 2)
                code.load_behind(4, at)
                code.keep(first + 3)
            code.load_number(4)
            code.keep(FAMILY)
        code.load_behind(1, 0)
        code.reckon(AND, 15)
        code.reckon(LSH, 2)
        code.reckon(ADD)
        code.to_index()
        code.go(behind)


def _ipv6(code: Program, ways: Ways, tcp: Label, udp: Label) -> None:
    is_tcp, is_udp = Label(), Label()
    code.load_behind(1, 6)
    code.if_equal(_TCP, is_tcp)
    code.if_equal(_UDP, is_udp)
    code.within(_numbers(PROTOCOLS.keys() - {_TCP, _UDP}), ways.passed, ways.dropped)
    for label, behind in ((is_udp, udp), (is_tcp, tcp)):
        code.here(label)
        if behind is tcp:
            _end(code, 4, _IPV6_SIZE)
            for word in range(8):
                code.load_behind(4, 8 + 4 * word)
                code.keep(KEY + word)
            code.load_number(6)
            code.keep(FAMILY)
        code.from_index()
        code.reckon(ADD, _IPV6_SIZE)
        code.to_index()
        code.go(behind)


def _end(code: Program, at: int, header: int) -> None:
    """Note where IP says that the packet ends, for Ethernet pads; where it says 0, it is the frame's end."""
    untold, told = Label(), Label()
    code.load_behind(2, at)
    code.if_equal(0, untold)
    code.reckon(ADD)
    code.reckon(ADD, header)
    code.go(told)
    code.here(untold)
    code.load_length()
    code.here(told)
    code.keep(END)


def _udp(code: Program, passing: Passing, ways: Ways) -> None:
    """Drop mere questions for names, the better half of them all: ``announced`` tells nothing by them."""
    named, asked = Label(), Label()
    code.load_behind(4, 0)
    code.keep(PORTS)
    either_port(code, passing.udp_ports - NUMBERED, ways.passed, named)
    code.here(named)
    either_port(code, passing.udp_ports & NUMBERED, asked, ways.dropped)
    code.here(asked)
    code.load_behind(1, _FLAGS_AT)
    code.if_any(_RESPONSE_OR_OPERATION, ways.passed)
    code.load_behind(2, _AUTHORITY_AT)
    code.if_equal(0, ways.dropped, ways.passed)


def _tcp(code: Program, ways: Ways, openings_pass: bool) -> None:
    """Drop what only acknowledges: nobody hears it."""
    said = Label()
    for size, at, slot in ((4, 0, PORTS), (4, 4, SEQUENCE), (1, 13, FLAGS)):
        code.load_behind(size, at)
        code.keep(slot)
    code.load_behind(1, 12)
    code.reckon(RSH, 4)
    code.reckon(LSH, 2)
    code.reckon(ADD)
    code.keep(PAYLOAD)
    code.recall(FLAGS)
    if openings_pass:
        code.if_any(SYN, ways.passed)
    code.if_any(FIN_SYN_RST, said)
    code.index_recalled(PAYLOAD)
    code.recall(END)
    code.if_more(None, said, ways.dropped)
    code.here(said)


def _prefixes(code: Program, passing: Passing, ways: Ways) -> None:
    old, new, target_4, target_6 = Label(), Label(), Label(), Label()
    code.recall(FAMILY)
    code.if_equal(4, old, new)
    code.here(old)
    code.recall(KEY + 3)
    code.within(passing.ranges_4, ways.wanted, target_4)
    code.here(target_4)
    code.recall(KEY + 7)
    code.within(passing.ranges_4, ways.wanted, ways.other)
    code.here(new)
    code.within_64(passing.ranges_6, KEY, ways.wanted, target_6)
    code.here(target_6)
    code.within_64(passing.ranges_6, KEY + 4, ways.wanted, ways.other)


def either_port(code: Program, ports: Iterable[int], yes: Label, no: Label) -> None:
    """Tell whether the source's port or the target's is one of these."""
    ranges, target = _numbers(ports), Label()
    code.recall(PORTS)
    code.reckon(RSH, 16)
    code.within(ranges, yes, target)
    code.here(target)
    code.recall(PORTS)
    code.reckon(AND, 0xFFFF)
    code.within(ranges, yes, no)


def smb_setup(code: Program, yes: Label, no: Label) -> None:
    """Tell whether a segment begins with an SMB session setup, which says all on its own."""
    smb, held, first, second = Label(), Label(), Label(), Label()
    either_port(code, SMB_PORTS, smb, no)
    code.here(smb)
    _holds(code, _SMB_HEAD, held, no)
    code.here(held)
    code.load_behind(4, 4)
    code.if_equal(_SMB1, first)
    code.if_equal(_SMB2, second, no)
    code.here(first)
    code.load_behind(1, 8)
    code.if_equal(_SETUP1, yes, no)
    code.here(second)
    code.load_behind(2, 16)
    code.if_equal(_SETUP2, yes, no)


def marked(code: Program, marks: Iterable[bytes], yes: Label, no: Label) -> None:
    """Tell whether a payload bears a mark."""
    held = Label()
    _holds(code, 4, held, no)
    code.here(held)
    code.load_behind(4, 0)
    code.within(_numbers(int.from_bytes(mark, "big") for mark in marks), yes, no)


def _holds(code: Program, size: int, yes: Label, no: Label) -> None:
    """Tell whether so much payload is there; then X is where it begins. Reading past the end would drop."""
    held = Label()
    code.recall(PAYLOAD)
    code.reckon(ADD, size)
    code.to_index()
    code.load_length()
    code.if_least(None, held, no)
    code.here(held)
    code.index_recalled(PAYLOAD)
    code.go(yes)


def _numbers(these: Iterable[int]) -> Ranges:
    """Ranges of numbers that stand alone or side by side."""
    found = [(one, one) for one in these]
    return coarsened(found, len(found))
