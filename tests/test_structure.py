"""The house stands as drawn: arrows go down, libraries stay in their rooms, and nothing grows large."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted([*ROOT.glob("scanner/**/*.py"), *ROOT.glob("db/**/*.py")])
TYPES = (
    "scanner.record",
    "scanner.conversation",
    "scanner.events",
    "scanner.model",
    "scanner.totals",
    "scanner.services",
    "scanner.tenant",
    "scanner.labels",
)
FLOORS = (
    (*TYPES, "scanner.net", "scanner.catalogue", "scanner.version"),
    ("scanner.wire",),
    ("scanner.session",),
    (
        "scanner.protocols",
        "scanner.sizes",
        "scanner.inference",
        "scanner.texts",
        "scanner.claims",
        "scanner.identify",
        "scanner.fingerprints",
        "scanner.odds",
        "scanner.pooling",
        "scanner.rules",
        "scanner.exposure",
        "scanner.scan_diff",
        "scanner.relays",
        "scanner.remedies",
        "scanner.mailbox_switches",
        "scanner.exposure",
        "scanner.way_out",
        "scanner.scan_diff",
        "db",
    ),
    (
        "scanner.pipeline",
        "scanner.gatherer",
        "scanner.announcements",
        "scanner.inside",
        "scanner.listener",
        "scanner.account",
        "scanner.recognise",
        "scanner.recurrence",
        "scanner.draft",
        "scanner.web_claims",
        "scanner.match",
    ),
    ("scanner.dissection", "scanner.compare"),
    ("scanner.report", "scanner.capture", "scanner.crew", "scanner.importers"),
    ("scanner.watch", "scanner.probe", "scanner.serve"),
    ("scanner.cli",),
)
ROOMS = {
    "netaddr": ("scanner.net",),
    "sqlalchemy": ("db",),
    "alembic": ("db",),
    "click": ("scanner.cli",),
    "rich": ("scanner.cli", "scanner.report", "scanner.watch.view"),
    "prometheus_client": ("scanner.watch.metrics",),
    "numpy": ("scanner.wire", "scanner.capture", "scanner.protocols.http_lengths", "scanner.match"),
    "zstandard": ("scanner.capture",),
    "pyshark": ("scanner.capture.tshark",),
    "scapy": ("scanner.capture.portable", "scanner.probe.sweep", "scanner.probe.snmp"),
    "cryptography": ("scanner.probe.certificates",),
    "dns": ("scanner.probe.names",),
    "jinja2": ("scanner.report.page",),
    "markupsafe": ("scanner.report",),
    "openpyxl": ("scanner.report.spreadsheet",),
    "starlette": ("scanner.serve",),
    "uvicorn": ("scanner.serve",),
    "asyncio": ("scanner.probe", "scanner.capture.tshark", "scanner.serve", "scanner.cli"),
}
LINES_A_FILE = 350
LINES_A_FUNCTION = 40
DECLARATIONS = (
    *TYPES,
    "scanner.capture.live",
    "scanner.session",
    "scanner.record",
    "scanner.wire.batch",
    "scanner.watch.evidence",
    "scanner.serve.source",
)
"""Nothing but types: there is nothing in them to test."""
TESTED_WITH = {
    "db": "db/test_store.py",
    "scanner.cli.commands": "scanner/cli/test_commands.py",
    "scanner.cli.reading": "scanner/cli/test_commands.py",
    "scanner.dissection": "scanner/dissection/test_streams.py",
    "scanner.match": "scanner/match/test_ties.py",
    "scanner.protocols.http_examples": "scanner/protocols/test_http.py",
    "scanner.protocols.http_ways": "scanner/protocols/test_http_sizes.py",
    "scanner.protocols.imap_sizes": "scanner/test_claims.py",
    "scanner.protocols.pop3_sizes": "scanner/test_claims.py",
    "scanner.protocols.smtp_sizes": "scanner/test_claims.py",
    "scanner.protocols.smtp_examples": "scanner/protocols/test_smtp.py",
    "scanner.protocols.smtp_marks": "scanner/protocols/test_smtp.py",
    "scanner.protocols.smtp_replies": "scanner/protocols/test_smtp.py",
}
"""Modules without a test file of their own: what they do shows through another's door."""
FORBIDDEN = ("utils", "helpers", "common", "manager", "misc")


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def floor_of(name: str) -> int:
    return next((floor for floor, rooms in enumerate(FLOORS) for room in rooms if within(name, room)), -1)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_only_go_down(path: Path) -> None:
    own = floor_of(name_of(path))
    for name in imports(path):
        if floor_of(name) >= 0:
            assert floor_of(name) <= own, f"{name_of(path)} reaches up to {name}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_libraries_stay_in_their_rooms(path: Path) -> None:
    for name in imports(path):
        rooms = ROOMS.get(name.partition(".")[0])
        assert rooms is None or any(within(name_of(path), room) for room in rooms), name


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_database_knows_nothing_of_us_but_the_model(path: Path) -> None:
    if within(name_of(path), "db"):
        ours = [name for name in imports(path) if within(name, "scanner")]
        assert all(name.startswith(TYPES) for name in ours)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_files_and_functions_stay_small(path: Path) -> None:
    source = path.read_text("utf-8")
    assert source.count("\n") <= LINES_A_FILE
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LINES_A_FUNCTION, f"{name_of(path)}.{node.name}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_name_says_nothing(path: Path) -> None:
    assert path.stem not in FORBIDDEN


def expected_tests(path: Path) -> str:
    """Where the tests of a module stand, from the folder of all tests on."""
    name = name_of(path)
    own = path.relative_to(ROOT).with_name(f"test_{path.name}").as_posix()
    behind = next((file for door, file in TESTED_WITH.items() if within(name, door)), own)
    return own if (ROOT / "tests" / own).exists() else behind


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem != "__init__"], ids=name_of)
def test_every_module_has_its_tests_where_one_looks_for_them(path: Path) -> None:
    assert name_of(path) in DECLARATIONS or (ROOT / "tests" / expected_tests(path)).exists()


def test_exceptions_are_still_needed() -> None:
    names = {name_of(path) for path in MODULES}
    assert {*DECLARATIONS, *TESTED_WITH} <= names
