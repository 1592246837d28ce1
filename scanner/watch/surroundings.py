"""What a machine allows beside listening: room for the inventory, tshark, a clock that is kept."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
from pathlib import Path
from typing import NamedTuple

from scanner.capture.wireshark import TsharkUnusableError, tshark_path
from scanner.watch.evidence import Machine
from scanner.watch.filtering import Filtering, Kind
from scanner.watch.privileges import Identity, keeper

_UNSYNCHRONISED = 5
"""What adjtimex(2) gives where no time service has set the clock for a while; -1: it may not be asked."""
_TIMEX_BYTES = 512
"""More than ``struct timex`` has anywhere; zeros ask for nothing to be set."""


class Inventory(NamedTuple):
    """Where what is found would be kept, and whether it can be."""

    place: str
    writer: str | None
    """None: nobody can write there."""
    free_bytes: int | None
    """None: it is on a server."""


def inventory(url: str, whom: Identity | None) -> Inventory:
    """Look where an inventory is or would be; ``whom`` as for ``watch``, while there are privileges."""
    path = url.removeprefix("sqlite:///")
    if "://" in path:
        return Inventory("a database server", "whoever its URL names", None)
    writer = keeper(path, whom)
    there = Path(path).absolute()
    folder = next(up for up in there.parents if up.exists())
    asked = [folder, there] if there.exists() else [folder]
    writable = all(os.access(one, os.W_OK) for one in asked)
    return Inventory(str(there), (writer.name if writer else _user()) if writable else None,
                     shutil.disk_usage(folder).free)  # fmt: skip


def machine(kept: Inventory, filtering: Filtering) -> Machine:
    """Say what is there; the rest is asked without privileges."""
    path, note = None, ""
    try:
        path = tshark_path()
    except TsharkUnusableError as fault:
        note = str(fault)
    extended = filtering.kind is Kind.EXTENDED
    return Machine(_user(), extended, filtering.note, *kept, path, note, _clock_held())


def _user() -> str:
    """Who one is now."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"


def _clock_held() -> bool:
    ask = getattr(ctypes.CDLL(None), "adjtimex", None)  # Linux has it
    return ask is not None and ask(ctypes.create_string_buffer(_TIMEX_BYTES)) not in (_UNSYNCHRONISED, -1)
