"""Do what takes long beside the event loop, in threads that do not keep the program from ending."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def beside(work: Callable[[], T]) -> T:
    """Do work in a thread of its own; the program may end meanwhile, as no executor of asyncio lets it."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, fault: BaseException | None) -> None:
        if outcome.done():  # nobody waits any more
            return
        if fault is None:
            outcome.set_result(value)  # type: ignore[arg-type]
        else:
            outcome.set_exception(fault)

    def run() -> None:
        value, fault = None, None
        try:
            value = work()
        except Exception as found:
            fault = found
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, value, fault)

    Thread(target=run, daemon=True).start()
    return await outcome
