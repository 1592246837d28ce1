"""Who is taken to be there, and who is not called at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import closing
from threading import Timer

import pytest

from scanner.probe import neighbourhood, presence, sweep
from scanner.probe.neighbourhood import Way
from scanner.probe.pace import Pace
from scanner.probe.presence import Presence
from scanner.probe.scope import Scope
from scanner.probe.sweep import Found
from scanner.probe.targets import Written

MAC = "02:00:00:00:00:07"
ON_LINK = Way("v0", "192.168.1.1", direct=True, own=False)
ROUTED = Way("v0", "192.168.1.1", direct=False, own=False)


def scope(*targets: str) -> Scope:
    return Scope([Written(one) for one in targets], resolve=lambda _: ())


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> dict[str, Way]:
    """Ways by address; raw packets may be sent, and find what is at an address that ends in 7."""
    ways: dict[str, Way] = {}

    class Swept:
        strangers = 3

        def __init__(self, scope: Scope, pace: Pace) -> None:
            pass

        async def over(self, addresses: Iterable[str]) -> AsyncIterator[Found]:
            for ip in addresses:
                if ip.endswith("7"):
                    yield Found(ip, MAC if ways.get(ip) is ON_LINK else None, "arp")
            yield Found("fd00::77", MAC, "multicast")

    monkeypatch.setattr(neighbourhood, "may_sweep", lambda: None)
    monkeypatch.setattr(neighbourhood, "way", lambda ip: ways.get(ip))
    monkeypatch.setattr(presence, "hardware_address", lambda name: b"\2" * 6 if name == "v0" else None)
    monkeypatch.setattr(neighbourhood, "neighbours", lambda: {"192.168.1.8": MAC})
    monkeypatch.setattr(sweep, "Sweep", Swept)
    return ways


def swept(known: Presence, also: Iterable[str] = ()) -> Presence:
    with closing(known):
        known.sweep((0, 0), 1, (0, 100), also)
    return known


def test_on_our_links_who_does_not_answer_is_not_there(network: dict[str, Way]) -> None:
    network |= {"192.168.1.7": ON_LINK, "192.168.1.8": ON_LINK}
    known = swept(Presence(scope("192.168.1.7-8")))
    assert known("192.168.1.7") is True
    assert known("192.168.1.8") is False


def test_beyond_a_router_only_calling_tells(network: dict[str, Way]) -> None:
    network["10.0.0.8"] = ROUTED
    known = swept(Presence(scope("10.0.0.7-8")))
    assert known("10.0.0.7") is True
    assert known("10.0.0.8") is None


def test_on_a_tunnel_only_calling_tells(network: dict[str, Way]) -> None:
    network["10.8.0.8"] = Way("wg0", "10.8.0.1", direct=True, own=False)
    assert swept(Presence(scope("10.8.0.8")))("10.8.0.8") is None


def test_our_own_address_is_called(network: dict[str, Way]) -> None:
    network["192.168.1.1"] = Way("lo", "192.168.1.1", direct=True, own=True)
    assert swept(Presence(scope("192.168.1.1")))("192.168.1.1") is None


def test_without_rights_all_are_called_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbourhood, "may_sweep", lambda: neighbourhood.WITHOUT_RIGHTS)
    known = swept(Presence(scope("192.168.1.7")))
    assert known("192.168.1.7") is None
    assert known.lost == neighbourhood.WITHOUT_RIGHTS


def test_what_was_found_beside_those_asked_one_by_one_is_visited_last(network: dict[str, Way]) -> None:
    known = swept(Presence(scope("192.168.1.7", "fd00::/64")), ["fd00::5", "fd01::6", "192.168.1.7"])
    assert list(known.beside()) == ["fd00::5", "fd00::77"]


def test_addresses_are_asked_a_span_after_the_other(network: dict[str, Way]) -> None:
    network |= {f"192.168.1.{last}": ON_LINK for last in (7, 17)}
    with closing(Presence(scope("192.168.1.7", "192.168.1.17"))) as known:
        known.sweep((0, 0), 0, (0, 1))
        assert sum(known(ip) is True for ip in network) == 1
        known.sweep((0, 0), 0, (1, 1))
        assert all(known(ip) for ip in network)


def test_one_that_was_let_go_of_asks_nobody(network: dict[str, Way]) -> None:
    network["192.168.1.7"] = ON_LINK
    known = Presence(scope("192.168.1.7"))
    known.close()
    known.sweep((0, 0), 0, (0, 1))
    assert (known("192.168.1.7"), known.lost) == (False, None)


def test_a_sweep_that_is_stopped_ends_at_once_and_has_not_failed(
    network: dict[str, Way], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Endless(sweep.Sweep):
        async def over(self, addresses: Iterable[str]) -> AsyncIterator[Found]:
            yield Found("192.168.1.7", None, "icmp")
            await asyncio.sleep(60)

    monkeypatch.setattr(sweep, "Sweep", Endless)
    with closing(Presence(scope("192.168.1.7"))) as known:
        Timer(0.5, known.stop).start()
        known.sweep((0, 0), 0, (0, 1))
    assert (known("192.168.1.7"), known.lost) == (True, None)


def test_macs_come_from_the_answer_else_from_the_kernel(network: dict[str, Way]) -> None:
    network |= {"192.168.1.7": ON_LINK, "192.168.1.8": ON_LINK, "10.0.0.9": ROUTED}
    known = swept(Presence(scope("192.168.1.7-8", "10.0.0.9")))
    assert known.mac("192.168.1.8") is None
    known.look()
    assert [known.mac(ip) for ip in ("192.168.1.7", "192.168.1.8", "10.0.0.9")] == [MAC, MAC, None]
    assert presence.neighbourhood is neighbourhood


def test_answers_from_outside_the_scope_are_counted(network: dict[str, Way]) -> None:
    assert swept(Presence(scope("192.168.1.7"))).strangers == 3


def test_where_a_sweep_fails_all_are_called_and_it_is_said(
    network: dict[str, Way], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sweep, "Sweep", None)
    network["192.168.1.8"] = ON_LINK
    known = swept(Presence(scope("192.168.1.8")))
    assert (known("192.168.1.8"), known.lost) == (None, presence.FAILED)
    assert "TypeError" in capfd.readouterr().err
