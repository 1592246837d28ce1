"""A sensor is opened with privileges, runs without, and opens no file of the program from then on."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from own_network import CABLE, ROOT, inside
from packets import C, Connection, S
from stage.namespace import run_inside

WATCH = (
    CABLE
    + """
import os, signal, threading
import scanner.watch.start as start
from scanner.cli import main
late, dropped, real = [], [], start.drop
def audit(event, what):
    if dropped and dropped[0] == os.getpid():
        if event == "import" and what[0] not in sys.modules:
            late.append(what[0])
        elif event == "open" and not str(what[0]).startswith(("/proc/", "/dev/")):
            late.append(str(what[0]))
def drop(whom):
    said = real(whom)
    dropped.append(os.getpid())
    return said
start.drop = drop
sys.addaudithook(audit)
def play():
    while not dropped:
        time.sleep(0.05)
    time.sleep(0.3)
    send(*map(bytes.fromhex, frames))
    time.sleep(2.5)
    for number in (signal.SIGUSR1, signal.SIGTERM):
        os.kill(os.getpid(), number)
        time.sleep(1.2)
folder, readers, frames = sys.argv[1], sys.argv[2], sys.argv[3:]
player = threading.Thread(target=play, daemon=True)
player.start()
sys.argv = ["mailsunset", "--db", folder + "/kept/i.db", "watch", "-i", "v1", "--workers", readers,
            "--log-format", "json"]
try:
    main()
except SystemExit as end:
    told(status=end.code or 0, late=late, uid=os.getuid(), promiscuous=link("v1")["promiscuity"]
         if os.getuid() == 0 else None)
sender.close()
os._exit(0)
"""
)


def frames() -> list[str]:
    talk = Connection(server=("192.0.2.1", 25)).open()
    talk.say((S, b"220 mx ESMTP\r\n"), (C, b"EHLO copier\r\n"), (S, b"250 mx\r\n")).close()
    return [one.data.hex() for one in talk.packets]


def watched(folder: Path, readers: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run a sensor as root of a namespace with other users; gives how it ended, and what it said."""
    folder.chmod(0o777)
    (folder / "kept").mkdir(mode=0o777)
    (folder / "kept").chmod(0o777)
    for above in folder.parents[:-1]:  # pytest's are for their owner alone
        if above.stat().st_uid == os.getuid() and not above.stat().st_mode & 1:
            above.chmod(above.stat().st_mode | 0o11)
    command = [sys.executable, "-c", WATCH, str(folder), str(readers), *frames()]
    kept = {key: value for key, value in os.environ.items() if key != "SUDO_USER"}
    done = run_inside(command, ROOT, {**kept, "PYTHONPATH": str(ROOT)}, timeout_s=60)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout.splitlines()[-1]), [json.loads(one) for one in done.stderr.splitlines()]


@pytest.mark.parametrize("readers", [1, 2])
def test_it_runs_as_nobody_and_needs_no_file_any_more(tmp_path: Path, readers: int) -> None:
    ended, said = watched(tmp_path, readers)
    assert (ended["status"], ended["late"], ended["uid"]) == (0, [], 65534)
    assert [one["event"] for one in said if one["event"] != "note"] == ["asked", "end"]
    assert (said[-1]["sessions"], said[-1]["unwritten"]) == (1, 0)


REFUSED = """
import json, sys
from scanner.cli import main
sys.argv = ["mailsunset", "--db", sys.argv[1] + "/i.db", "watch", *sys.argv[2:]]
main()
"""


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["-i", "nowhere"], "nowhere: no such interface; there are: lo"),
        (["-i", "lo", "--user", "no-such-user"], "there is no user no-such-user"),
        (["-i", "lo", "--scapy", "--workers", "2"], "several workers need Linux and its rings"),
        (["-i", "lo", "--filter", "extended"], "no map: Operation not permitted"),
    ],
)
def test_what_cannot_be_opened_is_told_in_a_line(tmp_path: Path, options: list[str], why: str) -> None:
    with pytest.raises(AssertionError) as told:  # that nothing is told on stderr
        inside(REFUSED, str(tmp_path), *options, before="")
    line = next(one for one in str(told.value).splitlines() if why in one)
    assert "Traceback" not in str(told.value)
    assert line.rstrip().endswith(why)
    assert not (tmp_path / "i.db").exists()
