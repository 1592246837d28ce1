"""Who is visited, what is asked of whom, how far a run is, and that it can be stopped anywhere."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, cast

import pytest

from scanner.conversation import Endpoint
from scanner.events import Label
from scanner.probe import expedition
from scanner.probe.dial import NOBODY, TRIES
from scanner.probe.errand import Errand, Found, way_of
from scanner.probe.expedition import PORTS_AT_ONCE, Expedition, Visit
from scanner.services import Answered, Service

PORTS = (25, 80, 110, 143, 443, 587)
HOST = "192.0.2.1"
Answers = Callable[[str, int], tuple[Answered, str]]


class Asked:
    """An errand that notes what it is asked, and answers by a function."""

    def __init__(self, answers: Answers) -> None:
        self.answers, self.ends, self.now, self.most = answers, list[tuple[str, int, int]](), 0, 0
        self.names: set[str | None] = set()

    async def ask(self, end: Endpoint, tries: int, name: str | None = None) -> Found:
        self.ends.append((end.ip, end.port, tries))
        self.names.add(name)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        outcome, detail = self.answers(end.ip, end.port)
        service = Service(end.ip, end.port, outcome, 0, detail=detail)
        return Found(service, way_of(end.port), (Label("http.title", "the same"),))


def by(outcome: Answered, detail: str = "") -> Answers:
    return lambda _ip, _port: (outcome, detail)


def only(port: int) -> Answers:
    return lambda _, asked: (Answered.REFUSED if asked == port else Answered.FILTERED, "")


def run(errand: Asked, addresses: Iterable[str] = (HOST,), **how: Any) -> list[Visit]:
    async def visits() -> list[Visit]:
        trip = Expedition(cast(Errand, errand), how.pop("ports", PORTS), **how)
        return [visit async for visit in trip.run(addresses)]

    return asyncio.run(visits())


@pytest.mark.parametrize(
    ("answers", "how", "ports", "found"),
    [
        pytest.param(by(Answered.ANSWERED), {}, {*PORTS}, 6, id="a machine is asked at all ports"),
        pytest.param(by(Answered.REFUSED), {}, {*PORTS}, 6, id="one that refuses is there"),
        pytest.param(only(80), {}, {*PORTS}, 6, id="one that answers to the third knock is there"),
        pytest.param(only(110), {}, {25, 443, 80, 587}, 0, id="who answers to no knock is left"),
        pytest.param(only(110), {"knock": False}, {*PORTS}, 6, id="unless every port is to be asked"),
        pytest.param(by(Answered.FILTERED, NOBODY), {}, {25}, 0, id="no second knock where nobody is"),
        pytest.param(by(Answered.FILTERED), {"there": lambda _: True}, {*PORTS}, 6, id="known to be there"),
        pytest.param(by(Answered.ANSWERED), {"there": lambda _: False}, set(), 0, id="known not to be"),
        pytest.param(by(Answered.ANSWERED), {"ports": (2525,)}, {2525}, 1, id="a single port"),
        pytest.param(by(Answered.ANSWERED), {"asked": lambda _, port: port != 143}, {143}, 1,
                     id="only what was not asked before"),
        pytest.param(by(Answered.ANSWERED), {"asked": lambda *_: True}, set(), 0, id="all was asked before"),
    ],
)  # fmt: skip
def test_what_is_asked_of_a_host(answers: Answers, how: dict[str, Any], ports: set[int], found: int) -> None:
    (visit,) = run(errand := Asked(answers), **how)
    assert {port for _, port, _ in errand.ends} == ports
    assert len(errand.ends) == len(ports)
    assert [service.port for service in visit.services] == sorted(ports)[: len(visit.services)]
    assert len(visit.services) == found


def test_a_knock_is_tried_once_and_what_is_known_to_be_there_again() -> None:
    run(errand := Asked(only(443)))
    assert [tries for _, _, tries in errand.ends] == [1, 1, TRIES, TRIES, TRIES, TRIES]


def test_few_ports_of_a_host_are_asked_at_a_time() -> None:
    run(errand := Asked(by(Answered.ANSWERED)), ports=tuple(range(1, 50)))
    assert errand.most == PORTS_AT_ONCE


def test_a_host_is_called_by_the_name_that_the_user_gave_it() -> None:
    (visit,) = run(errand := Asked(by(Answered.ANSWERED)), name_of={HOST: "mx.example.net"}.get)
    assert errand.names == {"mx.example.net"}
    assert visit.labels == (Label("http.title", "the same"),)


def test_many_are_visited_at_a_time_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expedition, "HOSTS_AT_ONCE", 7)
    hosts = [f"192.0.2.{number}" for number in range(100)]
    visits = run(errand := Asked(by(Answered.ANSWERED)), hosts, ports=(25,))
    assert sorted(visit.host for visit in visits) == sorted(hosts)
    assert errand.most == 7


def test_how_far_it_is_counts_no_host_that_a_slower_one_is_before() -> None:
    async def visits() -> list[int]:
        slow = asyncio.Event()

        class Slow(Asked):
            async def ask(self, end: Endpoint, tries: int, name: str | None = None) -> Found:
                if end.ip == "192.0.2.2":
                    await slow.wait()
                return await super().ask(end, tries, name)

        trip = Expedition(cast(Errand, Slow(by(Answered.ANSWERED))), (25,))
        trip.done = 40
        done = []
        async for _ in trip.run([f"192.0.2.{number}" for number in range(5)]):
            done.append(trip.done)
            if len(done) == 4:
                slow.set()
        return [*done, trip.done]

    assert asyncio.run(visits()) == [40, 41, 42, 42, 42, 45]


def test_a_run_that_is_stopped_ends_though_nobody_takes_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expedition, "HOSTS_AT_ONCE", 4)

    async def stopped() -> None:
        trip = Expedition(cast(Errand, Asked(by(Answered.ANSWERED))), (25,))
        visits = trip.run(f"192.0.2.{number}" for number in range(200))
        await anext(visits)
        for _ in range(50):  # the queue fills up
            await asyncio.sleep(0)
        await visits.aclose()

    async def in_time() -> None:
        await asyncio.wait_for(stopped(), 5)
        assert len(asyncio.all_tasks()) <= 2
        await asyncio.sleep(0.05)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(in_time())


def test_a_mistake_of_ours_is_no_end_in_silence() -> None:
    def broken(ip: str, port: int) -> tuple[Answered, str]:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup, match="unhandled"):
        run(Asked(broken), ports=(25,))
