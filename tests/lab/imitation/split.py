"""Cut one capture into one a server."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKET = 6
ETHERNET = 14


def blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give kind and bytes of a pcapng's blocks (draft-ietf-opsawg-pcapng, section 3.1), little endian."""
    place = 0
    while place + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, place)
        yield kind, data[place : place + length]
        place += length


def ends(frame: bytes) -> tuple[str, str]:
    """Give a frame's two addresses."""
    if frame[12:14] == b"\x08\x00":
        return socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])
    return (
        socket.inet_ntop(socket.AF_INET6, frame[22:38]),
        socket.inet_ntop(socket.AF_INET6, frame[38:54]),
    )


def split(whole: Path, names: Mapping[str, str], output: Path) -> None:
    """Write what each server's address said and heard to a file of the server's name."""
    head = b""
    files: dict[str, list[bytes]] = {}
    for kind, block in blocks(whole.read_bytes()):
        if kind != PACKET:
            if kind in (0x0A0D0D0A, 1):
                head += block
            continue
        (length,) = struct.unpack_from("<I", block, 20)
        frame = block[28 : 28 + length]
        name = next((names[end] for end in ends(frame) if end in names), None)
        if name:
            files.setdefault(name, []).append(block)
    for name, kept in files.items():
        (output / f"{name}.pcapng").write_bytes(head + b"".join(kept))
