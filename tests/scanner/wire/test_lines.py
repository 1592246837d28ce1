"""Lines out of bytes, however these come; skipped and lost ones make no line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.wire.lines import LINE_LIMIT, Lines


def popped(lines: Lines) -> list[bytes]:
    return list(iter(lines.pop, None))


@pytest.mark.parametrize(
    ("data", "found", "rest"),
    [
        pytest.param(b"", [], b"", id="nothing"),
        pytest.param(b"a\r\nb\nc", [b"a", b"b"], b"c", id="CRLF or LF alone"),
        pytest.param(b"a\rb\r\r\n", [b"a\rb\r"], b"", id="one CR before the LF goes, no other"),
        pytest.param(b"\r\n\n", [b"", b""], b"", id="empty lines"),
        pytest.param(b"\0\xff\n", [b"\0\xff"], b"", id="bytes of any kind"),
    ],
)
def test_lines_end_with_lf(data: bytes, found: list[bytes], rest: bytes) -> None:
    lines = Lines()
    lines.push(data)
    assert (popped(lines), lines.rest(), lines.overflowed) == (found, rest, False)
    assert lines.rest() == b""


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"bc", b"\r\n", b""]), max_size=30))
def test_pieces_do_not_matter(pieces: list[bytes]) -> None:
    whole, bitwise = Lines(), Lines()
    whole.push(b"".join(pieces))
    found = []
    for piece in pieces:
        bitwise.push(piece)
        found += popped(bitwise)
    assert (found, bitwise.rest()) == (popped(whole), whole.rest())


PIECES = st.lists(
    st.sampled_from([b".", b"\r", b"\n", b"a", b"\r\n", b".\r\n", b"\r\n\r\n", b""]), max_size=12
)


def in_a_body(pieces: list[bytes], pop: Callable[[Lines], bytes | None]) -> tuple[list[bytes], bytes]:
    """What stands behind the dot that ends a body."""
    lines, found, ended = Lines(), list[bytes](), False
    for piece in pieces:
        lines.push(piece)
        while (line := lines.pop() if ended else pop(lines)) is not None:
            if ended:
                found.append(line)
            ended |= line == b"."
    return found, lines.rest()


@settings(deadline=None)
@given(PIECES)
def test_a_body_ends_where_it_ends_line_by_line(pieces: list[bytes]) -> None:
    assert in_a_body(pieces, Lines.pop_dot) == in_a_body(pieces, Lines.pop)


def test_a_body_passes_at_once() -> None:
    lines = Lines()
    lines.push(b"a\r\n..\r\n.b\r\n.\r\nQUIT\r\n")
    assert (lines.pop_dot(), lines.pop()) == (b".", b"QUIT")


@settings(deadline=None)
@given(PIECES)
def test_a_block_is_the_lines_that_it_has(pieces: list[bytes]) -> None:
    blocks, singly = Lines(), Lines()
    found = []
    for piece in pieces:
        blocks.push(piece)
        while block := blocks.pop_block():
            found += block
        found += popped(blocks)
    singly.push(b"".join(pieces))
    assert (found, blocks.rest()) == (popped(singly), singly.rest())


def test_a_block_is_taken_when_it_is_whole() -> None:
    lines = Lines()
    lines.push(b"a\r\nb\r\n")
    assert lines.pop_block() is None
    lines.push(b"\r\nbody")
    assert (lines.pop_block(), lines.rest()) == ([b"a", b"b", b""], b"body")


@pytest.mark.parametrize(
    ("before", "data", "expected"),
    [
        pytest.param(b"", b"NOOP\r\n", b"NOOP", id="one line"),
        pytest.param(b"", b"NOOP\n", b"NOOP", id="LF alone"),
        pytest.param(b"", b"\r\r\n", b"\r", id="one CR goes"),
        pytest.param(b"x\r\n", b"NOOP\r\n", b"NOOP", id="behind what was read"),
        pytest.param(b"NO", b"OP\r\n", None, id="the end of a line"),
        pytest.param(b"", b"NOOP\r", None, id="the beginning of a line"),
        pytest.param(b"", b"A\r\nB\r\n", None, id="two lines"),
        pytest.param(b"", b"", None, id="nothing"),
    ],
)
def test_a_line_alone_needs_no_buffer(before: bytes, data: bytes, expected: bytes | None) -> None:
    lines = Lines()
    lines.push(before)
    popped(lines)
    assert lines.alone(data) == expected


def test_what_is_to_be_skipped_is_no_line() -> None:
    lines = Lines()
    lines.skip(3)
    assert lines.alone(b"abc\r\n") is None


@pytest.mark.parametrize("size", [1, 7, 1000], ids="{} bytes at a time".format)
def test_a_line_too_long_is_dropped_whole_and_told_once(size: int) -> None:
    lines = Lines()
    data = b"x" * (LINE_LIMIT + 5000) + b"\r\nnext\r\n"
    found = []
    for at in range(0, len(data), size):
        lines.push(data[at : at + size])
        found += popped(lines)
    assert (found, lines.overflowed) == ([b"next"], True)


def test_exact_bytes_are_taken_or_none() -> None:
    lines = Lines()
    lines.push(b"abc")
    assert (lines.take(4), lines.take(2), lines.take(2), lines.rest()) == (None, b"ab", None, b"c")


@pytest.mark.parametrize("here", range(9))
def test_skipped_bytes_may_be_here_or_still_to_come(here: int) -> None:
    data = b"body\r\n12next\r\n"
    lines = Lines()
    lines.push(data[:here])
    lines.skip(8)
    assert popped(lines) == []
    lines.push(data[here:10])
    lines.push(data[10:])
    assert popped(lines) == [b"next"]


def test_what_will_not_come_is_not_waited_for() -> None:
    lines = Lines()
    lines.skip(1000)
    lines.unskip()
    lines.push(b"next\r\n")
    assert popped(lines) == [b"next"]


@pytest.mark.parametrize(
    ("skipped", "missing", "following", "found"),
    [
        pytest.param(0, 5, b"b\r\nc\r\n", [b"b", b"c"], id="half a line before the hole is forgotten"),
        pytest.param(10, 4, b"xxxxxxb\r\n", [b"b"], id="a hole in what is skipped is skipped"),
        pytest.param(10, 10, b"b\r\n", [b"b"], id="a hole as large as what is skipped"),
        pytest.param(10, 99, b"b\r\n", [b"b"], id="a hole beyond what is skipped"),
        pytest.param(10, -1, b"b\r\n", [b"b"], id="a hole of nobody knows what size"),
    ],
)
def test_a_hole_ends_a_line(skipped: int, missing: int, following: bytes, found: list[bytes]) -> None:
    lines = Lines()
    if skipped:
        lines.skip(skipped)
    else:
        lines.push(b"half a li")
    lines.lose(missing)
    lines.push(following)
    assert popped(lines) == found
