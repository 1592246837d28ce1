"""Keep what was made of the inventory until that changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from scanner.serve.beside import beside


class Fresh:
    """Bytes made of the inventory, once for all who ask at a time."""

    def __init__(self, make: Callable[[], bytes], mark: Callable[[], object]) -> None:
        """Nothing is made yet; ``mark`` changes when the inventory does."""
        self._make, self._mark = make, mark
        self._one_at_a_time = asyncio.Lock()
        self._made: bytes | None = None
        self._made_of: object = None

    async def get(self) -> bytes:
        """Give them, made anew if need be."""
        async with self._one_at_a_time:
            mark = await beside(self._mark)
            if self._made is None or mark != self._made_of:
                self._made, self._made_of = await beside(self._make), mark
            return self._made
