"""Make ``office.pcapng``: a small office in network namespaces, real programs, one mirror port.

Run as ``unshare -Urnm python3 make_office.py OUTPUT``. Needs iproute2, dnsmasq, isc-dhcp-client, swaks, curl,
dumpcap, openssl. Nothing leaves the namespaces; addresses of Exchange Online are those of its prefixes.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
NAMES = {
    "smtp.office365.com": "52.96.0.10",
    "outlook.office365.com": "52.97.0.10",
    "example-com.mail.protection.outlook.com": "52.101.0.10",
    "relay.example.com": "10.20.0.25",
}
HOSTS = {
    "copier": ("00:26:73:0a:0b:0c", "10.20.0.31"),
    "script": ("00:15:5d:0a:0b:0c", "10.20.0.32"),
    "relay": ("00:0c:29:0a:0b:0c", "10.20.0.25"),
    "phone": ("00:17:f2:0a:0b:0c", "10.20.0.33"),
    "popclient": ("00:1e:8c:0a:0b:0c", "10.20.0.34"),
    "imapclient": ("00:21:70:0a:0b:0c", "10.20.0.35"),
    "ups": ("00:c0:b7:0a:0b:0c", "10.20.0.36"),
}
GATEWAY_MAC = "00:1b:54:0a:0b:0c"

PLAIN = """
import smtplib
with smtplib.SMTP("relay.example.com", 25, local_hostname="backup01") as relay:
    relay.login("backup", "sample-secret-script")
    relay.sendmail("backup@example.com", ["ann@example.com"], b"Subject: backup done\\r\\n\\r\\nok\\r\\n")
"""
POP = """
import poplib
knocker = poplib.POP3("outlook.office365.com", 110)
try:
    knocker.user("bob@example.com")
    knocker.pass_("sample-secret-pop")
except poplib.error_proto:
    knocker.quit()
"""


def run(*command: str) -> None:
    """Run a program to its end."""
    subprocess.run(command, check=True)


def inside(host: str, *command: str) -> None:
    """Run a client on a host; that the server refuses it is no fault."""
    subprocess.run(
        ["ip", "netns", "exec", host, *command], check=False, stdout=subprocess.DEVNULL, timeout=60
    )


def wire(name: str, mac: str, address: str) -> None:
    """Give a host its namespace, its card and its address."""
    run("ip", "netns", "add", name)
    run("ip", "link", "add", f"v{name[:8]}", "type", "veth", "peer", "name", "eth0", "netns", name)
    run("ip", "link", "set", f"v{name[:8]}", "master", "br0", "up")
    run("ip", "-n", name, "link", "set", "eth0", "address", mac, "up")
    run("ip", "-n", name, "link", "set", "lo", "up")
    run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "eth0")
    if name != "gateway":
        run("ip", "-n", name, "route", "add", "default", "via", "10.20.0.1")


def build(folder: Path) -> None:
    """Make the network and its names."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "br0", "type", "bridge")
    run("ip", "link", "set", "br0", "up")
    wire("gateway", GATEWAY_MAC, "10.20.0.1")
    for name, (mac, address) in HOSTS.items():
        wire(name, mac, address)
    for address in sorted(set(NAMES.values()) - {"10.20.0.25"}):
        run("ip", "-n", "gateway", "address", "add", f"{address}/32", "dev", "lo")
    resolver = folder / "resolv.conf"
    resolver.write_text("nameserver 10.20.0.1\noptions timeout:2\n")
    run("mount", "--bind", str(resolver), "/etc/resolv.conf")


def serve(folder: Path) -> list[subprocess.Popen[bytes]]:
    """Start the names, Exchange Online and the relay."""
    certificate, key = str(folder / "certificate.pem"), str(folder / "key.pem")
    names = "subjectAltName=" + ",".join(f"DNS:{name}" for name in NAMES)
    run(
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "3650",
        "-subj",
        "/CN=outlook.com",
        "-addext",
        names,
        "-keyout",
        key,
        "-out",
        certificate,
    )
    resolver = [
        "dnsmasq",
        "--keep-in-foreground",
        "--user=root",
        "--no-resolv",
        "--no-hosts",
        "--no-daemon",
        "--pid-file",
        f"--dhcp-leasefile={folder}/leases",
        "--dhcp-range=10.20.0.100,10.20.0.120,1h",
        *(f"--host-record={name},{address}" for name, address in NAMES.items()),
    ]
    exchange = [sys.executable, str(HERE / "exchange.py")]
    commands = {
        "gateway": [resolver, [*exchange, certificate, key]],
        "relay": [[*exchange, "--relay", "smtp.office365.com"]],
    }
    return [
        subprocess.Popen(["ip", "netns", "exec", host, *command], stderr=subprocess.DEVNULL)
        for host, started in commands.items()
        for command in started
    ]


def act(folder: Path) -> None:
    """Let every host do what it does all day."""
    lease = [
        "dhclient",
        "-1",
        "-sf",
        "/bin/true",
        "-lf",
        f"{folder}/lease",
        "-pf",
        f"{folder}/dhcp.pid",
        "eth0",
    ]
    inside("copier", *lease)
    swaks = ["swaks", "--to", "ann@example.com", "--body", "scan", "--timeout", "10"]
    inside(
        "copier",
        *swaks,
        "--server",
        "smtp.office365.com:587",
        "--tls",
        "--auth",
        "LOGIN",
        "--ehlo",
        "RNP0026730A0B0C",
        "--from",
        "scan@example.com",
        "--auth-user",
        "scan@example.com",
        "--auth-password",
        "sample-secret-copier",
    )
    inside("script", sys.executable, "-c", PLAIN)
    query = "Cmd=Sync&User=ann@example.com&DeviceId=ANDROID42&DeviceType=Android"
    for scheme in ("https", "http"):
        inside(
            "phone",
            "curl",
            "-sk",
            "-X",
            "POST",
            "-A",
            "Android-Mail/8.0",
            "-H",
            "MS-ASProtocolVersion: 14.1",
            "-u",
            "ann@example.com:sample-secret-phone",
            "--data",
            "x",
            f"{scheme}://outlook.office365.com/Microsoft-Server-ActiveSync?{query}",
        )
    inside("popclient", sys.executable, "-c", POP)
    inside(
        "imapclient",
        "curl",
        "-sk",
        "imaps://outlook.office365.com/INBOX",
        "-u",
        "ann@example.com",
        "--oauth2-bearer",
        "sample-token-" + "t" * 1400,
    )
    inside(
        "ups",
        *swaks,
        "--server",
        "example-com.mail.protection.outlook.com:25",
        "--ehlo",
        "apc0A0B0C",
        "--from",
        "ups@example.com",
    )


def to_pcapng(raw: bytes) -> bytes:
    """Rewrite a pcap of one interface as pcapng, without a word about the machine."""
    parts = [struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)]
    parts.append(struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20))
    at = 24
    while at < len(raw):
        second, micro, size, length = struct.unpack_from("<IIII", raw, at)
        stamp = second * 1_000_000 + micro
        data = raw[at + 16 : at + 16 + size]
        padded = data + bytes(-size % 4)
        total = 32 + len(padded)
        head = struct.pack("<IIIIIII", 6, total, 0, stamp >> 32, stamp & 0xFFFFFFFF, size, length)
        parts.append(head + padded + struct.pack("<I", total))
        at += 16 + size
    return b"".join(parts)


def main() -> None:
    """Make the capture."""
    output = Path(sys.argv[1]).resolve()
    run("mount", "-t", "tmpfs", "none", "/run")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder)
        capture = folder / "office.pcap"
        tap = subprocess.Popen(
            ["dumpcap", "-q", "-P", "-i", "br0", "-f", "ip", "-w", str(capture)], stderr=subprocess.DEVNULL
        )
        servers = serve(folder)
        try:
            time.sleep(2)
            act(folder)
            time.sleep(1)
        finally:
            for process in (*servers, tap):
                process.terminate()
                process.wait(10)
            run("umount", "/etc/resolv.conf")
        output.write_bytes(to_pcapng(capture.read_bytes()))
        os.chmod(output, 0o644)


if __name__ == "__main__":
    main()
