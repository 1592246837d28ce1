"""What all commands share: where the inventory is, which day it is, what the user's file says."""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db import Inventory
    from scanner.catalogue.exchange import Catalogue
    from scanner.model import Host, Level, Usage, Verdict

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
        )


@contextmanager
def inventory(settings: Settings, create: bool = False) -> Iterator[Inventory]:
    """Open the inventory; its faults end the program with one line: 2 if it cannot be opened, else 1."""
    from db import Inventory, InventoryError  # 150 ms that 'deadlines' need not pay

    try:
        opened = Inventory.open(settings.db, create=create)
    except InventoryError as fault:
        raise InputError(str(fault)) from fault
    try:
        with opened:
            yield opened
    except InventoryError as fault:
        raise click.ClickException(str(fault)) from fault


def judge(settings: Settings, catalogue: Catalogue | None = None) -> Callable[[Host], Verdict]:
    """What says what becomes of a host, by the tables that the user chose."""
    from scanner.catalogue.retirement import BadRetirementError, load_retirement
    from scanner.rules import verdict

    known = catalogue or catalogue_of(settings)
    try:
        retirement = load_retirement(settings.retirement)
    except BadRetirementError as fault:
        raise InputError(str(fault)) from fault

    def role_of(usage: Usage) -> str | None:
        return known.role(usage.server_name)

    return lambda host: verdict(host.usage, retirement, settings.as_of, role_of)


def catalogue_of(settings: Settings) -> Catalogue:
    """The catalogue that the user chose, with the user's own endpoints."""
    from scanner.catalogue.exchange import BadCatalogueError, load_catalogue

    try:
        return load_catalogue(settings.catalogue, settings.endpoints)
    except BadCatalogueError as fault:
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
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "mailsunset"


def _config_home() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "mailsunset"
