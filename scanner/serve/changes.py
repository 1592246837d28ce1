"""Tell listeners what changes in the inventory (server-sent events, HTML 9.2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from db.store import InventoryError
from scanner.serve.beside import beside
from scanner.serve.source import Source

LISTENERS = 64
"""Each is a connection that stays; a page in a window that nobody sees does not listen."""
POLL_S = 2.0
"""Between two looks at the inventory, for all listeners together, and only while there are any."""
REST = 9
"""Times what counting took that is waited before counting again: a tenth of a processor at most."""
HEARTBEAT_S = 15.0
"""Without news a comment: proxies end connections that are silent for a minute, and those gone are found."""
RETRY_MS = 5_000
"""When a page that lost its connection asks again."""


class Changes:
    """News of the inventory, polled once for all."""

    def __init__(self, source: Source, poll_s: float = POLL_S, listeners: int = LISTENERS) -> None:
        """Nobody listens yet."""
        self._source, self._poll_s, self._most = source, poll_s, listeners
        self._listeners = 0
        self._polling: asyncio.Task[None] | None = None
        self._news: str | None = None
        self._mark: object = None
        self._changed = asyncio.Event()

    def join(self) -> bool:
        """Have one listener more, unless there are too many; each must ``leave``."""
        if self._listeners >= self._most:
            return False
        self._listeners += 1
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll())
        return True

    def leave(self) -> None:
        """Have one less; while nobody listens, nothing is polled."""
        self._listeners -= 1
        if not self._listeners and self._polling:
            self._polling.cancel()
            self._polling = self._news = self._mark = None

    async def events(self) -> AsyncIterator[str]:
        """What one listener is told: how it is now, and each change."""
        yield f"retry: {RETRY_MS}\n\n"
        told = None
        while True:
            changed = self._changed
            if self._news != told:
                told = self._news
                yield f"event: news\ndata: {told}\n\n"
                continue
            try:
                await asyncio.wait_for(changed.wait(), HEARTBEAT_S)
            except TimeoutError:
                yield ": still here\n\n"

    async def _poll(self) -> None:
        while True:
            began = monotonic()
            with suppress(
                InventoryError
            ):  # locked or gone for a while: what was told stands until it is back
                mark = await beside(self._source.mark)
                if mark != self._mark:
                    self._tell(await beside(self._source.news))
                    self._mark = mark
            await asyncio.sleep(max(self._poll_s, REST * (monotonic() - began)))

    def _tell(self, news: str) -> None:
        if news != self._news:
            self._news = news
            self._changed.set()
            self._changed = asyncio.Event()


class EventStream(StreamingResponse):
    """The answer to a listener who has joined; when it ends for whatever reason he has left."""

    media_type = "text/event-stream"

    def __init__(self, changes: Changes) -> None:
        """Of one who has joined."""
        super().__init__(changes.events())
        self._changes = changes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell until he goes."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._changes.leave()
