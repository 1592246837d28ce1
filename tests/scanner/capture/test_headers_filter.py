"""Both filters pass all that user space takes of a packet, and drop what nobody asked for."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from filters import FILTERS, Run, UserSpace, classically, interpreted, ours
from hypothesis import given, settings
from hypothesis import strategies as st
from packets import ACK, FIN, MACS, RST, SYN, datagram, frame

from scanner.capture.bpf import Program
from scanner.capture.file import CaptureFile
from scanner.capture.headers_filter import Ways, walk
from scanner.wire.batch import LinkType

CAPTURES = Path(__file__).parents[3] / "captures"
US, WEB, EXCHANGE = ("10.0.0.1", 50000), ("192.0.2.1", 443), ("52.97.0.1", 443)
US6, WEB6, EXCHANGE6 = ("2001:db8::1", 50000), ("2001:db8::2", 443), ("2603:1006::1", 443)
ANSWER, CLAIM, PROBE = b"\0\1\x84" + bytes(17), b"\0\1\x29" + bytes(17), bytes(9) + b"\1" + bytes(10)
SMB1 = b"\0\0\0\x50\xffSMB\x73" + bytes(9)
SMB2 = b"\0\0\0\x50\xfeSMB\x40\0" + bytes(6) + b"\1\0"


def segment(
    source: tuple[str, int], target: tuple[str, int], payload: bytes = b"", flags: int = ACK, options: int = 0
) -> bytes:
    head = struct.pack(">IIBBHHH", 1000, 2000, 5 + options << 4, flags, 8192, 0, 0) + b"\1\1\1\0" * options
    return frame(source, target, head + payload)


def tagged(packet: bytes, *types: int) -> bytes:
    return packet[:12] + b"".join(struct.pack(">HH", kind, 7) for kind in types) + packet[12:]


def of_type(kind: int, payload: bytes = bytes(46)) -> bytes:
    return MACS[1] + MACS[0] + kind.to_bytes(2, "big") + payload


def poked(packet: bytes, at: int, new: bytes) -> bytes:
    return packet[:at] + new + packet[at + len(new) :]


def padded(packet: bytes) -> bytes:
    return packet.ljust(60, b"\0")


def behind_options(packet: bytes) -> bytes:
    """An IPv4 packet with two words of options."""
    length = struct.pack(">H", len(packet) - 14 + 8)
    return packet[:14] + b"\x47" + packet[15:16] + length + packet[18:34] + b"\1" * 8 + packet[34:]


def of_protocol(number: int, to: tuple[str, int] = WEB, payload: bytes = bytes(24)) -> bytes:
    return frame(US if ":" not in to[0] else US6, to, payload, number)


BULK = segment(US, WEB, b"\x17\3\3\0\1x")
BULK6 = segment(US6, WEB6, b"\x17\3\3\0\1x")
MAIL = segment(US, ("192.0.2.1", 587), b"EHLO x\r\n")
PASSING = {
    "an opening, whoever it is to": segment(US, WEB, flags=SYN),
    "an opening's answer": segment(WEB6, US6, flags=SYN | ACK),
    "what is said to mail's port": MAIL,
    "what is said from mail's port": segment(("192.0.2.1", 993), US, b"x"),
    "the end of a connection to mail's port": segment(US, ("192.0.2.1", 25), flags=FIN | ACK),
    "its abortion": segment(US, ("192.0.2.1", 25), flags=RST),
    "a segment with options": segment(US, ("192.0.2.1", 25), b"x", options=3),
    "a packet with options": behind_options(MAIL),
    "a packet whose length was left to the card": poked(MAIL, 16, b"\0\0"),
    "the same of IPv6": poked(segment(US6, ("2001:db8::2", 25), b"x"), 18, b"\0\0"),
    "what is said to Exchange Online": segment(US, EXCHANGE, b"x"),
    "what Exchange Online says": segment(EXCHANGE, US, b"x"),
    "what is said to Exchange Online by IPv6": segment(US6, EXCHANGE6, b"x"),
    "what Exchange Online says by IPv6": segment(EXCHANGE6, US6, b"x"),
    "a mark on another port": segment(US, ("192.0.2.1", 8443), b"220 hello"),
    "a mark behind options": behind_options(segment(WEB, US, b"EHLO", options=1)),
    "a mark in IPv6": segment(WEB6, US6, b"* OK"),
    "a session setup of SMB 1": segment(US, ("192.0.2.1", 139), SMB1),
    "a session setup of SMB 2": segment(("192.0.2.1", 445), US, SMB2),
    "a name that is answered": datagram(("192.0.2.1", 53), US, ANSWER).data,
    "a name of NetBIOS that is claimed": datagram(US, ("10.0.0.255", 137), CLAIM).data,
    "a name of mDNS that is proposed": datagram(("fe80::1", 5353), ("ff02::fb", 5353), PROBE).data,
    "DHCP behind options": behind_options(datagram(("0.0.0.0", 68), ("255.255.255.255", 67), b"x").data),
    **{
        f"a tunnel to port {port}": datagram(US, ("192.0.2.1", port), bytes(60)).data
        for port in (4789, 8472, 6081, 37008)
    },
    "GRE": of_protocol(47),
    "IP in IP": of_protocol(4),
    "IPv6 in IP": of_protocol(41),
    "AH in IPv4": of_protocol(51),
    **{f"GRE or IP in IPv6: {number}": of_protocol(number, WEB6) for number in (47, 4, 41)},
    **{
        f"an extension header: {number}": of_protocol(number, WEB6)
        for number in (0, 43, 44, 51, 60, 135, 139, 140)
    },
    "the first fragment": poked(BULK, 20, b"\x20\0"),
    "another fragment": poked(BULK, 20, b"\0\x10"),
    "a fragment of a datagram": poked(datagram(US, ("192.0.2.1", 9), bytes(20)).data, 20, b"\x20\x05"),
    "a fragment of a tunnel": poked(of_protocol(47), 20, b"\0\x05"),
    "a tagged frame": tagged(MAIL, 0x8100),
    "a frame with two tags": tagged(MAIL, 0x88A8, 0x8100),
    "old double tags": tagged(segment(US6, EXCHANGE6, b"x"), 0x9100, 0x9200),
    "more tags than are looked through": tagged(BULK, 0x88A8, 0x8100, 0x8100),
    "LLDP": of_type(0x88CC),
    "LLDP in a VLAN": tagged(of_type(0x88CC), 0x8100),
    "CDP": of_type(46, b"\xaa\xaa\3\0\0\x0c\x20\0" + bytes(38)),
    "802.3 in a VLAN": tagged(of_type(46), 0x8100),
    "the longest 802.3": of_type(1500),
    **{
        f"what leads to IP: {kind:04x}": of_type(kind)
        for kind in (0x8847, 0x8848, 0x8864, 0x8909, 0x893F, 0x880B, 0x6558)
    },
}  # fmt: skip
DROPPED = {
    "the web": BULK,
    "the web by IPv6": BULK6,
    "the web in packets not to be cut up": poked(BULK, 20, b"\x40\0"),
    "the web with options": behind_options(segment(US, WEB, b"x", options=10)),
    "the web in two VLANs": tagged(BULK, 0x88A8, 0x8100),
    "the end of a connection on another port": segment(US, WEB, flags=FIN | ACK),
    "bare acknowledgements, padded": padded(segment(US, ("192.0.2.1", 25))),
    "bare acknowledgements to Exchange Online": segment(US6, EXCHANGE6, options=3),
    "less than a mark": segment(US, WEB, b"22"),
    "less than a mark, padded": padded(segment(US, WEB, b"\0")),
    "SMB that only reads": segment(US, ("192.0.2.1", 445), b"\0\0\0\x50\xfeSMB\x40\0" + bytes(6) + b"\x08\0"),
    "SMB cut short": segment(US, ("192.0.2.1", 445), SMB1[:-1]),
    "another port that looks like SMB": segment(US, ("192.0.2.1", 443), SMB2),
    "a name that is asked for": datagram(US, ("192.0.2.1", 53), bytes(20)).data,
    "less than a header of DNS": datagram(US, ("192.0.2.1", 5355), bytes(3)).data,
    "QUIC": datagram(US, WEB, bytes(1200)).data,
    "ARP": of_type(0x0806),
    "the discovery of PPPoE": of_type(0x8863),
    "just no length of 802.3": of_type(1501),
    "ping": of_protocol(1),
    "ESP": of_protocol(50, WEB6),
    "fragments of ESP": poked(of_protocol(50), 20, b"\0\x10"),
    "half a header": MAIL[:40],
    "less than a frame": MAIL[:13],
}


@pytest.fixture(scope="module", params=FILTERS)
def run(request: pytest.FixtureRequest) -> Run:
    return FILTERS[request.param](ours())


@pytest.mark.parametrize("packet", PASSING.values(), ids=PASSING)
def test_passes(run: Run, packet: bytes) -> None:
    assert run([packet]) == [True]


@pytest.mark.parametrize("packet", DROPPED.values(), ids=DROPPED)
def test_is_dropped(run: Run, packet: bytes) -> None:
    assert not UserSpace(ours()).wants(packet)
    assert run([packet]) == [False]


@pytest.mark.parametrize("name", FILTERS)
def test_without_a_link_ip_comes_first(name: str) -> None:
    run = FILTERS[name](ours(), LinkType.RAW)
    assert run([MAIL[14:], segment(US6, EXCHANGE6, b"x")[14:]]) == [True, True]
    assert run([BULK[14:], BULK6[14:], b"\x50" + bytes(60), b"E"]) == [False] * 4


@pytest.mark.parametrize("name", ["office.pcapng", "lan.pcapng"])
def test_of_a_capture_all_passes_that_user_space_takes(run: Run, name: str) -> None:
    user_space = UserSpace(ours())
    with CaptureFile(str(CAPTURES / name)) as capture:
        packets = [
            batch.buffer[start : start + size].tobytes()
            for batch in capture
            for start, size in zip(batch.start.tolist(), batch.captured.tolist(), strict=True)
        ]
    wanted = [user_space.wants(packet) for packet in packets]
    passed = run(packets)
    assert not [at for at, wants in enumerate(wanted) if wants and not passed[at]]
    assert sum(wanted) <= sum(passed) < len(packets)


def test_other_links_have_no_filter() -> None:
    with pytest.raises(ValueError, match="link type 113"):
        walk(Program(), ours(), LinkType.LINUX_SLL, Ways(), openings_pass=True)


HOSTS = (("10.0.0.1", "192.0.2.1", "52.97.0.1", "13.107.6.152"), ("2001:db8::1", "2603:1006::1", "fe80::1"))
PORTS = (25, 53, 80, 139, 443, 445, 1900, 4789, 5353, 8123, 50000)
BEGINNINGS = (
    b"",
    b"x",
    b"220",
    b"220 a",
    b"EHLO x\r\n",
    b"CONN",
    b"\5\1\0\3",
    SMB1,
    SMB2,
    ANSWER,
    CLAIM,
    PROBE,
)
OFFSETS = (0, 1, 5000, 16_383, 16_384, 16_385, 40_000, (1 << 32) - 2, (1 << 32) - 16_384)


@st.composite
def transports(draw: st.DrawFn) -> tuple[int, bytes]:
    ports = struct.pack(">HH", draw(st.sampled_from(PORTS)), draw(st.sampled_from(PORTS)))
    payload = draw(st.sampled_from(BEGINNINGS) | st.binary(max_size=30))
    if draw(st.integers(0, 3)) == 0:
        return 17, ports + struct.pack(">HH", 8 + len(payload), 0) + payload
    options = draw(st.integers(0, 10))
    flags = draw(st.sampled_from((SYN, SYN | ACK, ACK, ACK, ACK, ACK | 8, FIN | ACK, RST)))
    head = struct.pack(">IIBBHHH", draw(st.sampled_from(OFFSETS)), 1, 5 + options << 4, flags, 1, 0, 0)
    return 6, ports + head + bytes(4 * options) + payload


@st.composite
def addressed(draw: st.DrawFn) -> bytes:
    """An Ethernet frame without tags: IPv4 or IPv6, its options, sometimes a piece or of another protocol."""
    protocol, body = draw(transports())
    protocol = draw(st.sampled_from((protocol,) * 12 + (47, 4, 50, 0)))
    six = draw(st.booleans())
    source, target = (draw(st.sampled_from(HOSTS[six])) for _ in range(2))
    packet = frame((source, 0), (target, 0), b"", protocol)[:-4]
    told = draw(st.sampled_from((True,) * 9 + (False,)))
    if six:
        return poked(packet, 18, struct.pack(">H", len(body) * told)) + body
    words = draw(st.sampled_from((0, 0, 0, 1, 10)))
    bits = draw(st.sampled_from((0,) * 12 + (0x4000, 0x2000, 0x0010, 0x2010)))
    head = struct.pack(">BBHHH", 0x45 + words, 0, (20 + 4 * words + len(body)) * told, 1, bits)
    return poked(packet, 14, head) + b"\1" * 4 * words + body


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    packet = draw(addressed())
    tags = draw(st.sampled_from(((), (), (0x8100,), (0x88A8, 0x8100), (0x9100, 0x9200, 0x8100))))
    packet = tagged(packet, *tags)
    if draw(st.integers(0, 9)) == 0:
        return packet[: draw(st.integers(14, len(packet)))]
    return padded(packet) if draw(st.booleans()) else packet


@settings(max_examples=300, deadline=None)
@given(st.lists(frames(), min_size=1, max_size=12))
def test_nothing_is_dropped_that_user_space_takes(packets: list[bytes]) -> None:
    user_space = UserSpace(ours())
    wanted = [user_space.wants(packet) for packet in packets]
    passed = EXTENDED(packets)
    assert not [at for at, wants in enumerate(wanted) if wants and not passed[at]]
    alone = [UserSpace(ours()).wants(packet) for packet in packets]
    passed = CLASSIC(packets)
    assert not [at for at, wants in enumerate(alone) if wants and not passed[at]]


EXTENDED, CLASSIC = interpreted(ours()), classically(ours())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=90), st.sampled_from((b"", b"\x08\0", b"\x86\xdd", b"\x81\0", b"\0\x20")))
def test_any_bytes_are_told(noise: bytes, kind: bytes) -> None:
    packet = bytes(12) + kind + noise
    wants = UserSpace(ours()).wants(packet)
    assert not wants or (EXTENDED([packet]) == [True] and CLASSIC([packet]) == [True])
