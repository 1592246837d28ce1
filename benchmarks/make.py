"""Make the captures that are measured: always the same from a seed, and kept in the temporary folder.

``mailstorm`` is 66,000 short mail sessions of a dozen kinds, a few dozen open at a time; ``office`` is
three million packets of an office at a mirror port, 8 of 100 of them mail, 1 names that are announced or
asked for all around, 20 in a VLAN, 15 of IPv6;
``halfopen`` is a million connections that never say anything; ``flood`` opens two million on mail's ports
that are answered and go no further, while 2,000 mail sessions take place.
``python -m benchmarks.make [NAME...]`` makes them and tells where they are.
"""

from __future__ import annotations

import random
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import announced
from benchmarks.dialogues import MAIL, MAILBOX_SERVERS, WEIGHTS, asked_name, bulk
from benchmarks.packets import Ends, Layout, Numbers, Packets, Template
from benchmarks.parts import Bytes, Dialogue, Draw

SEED = 20261124
VERSION = 6
"""Counted up when captures change, so that no old one is measured."""
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
BEGAN = 1_790_000_000_000_000
"""When captures begin, microseconds."""
SLICE = 24_000_000
"""Bytes of conversations patched at once; those still open at a slice's end wait for the next."""
OFFICE_HOSTS, STORM_HOSTS = 2_000, 16_384
MAIL_SHARE, VLAN_SHARE, IPV6_SHARE, NAMES_SHARE, ANNOUNCED_SHARE = 0.08, 0.20, 0.15, 0.01, 0.01
FIRST_PORT, PORTS = 32_768, 28_232
"""What Linux gives to clients."""
BULK_KINDS = 32
MAIL_GAP, BULK_GAP = 25_000, 12_000
"""Microseconds between a conversation's packets: mail takes half a second, a download many seconds."""
STORM_SESSIONS = 66_000
FLOODED_PORTS = (25, 110, 143, 587, 993)
FLOOD_HOSTS = 50_000
FLOOD_SYNS_A_SECOND = 100_000
STORM_SESSIONS_A_SECOND, OFFICE_PACKETS_A_SECOND = 100, 15_000


@dataclass(frozen=True, slots=True)
class Kind:
    """Conversations of one template, how many there are, and from how many hosts they come."""

    template: Template
    conversations: int
    hosts: int


def told(kinds: Sequence[Kind], span: int) -> Iterator[bytes]:
    """Interleave conversations that begin anywhere in a span of so many microseconds; yield records."""
    draw = np.random.default_rng(SEED)
    which = np.repeat(np.arange(len(kinds)), [kind.conversations for kind in kinds])
    draw.shuffle(which)
    began = BEGAN + np.sort(draw.integers(0, span, len(which)))
    passed = np.cumsum(np.array([kind.template.size for kind in kinds])[which])
    cuts = np.searchsorted(passed, np.arange(SLICE, passed[-1] + SLICE, SLICE))
    waiting: list[memoryview] = []
    due = np.empty(0, np.int64)
    first = 0
    for last in (*cuts[:-1].tolist(), len(which)):
        part = which[first:last]
        batches = [
            _patched(kinds[number], first + np.flatnonzero(part == number), began, draw)
            for number in np.unique(part).tolist()
        ]
        times = np.concatenate([due, *(batch.times for batch in batches)])
        records = [*waiting, *(record for batch in batches for record in _records(batch))]
        order = np.argsort(times, kind="stable")
        horizon = began[last] if last < len(which) else np.iinfo(np.int64).max
        ready = int(np.searchsorted(times[order], horizon))
        yield b"".join([records[at] for at in order[:ready].tolist()])
        waiting, due = [records[at] for at in order[ready:].tolist()], times[order[ready:]]
        first = last


def _patched(kind: Kind, numbers: Numbers, began: Numbers, draw: np.random.Generator) -> Packets:
    """Give conversations their ends: no two have the same client, port and server."""
    host, turn = numbers % kind.hosts, numbers // kind.hosts
    layout, servers = kind.template.layout, kind.template.dialogue.servers
    ends = Ends(
        clients=_addresses(b"\x0a\x14", 1 + host // 250, 1 + host % 250, layout.ipv6),
        servers=_addresses(servers[:2], np.full(len(numbers), servers[2]), numbers % 13 + 10, layout.ipv6),
        ports=FIRST_PORT + (turn * 7 + host * 13) % PORTS,
        began=began[numbers],
    )
    own = announced.OWN
    digits = np.frombuffer(b"".join(own.words), np.uint8)
    hosts = digits[host[:, None] >> np.array([12, 8, 4, 0]) & 15]
    return kind.template.patched(ends, Draw(len(numbers), draw, {own: hosts}))


def _addresses(net: bytes, third: Numbers, fourth: Numbers, ipv6: bool) -> Bytes:
    """IPv4 addresses, or those of documentation and of Exchange Online whose ends are the same."""
    rows = np.empty((len(third), 16), np.uint8)
    mailbox = net[0] == MAILBOX_SERVERS[0]
    rows[:, :12] = np.frombuffer(
        (b"\x26\x03\x10\x06" if mailbox else b"\x20\x01\x0d\xb8") + bytes(8), np.uint8
    )
    rows[:, 12:14] = np.frombuffer(net, np.uint8)
    rows[:, 14], rows[:, 15] = third, fourth
    return rows if ipv6 else rows[:, 12:]


def _records(batch: Packets) -> Iterator[memoryview]:
    data = batch.data
    return (data[start:end] for start, end in zip(batch.starts.tolist(), batch.ends.tolist(), strict=True))


def mailstorm(sessions: int = STORM_SESSIONS) -> Iterator[bytes]:
    """Short mail sessions, as many open at a time as begin in half a second."""
    shares = sum(WEIGHTS.values())
    kinds = [
        Kind(Template(dialogue, Layout(), MAIL_GAP), sessions * WEIGHTS[name] // shares, STORM_HOSTS)
        for name, dialogue in MAIL.items()
    ]
    return told(kinds, sessions * 1_000_000 // STORM_SESSIONS_A_SECOND)


def office(packets: int = 3_000_000) -> Iterator[bytes]:
    """Bulk traffic of a few hundred conversations at a time, and mail in between."""
    names = [
        asked_name("smtp.office365.com", MAILBOX_SERVERS + b"\x0a"),
        asked_name("www.example.net", b"\xc6\x33\x64\x0a"),
    ]
    mail = {dialogue: float(WEIGHTS[name]) for name, dialogue in MAIL.items()}
    kinds = [
        *_shared(mail, MAIL_GAP, packets * MAIL_SHARE),
        *_shared(dict.fromkeys(names, 1.0), MAIL_GAP, packets * NAMES_SHARE),
        *_shared(announced.WEIGHTS, MAIL_GAP, packets * ANNOUNCED_SHARE),
        *_shared(dict.fromkeys(bulk(random.Random(SEED), BULK_KINDS), 1.0), BULK_GAP,
                 packets * (1 - MAIL_SHARE - NAMES_SHARE - ANNOUNCED_SHARE)),
    ]  # fmt: skip
    return told(kinds, packets * 1_000_000 // OFFICE_PACKETS_A_SECOND)


def _shared(dialogues: dict[Dialogue, float], gap: int, packets: float) -> Iterator[Kind]:
    """Share packets among dialogues by weight, and each dialogue's conversations among layouts."""
    templates = {dialogue: Template(dialogue, Layout(), gap) for dialogue in dialogues}
    conversations = packets / sum(templates[one].packets * weight for one, weight in dialogues.items())
    for dialogue, weight in dialogues.items():
        for vlan in (False, True):
            for ipv6 in (False, True):
                share = (VLAN_SHARE if vlan else 1 - VLAN_SHARE) * (IPV6_SHARE if ipv6 else 1 - IPV6_SHARE)
                wanted = round(conversations * weight * share)
                if wanted:
                    yield Kind(Template(dialogue, Layout(vlan, ipv6), gap), wanted, OFFICE_HOSTS)


def halfopen(connections: int = 1_000_000) -> Iterator[bytes]:
    """Connections that are opened, say nothing, and stay."""
    template = Template(Dialogue(587, (), MAILBOX_SERVERS), Layout(), 30).opening()
    return told([Kind(template, connections, 50_000)], connections * 100)


def flood(connections: int = 2_000_000, sessions: int = 2_000) -> Iterator[bytes]:
    """A SYN flood from forged addresses, and mail sessions in it."""
    span = connections * 1_000_000 // FLOOD_SYNS_A_SECOND
    forged = [
        Template(Dialogue(port, (), MAILBOX_SERVERS), Layout(), 30).opening(2) for port in FLOODED_PORTS
    ]
    shares = sum(WEIGHTS.values())
    kinds = [
        *(Kind(template, connections // len(forged), FLOOD_HOSTS) for template in forged),
        *(
            Kind(Template(dialogue, Layout(), MAIL_GAP), sessions * WEIGHTS[name] // shares, FLOOD_HOSTS)
            for name, dialogue in MAIL.items()
        ),
    ]
    return told(kinds, span)


CAPTURES: dict[str, Callable[[], Iterator[bytes]]] = {
    "mailstorm": mailstorm,
    "office": office,
    "halfopen": halfopen,
    "flood": flood,
}


def written(path: Path, blocks: Iterator[bytes]) -> Path:
    """Write a capture; it has its name only when it is whole."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(HEADER)
        file.writelines(blocks)
    return part.rename(path)


def capture(name: str) -> Path:
    """The path of a capture, made when it is not there yet."""
    folder = Path(tempfile.gettempdir()) / "mailsunset-bench"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{SEED}-{VERSION}.pcap"
    return path if path.exists() else written(path, CAPTURES[name]())


if __name__ == "__main__":
    for one in sys.argv[1:] or CAPTURES:
        print(capture(one))
