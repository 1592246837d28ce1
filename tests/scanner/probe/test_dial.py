"""The gate to the network: what may pass, how often is called, and what is done when something lacks here."""

import asyncio
import errno
import os
import resource
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import hostile
import pytest
from hostile import Server, closes, drips, says, waits

from scanner.conversation import Endpoint
from scanner.probe import dial
from scanner.probe.dial import NOBODY, RECONNECTS, Dialler, OutOfScopeError, Unreachable
from scanner.probe.pace import Pace
from scanner.probe.player import Player, State
from scanner.protocols import http, smtp
from scanner.services import Answered
from scanner.session import Answer, Asker, Dialect

HOST = "127.0.0.1"
OK = b"HTTP/1.1 404 no\r\nContent-Length: 0\r\n\r\n"


class Deaf:
    def heard(self, said: bytes, answer: Answer, inside: bool) -> None:
        pass

    def secured(self, layer: Any) -> None:
        pass


class Turns(Pace):
    """Notes what it is told."""

    def __init__(self) -> None:
        super().__init__(0, 0)
        self.told: list[str] = []

    def reserve(self, host: str, now: float) -> float:
        self.told.append("turn")
        return super().reserve(host, now)

    def answered(self, now: float) -> None:
        self.told.append("answered")

    def vanished(self, now: float) -> None:
        self.told.append("vanished")


@pytest.fixture(autouse=True)
def all_is_closed() -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) == before


def player(dialect: Dialect = smtp.DIALECT) -> Player:
    return Player(dialect, Asker(host=HOST), Deaf(), None)


def dialled(
    what: Callable[[Dialler], Awaitable[Any]], turns: Pace | None = None, at_once: int = 256
) -> Dialler:
    """What a dialler has counted after something was done with it."""

    async def done() -> Dialler:
        dialler = Dialler([HOST], turns or Pace(0, 0), at_once)
        await what(dialler)
        return dialler

    return asyncio.run(done())


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def met(server: Server, dialect: Dialect = smtp.DIALECT) -> tuple[Player, Dialler]:
    played = player(dialect)

    async def meet(dialler: Dialler) -> None:
        async with hostile.listening(server) as port:
            await dialler.play(Endpoint(HOST, port), played)

    return played, dialled(meet)


@pytest.mark.parametrize("host", ["127.0.0.2", "192.0.2.1", "::1"])
def test_nothing_leaves_for_an_address_outside_the_scope(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "_socket", lambda *_: pytest.fail("a socket was made"))
    with pytest.raises(OutOfScopeError, match=host):
        dialled(lambda dialler: dialler.play(Endpoint(host, 25), player()))
    with pytest.raises(OutOfScopeError, match=host):
        dialled(lambda dialler: dialler.inquire(host, [(161, b"x")]))


def test_a_refusal_is_told_at_the_first_try() -> None:
    turns = Turns()
    with pytest.raises(Unreachable) as told:
        dialled(lambda dialler: dialler.play(Endpoint(HOST, free_port()), player()), turns)
    assert (told.value.outcome, turns.told) == (Answered.REFUSED, ["turn"])


def failing(code: int) -> Callable[..., Awaitable[int]]:
    async def begin(*_: Any) -> int:
        return code

    return begin


@pytest.mark.parametrize(
    ("code", "tries", "told", "detail"),
    [
        pytest.param(errno.ETIMEDOUT, 3, ["turn", "vanished"] * 3, "no answer", id="known to be there"),
        pytest.param(errno.ETIMEDOUT, 1, ["turn"], "no answer", id="a knock says nothing of the pace"),
        pytest.param(errno.EHOSTUNREACH, 3, ["turn"], NOBODY, id="nobody is there"),
        pytest.param(errno.EPERM, 3, ["turn"], "forbidden by a filter here", id="a filter of ours"),
        pytest.param(errno.ENETDOWN, 3, ["turn"], "network is down", id="the network is down"),
        pytest.param(errno.EMFILE, 3, ["turn"] * 4, "too many open files", id="no file is left here"),
        pytest.param(errno.EADDRNOTAVAIL, 1, ["turn"] * 4, "cannot assign requested address", id="no port"),
    ],
)
def test_a_connection_that_does_not_come_about(
    code: int, tries: int, told: list[str], detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "LACK_S", 0.0)
    monkeypatch.setattr(dial, "LACKS", 4)
    monkeypatch.setattr(Dialler, "_begin", failing(code))
    turns = Turns()
    with pytest.raises(Unreachable) as fault:
        dialled(lambda dialler: dialler.play(Endpoint(HOST, 25), player(), tries), turns)
    assert (fault.value.outcome, fault.value.detail) == (Answered.FILTERED, detail)
    assert turns.told == told


def lacking(ip: str, kind: int) -> socket.socket:
    raise OSError(errno.EAFNOSUPPORT, "no such family")


@pytest.mark.parametrize("host", ["fe80::1%gone0", "127.0.0.1"])
def test_an_interface_that_is_gone_is_no_traceback(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "%" not in host:  # the kernel has no such family, or no memory for it
        monkeypatch.setattr(dial, "_socket", lacking)
    monkeypatch.setattr(Dialler, "_guard", lambda *_: None)
    with pytest.raises(Unreachable) as fault:
        dialled(lambda dialler: dialler.play(Endpoint(host, 25), player()))
    assert fault.value.outcome is Answered.FILTERED


def test_a_syn_is_given_up_before_the_kernel_sends_another() -> None:
    """A full backlog drops what comes: nobody answers, as behind a filter."""

    async def called(dialler: Dialler) -> None:
        with socket.socket() as full, socket.socket() as first, socket.socket() as second:
            full.bind((HOST, 0))
            full.listen(0)
            for one in (first, second):
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            began = time.monotonic()
            with pytest.raises(Unreachable) as fault:
                await dialler.play(Endpoint(HOST, full.getsockname()[1]), player(), 1)
            assert fault.value.outcome is Answered.FILTERED
            assert 0.9 < time.monotonic() - began < 1.5

    assert dialled(called).counts.connects == 1


def test_a_server_that_closes_each_connection_is_called_for_each_request() -> None:
    played, dialler = met(says(b"", OK, then=closes, at_once=True), http.DIALECT)
    assert (played.state, dialler.counts.connects) == (State.DONE, 2)


def test_it_is_not_called_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(player: Player) -> bytes:
        player.state = State.PLAYING
        return b""

    monkeypatch.setattr(Player, "begin", begin)
    monkeypatch.setattr(Player, "hung_up", lambda player, _: setattr(player, "state", State.AGAIN))
    played, dialler = met(closes, http.DIALECT)
    assert dialler.counts.connects == RECONNECTS
    assert played.outcome is Answered.TIMEOUT


@pytest.mark.parametrize(
    ("server", "detail", "at_least", "at_most"),
    [
        pytest.param(waits, "nothing said for 0 s", 0.3, 0.8, id="silence"),
        pytest.param(drips(b"x", b"220 "), "not done in 1 s", 0.8, 2.0, id="a trickle"),
    ],
)
def test_what_is_waited_for_is_bounded(
    server: Server, detail: str, at_least: float, at_most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "QUIET_S", 0.3)
    monkeypatch.setattr(dial, "LONGEST_S", 0.8)
    began = time.monotonic()
    played, _ = met(server)
    assert (played.outcome, played.detail) == (Answered.TIMEOUT, detail)
    assert at_least < time.monotonic() - began < at_most


def test_who_fails_before_a_word_is_said_leaves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    played = Player(smtp.DIALECT, Asker(host=HOST, secure=True), Deaf(), None)

    async def meet(dialler: Dialler) -> None:
        async with hostile.listening(waits) as port:
            await dialler.play(Endpoint(HOST, port), played)

    dialled(meet)
    assert (played.outcome, caplog.records) == (Answered.HANDSHAKE_ERROR, [])


def test_all_connections_of_a_script_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "LONGEST_S", 0.5)

    async def slowly(reader: hostile.Reader, writer: hostile.Writer) -> None:
        await reader.read(4096)
        await asyncio.sleep(0.3)
        writer.write(OK)

    began = time.monotonic()
    played, dialler = met(slowly, http.DIALECT)
    assert (played.outcome, dialler.counts.connects) == (Answered.TIMEOUT, 2)
    assert 0.4 < time.monotonic() - began < 1.2


def test_no_more_connections_are_open_than_there_are_files_for(monkeypatch: pytest.MonkeyPatch) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = open_now = 0

    async def counted(reader: hostile.Reader, writer: hostile.Writer) -> None:
        nonlocal most, open_now
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.02)
        open_now -= 1

    async def many(dialler: Dialler) -> None:
        async with hostile.listening(counted) as port:
            end = Endpoint(HOST, port)
            await asyncio.gather(*(dialler.play(end, player()) for _ in range(60)))

    used = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (dial.FILES_ELSE + 8, hard))
    try:
        if used < dial.FILES_ELSE - 8:
            dialled(many)
            assert most <= 9
        dialler = dialled(lambda dialler: asyncio.sleep(0))
        assert dialler._free._value == 8
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_who_is_stopped_leaves_nothing_open() -> None:
    async def stopped(dialler: Dialler) -> None:
        async with hostile.listening(waits) as port:
            asking = [asyncio.create_task(dialler.play(Endpoint(HOST, port), player())) for _ in range(20)]
            await asyncio.sleep(0.1)
            for task in asking:
                task.cancel()
            done = await asyncio.gather(*asking, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in done)

    dialled(stopped)


def test_datagrams_of_others_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "REPLY_S", 0.3)
    monkeypatch.setattr(dial, "REPLIES_KEPT", 3)
    heard: list[tuple[int, bytes]] = []

    async def inquired(dialler: Dialler) -> None:
        loop = asyncio.get_running_loop()
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
        ):
            server.bind((HOST, 0))
            other.bind(("127.0.0.9", 0))
            server.setblocking(False)

            def answer() -> None:
                data, asker = server.recvfrom(99)
                other.sendto(b"a lie", asker)
                for _ in range(5):
                    server.sendto(data.upper(), asker)

            loop.add_reader(server, answer)
            port = server.getsockname()[1]
            heard.extend(await dialler.inquire(HOST, [(port, b"who?")]))
            loop.remove_reader(server)
            assert heard == [(port, b"WHO?")] * 3

    assert dialled(inquired).counts.datagrams == 1


def test_a_farewell_that_is_not_answered_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "LEAVE_S", 0.2)

    async def mute(reader: hostile.Reader, writer: hostile.Writer) -> None:
        writer.write(b"220 mx ESMTP\r\n")
        while line := await reader.readline():
            if not line.startswith(b"QUIT"):
                writer.write(b"250 mx\r\n")

    began = time.monotonic()
    played, _ = met(mute)
    assert (played.state, played.outcome) == (State.DONE, Answered.ANSWERED)
    assert time.monotonic() - began < dial.QUIET_S / 3
