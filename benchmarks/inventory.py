"""Measure the inventory: 20,000 devices over a million sessions, listed and added to.

The database is made from a seed by plain inserts, once, beside the captures of ``benchmarks.make``.
"""

from __future__ import annotations

import gc
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from db.asking import Sandbox
from db.grouping import endpoint_rows
from db.queries import SessionFilter
from db.schema import sessions
from db.store import Inventory
from scanner.cli import GARBAGE_THRESHOLD
from scanner.cli.asking import fill
from scanner.cli.reporting import gathered
from scanner.cli.settings import Settings, lens
from scanner.conversation import Ending
from scanner.events import Outcome, TlsMode
from scanner.model import AuthClass, Basis, Observation, ServerKind
from scanner.report.languages import Language
from scanner.report.page import html
from scanner.report.tables import TABLES
from scanner.totals import RunTotals

SEED = 20261124
VERSION = 11
DEVICES = 20_000
ROUTERS = 40
BEHIND = 50
"""Addresses behind a router."""
SESSIONS = 1_000_000
MODELS = 301
WAYS = 40
"""Ways to use a service: protocols, mechanisms and outcomes, TLS versions, servers."""
BEGAN = 1_790_000_000_000_000_000
APART = 2_000_000
"""Nanoseconds from one session to the next."""
BATCH = 3_000
ROUNDS = 7


class Figure(NamedTuple):
    """What was measured, and what it should be."""

    what: str
    value: float
    sense: str
    wanted: float
    unit: str


def observation(number: int, device: int, way: int, draw: random.Random, names: int = DEVICES) -> Observation:
    """A session of a device, which calls itself by one of so many names."""
    protocol, port = (("smtp", 587), ("imap", 143), ("pop3", 110), ("http", 443))[way % 4]
    mechanism, kind = (("LOGIN", AuthClass.BASIC), ("XOAUTH2", AuthClass.OAUTH), ("PLAIN", AuthClass.BASIC))[
        way % 3
    ]
    first = BEGAN + number * APART
    return Observation(
        capture="bench.pcap",
        sensor="bench",
        first_seen=first,
        last_seen=first + 300_000_000,
        client_ip=address(device),
        client_port=20_000 + number % 40_000,
        client_mac=card(device),
        server_ip=f"52.96.0.{number % 200}",
        server_port=port,
        server_name=("smtp.office365.com", "outlook.office365.com", f"host{way}.example.com")[way % 5 % 3],
        server_kind=ServerKind.EXCHANGE_ONLINE if way % 5 != 4 else ServerKind.OTHER,
        protocol=protocol,
        service="submission" if protocol == "smtp" else None,
        tls_mode=TlsMode.CLEAR,
        tls_version="TLSv1.2" if way % 7 else None,
        tls_cipher=None,
        ja3=None,
        ja4=None,
        client_name=f"dev-{device % names}" if protocol == "smtp" else None,
        mechanism=mechanism,
        auth_class=kind,
        outcome=Outcome.ACCEPTED if way % 2 else Outcome.REFUSED,
        attempts=(),
        basis=Basis.SEEN,
        confidence=0.99,
        username="s***@example.com",
        mails=way % 3,
        gaps=0,
        evidence=f"greeting; EHLO dev-{device % names}; {mechanism} accepted",
        server_matched="prefix 52.96.0.0/14",
        ending=Ending.CLOSED,
    )


def address(device: int) -> str:
    """A device's address."""
    return f"10.{device // 50_000}.{device // 250 % 200}.{1 + device % 250}"


def card(device: int) -> str:
    """A device's MAC; the first thousands stand behind routers."""
    number = device // BEHIND if device < ROUTERS * BEHIND else device
    return f"00:26:73:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def ways_of(device: int) -> tuple[int, ...]:
    """One to four ways in which a device uses services: those of its model, and of one in ten another."""
    model = random.Random(device % MODELS)
    ways = model.sample(range(WAYS), 1 + model.randrange(4))
    if device % 10 == 0:
        ways[-1] = random.Random(device).randrange(WAYS)
    return tuple(dict.fromkeys(ways))


def filled(path: Path) -> None:
    """Make the database: one session of each usage through the inventory, the others by copying its rows."""
    draw = random.Random(SEED)
    pairs = [(device, way) for device in range(DEVICES) for way in ways_of(device)]
    with Inventory.open(str(path)) as kept:
        run = kept.begin_run("bench", ["bench.pcap"], BEGAN)
        for at in range(0, len(pairs), BATCH):
            some = enumerate(pairs[at : at + BATCH], at)
            kept.record(run, [observation(number, *pair, draw) for number, pair in some])
        kept.finish_run(run, RunTotals(), BEGAN)
    database = sqlite3.connect(path)
    have = database.execute("SELECT count(*) FROM sessions").fetchone()[0]
    places = ",".join("?" * len(sessions.columns))
    database.executemany(f"INSERT INTO sessions VALUES ({places})", _more(database, have, draw))
    database.execute(
        "UPDATE usages SET last_seen = max(last_seen, ?), sessions = sessions + ?",
        (BEGAN + SESSIONS * APART, (SESSIONS - have) // have),
    )
    database.commit()
    database.close()


def _more(database: sqlite3.Connection, have: int, draw: random.Random) -> Iterator[tuple[object, ...]]:
    known = database.execute("SELECT * FROM sessions").fetchall()
    for number in range(have, SESSIONS):
        _, _, _, *rest = known[draw.randrange(have)]
        first = BEGAN + number * APART
        rest[3] = first + 300_000_000
        yield (number + 1, first, draw.getrandbits(63), *rest)


def database() -> Path:
    """The path of the database, made when it is not there yet."""
    folder = Path(tempfile.gettempdir()) / "mailsunset-bench"
    folder.mkdir(exist_ok=True)
    path = folder / f"inventory-{SEED}-{VERSION}.db"
    if not path.exists():
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        filled(part)
        part.rename(path)
    return path


def spent(work: Callable[[], object]) -> float:
    """Milliseconds of CPU for some work, the best of some rounds: a busy machine only adds to it."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times) * 1000


def listing(path: Path) -> Iterator[Figure]:
    """How long it takes to list, from the query alone to every host looked at."""
    judging = lens(Settings.of(str(path), date(2026, 11, 24), {}))
    with Inventory.open(str(path)) as kept:
        with kept._reads() as connection:
            yield Figure("inventory: query", spent(lambda: endpoint_rows(connection)), "at most", 50, "ms")
        pair = kept.host(address(DEVICES - 1), judging)
        host = pair[0] if pair else None
        works: dict[str, tuple[Callable[[], object], float]] = {
            "judged and sorted": (lambda: kept.hosts(judging), 120),
            "with the worst 100": (lambda: list(kept.hosts(judging)[:100]), 150),
            "with every host whole": (lambda: list(kept.hosts(judging)), 1_000),
            "find a host": (lambda: kept.host(address(DEVICES - 1), judging), 150),
            "views made for SQL": (lambda: _asked(kept, str(path)), 2_500),
            "its last 10 sessions": (lambda: list(kept.sessions(SessionFilter(host=host, limit=10))), 500),
        }
        for what, (work, goal) in works.items():
            yield Figure(f"inventory: {what}", spent(work), "at most", goal, "ms")


def _asked(kept: Inventory, db: str) -> None:
    with Sandbox({name: table.kinds for name, table in TABLES.items()}) as box:
        fill(box, kept, Settings.of(db, date(2026, 11, 24), {}), ("v_devices", "v_usage"))


def reporting(path: Path) -> Iterator[Figure]:
    """How long the page of a report takes, from reading the inventory to the last byte."""
    settings = Settings.of(str(path), date(2026, 11, 24), {})
    began = time.process_time()
    with Inventory.open(str(path)) as kept:
        pieces = list(html(gathered(kept, settings, None, True), Language("en")))
    yield Figure("inventory: the page of a report", time.process_time() - began, "at most", 10, "s")
    yield Figure("inventory: its size", sum(map(len, pieces)) / 2**20, "at most", 10, "MB")


def recording(path: Path) -> Iterator[Figure]:
    """What it costs to add sessions: of new clients to nothing, of known devices to a million."""
    draw = random.Random(SEED + 1)
    fresh = [observation(number, number, number % 12, draw, 1) for number in range(66_000)]
    known = [
        observation(SESSIONS + number, device := draw.randrange(DEVICES), draw.choice(ways_of(device)), draw)
        for number in range(66_000)
    ]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        shutil.copy(path, copy)
        new, more = _recorded(Path(folder) / "new.db", fresh), _recorded(copy, known)
        yield Figure("inventory: a session of a new client", new, "at most", 12, "us")
        yield Figure("inventory: a session beside a million", more, "at most", 25, "us")


def _recorded(path: Path, seen: list[Observation]) -> float:
    """Microseconds of CPU a session."""
    with Inventory.open(str(path)) as kept:
        run = kept.begin_run("bench", [], BEGAN)
        began = time.process_time()
        for at in range(0, len(seen), BATCH):
            kept.record(run, seen[at : at + BATCH])
        return (time.process_time() - began) / len(seen) * 1e6


def figures() -> list[Figure]:
    """Measure it all: CPU time, for a machine that does other things, too; garbage as rarely looked for."""
    path = database()
    gc.set_threshold(GARBAGE_THRESHOLD)
    return [*listing(path), *reporting(path), *recording(path)]
