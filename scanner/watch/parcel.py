"""A batch that waits to be written: packed small, unless it is the next."""

from __future__ import annotations

import pickle
import zlib
from time import monotonic
from typing import NamedTuple

from db.prepare import Prepared

BATCH_BYTES = 200
"""What a batch that waits costs beside its packed rows."""
ROW_BYTES = 1_000
"""What a row takes unpacked."""
PACKED = 1
"""Level of zlib: 36 µs to pack a session alone, 11 among twenty; a higher one saves a tenth of the bytes."""


class Parcel(NamedTuple):
    """A batch."""

    held: bytes | Prepared
    """Packed, or as it came where it is written next."""
    sessions: int
    came_at: float
    """Of ``time.monotonic``, s."""

    @classmethod
    def of(cls, batch: Prepared, is_next: bool) -> Parcel:
        """Take one that has just come."""
        held = batch if is_next else zlib.compress(pickle.dumps(batch, pickle.HIGHEST_PROTOCOL), PACKED)
        return cls(held, len(batch.sessions), monotonic())

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        if isinstance(self.held, bytes):
            return len(self.held) + BATCH_BYTES
        return ROW_BYTES * (len(self.held.sessions) + len(self.held.sightings))

    def rows(self) -> Prepared:
        """Unpack it."""
        if not isinstance(self.held, bytes):
            return self.held
        found: Prepared = pickle.loads(zlib.decompress(self.held))
        return found
