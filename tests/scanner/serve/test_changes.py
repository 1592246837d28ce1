"""Listeners hear of what changes, once each; nobody polls for none; there is an end to their number."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from starlette.types import Message

from scanner.serve import changes
from scanner.serve.changes import Changes, EventStream
from tests.scanner.serve.sources import Imitation

POLL_S = 0.01


def listening(source: Imitation, listeners: int = 4) -> Changes:
    return Changes(source.source(), POLL_S, listeners)


async def heard(events: AsyncIterator[str]) -> str:
    async with asyncio.timeout(20):
        return await anext(events)


def played(test: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await test()

    asyncio.run(run())


def test_a_listener_hears_how_it_is_and_what_changes() -> None:
    async def test() -> None:
        source = Imitation()
        told = listening(source)
        assert told.join()
        events = told.events()
        assert await heard(events) == "retry: 5000\n\n"
        assert await heard(events) == 'event: news\ndata: {"hosts": 0}\n\n'
        source.at = 10
        assert await heard(events) == 'event: news\ndata: {"hosts": 1}\n\n'
        told.leave()

    played(test)


def test_what_changes_no_count_is_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "HEARTBEAT_S", 0.3)

    async def test() -> None:
        source = Imitation()
        told = listening(source)
        assert told.join()
        events = told.events()
        await heard(events), await heard(events)
        source.at = 9
        assert await heard(events) == ": still here\n\n"
        assert source.counts == 2
        told.leave()

    played(test)


def test_all_hear_the_same_of_one_poll() -> None:
    async def test() -> None:
        source = Imitation()
        told = listening(source)
        streams = []
        for _ in range(4):
            assert told.join()
            streams.append(told.events())
        for events in streams:
            await heard(events)
            assert "0" in await heard(events)
        assert source.counts == 1
        source.at = 10
        assert {await heard(events) for events in streams} == {'event: news\ndata: {"hosts": 1}\n\n'}
        assert source.counts == 2
        for _ in streams:
            told.leave()

    played(test)


def test_there_is_an_end_to_listeners_and_who_leaves_makes_room() -> None:
    async def test() -> None:
        told = listening(Imitation(), 2)
        assert [told.join() for _ in range(3)] == [True, True, False]
        told.leave()
        assert told.join()
        told.leave()
        told.leave()

    played(test)


def test_nothing_is_polled_while_nobody_listens() -> None:
    async def test() -> None:
        source = Imitation()
        told = listening(source)
        await asyncio.sleep(5 * POLL_S)
        assert source.polls == 0
        assert told.join()
        events = told.events()
        await heard(events), await heard(events)
        told.leave()
        await asyncio.sleep(5 * POLL_S)
        polls = source.polls
        await asyncio.sleep(10 * POLL_S)
        assert source.polls == polls

    played(test)


def test_a_locked_inventory_is_waited_for() -> None:
    async def test() -> None:
        source = Imitation(locked=True)
        told = listening(source)
        assert told.join()
        events = told.events()
        assert await heard(events) == "retry: 5000\n\n"
        await asyncio.sleep(5 * POLL_S)
        source.locked = False
        assert await heard(events) == 'event: news\ndata: {"hosts": 0}\n\n'
        told.leave()

    played(test)


@pytest.mark.parametrize("way", ["goes", "breaks off"])
def test_who_goes_has_left(way: str) -> None:
    async def test() -> None:
        told = listening(Imitation(), 1)
        assert told.join()
        sent: list[Message] = []

        async def receive() -> Message:
            while len(sent) < 2:
                await asyncio.sleep(POLL_S)
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)
            if way == "breaks off" and len(sent) > 2:
                raise OSError("broken pipe")

        scope = {"type": "http", "method": "GET", "asgi": {"spec_version": "2.3"}}
        try:
            async with asyncio.timeout(20):
                await EventStream(told)(scope, receive, send)
        except Exception:
            assert way == "breaks off"
        assert told.join()
        told.leave()

    played(test)
