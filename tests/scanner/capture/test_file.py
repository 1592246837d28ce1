"""Files, directories and pipes as the user names them, and what is said of unreadable ones."""

from __future__ import annotations

import gzip
import io
import os
import struct
import threading
from pathlib import Path

import pytest
import zstandard

from scanner.capture import UnreadableCapture, window
from scanner.capture.file import CaptureFile, expand

PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
RECORD = struct.pack("<IIII", 1_700_000_000, 0, 3, 3) + b"abc"
PCAPNG = (
    struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    + struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
    + struct.pack("<IIII4sI", 10, 24, 0x544C534B, 4, b"key\n", 24)
    + struct.pack("<IIIIIII4sI", 6, 36, 0, 0, 1, 3, 3, b"abc\0", 36)
)


def count(path: Path | str) -> int:
    with CaptureFile(str(path)) as file:
        return sum(len(batch.start) for batch in file)


@pytest.mark.parametrize(
    ("data", "packets"),
    [
        (PCAP + RECORD * 2, 2),
        (PCAPNG, 1),
        (gzip.compress(PCAP + RECORD * 3), 3),
        (zstandard.compress(PCAPNG), 1),
        (PCAP, 0),
    ],
    ids=["pcap", "pcapng", "gzip", "zstd", "no packets"],
)
def test_every_kind_of_file_is_read(data: bytes, packets: int, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    assert count(path) == packets
    with CaptureFile(str(path)) as file:
        assert file.recognised()
        batches = list(file)
        assert all(batch.capture == str(path) for batch in batches)
        assert file.size == file.position == len(data)
        assert file.secrets == ([b"key\n"] if data != PCAP and packets == 1 else [])


@pytest.mark.parametrize(
    ("data", "offset", "why", "packets"),
    [
        (b"", 0, "is empty", 0),
        (b"ab", 0, "is neither a pcap nor a pcapng file", 0),
        (b"From: a text\n", 0, "is neither a pcap nor a pcapng file", 0),
        (PCAP + RECORD + RECORD[:-1], 43, "the last packet is cut off", 1),
        (gzip.compress(PCAP + RECORD)[:-3], 43, "gzip data ends early", 1),
        (PCAPNG + PCAPNG[:9], 108, "the last block is cut off", 1),
    ],
    ids=["empty", "two bytes", "a text", "cut", "gzip cut", "pcapng cut"],
)
def test_what_is_wrong_is_said_behind_the_last_packet(
    data: bytes, offset: int, why: str, packets: int, tmp_path: Path
) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    found = 0
    with CaptureFile(str(path)) as file, pytest.raises(UnreadableCapture) as caught:
        for batch in file:
            found += len(batch.start)
    assert found == packets
    assert (caught.value.path, caught.value.offset, caught.value.why) == (str(path), offset, why)
    assert str(caught.value) == f"{path}: offset {offset}: {why}"


def test_what_cannot_be_opened_is_unreadable(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "missing", "No such file"), (tmp_path, "directory")):
        with pytest.raises(UnreadableCapture, match=why):
            CaptureFile(str(path))


def test_a_disk_that_fails_makes_a_file_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_bytes(PCAP + RECORD)

    class Failing(io.FileIO):
        def readinto(self, room: object) -> int:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(window, "FileIO", Failing)
    with pytest.raises(UnreadableCapture, match="Input/output error"):
        count(path)


def test_directories_give_their_captures_sorted(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.pcap.gz").write_bytes(gzip.compress(PCAP))
    (tmp_path / "a.bin").write_bytes(PCAPNG)
    (tmp_path / "notes.txt").write_bytes(b"no capture")
    (tmp_path / "bad.gz").write_bytes(b"\x1f\x8b\xff\xff\xff")
    (tmp_path / "dangling").symlink_to(tmp_path / "missing")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "z").write_bytes(b"")
    named = str(tmp_path / "notes.txt")
    found = expand(["-", str(tmp_path), named])
    assert found == ["-", str(tmp_path / "a.bin"), str(tmp_path / "b" / "c.pcap.gz"), named]


def test_files_in_a_directory_that_cannot_be_opened_are_no_captures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(PCAP)

    def refuse(path: str, closefd: bool) -> io.FileIO:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(window, "FileIO", refuse)
    assert expand([str(tmp_path)]) == []


def test_a_live_pipe_gives_packets_as_they_come(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    heard = threading.Semaphore(0)

    def write() -> None:
        writer = os.open(fifo, os.O_WRONLY)
        os.write(writer, PCAP + RECORD + RECORD[:7])
        heard.acquire(timeout=20)
        os.write(writer, RECORD[7:])
        os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()
    sizes = []
    with CaptureFile(str(fifo)) as file:
        assert file.size is None
        for batch in file:
            sizes.append(len(batch.start))
            heard.release()
    thread.join()
    assert sizes == [1, 1]


def test_standard_input_is_read_and_left_open(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(PCAP + RECORD)
    kept = os.dup(0)
    given = os.open(path, os.O_RDONLY)
    try:
        os.dup2(given, 0)
        assert count("-") == 1
        os.fstat(0)
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(given)
