"""A capture of many short SMTP sessions, each of a client of its own."""

import struct

SERVER = bytes((52, 96, 0, 10))
SAID = (
    (1, b"220 smtp.office365.com Microsoft ESMTP MAIL Service ready\r\n"),
    (0, b"EHLO copier\r\n"),
    (1, b"250-smtp.office365.com\r\n250 AUTH LOGIN XOAUTH2\r\n"),
    (0, b"AUTH LOGIN\r\n"),
    (1, b"334 VXNlcm5hbWU6\r\n"),
    (0, b"c2NhbkBleGFtcGxlLmNvbQ==\r\n"),
    (1, b"334 UGFzc3dvcmQ6\r\n"),
    (0, b"c2FtcGxlLXNlY3JldA==\r\n"),
    (1, b"235 2.7.0 Authentication successful\r\n"),
    (0, b"QUIT\r\n"),
    (1, b"221 2.0.0 bye\r\n"),
)
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
BEGAN = 1_790_000_000
SYN, ACK, FIN = 2, 16, 1


def capture(sessions: int, first: int = 0) -> bytes:
    """A pcap file."""
    return HEADER + b"".join(dialogue(number) for number in range(first, first + sessions))


def dialogue(number: int) -> bytes:
    """The packets of one session."""
    client, next_ = bytes((10, 1, number // 250 % 250, 1 + number % 250)), [100, 900]
    packets = []
    steps = [(0, SYN, b""), (1, SYN | ACK, b""), *((side, ACK, said) for side, said in SAID),
             (0, FIN | ACK, b""), (1, FIN | ACK, b"")]  # fmt: skip
    for at, (side, flags, data) in enumerate(steps):
        ends, ports = (client, SERVER), (40000 + number // 62_500, 587)
        if side:
            ends, ports = ends[::-1], ports[::-1]
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 1, 0, 64, 6, 0, *ends)
        tcp = struct.pack(">HHIIBBHHH", *ports, next_[side], next_[1 - side], 0x50, flags, 8192, 0, 0)
        frame = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + ip + tcp + data
        packets.append(
            struct.pack("<IIII", BEGAN + number // 100, number % 100 * 10_000 + at, len(frame), len(frame))
        )
        packets.append(frame)
        next_[side] += len(data) + (flags & (SYN | FIN) > 0)
    return b"".join(packets)
