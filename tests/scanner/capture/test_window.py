"""Bytes come in order and whole, from a file, a pipe or a compressed stream, and faults have their place."""

from __future__ import annotations

import gzip
import os
import random
from pathlib import Path

import numpy as np
import pytest
import zstandard

from scanner.capture.window import BLOCK, Corrupt, Window, open_window

DATA = random.Random(1).randbytes(2 << 20) + bytes(3 << 20) + b"end"


def drain(window: Window) -> bytes:
    """Take everything, in unequal bites."""
    out = bytearray()
    while True:
        bite = max(0, window.end - window.begin - len(out) % 5)
        assert window.origin + window.begin == len(out)
        out += window.buffer[window.begin : window.begin + bite].tobytes()
        window.begin += bite
        if not window.grow():
            break
    out += window.buffer[window.begin : window.end].tobytes()
    window.close()
    return bytes(out)


def packed(kind: str, data: bytes) -> bytes:
    match kind:
        case "gzip":
            return gzip.compress(data, 1)
        case "zstd":
            return zstandard.compress(data)
        case _:
            return data


@pytest.mark.parametrize("kind", ["plain", "gzip", "zstd"])
def test_every_byte_comes_once(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(packed(kind, DATA))
    window, size = open_window(str(path))
    assert size == path.stat().st_size
    assert drain(window) == DATA
    assert window.position() == size


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_few_bytes_that_stand_for_many_come_in_parts(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(packed(kind, bytes(3 << 20)))
    assert drain(open_window(str(path))[0]) == bytes(3 << 20)


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_streams_put_together_are_one(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    padding = bytes(100) if kind == "gzip" else b""
    streams = (packed(kind, data) for data in (b"one", DATA, b"", b"two"))
    path.write_bytes(b"".join(streams) + padding)
    assert drain(open_window(str(path))[0]) == b"one" + DATA + b"two"


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
@pytest.mark.parametrize("fault", ["cut", "damaged", "followed by junk"])
def test_what_can_be_decompressed_is_shown_before_the_fault(kind: str, fault: str, tmp_path: Path) -> None:
    whole = packed(kind, DATA)
    bad = {
        "cut": whole[: len(whole) // 2],
        "damaged": whole[:-8] + b"\xff" * 8,
        "followed by junk": whole + b"junk",
    }[fault]
    path = tmp_path / "x"
    path.write_bytes(bad)
    window, _ = open_window(str(path))
    shown = bytearray()
    with pytest.raises(Corrupt, match=kind) as caught:
        while window.grow():
            shown += window.buffer[window.begin : window.end].tobytes()
            window.begin = window.end
    assert caught.value.offset == len(shown)
    assert DATA.startswith(bytes(shown))
    assert len(shown) > BLOCK // 8
    window.close()


def test_damage_at_the_first_byte_is_told_at_once(tmp_path: Path) -> None:
    for head in (b"\x1f\x8b\xff\xff", b"\x28\xb5\x2f\xfd\xff\xff\xff"):
        path = tmp_path / "x"
        path.write_bytes(head + bytes(20))
        window, _ = open_window(str(path))
        with pytest.raises(Corrupt):
            window.grow()
        window.close()


def test_a_record_larger_than_the_buffer_makes_it_grow() -> None:
    pieces = [BLOCK, 5, BLOCK, 7]

    def fill(room: memoryview) -> int:
        count = min(pieces.pop(0), len(room)) if pieces else 0
        room[:count] = bytes(count)
        return count

    window = Window(fill, lambda: 0, lambda: None)
    sizes = [window.end - window.begin for _ in range(4) if window.grow()]
    assert sizes == [BLOCK, BLOCK + 5, 2 * BLOCK + 5, 2 * BLOCK + 12]
    assert not window.grow()


def test_a_pipe_shows_what_there_is(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = os.open(fifo, os.O_RDWR)
    os.write(writer, b"abcdef")
    window, size = open_window(str(fifo))
    assert (size, window.end) == (None, 4)
    assert window.grow()
    assert window.buffer[: window.end].tobytes() == b"abcdef"
    os.write(writer, b"gh")
    assert window.grow()
    assert window.buffer[: window.end].tobytes() == b"abcdefgh"
    os.close(writer)
    assert not window.grow()
    window.close()
    window.close()


@pytest.mark.parametrize("name", [".", "missing"])
def test_what_cannot_be_opened_raises(name: str, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        open_window(str(tmp_path / name))


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_short_stream_is_shown_before_the_junk_behind_it(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(packed(kind, b"one") + b"junk")
    window, _ = open_window(str(path))
    assert window.grow()
    assert window.buffer[: window.end].tobytes() == b"one"
    with pytest.raises(Corrupt):
        window.grow()
    window.close()


@pytest.mark.parametrize("kind", ["plain", "gzip", "zstd"])
def test_nothing_is_left_in_memory_after_closing(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(packed(kind, b"secret" * 99))
    window, _ = open_window(str(path))
    window.grow()
    assert b"secret" in window.buffer.tobytes()
    window.close()
    assert not window.buffer.any()
    assert not window.grow()
    assert (window.begin, window.end) == (0, 0)


def test_a_buffer_that_was_too_small_is_wiped() -> None:
    def fill(room: memoryview) -> int:
        room[:] = b"x" * len(room)
        return len(room)

    window = Window(fill, lambda: 0, lambda: None)
    small = window.buffer
    assert window.grow()
    assert window.grow()
    assert window.buffer is not small
    assert not small.any()
    assert window.buffer[: window.end].all()


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param(1 << 20, id="little is taken"),
        pytest.param(BLOCK // 2 + 7, id="less is left than a block holds twice"),
        pytest.param(0, id="nothing is taken"),
        pytest.param(BLOCK, id="all is taken"),
    ],
)
def test_a_file_shows_every_byte_in_its_place(taken: int, tmp_path: Path) -> None:
    data = np.arange(3 * BLOCK // 4 + 11, dtype=np.uint32).tobytes()
    path = tmp_path / "x"
    path.write_bytes(data)
    window, size = open_window(str(path))
    assert size == len(data)
    while window.grow():
        assert (
            window.buffer[window.begin : window.end].tobytes()
            == data[window.origin + window.begin :][: window.end - window.begin]
        )
        window.begin = min(window.begin + taken, window.end)
    assert window.origin + window.end == len(data)
    assert not window.grow()
    assert window.origin + window.end == len(data)
    window.close()
