"""Who has become nobody opens no file of the program, which he may not be let to read."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from own_network import ROOT

LOADED = """
import glob, json, sys
import scanner.watch.start  # what the command has before it gives up its privileges
from scanner.account import Usernames
from scanner.catalogue.exchange import load_catalogue
from scanner.pipeline import Pipeline
from scanner.watch.preload import preload
pipeline = Pipeline(load_catalogue(), "here", Usernames.MASK, live=True)
"""
WATCHED = """
preload()
late = []
def audit(event, what):
    if event == "import" and what[0] not in sys.modules:
        late.append(what[0])
    elif event == "open" and not str(what[0]).startswith(("captures/", "/proc/", "/dev/")):
        late.append(str(what[0]))
sys.addaudithook(audit)
"""
READING = (
    """
from scanner.capture import file  # a sensor reads no files: these are none of what it needs
"""
    + WATCHED
    + """
from scanner.watch.sensor import finisher
from scanner.watch.journal import Journal
from scanner.watch.wishes import Wishes
from scanner.report.records import session_record
found = [0, 0]
for name in sorted(glob.glob("captures/*.pcapng")):
    with file.CaptureFile(name) as capture:
        for rows, seen in pipeline.run(capture, pipeline.bench(name, finisher())):
            found[0] += len(seen)
            found[1] += len(rows.sightings)
            for one in seen:
                session_record(one)
print(json.dumps([late, found]))
"""
)
SHOWING = (
    """
import io
from rich.console import Console
from scanner.watch.view import LiveTalk
from scanner.watch.status import Findings, Status, Wire
from scanner.totals import RunTotals
sys.path[:0] = ["tests", "."]
from tests.db.samples import SEEN, other
console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
talk = LiveTalk(console)
"""
    + WATCHED
    + """
findings = Findings()
findings.add([SEEN, other(client_name="\\u65e5\\u672c", client_ip="10.0.0.2", server_name="\\u202ex")])
wires = (Wire("eth1", True, 5, 4, 1, 0), Wire("\\u65e5", False, None, 4, 1, 0))
for event in ("minute", "asked", "end"):
    status = Status(10**18, 0, wires, RunTotals(packets=3), 7, findings, 5, "disk full")
    talk.second(status)
    talk.note("\\u65e5\\u672c \\ud83d\\ude00 done")
    talk.tell(event, status)
print(json.dumps([late, [len(findings.last), 1]]))
"""
)


@pytest.mark.parametrize("script", [READING, SHOWING], ids=["while it listens", "while it shows how it does"])
def test_all_is_loaded_beforehand(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED + script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    late, found = json.loads(done.stdout.splitlines()[-1])
    assert late == []
    assert all(found)
