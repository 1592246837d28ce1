"""A clock that is set is noticed, and no connection is ended or dated wrongly by it."""

from __future__ import annotations

import pytest
from packets import BEGAN, MILLISECOND, SECOND, C, Connection, Packet, S, batch

from scanner.account import Usernames
from scanner.announcements import Told
from scanner.catalogue.exchange import load_catalogue
from scanner.gatherer import Gathered
from scanner.model import Observation
from scanner.pipeline import Pipeline
from scanner.watch.clock import SMALLEST_NS, Jumps


class Clocks:
    """The wall clock and one that is never set, ns."""

    def __init__(self) -> None:
        self.wall, self.steady = BEGAN, 5

    def jumps(self) -> Jumps:
        return Jumps(lambda: self.wall, lambda: self.steady)

    def go(self, seconds: float, set_by: float = 0) -> None:
        self.steady += int(seconds * SECOND)
        self.wall += int((seconds + set_by) * SECOND)


@pytest.mark.parametrize("by", [1, 3600, 86_400 * 9000, -1, -3600, -86_400 * 9000])
def test_a_clock_that_is_set_is_noticed_once(by: int) -> None:
    clocks = Clocks()
    jumps = clocks.jumps()
    assert jumps.jump() == 0
    clocks.go(0.5, set_by=by)
    assert jumps.jump() == by * SECOND
    clocks.go(86_400)
    assert jumps.jump() == 0
    clocks.go(1, set_by=-by)
    assert jumps.jump() == -by * SECOND


def test_slewing_is_none_till_it_comes_to_a_second() -> None:
    clocks = Clocks()
    jumps = clocks.jumps()
    found = []
    for _ in range(6000):
        clocks.go(1, set_by=0.0005)  # what NTP slews at most
        found.append(jumps.jump())
    assert {one for one in found if one} == {SMALLEST_NS}
    assert len([one for one in found if one]) == 3


def test_by_itself_the_clock_goes_right() -> None:
    assert Jumps().jump() == 0


def talk(client: str) -> Connection:
    return Connection((client, 50000), ("192.0.2.1", 25)).open().say(
        (S, b"220 mx ESMTP\r\n"), (C, b"EHLO copier\r\n"), (S, b"250-mx\r\n250 AUTH LOGIN\r\n")
    )  # fmt: skip


@pytest.mark.parametrize("by_s", [-7200, -400, -5, 5, 400, 7200, 86_400 * 9000])
@pytest.mark.parametrize("late", [False, True], ids=["all is gathered", "some waits to be heard"])
def test_a_connection_that_is_open_meanwhile_is_one_session(by_s: int, late: bool) -> None:
    """Packets that the kernel dated before the clock was set may be heard after."""
    pipeline = Pipeline(load_catalogue(), "here", Usernames.KEEP, live=True)
    gatherer, bench = pipeline.gatherer(), pipeline.bench("eth1", lambda found, _: found)
    found: list[Observation] = []

    def hear(packets: list[Packet], until: int, *, set_by: int = 0) -> None:
        given = [*gatherer.gather(batch(packets)), gatherer.so_far(until)]
        if set_by:
            given = [Gathered(None, Told(), clock_set=set_by), *(one.redated(set_by, until) for one in given)]
        found.extend(seen for one in given for some in bench.hear(one) for seen in some)

    connection = talk("10.0.0.1")
    hear(talk("10.0.0.2").packets, BEGAN + MILLISECOND)  # is silent from here on
    said, shown = connection.packets, len(connection.packets)
    for second in range(40):  # what is idle is looked for
        hear(said[: -2 if late else None] if second == 0 else [], BEGAN + (second + 1) * SECOND)
    by = by_s * SECOND
    now = connection.at = BEGAN + 41 * SECOND + by
    connection.say((C, b"MAIL FROM:<a@example.com>\r\n"))
    hear([*(said[shown - 2 : shown] if late else []), said[-1]], now + 10 * MILLISECOND, set_by=by)
    for second in range(40):
        hear([], now + (second + 1) * SECOND)
    assert (found, bench.open) == ([], 2)
    connection.at = now + 41 * SECOND
    last = len(said)
    connection.say((S, b"250 ok\r\n"), (C, b"RCPT TO:<b@example.com>\r\n"), (S, b"250 ok\r\n"))
    connection.say((C, b"DATA\r\n"), (S, b"354 go\r\n"), (C, b"x\r\n.\r\n"), (S, b"250 ok\r\n")).close()
    hear(said[last:], connection.at)
    (seen,) = found
    assert (seen.client_name, seen.mails, seen.gaps) == ("copier", 1, 0)
    assert seen.first_seen == BEGAN + MILLISECOND + by
    assert seen.last_seen == connection.at - MILLISECOND
