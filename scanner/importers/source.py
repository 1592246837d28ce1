"""A file as text, whatever wrote it: Excel writes UTF-16 or the code page of the desk, PowerShell either."""

from __future__ import annotations

import codecs
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from scanner.importers.family import UnreadableFileError

HEAD_BYTES = 65_536
"""Enough to tell an encoding and the columns of any export."""
CHUNK = 262_144
"""Characters that forms without lines read at a time."""
_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark begins as this one does
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_MANY_ZEROS = 0.3
"""Share of every second byte that is zero in UTF-16 of Latin script; in other encodings next to none is."""
_FALLBACK = "mailsunset-windows-1252"


def _as_windows(fault: UnicodeError) -> tuple[str, int]:
    """Read bytes that are no UTF-8 as Windows-1252, and what that leaves open (81, 8D …) as Latin-1."""
    if not isinstance(fault, UnicodeDecodeError):
        raise fault
    some = fault.object[fault.start : fault.end]
    text = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in some)
    return text, fault.end


codecs.register_error(_FALLBACK, _as_windows)


def encoding_of(head: bytes) -> tuple[str, str]:
    """The encoding of a file that begins so, and what to do about bytes that are none of it."""
    for mark, name in _BOMS.items():
        if head.startswith(mark):
            return name, _FALLBACK if name == "utf-8-sig" else "replace"
    even, odd = head[::2], head[1::2]
    if odd.count(0) > _MANY_ZEROS * len(odd) and even.count(0) <= odd.count(0) // 2:
        return "utf-16-le", "replace"
    if even.count(0) > _MANY_ZEROS * len(even) and odd.count(0) <= even.count(0) // 2:
        return "utf-16-be", "replace"
    return "utf-8", _FALLBACK


class Source:
    """A file that is read from its beginning as often as need be."""

    def __init__(self, path: str) -> None:
        """Look at its beginning. Raises ``UnreadableFileError``."""
        self.path, self.position = path, 0
        """``position``: bytes read so far."""
        try:
            found = os.stat(path)
            if not stat.S_ISREG(found.st_mode):
                raise UnreadableFileError("not a file: it is read more than once")
            self.size, self.at = found.st_size, found.st_mtime_ns
            """Bytes, and when it was written, ns."""
            with Path(path).open("rb") as file:
                head = file.read(HEAD_BYTES)
        except (OSError, ValueError) as fault:
            raise UnreadableFileError(getattr(fault, "strerror", None) or str(fault)) from fault
        self._encoding, self._errors = encoding_of(head)
        with io.TextIOWrapper(io.BytesIO(head), self._encoding, self._errors, newline="") as text:
            self.head = text.read()

    @contextmanager
    def text(self) -> Iterator[tuple[BinaryIO, TextIO]]:
        """All of it, with its line ends as they are."""
        try:
            with Path(self.path).open("rb") as file:
                yield file, io.TextIOWrapper(file, self._encoding, self._errors, newline="")
        except OSError as fault:
            raise UnreadableFileError(fault.strerror or str(fault)) from fault

    def chunks(self) -> Iterator[str]:
        """All of it, piece by piece."""
        with self.text() as (file, text):
            while chunk := text.read(CHUNK):
                self.position = file.tell()
                yield chunk

    def lines(self, longest: int) -> Iterator[tuple[int, str]]:
        """Numbered lines with their ends; of a longer one no more than so many characters."""
        with self.text() as (file, text):
            number = 0
            while line := text.readline(longest):
                number += 1
                if number % 1000 == 0:
                    self.position = file.tell()
                yield number, line
                while len(line) == longest and not line.endswith(("\n", "\r")):
                    line = text.readline(longest)
        self.position = self.size
