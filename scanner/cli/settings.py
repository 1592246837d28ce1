"""What all commands share: where the inventory is, which day it is, what the user's file says."""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.catalogue import BadTableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db.filters import Lens
    from db.store import Inventory
    from scanner.catalogue.exchange import Catalogue
    from scanner.catalogue.retirement import Retirement
    from scanner.model import Host, Level, Reason, Usage, Verdict

RUNS_TOLD = 3
"""Unfinished runs told of: who has more knows by then."""
SOURCES_SHOWN = 200
"""Characters of a run's sources, so that a line stays one."""
WAYS_REMEMBERED = 10_000
"""Ways to use a service whose reasons are at hand: a big site has hundreds; past it they are judged anew."""
ALIVE_NS = 300 * 1_000_000_000
"""A run that watches notes each minute that it goes on; now and then it must wait for another writer."""
KEEP_DAYS = 90
"""How long sessions are kept unless the user says otherwise: a quarter, in which most machines mail once."""
DAY_NS = 86_400 * 1_000_000_000
FOREVER = "forever"
IN_MEMORY = "sqlite://"
"""An inventory that is gone when it is closed."""
MOST_DAYS = 36_500
"""A century; more would be before the clock of files began."""
FOUND = 10
"""Exit status of ``--fail-on`` when there is a finding of that level or worse."""


class InputError(click.ClickException):
    """The user gave something unusable: one line, exit status 2."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of the whole program."""

    db: str
    as_of: date
    endpoints: tuple[str, ...] = ()
    catalogue: str | None = None
    retirement: str | None = None
    sensor: str | None = None
    keep_days: int | None = KEEP_DAYS
    """Sessions of runs longer ago are forgotten; None: never."""

    @classmethod
    def of(cls, db: str | None, as_of: object, config: dict[str, Any]) -> Settings:
        """Options go before the user's file, and that before what is usual."""
        return cls(
            db=db or config.get("db") or str(_data_home() / "inventory.db"),
            as_of=as_of if isinstance(as_of, date) else datetime.now(UTC).date(),
            endpoints=tuple(config.get("endpoint", ())),
            catalogue=config.get("catalogue"),
            retirement=config.get("retirement"),
            sensor=config.get("sensor"),
            keep_days=days(str(config.get("keep_sessions", KEEP_DAYS))),
        )


@contextmanager
def inventory(settings: Settings, create: bool = False, **how: Any) -> Iterator[Inventory]:
    """Open the inventory; its faults end the program with one line: 2 if it cannot be opened, else 1.

    ``how``: more of ``Inventory.open``.
    """
    from db.store import Inventory, InventoryError  # 150 ms that 'deadlines' need not pay

    try:
        opened = Inventory.open(settings.db, create=create, **how)
    except InventoryError as fault:
        raise InputError(str(fault)) from fault
    try:
        with opened:
            if not create:
                _say_unfinished(opened)
            yield opened
    except InventoryError as fault:
        kept = "; what was recorded before is kept" if create else ""
        raise click.ClickException(f"{fault}{kept}") from fault


def exists(settings: Settings) -> bool:
    """Whether there is an inventory to ask already; a server's is taken to be there."""
    path = settings.db.removeprefix("sqlite:///")
    return path != IN_MEMORY and ("://" in path or Path(path).exists())


def _say_unfinished(kept: Inventory) -> None:
    from scanner.report.escape import visible

    begun: dict[tuple[str, ...], int] = {}
    for run in kept.runs():
        begun.setdefault((run.sensor, *run.sources), run.id)
    for run in kept.unfinished()[:RUNS_TOLD]:
        sources = ", ".join(run.sources)[:SOURCES_SHOWN]
        if run.alive is None:
            how = "is unfinished: killed, or still going; what it had written by now is here"
        elif begun[run.sensor, *run.sources] != run.id:
            how = "was killed, or could not write; what it had written is here"
        elif now() - run.alive < ALIVE_NS:
            how = "is still going; what it has written by now is here"
        else:
            last = _minute(run.alive)
            how = f"is unfinished: killed, or it cannot write; what it had written by {last} is here"
        click.echo(visible(f"mailsunset: run {run.id} of {_minute(run.began)} ({sources}) {how}"), err=True)
    for scan in kept.unfinished_scans()[:RUNS_TOLD]:
        targets = ", ".join(scan.plan.targets)[:SOURCES_SHOWN]
        going = now() - (scan.alive or scan.began) < ALIVE_NS
        how = "is still going" if going else "is unfinished, and 'scan --resume' goes on with it"
        asked = f"{scan.totals.addresses:,} of {scan.plan.addresses:,} addresses asked"
        said = f"mailsunset: scan {scan.id} of {_minute(scan.began)} ({targets}) {how}: {asked}"
        click.echo(visible(said), err=True)


def _minute(at: int) -> str:
    return f"{datetime.fromtimestamp(at // 1_000_000_000, UTC):%Y-%m-%d %H:%M} UTC"


def forget_old(kept: Inventory, settings: Settings) -> None:
    """Drop sessions of runs that began longer ago than the user keeps them, and say so."""
    if settings.keep_days is None:
        return
    if dropped := kept.forget(now() - settings.keep_days * DAY_NS):
        said = f"{dropped} sessions of runs more than {settings.keep_days} days ago are forgotten"
        click.echo(f"{said}; what they add up to is kept", err=True)


def judge(settings: Settings, catalogue: Catalogue | None = None) -> Callable[[Host], Verdict]:
    """What says what becomes of a host, by the tables that the user chose."""
    from scanner import rules

    known, retirement = catalogue or catalogue_of(settings), dates(settings)

    @lru_cache(WAYS_REMEMBERED)
    def reasons(usage: Usage) -> tuple[Reason, ...]:
        return rules.judge(usage, retirement, settings.as_of, known.role(usage.server_name))

    def verdict(host: Host) -> Verdict:
        if not host.usage:
            return rules.UNHEARD
        return rules.weigh(reason for usage in host.usage for reason in reasons(usage))

    return verdict


def lens(settings: Settings, catalogue: Catalogue | None = None) -> Lens:
    """How to look at hosts, by the tables that the user chose."""
    from db.filters import Lens
    from scanner.identify import identify
    from scanner.net import vendor
    from scanner.pooling import pool
    from scanner.relays import chains

    return Lens(judge(settings, catalogue), vendor, identify, chains, pool)


def dates(settings: Settings) -> Retirement:
    """The table of dates that the user chose."""
    from scanner.catalogue.retirement import load_retirement

    try:
        return load_retirement(settings.retirement)
    except BadTableError as fault:
        raise InputError(str(fault)) from fault


def catalogue_of(settings: Settings) -> Catalogue:
    """The catalogue that the user chose, with the user's own endpoints."""
    from scanner.catalogue.exchange import load_catalogue

    try:
        return load_catalogue(settings.catalogue, settings.endpoints)
    except BadTableError as fault:
        raise InputError(str(fault)) from fault


def fail_on(level: Level | None, found: list[Level]) -> None:
    """End with 10 if anything is as bad as asked."""
    from scanner.model import SEVERITY

    if level is not None and any(SEVERITY[one] >= SEVERITY[level] for one in found):
        raise click.exceptions.Exit(FOUND)


def now() -> int:
    """The time, ns."""
    return time.time_ns()


def as_date(ctx: click.Context, param: click.Parameter, value: str | None) -> date | None:
    """Read a day as the user writes it."""
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a day like 2026-12-31") from None


def as_time(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Read a day as nanoseconds of its beginning, UTC."""
    day = as_date(ctx, param, value)
    return (
        int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000_000 if day else None
    )


def days(text: str) -> int | None:
    """Read a time to keep: ``30d``, ``30`` or ``forever`` (None). Raises ``InputError``."""
    if text == FOREVER:
        return None
    number = text.removesuffix("d")
    if not (number.isascii() and number.isdecimal()) or not 1 <= int(number) <= MOST_DAYS:
        raise InputError(f"{text!r} is not a time to keep like 30d, or {FOREVER}")
    return int(number)


def as_days(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """Read a length of time as days: ``30d`` or ``30``."""
    with suppress(InputError):
        if found := days(value):
            return found
    raise click.BadParameter(f"{value!r} is not a number of days like 30d")


def as_where(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Check what looks like a prefix: with a slash in it nothing else is meant."""
    try:
        if value and "/" in value:
            ip_network(value, strict=False)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a prefix like 192.0.2.0/24") from None
    return value


def load_config(path: str | None) -> dict[str, Any]:
    """Read the user's file; the usual one may be absent."""
    file = Path(path) if path else _config_home() / "config.toml"
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        if path is None:
            return {}
        raise InputError(f"{file}: no such file") from None
    except (OSError, ValueError) as fault:
        raise InputError(f"{file}: {fault}") from fault


def _data_home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or _home() / ".local" / "share") / "mailsunset"


def _home() -> Path:
    """Under sudo the home of who called it: there he looks for the inventory afterwards."""
    caller = os.environ.get("SUDO_USER")
    return Path(f"~{caller}").expanduser() if caller and os.geteuid() == 0 else Path.home()


def _config_home() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "mailsunset"
