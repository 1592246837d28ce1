"""A machine's day: it asks for an address, says who it is, and sends its mail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from lan.cast import Lease, Machine
from lan.network import CLIENT_S, FOLDER, WAIT_S, addresses, on, wait

HERE = Path(__file__).parent
MAIL = b"From: scan@example.com\r\nTo: ann@example.com\r\nSubject: job done\r\n\r\nscan\r\n"
SCRIPT = """#!/bin/sh
case "${reason:-$1}" in
BOUND | RENEW | REBIND | REBOOT | bound | renew)
    ip address replace "${new_ip_address:-$ip}/24" dev eth0
    ip route replace default via "${new_routers:-$router}" ;;
BOUND6) ip address replace "$new_ip6_address/64" dev eth0 nodad ;;
RELEASE | EXPIRE | STOP | deconfig) ip address flush dev eth0 ;;
esac
"""
"""For both clients: what the one tells in its environment the other tells by other names."""
DHCLIENT = """
timeout 15;
initial-interval 1;
backoff-cutoff 2;
send host-name "{host_name}";
request subnet-mask, broadcast-address, routers, domain-name, domain-name-servers, host-name;
"""


@dataclass
class Day:
    """What came of it."""

    name: str
    addresses: list[str] = field(default_factory=list)
    """One after the other."""
    statuses: list[int] = field(default_factory=list)
    """Of the programs that sent mail."""
    said: str = ""


class Days:
    """The days of all machines, which go on at once; some wait for others to be over."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        """Before they begin."""
        self._machines = machines
        self._over = {machine.name: Event() for machine in machines}

    def spend(self) -> list[Day]:
        """Let them all pass. Raises what went wrong on the first machine that something did on."""
        with ThreadPoolExecutor(len(self._machines)) as pool:
            return list(pool.map(self._one, self._machines))

    def _one(self, machine: Machine) -> Day:
        try:
            if machine.after and not self._over[machine.after].wait(WAIT_S):
                raise TimeoutError(f"{machine.name} waited {WAIT_S} s for {machine.after}")
            return spend(machine)
        finally:
            self._over[machine.name].set()


def prepare() -> None:
    """Write what the DHCP clients run; and take dhclient from where AppArmor has no rules for it."""
    (FOLDER / "script").write_text(SCRIPT)
    (FOLDER / "script").chmod(0o755)
    shutil.copy(shutil.which("dhclient", path="/usr/sbin:/sbin") or "dhclient", FOLDER / "dhclient")


def spend(machine: Machine) -> Day:
    """Let a machine do all that it does."""
    day = Day(machine.name)
    if machine.lease is None:
        for address in machine.addresses:
            day.addresses.append(address)
            _mail(machine, day)
        return day
    for wish in machine.lease.wishes:
        with _leased(machine.name, machine.lease, wish):
            day.addresses += addresses(machine.name)
            with _announced(machine, day.addresses[-1]):
                _mail(machine, day)
    return day


@contextmanager
def _leased(name: str, lease: Lease, wish: str) -> Iterator[None]:
    """Hold a lease; it is released at the end only where another one follows."""
    command = _dhclient(name, lease, "-4") if lease.program == "dhclient" else _udhcpc(lease, wish)
    with (FOLDER / f"{name}.log").open("ab") as log:
        client = subprocess.Popen(on(name, *command), stdout=log, stderr=log)
        wait(f"an address of {name}", addresses, name)
        if lease.also_six:
            subprocess.Popen(on(name, *_dhclient(name, lease, "-6")), stdout=log, stderr=log)
            wait(f"an IPv6 address of {name}", addresses, name, 6)
        yield
        if wish:
            client.terminate()
            client.wait(10)
            wait(f"{name} to have none", lambda: not addresses(name))


def _dhclient(name: str, lease: Lease, version: str) -> list[str]:
    settings = DHCLIENT.format(host_name=lease.host_name)
    if lease.vendor_class:
        settings += f'send vendor-class-identifier "{lease.vendor_class}";\n'
    if lease.fqdn:
        settings += f'send fqdn.fqdn "{lease.fqdn}";\nsend fqdn.encoded on;\nsend fqdn.server-update off;\n'
    where = FOLDER / f"{name}.dhclient{version}"
    where.write_text(settings)
    files = [
        "-cf",
        str(where),
        "-lf",
        f"{where}.leases",
        "-pf",
        f"{where}.pid",
        "-sf",
        str(FOLDER / "script"),
    ]
    return [str(FOLDER / "dhclient"), version, "-d", "-1", *files, "eth0"]


def _udhcpc(lease: Lease, wish: str) -> list[str]:
    asked = ["-r", wish, "-R"] if wish else []
    vendor = ["-V", lease.vendor_class] if lease.vendor_class else []
    named = ["-x", f"hostname:{lease.host_name}"]
    return ["udhcpc", "-f", "-i", "eth0", "-s", str(FOLDER / "script"), *named, *vendor, *asked]


@contextmanager
def _announced(machine: Machine, address: str) -> Iterator[None]:
    """Be announced meanwhile, if it is a printer that does."""
    if machine.printer is None:
        yield
        return
    printer = machine.printer
    text = [f"{key}={value}" for key, value in printer.text.items()]
    command = [sys.executable, str(HERE / "announce.py"), printer.host, address, printer.instance, *text]
    with subprocess.Popen(
        on(machine.name, *command), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdin
        if process.stdout.readline() != b"announced\n":
            raise RuntimeError(f"{machine.name} could not announce itself")
        yield
        process.stdin.close()
        process.wait(CLIENT_S)


def _mail(machine: Machine, day: Day) -> None:
    values = {
        "name": machine.name,
        "called": machine.called,
        "source": day.addresses[-1],
        "python": sys.executable,
    }
    command = on(machine.name, *(word.format_map(values) for word in machine.mail))
    done = subprocess.run(command, input=MAIL, capture_output=True, check=False, timeout=CLIENT_S)
    day.statuses.append(done.returncode)
    day.said += (done.stdout[-2000:] + done.stderr[-2000:]).decode(errors="replace")
