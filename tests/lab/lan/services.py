"""What serves on the LAN: dnsmasq for leases and names, Postfix as relay, twice, and Exchange Online."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from stage.servers import QUEUES, make_certificate

from lan.cast import ANNEX, NAMES, PREFIX, RESOLVER, SECRET
from lan.network import FOLDER, on, wait

EXCHANGE = Path(__file__).resolve().parents[3] / "captures" / "exchange.py"
DNSMASQ = ("dnsmasq", "--no-daemon", "--user=root", "--no-resolv", "--no-hosts", "--no-ping", "--pid-file")
RANGES = (
    "--dhcp-range=set:office,10.32.0.100,10.32.0.150,1h",
    "--dhcp-range=set:office,10.32.0.200,10.32.0.210,1h",
    "--dhcp-range=set:annex,10.32.8.100,10.32.8.150,255.255.255.0,1h",
    f"--dhcp-option=tag:annex,option:router,{ANNEX}",
    "--dhcp-option=tag:office,option:router,10.32.0.1",
    f"--dhcp-range={PREFIX}100,{PREFIX}1ff,64,1h",
    "--domain=example.com",
    "--local=/com/",
    "--dhcp-authoritative",
)
POSTFIX = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = {name}.example.com
myorigin = example.com
mydestination =
mynetworks = 10.32.0.0/16
inet_protocols = ipv4
alias_maps =
relayhost = {next_hop}
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtp_tls_security_level = none
smtp_connection_cache_on_demand = no
smtp_sasl_auth_enable = {login}
smtp_sasl_password_maps = static:relay@example.com:{secret}relay
smtp_sasl_security_options = noanonymous
smtp_sasl_mechanism_filter = login
"""
MASTER = """
smtp inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
"""


class Services:
    """All of them, running until they are stopped."""

    def __init__(self) -> None:
        """Start them all, and wait until they listen."""
        self._processes: list[subprocess.Popen[bytes]] = []
        make_certificate(FOLDER)
        records = [f"--host-record={name},{address}" for name, address in NAMES.items()]
        leases = f"--dhcp-leasefile={FOLDER}/leases"
        self._start("resolver", *DNSMASQ, leases, *RANGES, *records)
        self._start("router", *DNSMASQ, "--port=0", f"--dhcp-relay={ANNEX},{RESOLVER}")
        pair = (str(FOLDER / "certificate.pem"), str(FOLDER / "key.pem"))
        self._start("gateway", sys.executable, str(EXCHANGE), *pair, "--clear")
        self._start_postfix("relay", "[smtp.office365.com]:587", login=True)
        self._start_postfix("depot", "[relay.example.com]:25", login=False)
        for name, port in {"relay": 25, "depot": 25, "gateway": 587, "resolver": 53}.items():
            wait(f"{name} to listen on {port}", _listens, name, port)

    def _start_postfix(self, name: str, next_hop: str, *, login: bool) -> None:
        folder = FOLDER / name
        settings = folder / "settings"
        settings.mkdir(parents=True)
        filled = POSTFIX.format(
            folder=folder, name=name, next_hop=next_hop, login="yes" if login else "no", secret=SECRET
        )
        (settings / "main.cf").write_text(filled)
        (settings / "master.cf").write_text(MASTER)
        (folder / "data").mkdir()
        shutil.chown(folder / "data", "postfix")
        (folder / "queue").mkdir()
        for queue in QUEUES:
            (folder / "queue" / queue).mkdir(mode=0o755)
            if queue != "pid":
                shutil.chown(folder / "queue" / queue, "postfix")
        self._start(name, "/usr/lib/postfix/sbin/master", "-c", str(settings), "-d")

    def _start(self, name: str, *command: str) -> None:
        with (FOLDER / f"{name}.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(on(name, *command), stdout=log, stderr=log, start_new_session=True)
            )

    def stop(self) -> None:
        """Stop them all; who does not listen goes with the namespace of processes."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(10)


def has_passed_on(relay: str, mails: int) -> bool:
    """Whether a relay has rid itself of so many mails."""
    log = FOLDER / relay / "postfix.log"
    return log.exists() and log.read_text().count(": removed\n") >= mails


def said() -> str:
    """Give the logs of all programs."""
    logs = sorted(FOLDER.rglob("*.log"))
    return "\n".join(f"{log.parent.name}/{log.name}:\n{log.read_text(errors='replace')}" for log in logs)


def _listens(name: str, port: int) -> bool:
    """Whether somebody does, without a word on the wire."""
    shown = subprocess.run(
        on(name, "ss", "-Hltn", f"sport = :{port}"), capture_output=True, check=True, timeout=10
    )
    return bool(shown.stdout.strip())
