"""Verdicts and filters go by pooled usages, and the list says what looking at a host says."""

import random
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from db import grouping
from db.filters import HostFilter, Lens
from db.grouping import WayKey
from db.schema import usages
from db.store import Inventory
from scanner.cli.settings import Settings, judge
from scanner.events import TlsMode
from scanner.model import (
    TOLD_APART,
    AuthClass,
    Basis,
    Device,
    Host,
    Level,
    Observation,
    ServerKind,
    Verdict,
)
from scanner.odds import constancy
from scanner.pooling import pool
from tests.db.samples import other

HOUR = 3_600 * 10**9
OAUTH, BASIC, UNKNOWN = AuthClass.OAUTH, AuthClass.BASIC, AuthClass.UNKNOWN
JUDGE = judge(Settings("", date(2026, 11, 24)))
LENS = Lens(JUDGE, pool=pool)


def inside(number: int, kind: AuthClass, confidence: float = 0.95, **changes: Any) -> Observation:
    """A session whose login was inferred."""
    made = other(
        first_seen=number * HOUR,
        last_seen=number * HOUR + 1_000,
        client_port=1_000 + number,
        tls_mode=TlsMode.STARTTLS,
        tls_version="TLSv1.2",
        mechanism={OAUTH: "XOAUTH2", BASIC: "LOGIN"}.get(kind),
        auth_class=kind,
        basis=Basis.INFERRED if confidence else Basis.ENDPOINT,
        confidence=confidence,
        mails=1,
    )
    return replace(made, **changes)


def only(kept: Inventory, lens: Lens = LENS) -> tuple[Host, Verdict]:
    (found,) = kept.hosts(lens)
    return found


@pytest.fixture
def kept(tmp_path: Path) -> Any:
    with Inventory.open(str(tmp_path / "i.db")) as opened:
        yield opened


def fill(kept: Inventory, *seen: Observation) -> None:
    kept.record(kept.begin_run("here", [], 1), seen)


def test_one_odd_and_some_lossy_sessions_do_not_decide(kept: Inventory) -> None:
    steady = [inside(number, OAUTH, (0.95, 0.96, 0.97)[number % 3]) for number in range(30)]
    fill(kept, *steady, inside(40, BASIC, 0.99), inside(41, UNKNOWN, 0.0))
    host, verdict = only(kept)
    assert verdict.level is Level.FINE
    (use,) = host.usage
    assert (use.auth_class, use.sessions, use.odd, use.untold, use.mails) == (OAUTH, 32, 1, 1, 32)
    assert [(reason.rule, reason.confidence) for reason in verdict.reasons] == [
        ("modern-login", use.confidence)
    ]


def test_two_real_ways_keep_the_worse_verdict(kept: Inventory) -> None:
    fill(kept, *(inside(n, OAUTH) for n in range(30)), *(inside(n, BASIC) for n in range(40, 50)))
    host, verdict = only(kept)
    assert verdict.level is Level.BREAKS
    assert sorted((use.auth_class, use.sessions) for use in host.usage) == [(BASIC, 10), (OAUTH, 30)]


def test_filters_go_by_what_sessions_come_to(kept: Inventory) -> None:
    fill(kept, *(inside(n, OAUTH) for n in range(30)), inside(40, BASIC))
    assert len(kept.hosts(LENS, HostFilter(mechanism="xoauth2"))) == 1
    assert len(kept.hosts(LENS, HostFilter(mechanism="LOGIN"))) == 0
    assert len(list(kept.sessions())) == 31


def test_logins_that_stay_as_long_count_once_a_session(kept: Inventory) -> None:
    seen = [inside(n, BASIC, 0.8, login_again=(None, True, False)[n % 3]) for n in range(30)]
    fill(kept, *seen)
    fill(kept, *seen)
    (use,) = only(kept)[0].usage
    assert (use.logins_same, use.logins_changed, use.sessions) == (10, 10, 30)


def confidence(tmp_path: Path, name: str, again: bool | None) -> float:
    with Inventory.open(str(tmp_path / name)) as kept:
        fill(kept, *(inside(n, BASIC, 0.8, login_again=again) for n in range(9)))
        host, verdict = only(kept)
        assert verdict.reasons[0].confidence == host.usage[0].confidence
        return host.usage[0].confidence


def test_a_verdict_is_as_sure_as_its_pooled_usage(tmp_path: Path) -> None:
    as_long, first, changed = (confidence(tmp_path, str(again), again) for again in (True, None, False))
    assert as_long > first > changed


def test_a_printer_at_a_sign_in_host(kept: Inventory) -> None:
    there = inside(
        5, UNKNOWN, 0.0, server_kind=ServerKind.SIGN_IN, server_name="login.microsoftonline.com",
        protocol="http", service=None, server_port=443, mechanism=None,
    )  # fmt: skip
    fill(kept, *(inside(n, OAUTH, 0.8) for n in range(5)), there)
    printer = replace(LENS, identify=lambda _, __: Device(kind="printer"))
    (plain, _), (host, verdict) = only(kept), only(kept, printer)
    mail, before = (next(u for u in h.usage if u.protocol == "smtp") for h in (host, plain))
    assert mail.confidence > before.confidence
    assert mail.confidence in {reason.confidence for reason in verdict.reasons}


COUNTS = [
    (sessions, same, changed)
    for sessions in (1, 2, 3, 9, 10, 5_000)
    for same, changed in ((0, 0), (2, 0), (3, 0), (30, 3), (29, 3), (6, 3), (7, 3), (0, 2), (0, 3), (50, 40))
]


def test_the_database_tells_numbers_apart_as_pooling_does(kept: Inventory) -> None:
    fill(kept, *(inside(0, BASIC, client_ip=f"10.0.{n}.1", client_mac=None) for n in range(len(COUNTS))))
    with kept._writes() as connection:
        found = connection.execute(select(usages.c.endpoint).order_by(usages.c.endpoint)).scalars().all()
        for endpoint, (sessions, same, changed) in zip(found, COUNTS, strict=True):
            values = {"sessions": sessions, "logins_same": same, "logins_changed": changed}
            connection.execute(usages.update().where(usages.c.endpoint == endpoint).values(values))
    with kept._reads() as connection:
        read = {row.id: WayKey.of(int(row.ways)) for row in grouping.endpoint_rows(connection)}
    for endpoint, (sessions, same, changed) in zip(found, COUNTS, strict=True):
        key = read[endpoint]
        assert key.sessions == max(count for count in TOLD_APART if count <= sessions)
        assert constancy(key.same, key.changed) is constancy(same, changed)


@pytest.mark.parametrize("seed", range(20))
def test_the_list_judges_as_looking_does(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    kinds = draw.sample([OAUTH, BASIC, UNKNOWN, AuthClass.NONE], 3)
    seen = [
        inside(
            number, kind := draw.choices(kinds, (40, draw.choice([1, 10]), 2))[0],
            0.0 if kind is UNKNOWN else draw.choice([0.7, 0.8, 0.95]),
            client_ip=draw.choice(["10.0.0.1", "10.0.0.2"]), login_again=draw.choice([None, True, False]),
            tls_version=draw.choice(["TLSv1.2"] * 9 + ["TLSv1"]),
        )
        for number in range(draw.choice([3, 12, 60]))
    ]  # fmt: skip
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        fill(kept, *seen)
        host, verdict = only(kept)
        again = JUDGE(host)
        assert sum(use.sessions for use in host.usage) == len(seen)
        assert (verdict.level, verdict.reasons) == (again.level, again.reasons)
