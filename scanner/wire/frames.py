"""Frames in which switches and machines tell of themselves without IP: LLDP and CDP, taken out of a batch.

They are few: a machine sends one every half minute or so (IEEE 802.1AB 9.2.5.7); each becomes an object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from scanner.wire.batch import Ints
from scanner.wire.layers import Block, Front, Kind
from scanner.wire.sheet import mac_text

KINDS = {Kind.LLDP: 0x88CC, Kind.CDP: 0x2000}
"""What is taken, and its EtherType or, behind Cisco's SNAP code, its number."""


class Frame(NamedTuple):
    """One frame."""

    at: int
    """ns"""
    source_mac: str | None
    """``aa:bb:cc:dd:ee:ff``; None where the link has none."""
    kind: int
    """0x88cc or 0x2000, as in the ports of its dialect."""
    payload: bytes
    """What was captured behind the EtherType or number, with the padding of a short frame."""
    packet: int
    """Its number in the batch."""


def told(block: Block, aside: Iterable[tuple[Kind, Front]], at: Ints) -> list[Frame]:
    """Take the frames of these kinds, in the order of capture."""
    frames = [one for kind, front in aside if kind in KINDS for one in _taken(block, kind, front, at)]
    return sorted(frames, key=lambda frame: frame.packet)


def _taken(block: Block, kind: Kind, front: Front, at: Ints) -> Iterator[Frame]:
    places = zip(
        front.row.tolist(), front.pos.tolist(), front.end.tolist(), front.source_mac.tolist(), strict=True
    )
    for row, pos, end, mac in places:
        source = None if mac < 0 else mac_text(block.buffer[mac : mac + 6].tobytes())
        yield Frame(int(at[row]), source, KINDS[kind], block.buffer[pos:end].tobytes(), row)
