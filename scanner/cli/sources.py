"""Captures as the user names them, and what tshark needs before it can read any."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scanner.cli.settings import InputError

if TYPE_CHECKING:
    from scanner.account import Usernames
    from scanner.catalogue.exchange import Catalogue
    from scanner.dissection.streams import SecondOpinion


def meant(captures: Sequence[str]) -> list[str]:
    """The captures that are named, and those in directories. Raises ``InputError`` where there is none."""
    from scanner.capture.file import expand  # NumPy costs 200 ms that --help need not pay

    for path in captures:
        if path != "-" and not Path(path).exists():
            raise InputError(f"{path}: no such file")
    return expand(captures)


def is_pipe(path: str) -> bool:
    """Tell whether what is read there comes but once."""
    return path == "-" or Path(path).is_fifo()


def second_opinion(
    catalogue: Catalogue, sensor: str, usernames: Usernames, captures: Sequence[str], most: int
) -> SecondOpinion:
    """Have tshark dissect; of DHCP it is not asked.

    Raises ``InputError`` where there is none, or nothing it could read.
    """
    from scanner.capture.wireshark import TsharkUnusableError, tshark_path

    for path in filter(is_pipe, captures):
        raise InputError(f"{path}: tshark reads files only, no pipes")
    try:
        tshark = tshark_path()
    except TsharkUnusableError as fault:
        raise InputError(str(fault)) from None
    from scanner.capture.tshark import dissect  # pyshark costs 60 ms that only this needs
    from scanner.dissection.streams import SecondOpinion

    return SecondOpinion(catalogue, sensor, usernames, partial(dissect, tshark=tshark), most)
