"""Connections that have said nothing yet, a few bytes each: a SYN flood must not fill the memory."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

ROW = np.dtype(
    [
        ("key", "<u8"),
        ("at", "<i8"),
        ("client_first", "<u4"),
        ("server_first", "<u4"),
        ("flags", "u1"),
        ("client_mac", "S6"),
        ("server_mac", "S6"),
    ]
)
"""37 bytes a connection."""
CLIENT_STARTED, SERVER_STARTED, CLIENT_IS_LOW = 1, 2, 4
Rows = npt.NDArray[np.void]


class Embryo(NamedTuple):
    """What is known of a connection without payload."""

    at: int
    client_first: int
    server_first: int
    flags: int
    client_mac: bytes
    server_mac: bytes


class Embryos:
    """A table sorted by key, rebuilt once a batch."""

    def __init__(self) -> None:
        """Begin empty."""
        self._rows: Rows = np.empty(0, ROW)

    def __len__(self) -> int:
        """Count the connections."""
        return len(self._rows)

    def find(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
        """Give the position of each key, -1 where it is not here."""
        if not len(self._rows):
            return np.full(len(keys), -1, np.intp)
        at = np.searchsorted(self._rows["key"], keys)
        at[at == len(self._rows)] = 0
        return np.where(self._rows["key"][at] == keys, at, -1)

    def get(self, position: int) -> Embryo:
        """Read one."""
        row = self._rows[position]
        return Embryo(*(row[name].item() for name in ROW.names[1:]))  # type: ignore[index]

    def update(self, position: int, server_first: int, server_mac: bytes) -> None:
        """Note that the server answered with a SYN-ACK."""
        row = self._rows[position]
        row["server_first"] = server_first
        row["server_mac"] = server_mac
        row["flags"] = int(row["flags"]) | SERVER_STARTED

    def replace(self, gone: npt.NDArray[np.intp], new: Rows) -> None:
        """Drop the rows at these positions and take new ones in."""
        if not len(gone) and not len(new):
            return
        keep = np.ones(len(self._rows), np.bool_)
        keep[gone] = False
        kept = self._rows if keep.all() else self._rows[keep]
        new = new[np.argsort(new["key"])]
        self._rows = np.insert(kept, np.searchsorted(kept["key"], new["key"]), new) if len(new) else kept

    def drop_oldest(self, count: int) -> None:
        """Make room: the oldest go."""
        if count > 0:
            oldest = np.argpartition(self._rows["at"], count - 1)[:count]
            self.replace(oldest, np.empty(0, ROW))

    def drop_before(self, at: int) -> int:
        """Forget those that began before a time (ns) and never spoke; tells how many."""
        old = np.flatnonzero(self._rows["at"] < at)
        self.replace(old, np.empty(0, ROW))
        return len(old)
