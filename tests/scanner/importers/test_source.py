"""A file reads the same in whatever encoding a desk wrote it, and no bytes make it fail."""

import codecs
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.importers.family import UnreadableFileError
from scanner.importers.source import HEAD_BYTES, Source, encoding_of

TEXT = "Name;Standort\r\nDrucker Größe;Café, 3. Stock\r\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TEXT.encode(), id="UTF-8"),
        pytest.param(codecs.BOM_UTF8 + TEXT.encode(), id="UTF-8 with a mark"),
        pytest.param(TEXT.encode("utf-16"), id="UTF-16 with a mark"),
        pytest.param(codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), id="UTF-16 BE with a mark"),
        pytest.param(TEXT.encode("utf-16-le"), id="UTF-16 LE without a mark"),
        pytest.param(TEXT.encode("utf-16-be"), id="UTF-16 BE without a mark"),
        pytest.param(TEXT.encode("utf-32"), id="UTF-32 with a mark"),
        pytest.param(TEXT.encode("cp1252"), id="Windows-1252"),
    ],
)
def test_an_encoding_is_told_by_its_bytes(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    source = Source(str(tmp_path / "a"))
    assert source.head == TEXT
    assert "".join(line for _, line in source.lines(1000)) == TEXT
    assert "".join(source.chunks()) == TEXT


def test_a_byte_of_another_encoding_far_down_spoils_only_itself(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("Größe\n".encode() * 30_000 + "Größe\x81\n".encode("latin-1"))
    *_, (number, last) = Source(str(tmp_path / "a")).lines(1000)
    assert (number, last) == (30_001, "Größe\x81\n")


def test_a_line_without_end_is_cut_and_the_next_keeps_its_number(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1_000_000 + b"\nnext\r\n")
    source = Source(str(tmp_path / "a"))
    assert list(source.lines(100)) == [(1, "x" * 100), (2, "next\r\n")]
    assert source.position == source.size == 1_000_007


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, why in (
        ("absent", "No such file"),
        (".", "not a file"),
        ("pipe", "not a file"),
        ("\0", "null"),
    ):
        with pytest.raises(UnreadableFileError, match=why):
            Source(str(tmp_path / name))


@given(st.binary(max_size=200))
def test_any_bytes_have_an_encoding_that_reads_them(data: bytes) -> None:
    name, errors = encoding_of(data)
    assert isinstance(codecs.getincrementaldecoder(name)(errors).decode(data, True), str)


def test_the_head_ends_within_a_letter_and_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * (HEAD_BYTES - 1) + "ä".encode() * 10)
    assert Source(str(tmp_path / "a")).head.startswith("xxx")
