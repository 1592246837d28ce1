"""Make the captures that are measured: from a seed, by patching templates of whole conversations.

``mailstorm`` is 66,000 short mail sessions, one after the other; ``office`` is bulk traffic with 8 % mail;
``halfopen`` is a million connections that never say anything.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

SEED = 20261124
VERSION = 1
CHUNK = 2048
"""Conversations patched at once: some 8 MB."""
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
BEGAN = 1_790_000_000
_RECORD, _ETHERNET, _IP = 16, 14, 20
CLIENT, SERVER = 0, 1
Said = tuple[int, bytes]

SMTP: tuple[Said, ...] = (
    (SERVER, b"220 AM0PR01CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready\r\n"),
    (CLIENT, b"EHLO copier\r\n"),
    (SERVER, b"250-AM0PR01CA0001.outlook.office365.com\r\n250-AUTH LOGIN XOAUTH2\r\n250 DSN\r\n"),
    (CLIENT, b"AUTH LOGIN\r\n"),
    (SERVER, b"334 VXNlcm5hbWU6\r\n"),
    (CLIENT, b"c2NhbkBleGFtcGxlLmNvbQ==\r\n"),
    (SERVER, b"334 UGFzc3dvcmQ6\r\n"),
    (CLIENT, b"c2FtcGxlLXNlY3JldA==\r\n"),
    (SERVER, b"235 2.7.0 Authentication successful\r\n"),
    (CLIENT, b"MAIL FROM:<scan@example.com>\r\n"),
    (SERVER, b"250 2.1.0 Sender OK\r\n"),
    (CLIENT, b"QUIT\r\n"),
    (SERVER, b"221 2.0.0 Service closing transmission channel\r\n"),
)
IMAP: tuple[Said, ...] = (
    (SERVER, b"* OK Microsoft Exchange IMAP4 service ready.\r\n"),
    (CLIENT, b"a CAPABILITY\r\n"),
    (SERVER, b"* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR\r\na OK CAPABILITY completed.\r\n"),
    (CLIENT, b"b LOGIN ann@example.com sample-secret\r\n"),
    (SERVER, b"b NO Basic authentication is disabled.\r\n"),
    (CLIENT, b"c LOGOUT\r\n"),
    (SERVER, b"* BYE signing off.\r\nc OK LOGOUT completed.\r\n"),
)
POP: tuple[Said, ...] = (
    (SERVER, b"+OK Microsoft Exchange POP3 server ready.\r\n"),
    (CLIENT, b"USER ann@example.com\r\n"),
    (SERVER, b"+OK\r\n"),
    (CLIENT, b"PASS sample-secret\r\n"),
    (SERVER, b"-ERR Basic authentication is disabled\r\n"),
    (CLIENT, b"QUIT\r\n"),
    (SERVER, b"+OK bye\r\n"),
)


class Template:
    """Packets of one conversation, and where their client's address and port stand in the bytes."""

    def __init__(self, server: bytes, port: int, said: tuple[Said, ...], acknowledge: bool = True) -> None:
        self.data = bytearray()
        self.times: list[int] = []
        self.addresses: list[int] = []
        self.ports: list[int] = []
        self._server, self._port = server, port
        self._next = [1000, 9000]
        self._add(CLIENT, 2, b"")
        self._add(SERVER, 18, b"")
        self._add(CLIENT, 16, b"")
        for side, payload in said:
            self._add(side, 24, payload)
            if acknowledge and side is SERVER:
                self._add(CLIENT, 16, b"")
        self._add(CLIENT, 17, b"")
        self._add(SERVER, 17, b"")

    @property
    def packets(self) -> int:
        return len(self.times)

    def _add(self, side: int, flags: int, payload: bytes) -> None:
        start = len(self.data)
        size = _ETHERNET + _IP + 20 + len(payload)
        self.times.append(start)
        client, server = bytes(4), self._server
        ends = (client, server) if side == CLIENT else (server, client)
        ports = (0, self._port) if side == CLIENT else (self._port, 0)
        macs = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01" if side == CLIENT else b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02"
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size - _ETHERNET, 1, 0, 64, 6, 0, *ends)
        tcp = struct.pack(
            ">HHIIBBHHH", *ports, self._next[side], self._next[1 - side], 0x50, flags, 8192, 0, 0
        )
        self.data += struct.pack("<IIII", 0, 0, size, size) + macs + b"\x08\0" + ip + tcp + payload
        base = start + _RECORD + _ETHERNET
        self.addresses.append(base + (12 if side == CLIENT else 16))
        self.ports.append(base + _IP + (0 if side == CLIENT else 2))
        self._next[side] += len(payload) + (1 if flags & 3 else 0)

    def patched(self, first: int, count: int, microseconds: int) -> bytes:
        """So many conversations from the ``first`` on, each with a client of its own."""
        numbers = np.arange(first, first + count, dtype=np.int64)
        rows = np.tile(np.frombuffer(bytes(self.data), np.uint8), (count, 1))
        client = np.stack(
            [np.full(count, 10), 1 + numbers // 16384 % 200, numbers // 64 % 256, 1 + numbers % 250]
        )
        port = 20000 + numbers // 7 % 40000
        for at in self.addresses:
            rows[:, at : at + 4] = client.T.astype(np.uint8)
        for at in self.ports:
            rows[:, at], rows[:, at + 1] = port >> 8, port & 255
        for number, at in enumerate(self.times):
            stamp = numbers * microseconds + number * max(microseconds // self.packets, 1)
            rows[:, at : at + 4] = _little(BEGAN + stamp // 1_000_000)
            rows[:, at + 4 : at + 8] = _little(stamp % 1_000_000)
        return rows.tobytes()


def _little(values: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    return values.astype("<u4").view(np.uint8).reshape(-1, 4)


def mailstorm(sessions: int = 66_000) -> Iterator[bytes]:
    """Short mail sessions."""
    kinds = [
        Template(b"\x34\x60\x00\x0a", 587, SMTP),
        Template(b"\x34\x61\x00\x0a", 143, IMAP),
        Template(b"\x34\x61\x00\x0a", 110, POP),
    ]
    for first in range(0, sessions, CHUNK):
        yield kinds[first // CHUNK % 3].patched(first, min(CHUNK, sessions - first), 2_000)


def office(packets: int = 3_000_000) -> Iterator[bytes]:
    """Bulk traffic of many servers, and mail: 8 packets of 100."""
    draw = np.random.default_rng(SEED)
    mail = Template(b"\x34\x60\x00\x0a", 587, SMTP)
    bulk = []
    for server in range(10):
        sizes = draw.integers(60, 1400, 23)
        said = tuple(
            (int(side), bytes(int(size))) for side, size in zip(draw.integers(0, 2, 23), sizes, strict=True)
        )
        bulk.append(
            Template(bytes((198, 51, 100, server + 1)), 443 if server % 3 else 445, said, acknowledge=False)
        )
    block = mail.packets + sum(template.packets for template in bulk)
    for first in range(0, packets // block, 32):
        for template in (mail, *bulk):
            yield template.patched(first, 32, 100_000)


def halfopen(connections: int = 1_000_000) -> Iterator[bytes]:
    """Connections that are opened and say nothing."""
    template = Template(b"\x34\x60\x00\x0a", 587, ())
    cut = template.times[3]
    template.data, template.times = template.data[:cut], template.times[:3]
    template.addresses, template.ports = template.addresses[:3], template.ports[:3]
    for first in range(0, connections, CHUNK * 8):
        yield template.patched(first, min(CHUNK * 8, connections - first), 100)


CAPTURES: dict[str, Callable[[], Iterator[bytes]]] = {
    "mailstorm": mailstorm,
    "office": office,
    "halfopen": halfopen,
}


def capture(name: str) -> Path:
    """The path of a capture, made when it is not there yet."""
    folder = Path(tempfile.gettempdir()) / "mailsunset-bench"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{SEED}-{VERSION}.pcap"
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(HEADER)
            file.writelines(CAPTURES[name]())
        part.rename(path)
    return path
