"""Do what takes long beside the event loop, in threads that do not keep the program from ending."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def beside(work: Callable[[], T]) -> T:
    """Do work in a thread of its own; the program may end meanwhile, as no executor of asyncio lets it."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(tell: Callable[[], None]) -> None:
        if not outcome.done():  # else nobody waits any more
            tell()

    def run() -> None:
        try:
            tell = partial(outcome.set_result, work())
        except Exception as fault:
            tell = partial(outcome.set_exception, fault)
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, tell)

    Thread(target=run, daemon=True).start()
    return await outcome
