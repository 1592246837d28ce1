"""tshark, Wireshark's dissectors without its windows: where it is, whether it is new enough, its times."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

OLDEST = (4, 0)
"""The oldest tshark that this was tested with; an older one calls some fields by other names."""
VERSION_S = 30
"""Longest that tshark may take to tell its version; it takes 0.2 s, and much longer on a cold disk."""
INSTALL = {"linux": "apt install tshark", "darwin": "brew install wireshark"}
"""How it is installed where a package does it; elsewhere it comes from the authors."""
HOMEPAGE = "https://www.wireshark.org/download.html"
_VERSION = re.compile(r"(?:TShark|Wireshark)[^\d\n]*(\d+)\.(\d+)(?:\.(\d+))?")


class TsharkUnusableError(Exception):
    """There is no tshark that could be used; the text is one line that says what to do."""


def tshark_path() -> str:
    """Find a tshark that is new enough. Raises ``TsharkUnusableError``."""
    path = shutil.which("tshark")
    if path is None:
        raise TsharkUnusableError(f"tshark is not installed: {advice(sys.platform)}")
    version = tshark_version(path)
    if version < OLDEST:
        told, oldest = ".".join(map(str, version)), ".".join(map(str, OLDEST))
        raise TsharkUnusableError(
            f"{path} is version {told}, {oldest} or newer is needed: {advice(sys.platform)}"
        )
    return path


def tshark_version(path: str) -> tuple[int, ...]:
    """Ask a tshark for its version. Raises ``TsharkUnusableError`` where it does not say."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=VERSION_S, check=False)
    except subprocess.TimeoutExpired:
        raise TsharkUnusableError(f"{path} --version did not end within {VERSION_S} seconds") from None
    except OSError as fault:
        raise TsharkUnusableError(f"{path} cannot be run: {fault.strerror}") from None
    found = _VERSION.search(done.stdout.decode("utf-8", "replace"))
    if found is None:
        raise TsharkUnusableError(f"{path} --version tells no version: is it Wireshark's?")
    return tuple(int(part) for part in found.groups() if part is not None)


def advice(platform: str) -> str:
    """How to get tshark, on a platform as ``sys.platform`` names it."""
    command = INSTALL.get(platform)
    return f"{command} (or from {HOMEPAGE})" if command else f"it comes with Wireshark, {HOMEPAGE}"


def nanoseconds(time: str) -> int:
    """Read seconds with a decimal fraction, as tshark writes them, without the rounding of a float."""
    seconds, _, fraction = time.partition(".")
    return int(seconds) * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))
