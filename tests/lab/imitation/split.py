"""Cut one capture of tcpdump's into one pcapng a server."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

HEAD = struct.Struct("<IHHiIII")
PACKET = struct.Struct("<IIII")
MICROSECONDS = 0xA1B2C3D4
SECTION, INTERFACE, ENHANCED = 0x0A0D0D0A, 1, 6
"""Kinds of blocks (draft-ietf-opsawg-pcapng, section 4)."""


def packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give time in microseconds and bytes of a pcap's frames. Raises ValueError if it is of another kind."""
    magic, *_ = HEAD.unpack_from(data)
    if magic != MICROSECONDS:
        raise ValueError(f"no capture of tcpdump's on this machine: {magic:x}")
    place = HEAD.size
    while place + PACKET.size <= len(data):
        seconds, microseconds, captured, _ = PACKET.unpack_from(data, place)
        place += PACKET.size
        yield seconds * 1_000_000 + microseconds, data[place : place + captured]
        place += captured


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _enhanced(at: int, frame: bytes) -> bytes:
    return _block(
        ENHANCED, struct.pack("<IIIII", 0, at >> 32, at & 0xFFFFFFFF, len(frame), len(frame)) + frame
    )


def ends(frame: bytes) -> tuple[str, str]:
    """Give a frame's two addresses."""
    if frame[12:14] == b"\x08\x00":
        return socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])
    return socket.inet_ntop(socket.AF_INET6, frame[22:38]), socket.inet_ntop(socket.AF_INET6, frame[38:54])


def split(whole: Path, names: Mapping[str, str], output: Path) -> None:
    """Write what each server's address said and heard to a file of the server's name."""
    section = _block(SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    head = section + _block(INTERFACE, struct.pack("<HHI", 1, 0, 0))
    files: dict[str, list[bytes]] = {}
    for at, frame in packets(whole.read_bytes()):
        name = next((names[end] for end in ends(frame) if end in names), None)
        if name:
            files.setdefault(name, []).append(_enhanced(at, frame))
    for name, kept in files.items():
        (output / f"{name}.pcapng").write_bytes(head + b"".join(kept))
