"""What a scan found is kept, resumed, shown with its hosts, and forgotten but for the last of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from db.filters import HostFilter
from db.store import Inventory, InventoryError
from scanner.model import LEASE, Host, Sighting
from scanner.services import Answered, ScanPlan, ScanTotals, Service
from scanner.totals import RunTotals
from tests.db.samples import FINE, filled, other
from tests.services import AT, DAY, bare, whole

PLAN = ScanPlan(("10.0.0.0/22",), ("10.0.0.9",), (25, 587), 1023, 7, (("rate", "200"),))
MAC, SECOND = "00:26:73:00:00:01", "00:26:73:00:00:02"
TOTALS = ScanTotals(1023, 30, 60, {Answered.ANSWERED: 12, Answered.REFUSED: 48}, 3, 2, ("no ARP: not root",))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Inventory]:
    with Inventory.open(str(tmp_path / "i.db")) as opened:
        yield opened


def scanned(kept: Inventory, *found: Service, mac: str | None = None, at: int = AT) -> int:
    run = kept.begin_scan("here", PLAN, at)
    kept.record_services(run, [(one, mac) for one in found])
    kept.finish_scan(run, TOTALS, at + 1)
    return run


def hosts(kept: Inventory, **wanted: Any) -> list[Host]:
    return [host for host, _ in kept.hosts(FINE, HostFilter(**wanted))]


@pytest.mark.parametrize(
    "service",
    [
        pytest.param(whole(), id="one with everything"),
        pytest.param(bare(), id="one with nothing"),
        pytest.param(bare(outcome=Answered.PROTOCOL_ERROR, detail="noise"), id="one that said nonsense"),
        pytest.param(whole(banner="\0\ud800\x1b'\""), id="hostile text"),
    ],
)
def test_a_service_comes_back_as_it_was(kept: Inventory, service: Service) -> None:
    run = scanned(kept, service)
    assert list(kept.scan_services(run)) == [service]
    assert kept.services_asked(run) == {(service.host, service.port)}
    assert hosts(kept, silent=True)[0].offers == (service,)


def test_what_a_newer_version_wrote_is_read_without_what_it_added(tmp_path: Path) -> None:
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        scanned(kept, whole())
    with closing(sqlite3.connect(tmp_path / "i.db", isolation_level=None)) as database:
        added = "json_set(record, '$.new', 1, '$.tls.new', 1, '$.paths[0].new', 1)"
        database.execute(f"UPDATE services SET record = {added}")
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        assert list(kept.scan_services(1)) == [whole()]


def test_a_scan_says_what_it_may_how_far_it_is_and_what_it_came_to(kept: Inventory) -> None:
    run = kept.begin_scan("here", PLAN, 5)
    (scan,) = kept.scans()
    assert (scan.id, scan.sensor, scan.plan, scan.began) == (run, "here", PLAN, 5)
    assert (scan.ended, scan.alive, scan.done, scan.totals) == (None, None, 0, ScanTotals())
    kept.scan_progress(run, 512, TOTALS, 6)
    (scan,) = kept.scans()
    assert (scan.ended, scan.alive, scan.done, scan.totals) == (None, 6, 512, TOTALS)
    kept.finish_scan(run, TOTALS, 7)
    second = kept.begin_scan("here", PLAN, 8)
    assert [(scan.id, scan.ended, scan.done) for scan in kept.scans()] == [(second, None, 0), (run, 7, 1023)]


def test_scans_are_no_listening(kept: Inventory) -> None:
    run = kept.begin_run("here", ["10.0.0.0/22"], 1)
    scanned(kept, whole())
    assert [one.id for one in kept.runs()] == [one.id for one in kept.unfinished()] == [run]
    kept.finish_run(run, RunTotals(packets=3), 9)
    kept.begin_scan("here", PLAN, 10)
    assert (kept.unfinished(), kept.hours()) == ([], [])


@pytest.mark.parametrize(
    ("plan", "resumed"),
    [
        pytest.param(PLAN, True, id="the same"),
        pytest.param(ScanPlan(PLAN.targets, PLAN.excludes, (587, 25)), True, id="the same in another order"),
        pytest.param(ScanPlan(("10.0.0.0/23",), PLAN.excludes, PLAN.ports), False, id="other targets"),
        pytest.param(ScanPlan(PLAN.targets, (), PLAN.ports), False, id="nothing excluded"),
        pytest.param(ScanPlan(PLAN.targets, PLAN.excludes, (25,)), False, id="other ports"),
    ],
)
def test_a_scan_of_the_same_scope_is_resumed(kept: Inventory, plan: ScanPlan, resumed: bool) -> None:
    run = kept.begin_scan("here", PLAN, 5)
    found = kept.unfinished_scan(plan)
    assert (found.id if found else None) == (run if resumed else None)


def test_what_ended_or_was_begun_anew_is_not_resumed(kept: Inventory) -> None:
    killed = kept.begin_scan("here", PLAN, 5)
    again = kept.begin_scan("here", PLAN, 6)
    assert [scan.id for scan in kept.unfinished_scans()] == [again] != [killed]
    kept.finish_scan(again, TOTALS, 7)
    assert (kept.unfinished_scan(PLAN), kept.unfinished_scans()) == (None, [])


def test_a_batch_is_kept_whole_or_not_at_all(tmp_path: Path, kept: Inventory) -> None:
    run = kept.begin_scan("here", PLAN, AT)
    with closing(sqlite3.connect(tmp_path / "i.db", isolation_level=None)) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON services BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
        with pytest.raises(InventoryError, match="full"):
            kept.record_services(run, [(whole(), MAC)], [Sighting("10.0.0.1", MAC, "mdns.host", "p", AT, AT)])
        assert hosts(kept, silent=True) == []
        database.execute("DROP TRIGGER full")
    kept.record_services(run, [(whole(), MAC)], [Sighting("10.0.0.1", MAC, "mdns.host", "p", AT, AT)])
    (host,) = hosts(kept)
    assert ([name.text for name in host.names], host.offers) == (["p"], (whole(),))


def test_a_port_asked_twice_by_one_scan_has_its_first_answer(kept: Inventory) -> None:
    run = scanned(kept, whole())
    kept.record_services(run, [(bare(port=587), None), (bare(), None)])
    assert list(kept.scan_services(run)) == [bare(), whole()]


@pytest.mark.parametrize("mac", [MAC, None], ids=["by its MAC", "by its address alone"])
def test_a_host_that_was_heard_and_scanned_is_one(tmp_path: Path, mac: str | None) -> None:
    with filled(tmp_path / "i.db", other(first_seen=AT, last_seen=AT)) as kept:
        run = kept.begin_scan("here", PLAN, AT)
        told = Sighting("10.0.0.1", mac or "", "smtp.banner", "mail.example.com ESMTP Postfix", AT, AT)
        kept.record_services(run, [(whole(), mac)], [told])
        (host,) = hosts(kept)
        assert (host.host, host.offers, len(host.usage)) == (MAC, (whole(),), 1)
        assert ("smtp.banner", told.text) in {(label.field, label.text) for label in host.labels}


@pytest.mark.parametrize(
    ("since", "found"),
    [pytest.param(DAY, SECOND, id="its last MAC's"), pytest.param(9 * DAY, None, id="nobody's any more")],
)
def test_an_address_of_several_machines_is_the_last_ones(
    kept: Inventory, since: int, found: str | None
) -> None:
    lent = [
        Sighting("10.0.0.1", mac, LEASE, "", AT - ago, AT - ago)
        for mac, ago in ((MAC, since + DAY), (SECOND, since))
    ]
    kept.record(kept.begin_run("here", [], 1), [], lent)
    scanned(kept, whole())
    assert [host.mac for host in hosts(kept)] == [found]


def test_the_last_answer_of_each_port_is_what_a_host_offers(kept: Inventory) -> None:
    scanned(kept, whole(), bare(port=25), bare(port=143), bare(port=993))
    later = [
        whole(at=AT + 1, offered=()),
        bare(port=25, at=AT + 1, outcome=Answered.REFUSED),
        bare(port=143, at=AT + 1, outcome=Answered.FILTERED),
        bare(port=110, at=AT + 1, outcome=Answered.TIMEOUT),
    ]
    run = scanned(kept, *later, at=AT + 1)
    (host,) = hosts(kept)
    assert host.offers == (later[3], bare(port=143), later[0], bare(port=993))
    assert {one.port for one in kept.scan_services(run)} == {25, 110, 143, 587}


def test_an_address_found_without_and_then_with_its_mac_is_told_of_once(kept: Inventory) -> None:
    scanned(kept, whole(offered=()), bare(port=25))
    scanned(kept, whole(at=AT + 1), mac=MAC)
    (host,) = hosts(kept)
    assert (host.mac, host.offers) == (MAC, (bare(port=25), whole(at=AT + 1)))


@pytest.mark.parametrize(
    ("service", "listed"),
    [
        pytest.param(bare(protocol="smtp"), True, id="it serves mail"),
        pytest.param(bare(protocol="http", service="ews"), True, id="it serves one of Exchange's paths"),
        pytest.param(bare(protocol="http"), False, id="it has a web page"),
        pytest.param(bare(protocol="smtp", outcome=Answered.TIMEOUT), False, id="it hung"),
        pytest.param(bare(outcome=Answered.REFUSED), False, id="nobody listens"),
    ],
)
def test_who_was_only_scanned_is_listed_if_it_serves_mail(
    kept: Inventory, service: Service, listed: bool
) -> None:
    scanned(kept, service)
    assert (len(hosts(kept)), len(hosts(kept, silent=True))) == (listed, True)
    assert hosts(kept, protocol="smtp") == []
    assert len(hosts(kept, since=AT)) == listed
    assert hosts(kept, since=AT + 1) == []
    (host,) = hosts(kept, silent=True)
    assert (host.first_seen, host.last_seen) == (AT, AT)


def test_who_no_longer_serves_mail_is_not_listed(kept: Inventory) -> None:
    scanned(kept, whole())
    scanned(kept, whole(outcome=Answered.FILTERED))
    assert len(hosts(kept)) == 1
    scanned(kept, whole(outcome=Answered.REFUSED))
    assert hosts(kept) == []


def test_of_old_scans_the_last_answer_of_each_port_is_kept(kept: Inventory) -> None:
    first = scanned(kept, whole(), bare(port=25), bare(port=993, outcome=Answered.FILTERED), at=AT)
    second = scanned(kept, whole(at=AT + 1), bare(port=25, outcome=Answered.FILTERED), at=AT + 10)
    before = hosts(kept)
    assert kept.forget(AT) == 0
    assert len(list(kept.scan_services(first))) == 3
    assert kept.forget(AT + 1) == 0
    assert list(kept.scan_services(first)) == [bare(port=25)]
    assert [scan.forgotten for scan in kept.scans()] == [False, True]
    assert len(list(kept.scan_services(second))) == 2
    assert kept.forget(AT + 11) == 0
    assert list(kept.scan_services(second)) == [whole(at=AT + 1)]
    assert hosts(kept) == before
    scanned(kept, whole(), bare(port=25), at=AT + 20)
    kept.forget(AT + 11)
    assert [*kept.scan_services(first), *kept.scan_services(second)] == []


def test_an_old_scan_that_lost_nothing_can_still_be_compared_with(kept: Inventory) -> None:
    run = scanned(kept, whole(), bare(port=993, outcome=Answered.FILTERED))
    assert kept.forget(AT + 1) == 0
    assert list(kept.scan_services(run)) == [whole()]
    assert [scan.forgotten for scan in kept.scans()] == [False]
