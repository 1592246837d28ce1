"""Rows of a batch as plain lists, and one number a connection."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from scanner import net
from scanner.conversation import Endpoint
from scanner.wire.batch import Columns

MACS_KEPT = 1 << 16
"""MACs whose text is remembered: a site has a few thousand."""
Keys = npt.NDArray[np.uint64]
Index = npt.NDArray[np.intp]


class Sheet:
    """The rows that matter as plain lists: reading NumPy cells one by one costs ten times as much."""

    __slots__ = (
        "_columns", "_rows", "acknowledged", "at", "captured", "flags", "length", "low", "sequence", "start",
    )  # fmt: skip

    def __init__(self, columns: Columns, rows: Index, low: npt.NDArray[np.bool_]) -> None:
        """Take the rows at these positions; ``low``: sent by the lower end."""
        self._columns = columns
        self._rows: list[int] = rows.tolist()
        self.flags: list[int] = columns.flags[rows].tolist()
        self.sequence: list[int] = columns.sequence[rows].tolist()
        self.acknowledged: list[int] = columns.acknowledged[rows].tolist()
        self.at: list[int] = columns.at[rows].tolist()
        self.length: list[int] = columns.length[rows].tolist()
        self.captured: list[int] = columns.captured[rows].tolist()
        self.start: list[int] = columns.payload[rows].tolist()
        self.low: list[bool] = low.tolist()

    def payload(self, row: int) -> bytes:
        """Bytes that were captured."""
        start = self.start[row]
        return self._columns.buffer[start : start + self.captured[row]].tobytes()

    def endpoints(self, row: int) -> tuple[Endpoint, Endpoint]:
        """Sender and receiver."""
        columns, at = self._columns, self._rows[row]
        return (
            Endpoint(
                net.text(int(columns.source_high[at]), int(columns.source_low[at])),
                int(columns.source_port[at]),
            ),
            Endpoint(
                net.text(int(columns.target_high[at]), int(columns.target_low[at])),
                int(columns.target_port[at]),
            ),
        )

    def mac(self, row: int) -> str | None:
        """The sender's."""
        start = int(self._columns.source_mac[self._rows[row]])
        return None if start < 0 else mac_text(self._columns.buffer[start : start + 6].tobytes())


@lru_cache(MACS_KEPT)
def mac_text(raw: bytes) -> str | None:
    """Six bytes as ``aa:bb:cc:dd:ee:ff``, NumPy having dropped zeros at the end; None for zeros alone."""
    return raw.ljust(6, b"\0").hex(":") if raw.strip(b"\0") else None


def macs(columns: Columns, offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.bytes_]:
    """Gather the MACs at these offsets; zeros where a link has none."""
    spread = columns.buffer[np.maximum(offsets, 0)[:, None] + np.arange(6)]
    spread[offsets < 0] = 0
    return np.ascontiguousarray(spread).view("S6").ravel()


def flow_keys(columns: Columns, rows: Index) -> tuple[Keys, npt.NDArray[np.bool_]]:
    """One number a connection, the same for both directions, and who of both ends is the lower one."""
    source = _end_number(columns.source_high[rows], columns.source_low[rows], columns.source_port[rows])
    target = _end_number(columns.target_high[rows], columns.target_low[rows], columns.target_port[rows])
    low = source <= target
    first, second = np.where(low, source, target), np.where(low, target, source)
    return _mix(first * np.uint64(0x9E3779B97F4A7C15) + _mix(second)), low


def client_keys(columns: Columns) -> Keys:
    """One number a client: the end with the higher port, and of two alike the higher address."""
    source, target = (
        _mix(columns.source_high) ^ columns.source_low,
        _mix(columns.target_high) ^ columns.target_low,
    )
    same, sends = columns.source_port == columns.target_port, columns.source_port > columns.target_port
    return _mix(np.where(sends | (same & (source > target)), source, target))


def _end_number(high: Keys, low: Keys, port: npt.NDArray[np.uint16]) -> Keys:
    return _mix(
        _mix(high) ^ (low * np.uint64(0xD6E8FEB86659FD93)) ^ (port.astype(np.uint64) << np.uint64(44))
    )


def _mix(value: Keys) -> Keys:
    value = (value ^ (value >> np.uint64(32))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed: Keys = value ^ (value >> np.uint64(29))
    return mixed
