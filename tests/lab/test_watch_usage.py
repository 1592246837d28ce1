"""What a sensor cannot do it says in one line before it begins, and ends with 2."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from stage.mirror import RECEIVER, Mirror, mirrored
from stage.sensor import PROGRAM, ROOT

from db.store import Inventory

WITHOUT_RIGHT = ("setpriv", "--bounding-set=-net_raw", "--")
WATCH = ("watch", "-i", RECEIVER)
WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "no such interface": (("watch", "-i", "eth77"), "eth77: no such interface; there are: lo, mirror0"),
    "no right to capture": ((*WITHOUT_RIGHT, *WATCH), "capturing needs root or CAP_NET_RAW"),
    "no right to capture by scapy": ((*WITHOUT_RIGHT, *WATCH, "--scapy"), "CAP_NET_RAW"),
    "no right to load a filter that is asked for": ((*WATCH, "--filter", "extended"), "not permitted"),
    "metrics at no port": ((*WATCH, "--metrics", "127.0.0.1"), "--metrics: '127.0.0.1' is not"),
    "metrics at an address of others": ((*WATCH, "--metrics", "192.0.2.1:9150"), "--metrics: 192.0.2.1"),
    "findings told to nobody": ((*WATCH, "--notify", "smtp://a.example"), "--notify: is neither an address"),
    "packets kept in no folder": ((*WATCH, "--write", "/nowhere/kept.pcapng"), "/nowhere/kept.pcapng"),
    "several readers by scapy": ((*WATCH, "--scapy", "--workers", "2"), "several workers need"),
    "nobody of that name": ((*WATCH, "--user", "no-such-user"), "there is no user no-such-user"),
    "an inventory that cannot be": (("--db", "/proc/inventory.db", *WATCH), "/proc/inventory.db"),
    "an inventory that is none": (("--db", str(ROOT / "setup.cfg"), *WATCH), "file is not a database"),
    "no catalogue": ((*WATCH, "--catalogue", "/nowhere.toml"), "/nowhere.toml"),
}
AT_ONCE = 3
Done = dict[str, Future[subprocess.CompletedProcess[str]]]


def run(mirror: Mirror, home: Path, words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    before, own = (WITHOUT_RIGHT, words[len(WITHOUT_RIGHT) :]) if words[0] == "setpriv" else ((), words)
    database = () if own[0] == "--db" else ("--db", str(home / "inventory.db"))
    command = mirror.receiving(*before, *PROGRAM, *database, *own)
    return subprocess.run(command, capture_output=True, check=False, text=True, timeout=60, cwd=ROOT)


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Done]:
    with mirrored() as mirror, ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            what: pool.submit(run, mirror, tmp_path_factory.mktemp("home"), words)
            for what, (words, _) in WRONG.items()
        }


@pytest.mark.parametrize("what", WRONG)
def test_it_is_said_in_one_line(what: str, done: Done) -> None:
    ended = done[what].result()
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    last = ended.stderr.splitlines()[-1]
    assert WRONG[what][1] in last
    assert len([line for line in ended.stderr.splitlines() if not line.startswith("mailsunset: ")]) == 1
    assert "waits in memory" not in ended.stderr


def test_a_start_that_failed_leaves_no_run_that_seems_killed(tmp_path: Path) -> None:
    with mirrored() as mirror:
        assert run(mirror, tmp_path, (*WATCH, "--write", "/nowhere/kept.pcapng")).returncode == 2
    with Inventory.open(str(tmp_path / "inventory.db"), create=False) as kept:
        assert kept.unfinished() == []
