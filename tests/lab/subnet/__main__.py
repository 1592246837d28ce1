"""The subnet itself: ``python -m subnet OUTPUT``, as root of its namespaces, leaves what scans came to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from stage.servers import Running

from subnet.cast import ADDRESS, ALONE, HOST, MAILBOX, NETWORK_SIX, PRINTER_SIX, SCANNED
from subnet.devices import start_printer, start_snmpd
from subnet.mail import add_users, start_dovecot, start_exim, start_opensmtpd, start_postfix
from subnet.network import SCANNING, SWITCH, begin_six, build, overlay, within
from subnet.web import start_nginx, start_pages

FOLDER = Path("/run/lab")
LISTENING = {
    "dovecot": (110, 143, 993, 995),
    "swapped": (143, 993),
    "postfix": (25, 465, 587),
    "relay": (25,),
    "exim": (25, 465, 587),
    "opensmtpd": (25,),
    "web-exchange": (80, 443),
    "tls-1.1": (443,),
    "copier": (80,),
    "printer": (631,),
}
SCAN_S = 60
PROGRAM = (sys.executable, "-c", "from scanner.cli import main; main()")
WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--")
"""As a plain user is: what root's files are is still his, so that the checkout can be read wherever it is."""
TARGET = (SCANNED, "--exclude", "excluded")
FAST = ("--rate", "0")
SOME = tuple(ADDRESS[name] for name in ("dovecot", "postfix", "postfix-last", "exim"))
"""Whoever speaks as one would expect: nothing has to be tried twice."""
SOME_WORDS = (*SOME, "--quick", "--ports", "25,110,143,465,587,993,995", "--format", "ndjson")
TCPDUMP = f"tcpdump -Z root -U --immediate-mode -s 2048 -B 16384 -i {SWITCH} -w".split()
"""In immediate mode every packet takes as much of the buffer as the longest may: at 256 KB it held 64."""


class Scans:
    """Runs of the program, each with what went over the cable."""

    def __init__(self, output: Path) -> None:
        """Leave all there."""
        self._output = output
        self.ended: dict[str, dict[str, object]] = {}

    def run(self, name: str, *words: str, database: str = "", before: tuple[str, ...] = ()) -> None:
        """Run a scan to its end."""
        with self._begun(name, words, database or name, before) as running:
            running.wait(SCAN_S)

    def interrupt(self, name: str, *words: str, after: int) -> None:
        """Interrupt a scan after so many records."""
        with self._begun(name, words, name, ()) as running:
            end = time.monotonic() + SCAN_S
            while (self._output / f"{name}.out").read_bytes().count(b"\n") < after:
                assert running.poll() is None, "it was over before it could be interrupted"
                assert time.monotonic() < end, "it found too little"
                time.sleep(0.005)
            running.send_signal(signal.SIGINT)
            running.wait(SCAN_S)

    @contextmanager
    def _begun(
        self, name: str, words: tuple[str, ...], database: str, before: tuple[str, ...]
    ) -> Iterator[subprocess.Popen[bytes]]:
        files = {kind: self._output / f"{name}.{kind}" for kind in ("out", "err", "pcap", "tap")}
        with files["out"].open("wb") as out, files["err"].open("wb") as err, files["tap"].open("wb") as tap:
            others = () if name == "swapped" else ("not",)
            capture = [*within(SCANNING, *TCPDUMP), str(files["pcap"]), *others, "host", ADDRESS["swapped"]]
            tapped = subprocess.Popen(capture, stderr=subprocess.PIPE)
            assert tapped.stderr
            tap.write(tapped.stderr.readline())
            began = time.monotonic()
            where = ("--db", str(self._output / f"{database}.db"))
            command = [*within(SCANNING, *before, *PROGRAM), *where, "scan", *words]
            environment = {**os.environ, "HOME": str(self._output)}
            running = subprocess.Popen(command, stdout=out, stderr=err, env=environment)
            try:
                yield running
            finally:
                running.kill()
                took = time.monotonic() - began
                self.ended[name] = {"status": running.wait(), "took_s": took}
                tapped.terminate()
                tap.write(tapped.communicate()[1])


def serve(servers: Running) -> subprocess.Popen[bytes]:
    """Start all servers, and wait for them; gives the one that will go."""
    add_users(FOLDER)
    names = [
        ("localhost", "127.0.0.1"),
        *ADDRESS.items(),
        (f"{HOST}.local", ADDRESS[ALONE]),
        (f"{HOST}.local", PRINTER_SIX),
    ]
    overlay(FOLDER, "hosts", "".join(f"{address} {name}\n" for name, address in names))
    for start in (start_dovecot, start_postfix, start_nginx, start_pages, start_snmpd, start_printer):
        start(servers)
    start_opensmtpd(servers)
    exim = start_exim(servers)
    servers.wait_for(*((ADDRESS[name], port) for name, ports in LISTENING.items() for port in ports))
    return exim


def scan(scans: Scans, servers: Running, exim: subprocess.Popen[bytes]) -> None:
    """Scan in all ways; in between one server changes and others go."""
    scans.run("dry", *TARGET, "--dry-run")
    with ThreadPoolExecutor() as pool:
        pool.submit(
            scans.run, "swapped", ADDRESS["swapped"], *FAST, "--ports", "143,993", "--format", "ndjson"
        )
        _scan(scans, servers, exim)


def _scan(scans: Scans, servers: Running, exim: subprocess.Popen[bytes]) -> None:
    wanted = (*TARGET, *FAST, "--snmp", "--relay-test", MAILBOX)
    scans.run("all", *wanted, "--format", "ndjson")
    (FOLDER / "targets").write_text(f"# one a line\n{ADDRESS['dovecot-strict']}\n")
    few = (*FAST, "--ports", "143", "--quick")
    with ThreadPoolExecutor() as pool:
        plain = pool.submit(scans.run, "plain", *wanted, "--format", "json", before=WITHOUT_RIGHTS)
        scans.run("whole", *FAST, *SOME_WORDS)
        scans.run("csv", "dovecot-strict", *few, "--format", "csv")
        scans.run("table", f"@{FOLDER}/targets", *few)
        plain.result()
    scans.interrupt("part", "--rate", "20", *SOME_WORDS, after=8)
    scans.run("rest", *FAST, *SOME_WORDS, "--resume", database="part")
    exim.terminate()
    change_postfix(servers)
    scans.run("later", *wanted, "--diff", "--format", "ndjson", database="all")
    begin_six()
    six = (NETWORK_SIX, *FAST, "--ports", "143,993", "--quick", "--format", "ndjson")
    scans.run("six", *six, database="all")


def change_postfix(servers: Running) -> None:
    """Let the old one take logins inside TLS alone."""
    master = servers.folder / "postfix" / "master.cf"
    was = "-o smtpd_tls_security_level=none -o broken_sasl_auth_clients=yes"
    text = master.read_text()
    assert was in text
    master.write_text(text.replace(was, "-o smtpd_tls_auth_only=yes"))
    subprocess.run(["postfix", "-c", str(master.parent), "reload"], check=True, capture_output=True)


def main() -> None:
    """Build, serve, scan, and leave the results."""
    output = Path(sys.argv[1])
    build()
    servers, scans = Running(FOLDER), Scans(output)
    try:
        scan(scans, servers, serve(servers))
    finally:
        servers.stop()
        logs = sorted([*FOLDER.glob("*.log"), *FOLDER.glob("exim/*.log")])
        for log in logs:
            (output / log.name).write_bytes(log.read_bytes())
        (output / "scans.json").write_text(json.dumps(scans.ended, indent=1))


if __name__ == "__main__":
    main()
