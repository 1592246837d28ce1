"""Measure scans: ``python -m benchmarks.scanned [PART...]`` (see ``PARTS``), in networks of their own.

Beside nmap and masscan in the same run, where they are installed. Seconds differ from machine to machine, and
with what else runs there; ratios and counts hardly do.
"""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.devices import PORTS, machines, offered
from benchmarks.mail_server import READY
from benchmarks.measure import FailedError, measured
from benchmarks.run import PROGRAM, Goal, told
from db.store import Inventory
from scanner.services import Answered

OURS = (sys.executable, PROGRAM)
MOST_MB, MOST_CPU = 80.0, 1.5
DIALOGUES = {
    "plain": ("2525", "127.0.0.0/18", 16_382, 3_500.0),
    "TLS": ("465", "127.0.0.0/19", 8_190, 1_200.0),
}
"""Port, addresses, how many they are, and dialogues a second that are to be had on one core."""
PLAIN_USER = ("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw")
"""What is measured is dialogues, and not who is there."""
NMAP_SCRIPTS = "smtp-commands,imap-capabilities,pop3-capabilities,ssl-cert"
OPEN_PORTS, OPEN_HOSTS = 1_024, 16
MASSCAN_PPS = 50_000
NET, OWN, MASSCAN = "10.99.0.0/22", "10.99.3.254", "10.99.3.253"
_MECHANISM = re.compile(r"(?<![A-Z])(PLAIN|LOGIN(?!DISABLED)|CRAM-MD5)")
"""As nmap writes them: at times with the tag of the next line at their end."""


@contextmanager
def inventory() -> Iterator[str]:
    """A database that goes away; it is there already, as it is at any scan but the first."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "inventory.db")
        subprocess.run(
            [*OURS, "--db", path, "scan", "127.0.0.1", "--ports", "1"], check=True, capture_output=True
        )
        yield path


def scan(db: str, *words: str) -> list[str]:
    """Our command."""
    return [*OURS, "--db", db, "scan", *words]


@contextmanager
def serving(module: str, *words: str, within: Sequence[str] = ()) -> Iterator[None]:
    """Have servers listen."""
    command = [*within, sys.executable, "-m", f"benchmarks.{module}", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            if server.stdout.readline().strip() != READY:
                raise FailedError(f"benchmarks.{module} did not begin")
            yield
        finally:
            server.kill()


def dialogues() -> list[Goal]:
    """Hold as many dialogues a second as one core allows; the servers have the other."""
    goals = []
    for name, (port, net, count, wanted) in DIALOGUES.items():
        words = ["tls"] if name == "TLS" else []
        with serving("mail_server", port, *words), inventory() as db:
            command = scan(db, net, "--rate", "0", "--quick", "--ports", port, "--format", "ndjson")
            spent = measured(["taskset", "-c", "0", *PLAIN_USER, *command])
            bare = [sys.executable, "-m", "benchmarks.bare_client", str(count), port, *words]
            least = measured(["taskset", "-c", "0", *bare])
            with Inventory.open(db) as kept:
                answered = kept.scans()[0].totals.outcomes.get(Answered.ANSWERED, 0)
        for who, took in (("ours", spent), ("a bare client of asyncio", least)):
            spend = f"{took.seconds:.1f} s, {took.cpu_s:.1f} s of CPU, {took.peak_mb:.0f} MB"
            print(f"{name}, {who}: {spend}", flush=True)
        goals += [
            Goal(f"{name}: dialogues a second", answered / spent.seconds, "at least", wanted),
            Goal(f"{name}: CPU to a bare client's", spent.cpu_s / least.cpu_s, "at most", MOST_CPU),
            Goal(f"{name}: servers not asked", count - answered, "at most", 0),
            Goal(f"{name}: peak memory", spent.peak_mb, "at most", MOST_MB, "MB"),
        ]
    return goals


@contextmanager
def neighbours() -> Iterator[tuple[str, ...]]:
    """Lay a cable to another network; gives what runs a command there."""
    with subprocess.Popen(["unshare", "-n", "sleep", "infinity"]) as other:
        try:
            there = ("nsenter", "-t", str(other.pid), "-n")
            own = Path("/proc/self/ns/net").readlink()
            while Path(f"/proc/{other.pid}/ns/net").readlink() == own:
                time.sleep(0.01)
            ip = ("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", str(other.pid))
            for command in (
                ip, ("ip", "addr", "add", f"{OWN}/22", "dev", "v0"), ("ip", "link", "set", "v0", "up"),
                (*there, "ip", "link", "set", "lo", "up"), (*there, "ip", "link", "set", "v1", "up"),
            ):  # fmt: skip
                subprocess.run(command, check=True)
            yield there
        finally:
            other.kill()
            other.wait()
            subprocess.run(["ip", "link", "del", "v0"], check=False, capture_output=True)


def addressed(there: Sequence[str], addresses: Iterable[str]) -> None:
    """Give addresses to the other end."""
    for address in addresses:
        subprocess.run([*there, "ip", "addr", "add", f"{address}/22", "dev", "v1"], check=True)


def timed(command: Sequence[str]) -> tuple[float, str]:
    """How long a program takes, and what it prints."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FailedError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return time.perf_counter() - began, done.stdout


Found = dict[tuple[str, int], frozenset[str]]


def by_us(out: str) -> Found:
    """Mechanisms that our records tell of each port."""
    records = map(json.loads, out.splitlines())
    return {(one["host"], one["port"]): frozenset(one["offered"] + one["offered_tls"]) for one in records}


def by_nmap(out: str) -> Found:
    """Mechanisms that nmap's scripts mention of each port."""
    found = {}
    for host in ElementTree.fromstring(out).iter("host"):
        ip = host.findall("address[@addrtype='ipv4']")[0].attrib["addr"]
        for port in host.iter("port"):
            said = " ".join(one.attrib["output"] for one in port.iter("script"))
            found[ip, int(port.attrib["portid"])] = frozenset(_MECHANISM.findall(said))
    return found


def missed(found: Found) -> tuple[int, int]:
    """How many mechanisms were found, and how many were not."""
    pairs = {(end, name) for end, names in offered().items() for name in names}
    seen = {(end, name) for end, names in found.items() for name in names}
    return len(pairs & seen), len(pairs - seen)


def office() -> list[Goal]:
    """Ask thirty machines of a /22 what they offer: at our usual rate, as fast as it goes, and by nmap."""
    ports = ",".join(map(str, PORTS))
    nmap = ["nmap", "-n", "-sV", "--script", NMAP_SCRIPTS, "-p", ports, "-oX", "-", NET]
    took: dict[str, float] = {}
    lost: dict[str, int] = {}
    with neighbours() as there, inventory() as db:
        addressed(there, machines())
        with serving("devices", within=there):
            usual = scan(db, NET, "--ports", ports, "--format", "ndjson")
            ways = {
                "ours": (usual, by_us),
                "ours, --rate 0": ([*usual, "--rate", "0"], by_us),
                "nmap": (nmap, by_nmap),
            }
            for name, (command, read) in ways.items():
                if shutil.which(command[0]):
                    took[name], out = timed(command)
                    found, lost[name] = missed(read(out))
                    print(f"{name}: {took[name]:.1f} s, {found} mechanisms, {lost[name]} missed", flush=True)
    print(f"nmap was: {' '.join(nmap)}")
    theirs, ours = took.get("nmap"), [name for name in took if name != "nmap"]
    return [
        *(Goal(f"/22, {name}: time to nmap's", took[name] / theirs if theirs else None, "at most", 1.0)
          for name in ours),
        *(Goal(f"/22, {name}: mechanisms missed", lost[name], "at most", 0) for name in ours),
        Goal("/22: mechanisms that nmap misses", lost.get("nmap"), "at least", 1),
    ]  # fmt: skip


def ports() -> list[Goal]:
    """Find every open port of sixteen machines with a thousand each, beside masscan."""
    hosts, first = [f"10.99.1.{number}" for number in range(1, OPEN_HOSTS + 1)], 20_000
    span, net = f"{first}-{first + OPEN_PORTS - 1}", f"{hosts[0]}-{hosts[-1]}"
    count, theirs = OPEN_PORTS * OPEN_HOSTS, None
    with neighbours() as there, inventory() as db:
        addressed(there, hosts)
        with serving("mail_server", span, within=there):
            spent, out = timed(scan(db, net, "--rate", "0", "--quick", "--ports", span, "--format", "ndjson"))
            ours = sum(json.loads(line)["outcome"] == "answered" for line in out.splitlines())
            print(f"ours: {ours:,} of {count:,} ports found and asked in {spent:.1f} s", flush=True)
            if shutil.which("masscan"):
                mac = json.loads(timed([*there, "ip", "-j", "link", "show", "v1"])[1])[0]["address"]
                spent, out = timed(
                    ["masscan", net, "-p", span, "--rate", str(MASSCAN_PPS), "--wait", "3", "-e", "v0",
                     "--router-mac", mac.replace(":", "-"), "--source-ip", MASSCAN, "-oL", "-"]
                )  # fmt: skip
                theirs = len({line for line in out.splitlines() if line.startswith("open")})
                print(f"masscan at {MASSCAN_PPS:,} pps: {theirs:,} found in {spent:.1f} s", flush=True)
    return [
        Goal("open ports that we miss", count - ours, "at most", 0),
        Goal("open ports that masscan misses", None if theirs is None else count - theirs, "at least", 0),
    ]


PARTS: dict[str, Callable[[], list[Goal]]] = {"dialogues": dialogues, "office": office, "ports": ports}
_INSIDE = "--inside"


def main() -> None:
    """Measure what was asked for, or all, in a network where nobody else is."""
    inside, names = _INSIDE in sys.argv, [word for word in sys.argv[1:] if word != _INSIDE]
    if unknown := [name for name in names if name not in PARTS]:
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if not inside:
        again = ["unshare", "-Urn", sys.executable, "-m", "benchmarks.scanned", _INSIDE, *names]
        sys.exit(subprocess.run(again, check=False).returncode)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))  # a thousand ports are as many files
    try:
        told([goal for name in names or PARTS for goal in PARTS[name]()])
    except FailedError as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
