"""Run a program as root of namespaces of its own: users, network, mounts and processes; whoever one is.

The namespace has ids 0 to 65535, for Postfix wants several users: root gives away its own, anybody else the
range that ``/etc/subuid`` and ``/etc/subgid`` lend, through newuidmap and newgidmap.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

IDS = 65536
"""Ids in the namespace: ``nobody`` is 65534."""
UNSHARE = ["unshare", "--user", "--net", "--mount", "--pid", "--fork", "--kill-child", "--"]
"""With processes of their own, so that nothing outlives the lab, however it ends."""
BEGIN = 'echo ready && read -r go && exec "$@"'
"""Wait until the ids are mapped, and only then become root of them."""
RESTRICTED = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
"""Ubuntu 24.04 and newer: a user namespace is made, but its root may do nothing."""


class LabFault(Exception):
    """The lab could not be built; says why, and what to do."""


def run_inside(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end and give what it printed. Raises LabFault where namespaces are forbidden."""
    unshare = [*UNSHARE, "sh", "-c", BEGIN, "sh", *command]
    with subprocess.Popen(
        unshare,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment,
        start_new_session=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        if process.stdout.readline() != b"ready\n":
            told = process.communicate()[1].decode(errors="replace").strip()
            raise LabFault(f"no user namespace can be made here: {told}")
        map_ids(process.pid)
        try:
            out, err = process.communicate(b"go\n", timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            out, err = process.communicate()
            raise LabFault(f"the lab did not end in {timeout_s} s:\n{err.decode(errors='replace')}") from None
    if process.returncode and os.getuid() and RESTRICTED.exists() and RESTRICTED.read_text().strip() == "1":
        raise LabFault(f"here only root makes such namespaces; run as root, or write 0 to {RESTRICTED}")
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def map_ids(pid: int) -> None:
    """Give a process that has just made a user namespace ids 0 to 65535. Raises LabFault."""
    if os.getuid() == 0:
        for kind in ("uid", "gid"):
            inside, _, count = Path(f"/proc/self/{kind}_map").read_text().splitlines()[0].split()
            if inside != "0" or int(count) < IDS:
                raise LabFault(f"this container has {count} {kind}s; the lab needs {IDS}")
            Path(f"/proc/{pid}/{kind}_map").write_text(f"0 0 {IDS}\n")
        return
    own = {"uid": os.getuid(), "gid": os.getgid()}
    for kind, number in own.items():
        command = [f"new{kind}map", str(pid), "0", str(number), "1", "1", str(_lent(kind)), str(IDS - 1)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            raise LabFault(f"{command[0]}: {done.stderr.decode(errors='replace').strip()}")


def _lent(kind: str) -> int:
    """First of the ids that this user may give away."""
    me = subprocess.run(["id", "-un"], capture_output=True, check=True, text=True).stdout.strip()
    for line in Path(f"/etc/sub{kind}").read_text().splitlines():
        name, first, count = line.split(":")
        if name in (me, str(os.getuid())) and int(count) >= IDS - 1:
            return int(first)
    raise LabFault(f"{me} has no {IDS} ids in /etc/sub{kind}; tests/install-system-packages.sh adds them")
