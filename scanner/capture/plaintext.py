"""What was said inside TLS, by way of tshark, with the keys of a key log or of the capture itself.

tshark reads the capture beside us and is asked for no more than we have read. What it decrypts comes through
a pipe; neither keys nor plaintext are written anywhere. Protocols inside TLS are disabled, so that it gives
the bytes of each record as they are; HTTP/2 alone is taken as it understands it.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from scanner.capture.decrypted import BETWEEN_FIELDS, BETWEEN_VALUES, FIELDS, Line, Streams, parsed
from scanner.capture.wireshark import TsharkUnusableError, tshark_path
from scanner.conversation import Said
from scanner.inside import Inside

AHEAD = 1000
"""Packets that tshark may be ahead of us: it counts records that are no packets, too."""
LONGEST_LINE = 4 << 20
"""Bytes of a line: a packet of 64 KB that ends some records of 16 KB, twice over in hexadecimal, and headers.
What is longer is passed over; its connection's plaintext then lacks a piece."""
LOOKED_AT = 1 << 20
"""Bytes of a key log in which a key must stand; what has none so far is no key log."""
_RAW = ("smtp", "imap", "pop", "http")
"""Protocols whose bytes are wanted as they are."""
_KEY = re.compile(
    rb"^\s*(?:[A-Z][A-Z0-9_]+ [0-9A-Fa-f]{16,} [0-9A-Fa-f]{32,}\s*$|RSA Session-ID:)", re.MULTILINE
)
_ROOT = "Running as user"
_Packet = tuple[int, Iterable[Said]]
"""A packet's number, and what was said in it."""
_NO_SETTINGS = str(Path(__file__).with_name("no-settings"))
"""A folder that there is not: what the user set for Wireshark is to change nothing here."""


class UnusableKeysError(Exception):
    """A key log cannot be read, or is none; the text is one line."""


def check_keylog(path: str) -> None:
    """Make sure of a key log (NSS's format, as SSLKEYLOGFILE names one). Raises ``UnusableKeysError``."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise UnusableKeysError(f"{path}: is not a file")
        with open(path, "rb") as file:
            head = file.read(LOOKED_AT)
    except OSError as fault:
        raise UnusableKeysError(f"{path}: {fault.strerror or 'cannot be read'}") from None
    if not _KEY.search(head):
        raise UnusableKeysError(f"{path}: is not a TLS key log (lines like CLIENT_RANDOM ... ...)")


class Plaintext(AbstractContextManager["Plaintext"]):
    """What was said inside TLS in one capture; nothing is started where there are no keys."""

    def __init__(
        self,
        capture: str,
        keylog: str | None,
        secrets: Sequence[bytes] = (),
        find: Callable[[], str] = tshark_path,
    ) -> None:
        """Use ``keylog``; ``secrets`` are those that the capture brings along, as far as it was read.

        ``find`` gives the path of tshark, or raises ``TsharkUnusableError``.
        """
        self._capture = capture
        self._keylog = keylog
        self._secrets = secrets
        self._find = find
        self._process: subprocess.Popen[bytes] | None = None
        self._streams = Streams()
        self._told = self._packets()
        self._ahead: _Packet | None = None
        """Told of already, but beyond what was asked for."""
        self.fault: str | None = None
        """Why tshark did not decrypt all that there is, in a line."""
        self.remark: str | None = None
        """Why the keys that the capture brings were not tried, in a line."""

    def __exit__(self, *_: object) -> None:
        """Let tshark go."""
        self._told.close()

    @property
    def tried(self) -> bool:
        """There were keys, and tshark tried them."""
        return self._process is not None

    @property
    def opened(self) -> int:
        """Connections of which something was decrypted."""
        return self._streams.opened

    @property
    def sessions(self) -> int:
        """Connections that had something to decrypt."""
        return len(self._streams)

    def until(self, packet: int | None) -> Sequence[Said]:
        """Tell what was said after what was told before, up to a packet of the capture; None: all."""
        if not (self._keylog or self._secrets):
            return ()
        told = Inside()  # keeps connections apart, and no more than there is room for
        while ahead := self._ahead or next(self._told, None):
            self._ahead = ahead
            number, said = ahead
            if packet is not None and number > packet + AHEAD:
                break
            told.add(said)
            self._ahead = None
        return told.drain()

    def _packets(self) -> Generator[_Packet, None, None]:
        """What was said, packet by packet; tshark is begun when the first is asked for."""
        if not os.path.isfile(self._capture):
            self._pass("a pipe cannot be read twice: save it to a file")
            return
        try:
            command = [self._find(), *_options(self._capture, self._keylog)]
        except TsharkUnusableError as fault:
            self._pass(str(fault))
            return
        settings = {**os.environ, "WIRESHARK_CONFIG_DIR": _NO_SETTINGS}
        nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
        with (
            tempfile.TemporaryFile() as complaints,
            subprocess.Popen(
                command, stdin=nothing, stdout=pipe, stderr=complaints, env=settings
            ) as self._process,
        ):
            try:
                for line in _lines(self._process.stdout):
                    yield line.packet, self._streams.hear(line)
                if status := self._process.wait():
                    why = _complaint(complaints) or f"ended with status {status}"
                    self.fault = f"{self._capture}: tshark: {why}"
                    yield 0, self._streams.break_off()
            finally:
                self._process.kill()

    def _pass(self, why: str) -> None:
        self.remark = f"{self._capture}: its keys are not used: {why}"


def _lines(out: IO[bytes] | None) -> Iterator[Line]:
    """Read the lines that tell something."""
    whole = True
    while out and (raw := out.readline(LONGEST_LINE)):
        begins, whole = whole, raw.endswith(b"\n")
        if begins and whole and (line := parsed(raw.decode("utf-8", "replace"))):
            yield line


def _complaint(complaints: IO[bytes]) -> str:
    """The last that tshark said."""
    complaints.seek(0)
    lines = complaints.read().decode("utf-8", "replace").splitlines()
    said = [line.strip().removeprefix("tshark: ") for line in lines if line.strip() and _ROOT not in line]
    return said[-1] if said else ""


def _options(capture: str, keylog: str | None) -> list[str]:
    preferences = ["tcp.reassemble_out_of_order:TRUE"]
    if keylog:
        preferences.append(f"tls.keylog_file:{os.path.abspath(keylog)}")
    return [
        "-n", "-r", capture, "-Y", "tls.app_data", "-T", "fields",
        "-E", f"separator={BETWEEN_FIELDS}", "-E", f"aggregator={BETWEEN_VALUES}",
        *(word for name in _RAW for word in ("--disable-protocol", name)),
        *(word for name in preferences for word in ("-o", name)),
        *(word for name in FIELDS for word in ("-e", name)),
    ]  # fmt: skip
