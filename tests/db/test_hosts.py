"""Which endpoints are one host, and listing them."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from db.filters import HostFilter, Lens
from db.queries import SessionFilter
from db.store import Inventory
from scanner.events import Outcome
from scanner.model import AuthClass, Host, Level, Verdict
from tests.db.samples import FINE, SEEN, filled, other


def test_a_mac_with_many_addresses_is_a_router(tmp_path: Path) -> None:
    many = [other(client_ip=f"10.0.0.{number}") for number in range(1, 7)]
    with filled(tmp_path / "i.db", *many) as kept:
        hosts = [host for host, _ in kept.hosts(replace(FINE, vendor=lambda _: "Cisco"))]
        routers = [host for host in hosts if host.router]
        assert [host.vendor for host in routers] == ["Cisco"]
        assert {(host.host, host.vendor) for host in hosts if not host.router} == {
            (f"10.0.0.{number}", None) for number in range(1, 7)
        }


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param(HostFilter(), 1, id="no filter"),
        pytest.param(HostFilter(verdict=Level.FINE), 1, id="its verdict"),
        pytest.param(HostFilter(verdict=Level.BROKEN), 0, id="another verdict"),
        pytest.param(HostFilter(protocol="smtp"), 1, id="its protocol"),
        pytest.param(HostFilter(protocol="imap"), 0, id="another protocol"),
        pytest.param(HostFilter(mechanism="LOGIN"), 1, id="its mechanism"),
        pytest.param(HostFilter(mechanism="PLAIN"), 0, id="another mechanism"),
        pytest.param(HostFilter(vendor="ricoh"), 1, id="its vendor"),
        pytest.param(HostFilter(vendor="canon"), 0, id="another vendor"),
        pytest.param(HostFilter(since=2_000), 1, id="seen since"),
        pytest.param(HostFilter(since=2_001), 0, id="not seen since"),
        pytest.param(HostFilter(where="10.0.0.0/8"), 1, id="in its prefix"),
        pytest.param(HostFilter(where="192.0.2.0/24"), 0, id="not in that prefix"),
        pytest.param(HostFilter(where="nonsense/99"), 0, id="no prefix at all"),
        pytest.param(HostFilter(where="COPIER"), 1, id="part of its name"),
    ],
)
def test_filters(tmp_path: Path, wanted: HostFilter, found: int) -> None:
    with filled(tmp_path / "i.db", SEEN) as kept:
        assert len(kept.hosts(replace(FINE, vendor=lambda _: "RICOH COMPANY"), wanted)) == found


@pytest.mark.parametrize("name", ["00-26-73-00-00-01", "10.0.0.1", "Copier", "00:26:73:00:00:01"])
def test_a_host_answers_to_its_names(tmp_path: Path, name: str) -> None:
    with filled(tmp_path / "i.db", SEEN) as kept:
        found = kept.host(name, FINE)
        assert found is not None
        assert list(kept.sessions(SessionFilter(host=found[0]))) == [SEEN]
        assert kept.host("nobody", FINE) is None


def by_mechanism(host: Host) -> Verdict:
    """Judge by the ways alone."""
    level = Level.BREAKS if any(use.auth_class is AuthClass.BASIC for use in host.usage) else Level.FINE
    return Verdict(level, None, ())


def test_the_worst_come_first_then_by_name(tmp_path: Path) -> None:
    good = other(client_ip="10.0.0.2", client_mac=None, mechanism="XOAUTH2", auth_class=AuthClass.OAUTH)
    bad = [other(client_ip=f"10.0.0.{number}", client_mac=None) for number in (4, 3)]
    with filled(tmp_path / "i.db", good, *bad) as kept:
        found = kept.hosts(Lens(by_mechanism))
        assert [host.host for host, _ in found] == ["10.0.0.3", "10.0.0.4", "10.0.0.2"]
        assert found.levels == [Level.BREAKS, Level.BREAKS, Level.FINE]
        assert [host.host for host, _ in found[1:]] == ["10.0.0.4", "10.0.0.2"]
        assert found[2][1].level is Level.FINE


def test_hosts_that_use_the_same_are_judged_once(tmp_path: Path) -> None:
    asked: list[Host] = []

    def judge(host: Host) -> Verdict:
        asked.append(host)
        return FINE.judge(host)

    seen = [other(client_ip=f"10.0.1.{number}", client_mac=None) for number in range(50)]
    with filled(tmp_path / "i.db", *seen) as kept:
        assert len(kept.hosts(Lens(judge))) == 50
        assert len(asked) == 1


def test_a_host_of_two_addresses_is_one(tmp_path: Path) -> None:
    second = other(client_ip="2001:db8::1", client_port=1, mechanism="PLAIN", first_seen=500, last_seen=9_000)
    with filled(tmp_path / "i.db", SEEN, second) as kept:
        ((host, _),) = kept.hosts(FINE)
        assert host.addresses == ("10.0.0.1", "2001:db8::1")
        assert {use.mechanism for use in host.usage} == {"LOGIN", "PLAIN"}
        assert (host.first_seen, host.last_seen) == (500, 9_000)


def test_privacy_addresses_of_one_network_make_no_router(tmp_path: Path) -> None:
    seen = [other(client_ip=f"2001:db8::{number:x}") for number in range(1, 30)]
    with filled(tmp_path / "i.db", *seen) as kept:
        assert [host.router for host, _ in kept.hosts(FINE)] == [False]
    seen = [other(client_ip=f"2001:db8:{number:x}::1") for number in range(1, 6)]
    with filled(tmp_path / "j.db", *seen) as kept:
        assert sorted(host.router for host, _ in kept.hosts(FINE)) == [False] * 5 + [True]


def test_the_sessions_of_a_router_are_those_behind_it(tmp_path: Path) -> None:
    many = [other(client_ip=f"10.0.0.{number}") for number in range(1, 7)]
    with filled(tmp_path / "i.db", *many) as kept:
        found = kept.host("00:26:73:00:00:01", FINE)
        assert found is not None
        router = found[0]
        assert router.router
        assert len(list(kept.sessions(SessionFilter(host=router)))) == 6


def test_protocol_and_mechanism_must_be_of_one_usage(tmp_path: Path) -> None:
    second = other(client_port=1, protocol="imap", mechanism="PLAIN", outcome=Outcome.REFUSED)
    with filled(tmp_path / "i.db", SEEN, second) as kept:
        assert len(kept.hosts(FINE, HostFilter(protocol="smtp", mechanism="login"))) == 1
        assert len(kept.hosts(FINE, HostFilter(protocol="imap", mechanism="login"))) == 0


def test_more_hosts_than_a_page(tmp_path: Path) -> None:
    seen = [
        other(
            client_ip=f"10.{number // 250}.0.{number % 250}",
            client_mac=f"00:26:73:00:{number >> 8:02x}:{number & 255:02x}",
        )
        for number in range(1_000)
    ]
    random.Random(1).shuffle(seen)
    with filled(tmp_path / "i.db", *seen) as kept:
        found = kept.hosts(FINE)
        listed = [host for host, _ in found]
        assert [host.host for host in listed] == sorted(one.client_mac or "" for one in seen)
        assert all(host.usage[0].sessions == 1 and len(host.names) == 1 for host in listed)


def test_who_is_on_a_page_with_their_router_is_counted_once(tmp_path: Path) -> None:
    seen = [other(client_ip=f"10.{number // 250}.0.{number % 250}") for number in range(600)]
    with filled(tmp_path / "i.db", *seen) as kept:
        alone = [host for host, _ in kept.hosts(FINE) if not host.router]
        assert [[use.sessions for use in host.usage] for host in alone] == [[1]] * 600


def test_a_listing_of_nothing(tmp_path: Path) -> None:
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        assert list(kept.hosts(FINE)) == []
        assert kept.host("10.0.0.1", FINE) is None
