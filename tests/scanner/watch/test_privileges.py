"""Who captures is root no longer than needed, and then nobody who may do anything."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import own_network
import pytest
from own_network import ROOT
from stage.namespace import run_inside

from scanner.watch.privileges import NOBODY, keeper

BEGIN = """
import json, os, pwd, sys
from scanner.watch.privileges import Identity, PrivilegesError, drop, identity, keeper
def told(what):
    print(json.dumps(what), flush=True)
def now():
    with open("/proc/self/status") as lines:
        status = dict(line.strip().split(":", 1) for line in lines if ":" in line)
    return {name: status[name].split() for name in
            ("Uid", "Gid", "Groups", "NoNewPrivs", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
def refused(user):
    try:
        return identity(user)
    except PrivilegesError as fault:
        return str(fault)
"""
NONE = ["0" * 16]


def as_root(script: str, cwd: Path = ROOT, **environment: str) -> list[Any]:
    """What a script tells that is root of a namespace where there are other users."""
    kept = {key: value for key, value in os.environ.items() if key != "SUDO_USER"}
    command = [sys.executable, "-W", "error", "-c", BEGIN + script]
    done = run_inside(command, cwd, {**kept, "PYTHONPATH": str(ROOT), **environment}, timeout_s=30)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_root_becomes_nobody_without_capabilities_for_good() -> None:
    script = """
nobody = pwd.getpwnam("nobody")
told([nobody.pw_uid, nobody.pw_gid])
told(now())
told(drop(identity(None)))
told(now())
for change in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0])):
    try:
        told(change())
    except PermissionError:
        told("refused")
"""
    (uid, gid), before, said, after, *refused = as_root(script)
    assert (before["Uid"], before["CapEff"] == NONE, said) == (["0"] * 4, False, None)
    assert after == {
        "Uid": [str(uid)] * 4, "Gid": [str(gid)] * 4, "Groups": [str(gid)], "NoNewPrivs": ["1"],
        "CapInh": NONE, "CapPrm": NONE, "CapEff": NONE, "CapBnd": NONE, "CapAmb": NONE,
    }  # fmt: skip
    assert refused == ["refused"] * 3


def test_who_stays_root_has_no_capabilities_either() -> None:
    script = """
told(drop(None))
told(now())
try:
    os.setuid(65534)
except PermissionError:
    told("refused")
"""
    said, after, refused = as_root(script)
    assert (said, after["Uid"], refused) == (None, ["0"] * 4, "refused")
    assert {after[name][0] for name in after if name.startswith("Cap")} == set(NONE)


@pytest.mark.parametrize(
    ("user", "sudo", "who"),
    [
        pytest.param(None, None, NOBODY, id="nobody"),
        pytest.param(None, "daemon", "daemon", id="who called sudo"),
        pytest.param(None, "root", NOBODY, id="not root, though root called sudo"),
        pytest.param("bin", "daemon", "bin", id="who is named"),
        pytest.param("no-such-user", None, "there is no user no-such-user", id="somebody there is"),
        pytest.param("root", None, "packets are not read as root: name another user", id="not root"),
    ],
)
def test_whom_root_becomes(user: str | None, sudo: str | None, who: str) -> None:
    environment = {"SUDO_USER": sudo} if sudo else {}
    (found,) = as_root(f"told(refused({user!r}))", **environment)
    assert (found if isinstance(found, str) else found[0]) == who


def test_who_is_not_root_becomes_nobody_else() -> None:
    script = """
os.setresuid(65534, 65534, 65534)
told([refused(user) for user in (None, pwd.getpwuid(65534).pw_name, "root", "no-such-user")])
"""
    assert as_root(script) == [[None, None, "only root can become root", "there is no user no-such-user"]]
    unnamed = "os.setresuid(4321, 4321, 4321)\ntold([refused(None), refused('nobody')])"
    assert as_root(unnamed) == [[None, "only root can become nobody"]]


def test_where_there_is_nobody_else_one_stays_without_capabilities() -> None:
    script = "told(drop(identity('nobody')))\ntold(now())"
    said, after = own_network.inside(script, before=BEGIN, unshare="-Ur")
    assert str(said).startswith("cannot become nobody here (")
    assert str(said).endswith("): goes on as before, without capabilities")
    assert (after["Uid"], after["CapEff"], after["CapPrm"]) == (["0"] * 4, NONE, NONE)


KEEPERS = """
from scanner.watch import privileges
folder = os.environ["PLACE"]
os.chmod(folder, 0o755)
privileges.__file__ = os.__file__ = folder  # where tests run, nobody may be let to read the program
def made(name, uid, mode, file=None):
    place = os.path.join(folder, name)
    os.mkdir(place)
    if file is not None:
        open(os.path.join(place, "i.db"), "w").close()
        os.chmod(os.path.join(place, "i.db"), 0o600)
        os.chown(os.path.join(place, "i.db"), file, file)
    os.chown(place, uid, uid)
    os.chmod(place, mode)
    return os.path.join(place, "i.db")
whom = identity("nobody")
told([keeper(path, whom) for path in (
    made("a", 65534, 0o700),
    made("b", 65534, 0o700, file=65534),
    os.path.join(os.path.dirname(made("c", 65534, 0o700)), "deep", "deeper", "i.db"),
    made("d", 0, 0o700),
    made("e", 65534, 0o700, file=0),
    made("f", 1234, 0o700),
    made("g", 1234, 0o755, file=1234),
    made("h", 0, 0o1777),
)])
told(keeper(folder, None))
privileges.__file__ = os.path.dirname(made("i", 0, 0o700))
told([keeper(os.path.join(folder, name, "i.db"), whom) for name in ("h", "f")])
"""


def test_who_may_write_the_inventory_does_else_whose_it_is(tmp_path: Path) -> None:
    for above in (tmp_path, *tmp_path.parents[:-1]):  # pytest's are for their owner alone
        if above.stat().st_uid == os.getuid() and not above.stat().st_mode & 1:
            above.chmod(above.stat().st_mode | 0o11)
    found, nobody_else, unreadable = as_root(KEEPERS, PLACE=str(tmp_path))
    assert [one and one[1] for one in found] == [65534, 65534, 65534, None, None, 1234, 1234, 65534]
    assert [one[0] for one in found if one] == [NOBODY] * 3 + ["user 1234"] * 2 + [NOBODY]
    assert nobody_else is None
    assert [one and one[1] for one in unreadable] == [None, 1234]


def test_a_plain_user_keeps_it_himself(tmp_path: Path) -> None:
    assert keeper(str(tmp_path / "i.db"), None) is None
