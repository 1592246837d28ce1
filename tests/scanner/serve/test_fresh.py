"""What was made stays until the inventory changes, and is made once for all who ask."""

import asyncio
import time
from collections.abc import Iterator
from itertools import count

import pytest

from scanner.serve.fresh import Fresh


class Maker:
    """Makes numbers of what its inventory is at."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.at: object = 0
        self.made: Iterator[int] = count(1)
        self.takes_s = takes_s

    def make(self) -> bytes:
        time.sleep(self.takes_s)
        return str(next(self.made)).encode()

    def mark(self) -> object:
        return self.at


def test_it_is_made_once_until_the_inventory_changes() -> None:
    maker = Maker()

    async def asked() -> list[bytes]:
        fresh = Fresh(maker.make, maker.mark)
        found = [await fresh.get(), await fresh.get()]
        maker.at = 1
        return [*found, await fresh.get()]

    assert asyncio.run(asked()) == [b"1", b"1", b"2"]


def test_many_who_ask_at_once_get_the_same() -> None:
    maker = Maker(0.05)

    async def asked() -> list[bytes]:
        fresh = Fresh(maker.make, maker.mark)
        return list(await asyncio.gather(*(fresh.get() for _ in range(20))))

    assert asyncio.run(asked()) == [b"1"] * 20


def test_a_fault_is_told_and_the_next_who_asks_has_it_made_anew() -> None:
    maker = Maker()
    faults = iter([OSError("locked")])

    def make() -> bytes:
        for fault in faults:
            raise fault
        return maker.make()

    async def asked() -> bytes:
        fresh = Fresh(make, maker.mark)
        with pytest.raises(OSError, match="locked"):
            await fresh.get()
        return await fresh.get()

    assert asyncio.run(asked()) == b"1"
