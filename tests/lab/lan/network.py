"""The cables: namespaces on a bridge, which is the mirror port, and a router with an annex behind it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from lan.cast import ANNEX, GATEWAY, GIVEN, MACHINES, OTHERS, PREFIX, RESOLVER, ROUTER, Machine

FOLDER = Path("/run/lab")
WAIT_S = 20
"""Longest wait for anything on the LAN; two seconds where the machine has nothing else to do."""
CLIENT_S = 20
FORWARD = "echo 1 >/proc/sys/net/ipv4/ip_forward"


def run(*command: str) -> None:
    """Run a program to its end."""
    subprocess.run(command, check=True, timeout=CLIENT_S)


def on(name: str, *command: str) -> list[str]:
    """Say how to run a program on a machine, which has its own network and its own host name."""
    inside = ["nsenter", f"--net=/run/netns/{name}", "--", "unshare", "--uts", "--"]
    return [*inside, "sh", "-c", 'hostname "$0" && exec "$@"', name, *command]


def wait(what: str, found: Callable[..., object], *about: object) -> None:
    """Wait until something is so. Raises TimeoutError, which says what was waited for."""
    end = time.monotonic() + WAIT_S
    while not found(*about):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {WAIT_S} s for {what}")
        time.sleep(0.05)


def addresses(name: str, version: int = 4) -> list[str]:
    """Addresses that a machine has now, other than those of the link."""
    done = subprocess.run(
        ["ip", "-n", name, f"-{version}", "-o", "address", "show", "dev", "eth0", "scope", "global"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    return [line.split()[3].partition("/")[0] for line in done.stdout.splitlines()]


def build() -> None:
    """Lay the cables, and tell everybody who knows the names."""
    run("mount", "-t", "tmpfs", "none", "/run")
    FOLDER.mkdir(mode=0o755)
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "mirror", "type", "bridge", "mcast_snooping", "0")
    run("ip", "link", "set", "mirror", "up")
    for machine in MACHINES:
        _plug_in(machine)
    run("ip", "link", "add", "annex", "netns", "router", "type", "bridge", "mcast_snooping", "0")
    run("ip", "-n", "router", "link", "set", "annex", "up")
    run("ip", "-n", "router", "address", "add", f"{ANNEX}/24", "dev", "annex")
    for machine in OTHERS:
        if machine.in_annex:
            run("ip", "-n", "router", "link", "set", machine.name, "master", "annex", "up")
            _configure(machine, ANNEX)
    run(*on("router", "sh", "-c", FORWARD))
    _say_where_names_are()


def _plug_in(machine: Machine) -> None:
    run("ip", "netns", "add", machine.name)
    where = ["netns", "router"] if machine.in_annex else []
    run("ip", "link", "add", machine.name, *where, "type", "veth",
        "peer", "name", "eth0", "address", machine.mac, "netns", machine.name)  # fmt: skip
    if not machine.in_annex:
        run("ip", "link", "set", machine.name, "gso_max_segs", "1", "master", "mirror", "up")
        _configure(machine, GATEWAY)


def _configure(machine: Machine, gateway: str) -> None:
    inside = ("ip", "-n", machine.name)
    run(*inside, "link", "set", "lo", "up")
    run(*on(machine.name, "sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad"))
    run(*inside, "link", "set", "eth0", "gso_max_segs", "1", "up")
    for address in machine.addresses:
        where = "eth0" if address.startswith("10.") else "lo"
        run(*inside, "address", "add", f"{address}/{24 if where == 'eth0' else 32}", "dev", where)
    if machine.name == "resolver":
        run(*inside, "address", "add", f"{PREFIX}53/64", "dev", "eth0", "nodad")
    if machine in GIVEN and machine.name != "router":
        run(*inside, "route", "add", "10.32.8.0/24", "via", ROUTER)
    if machine.addresses and machine.name != "gateway":
        run(*inside, "route", "add", "default", "via", gateway)


def _say_where_names_are() -> None:
    """Write the files that programs look into for names, over the system's own.

    A machine finds its own name there (Debian's way), and asks the resolver for all others.
    """
    own = " ".join(machine.name for machine in MACHINES)
    texts = {
        "/etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {own}\n",
        "/etc/resolv.conf": f"nameserver {RESOLVER}\noptions timeout:2\n",
    }
    for name, text in texts.items():
        where = Path(os.path.realpath(name))
        if where.is_relative_to("/run"):
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_text(text)
            continue
        ours = FOLDER / where.name
        ours.write_text(text)
        run("mount", "--bind", str(ours), str(where))
