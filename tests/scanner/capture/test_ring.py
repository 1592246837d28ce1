"""What crosses an interface comes through the ring as it was sent, whatever becomes of the interface."""

from __future__ import annotations

from typing import Any

import own_network
import pytest
from own_network import CABLE
from packets import MACS

SET_UP = (
    CABLE
    + """
import scanner.capture.ring as ring
from scanner.capture.ring import Ring, Sockets
def opened(name="v1", sockets=1, **options):
    return Ring(name, Sockets(sockets), lambda *_: None, **options)
def end():
    tap.close()
    tap.close()
    sender.close()
frames = [bytes.fromhex(frame) for frame in sys.argv[1:]]
"""
)
PLAIN = MACS[1] + MACS[0] + b"\x88\xb5"
"""The head of a frame of no protocol (IEEE 802 9.2.3)."""
FRAME = PLAIN + bytes(60)
ENDS = pytest.mark.parametrize("group", [None, 7], ids=["alone", "one of several"])


def inside(script: str, *frames: bytes, unshare: str = "-Urn") -> list[dict[str, Any]]:
    """What a script tells that has two cards of its own."""
    return own_network.inside(script, *(one.hex() for one in frames), before=SET_UP, unshare=unshare)


def test_frames_come_as_they_were_sent_and_the_card_is_left_as_it_was() -> None:
    frames = [PLAIN + bytes([number]) * (size - 14) for number, size in enumerate([60, 61, 1514, 9014])]
    script = """
tap = opened()
begin = time.time_ns()
send(*frames)
found, end_at = received(len(frames)), time.time_ns()
told(found=found, begin=begin, end=end_at, promiscuous=link("v1")["promiscuity"], counts=tap.counts(),
     again=tap.counts(), interface=tap.interface, up=tap.up, quiet=len(list(tap.batches())), said=tap.look())
end()
told(promiscuous=link("v1")["promiscuity"])
"""
    first, last = inside(script, *frames)
    assert [row[:2] + row[3:] for row in first["found"]] == [[one.hex(), len(one), 1, "v1"] for one in frames]
    times = [row[2] for row in first["found"]]
    assert times == sorted(times)
    assert first["begin"] - 1000 <= times[0] <= times[-1] <= first["end"] + 1000
    assert (first["interface"], first["up"], first["quiet"], first["said"]) == ("v1", True, 0, [])
    assert first["counts"] == first["again"]
    assert first["counts"][0] >= len(frames)
    assert first["counts"][1:] == [0, 0, 0]
    assert (first["promiscuous"], last["promiscuous"]) == (1, 0)


def test_tags_that_the_kernel_took_off_are_told() -> None:
    tagged = PLAIN[:12] + b"\x81\0\x60\x05" + FRAME[12:]
    twice = PLAIN[:12] + b"\x81\0\0\x07" + tagged[12:]
    script = """
tap = opened()
send(*frames)
found = []
while len(found) < len(frames):
    select.select([tap], [], [], 1)
    for batch in tap.batches():
        tags = [-1] * len(batch.at) if batch.tag is None else batch.tag.tolist()
        for start, size, tag in zip(batch.start, batch.captured, tags):
            data = batch.buffer[start : start + size].tobytes()
            if data[6:12] == OWN:
                found.append([data.hex(), tag])
told(found=found, tagged=tap.counts().tagged)
end()
"""
    (told,) = inside(script, FRAME, tagged, twice)
    assert told["found"] == [[FRAME.hex(), -1], [FRAME.hex(), 0x6005], [tagged.hex(), 7]]
    assert told["tagged"] == 2


def test_packets_of_60_kb_come_whole() -> None:
    script = """
sender.close()
ip("link", "del", "v0")
sender = cable("65535")
tap = opened()
frames = [OWN[:5] + b"\\2" + OWN + b"\\x88\\xb5" + bytes([number % 256]) * 60000 for number in range(300)]
found = []
for at in range(0, 300, 50):
    send(*frames[at : at + 50])
    found += received(50)
told(sizes=sorted({(row[1], len(row[0]) // 2) for row in found}), same=[row[0] for row in found] ==
     [frame.hex() for frame in frames], dropped=tap.counts().dropped)
end()
"""
    (told,) = inside(script)
    assert told == {"sizes": [[60_014, 60_014]], "same": True, "dropped": 0}


def test_a_ring_that_nobody_reads_drops_and_counts() -> None:
    script = """
tap = opened(megabytes=2)
send(*frames * 8000)
time.sleep(0.3)
unread = tap.counts()
found = 0
for _ in range(10):
    found += sum(len(batch.at) for batch in tap.batches())
told(unread=unread.dropped, delivered=unread.delivered, found=found)
send(*frames)
told(again=len(received(1)), dropped=tap.counts().dropped - unread.dropped)
end()
"""
    full, after = inside(script, FRAME + bytes(1400))
    assert full["unread"] > 0
    assert full["unread"] + full["delivered"] >= 8000
    assert full["found"] == full["delivered"]
    assert after == {"again": 1, "dropped": 0}


def test_packets_that_a_filter_cut_are_counted() -> None:
    script = """
import struct, ctypes
tap = opened()
code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 20))
def attach(sock, link):
    told(link=link)
    sock.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HP", 1, ctypes.addressof(code)))
tap.refilter(attach)
send(*frames)
told(found=[[row[0], row[1]] for row in received(1)], cut=tap.counts().cut > 0)
end()
"""
    link, told = inside(script, FRAME)
    assert link == {"link": 1}
    assert told == {"found": [[FRAME[:20].hex(), len(FRAME)]], "cut": True}


@ENDS
def test_an_interface_goes_down_and_up_is_renamed_removed_and_comes_back(group: int | None) -> None:
    script = (
        f"group = {group}"
        + """
tap = opened(sockets=3, group=group)
def tell():
    said = tap.look()
    told(said=said, quiet=tap.look(), up=tap.up, name=tap.interface)
ip("link", "set", "v1", "down")
tell()
told(heard=len(received(0)), ready=bool(select.select([tap], [], [], 0)[0]))
up("v1", "v0")
tell()
send(*frames)
told(heard=len(received(1)))
ip("link", "set", "v1", "down")
ip("link", "set", "v1", "name", "mirror")
up("mirror", "v0")
tell()
send(*frames)
told(heard=[row[4] for row in received(1)])
ip("link", "del", "mirror")
tell()
told(heard=len(list(tap.batches())), counts=tap.counts()[0] >= 2)
sender.close()
sender = cable()
tell()
ip("link", "set", "v1", "down")
ip("link", "set", "v1", "name", "mirror")
up("mirror", "v0")
tell()
send(*frames)
told(heard=len(received(1)), promiscuous=link("mirror")["promiscuity"], counts=tap.counts()[0] >= 3)
end()
told(promiscuous=link("mirror")["promiscuity"])
"""
    )
    assert inside(script, FRAME) == [
        {"said": ["v1 is down"], "quiet": [], "up": False, "name": "v1"},
        {"heard": 0, "ready": False},
        {"said": ["v1 is up"], "quiet": [], "up": True, "name": "v1"},
        {"heard": 1},
        {"said": ["v1 is called mirror now"], "quiet": [], "up": True, "name": "mirror"},
        {"heard": ["mirror"]},
        {"said": ["mirror is gone; waiting for it"], "quiet": [], "up": False, "name": "mirror"},
        {"heard": 0, "counts": True},
        {"said": [], "quiet": [], "up": False, "name": "mirror"},
        {"said": ["mirror is back"], "quiet": [], "up": True, "name": "mirror"},
        {"heard": 1, "promiscuous": 1, "counts": True},
        {"promiscuous": 0},
    ]


@ENDS
def test_another_filter_that_was_asked_for_while_it_was_gone_is_attached(group: int | None) -> None:
    script = (
        f"group = {group}"
        + """
tap, attached = opened(sockets=2, group=group), []
ip("link", "del", "v1")
tap.look()
tap.refilter(lambda sock, link: attached.append(link))
sender.close()
sender = cable()
told(before=list(attached), said=tap.look(), after=attached)
end()
"""
    )
    assert inside(script) == [{"before": [], "said": ["v1 is back"], "after": [1]}]


def test_a_batch_that_somebody_holds_outlives_the_ring() -> None:
    script = """
tap = opened()
send(*frames)
select.select([tap], [], [], 5)
held = next(tap.batches())
end()
told(there=frames[0] in held.buffer.tobytes())
"""
    assert inside(script, FRAME) == [{"there": True}]


def test_who_has_no_more_sockets_says_so_once() -> None:
    script = """
tap = opened(group=7)
for _ in range(2):
    ip("link", "del", "v1")
    sender.close()
    gone = tap.look()
    sender = cable()
    told(gone=gone, said=[*tap.look(), *tap.look()], up=tap.up, socket=tap.fileno() >= 0)
end()
"""
    why = "v1: has come back too often; start anew"
    assert inside(script) == [
        {"gone": ["v1 is gone; waiting for it"], "said": [why], "up": False, "socket": True},
        {"gone": [], "said": [], "up": False, "socket": True},
    ]


def test_several_share_connections_and_each_packet_comes_once() -> None:
    script = """
from packets import Connection
taps = [opened(group=7), opened(group=7)]
for port in range(200):
    send(*[one.data for one in Connection(("10.0.0.1", 2000 + port)).open().packets])
time.sleep(0.5)
shares = []
for tap in taps:
    shares.append([row[0] for row in received(1)])
ends = [{frame[68:72] for frame in share} for share in shares]
told(sizes=[len(share) for share in shares], connections=[len(one) for one in ends],
     both=len(ends[0] & ends[1]))
for tap in taps:
    tap.close()
sender.close()
"""
    (told,) = inside(script)
    assert sum(told["sizes"]) == 400
    assert all(told["sizes"])
    assert (sum(told["connections"]), told["both"]) == (200, 0)


def test_the_loopback_gives_each_packet_once() -> None:
    script = """
up_lo = ip("link", "set", "lo", "up")
tap = opened("lo")
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(5):
    sock.sendto(b"mailsunset %d" % number, ("127.0.0.1", 9))
found, until = [], time.time() + 1
while time.time() < until:
    select.select([tap], [], [], 0.1)
    for batch in tap.batches():
        found += [batch.buffer[start + 42 : start + size].tobytes().decode("latin-1")
                  for start, size in zip(batch.start, batch.captured)]
told(found=[one for one in found if one.startswith("mailsunset")])
sock.close()
end()
"""
    assert inside(script) == [{"found": [f"mailsunset {number}" for number in range(5)]}]


REFUSED = """
import json, sys
from scanner.capture.live import TapError
from scanner.capture.ring import Ring, Sockets
try:
    sockets = Sockets(1)
    try:
        Ring(sys.argv[1], sockets, lambda *_: None)
    finally:
        sockets.close()
except TapError as fault:
    print(json.dumps(str(fault)))
"""


@pytest.mark.parametrize(
    ("unshare", "name", "why"),
    [
        ("-Urn", "nowhere", "nowhere: no such interface; there are: lo"),
        ("-Un", "lo", "capturing needs root or CAP_NET_RAW: see 'Privileges' in the README"),
    ],
)
def test_what_cannot_be_opened_is_told_in_a_line(unshare: str, name: str, why: str) -> None:
    assert own_network.inside(REFUSED, name, before="", unshare=unshare) == [why]
