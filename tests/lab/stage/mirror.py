"""A mirror port: what is sent at ``sender0`` arrives at ``mirror0``, each in a network namespace of its own.

Both are gone when the context is left, also by a crash: their namespaces last as long as two processes that
wait for the end of their input.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .namespace import BEGIN, LabFault, map_ids

RECEIVER, SENDER = "mirror0", "sender0"
REPLAY = Path(__file__).with_name("replay.py")
LARGEST_MTU = 65_535
"""So that super-packets which a sending host's capture holds can be sent, too."""
WAIT = "echo ready && exec cat"
LINKS = f"""
ip link set lo up
ip link add {RECEIVER} mtu {LARGEST_MTU} type veth peer name {SENDER} mtu {LARGEST_MTU} netns %d
ip link set {RECEIVER} addrgenmode none up
"""
"""Without addresses, of IPv6 neither, so that nothing but what is sent is seen."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """How programs are run at either end."""

    own_users: bool
    receiver_pid: int
    """``/proc/PID/net`` tells about the receiver's namespace."""
    sender_pid: int

    def receiving(self, *command: str) -> list[str]:
        """Words that run a program where ``mirror0`` is, in the same folder and with the same number."""
        return self._within(self.receiver_pid, command)

    def sending(self, *command: str) -> list[str]:
        """Words that run a program where ``sender0`` is."""
        return self._within(self.sender_pid, command)

    def _within(self, pid: int, command: Sequence[str]) -> list[str]:
        users = ["--user", "--preserve-credentials"] if self.own_users else []
        return ["nsenter", f"--target={pid}", *users, "--net", "--mount", "--wd=.", "--", *command]


@contextmanager
def mirrored(own_users: bool = True) -> Iterator[Mirror]:
    """Lay the cable. Raises LabFault.

    ``own_users``: in a user namespace, as anybody may; without it bpf(2) loads programs, for root.
    """
    with ExitStack() as stack:
        users = ["--user"] if own_users else []
        receiver = ["unshare", *users, "--net", "--mount", "--", "sh", "-c", BEGIN, "sh", "cat"]
        first = stack.enter_context(_waiting(receiver))
        if own_users:
            map_ids(first.pid)
        assert first.stdin
        first.stdin.write(b"go\n")
        first.stdin.flush()
        alone = Mirror(own_users, first.pid, first.pid)
        second = stack.enter_context(_waiting(alone.receiving("unshare", "--net", "sh", "-c", WAIT)))
        mirror = Mirror(own_users, first.pid, second.pid)
        lines = [mirror.receiving(*line.split()) for line in (LINKS % second.pid).strip().splitlines()]
        lines.append(mirror.sending(*f"ip link set {SENDER} addrgenmode none up".split()))
        for words in lines:
            done = subprocess.run(words, capture_output=True, check=False)
            if done.returncode:
                raise LabFault(f"{' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")
        yield mirror


@contextmanager
def _waiting(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that says that it is there and waits until its input ends."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            assert process.stdout
            if process.stdout.readline() != b"ready\n":
                assert process.stderr
                told = process.stderr.read().decode(errors="replace").strip()
                raise LabFault(f"no namespace can be made here: {told}")
            yield process
        finally:
            process.kill()
