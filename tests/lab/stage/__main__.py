"""The lab itself: ``python -m stage OUTPUT``, as root of its own namespaces, leaves captures and labels.

Two hosts on a cable: ``client`` (10.30.0.2, fd00:30::2) and the server, to whom all of 10.31.0.0/16 and
fd00:31::/64 belong. Every dialogue has an address of its own there, by which its record is known.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stage.cast import Part, cast
from stage.servers import Servers

NETWORK = """
mount -t tmpfs none /run
mkdir -m 755 /run/lab
ip link set lo up
ip netns add client
ip link add server address 02:00:00:00:00:01 type veth peer name client address 02:00:00:00:00:02 netns client
ip address add 10.30.0.1/24 dev server
ip address add fd00:30::1/64 dev server nodad
ip link set server gso_max_segs 1 up
ip route add local 10.31.0.0/16 dev lo
ip route add local fd00:31::/64 dev lo
ip -n client link set lo up
ip -n client address add 10.30.0.2/24 dev client
ip -n client address add fd00:30::2/64 dev client nodad
ip -n client link set client gso_max_segs 1 up
ip -n client route add 10.31.0.0/16 via 10.30.0.1
ip -n client route add fd00:31::/64 via fd00:30::1
mount --bind /run/lab/hosts /etc/hosts
"""
CLIENT = ("nsenter", "--net=/run/netns/client", "--")
FOLDER = Path("/run/lab")
MAIL = b"From: a@example.com\r\nTo: b@example.net\r\nSubject: lab\r\n\r\nscan\r\n"
AT_ONCE = 8
"""Clients at a time: they mostly wait for the servers, which make a refused client wait."""
CAPTURE = "tcpdump -Z root -U --immediate-mode -B 16384 -i server -w - tcp".split()  # noqa: SIM905
CLIENT_S = 20
LINGER_S = 0.5
"""For the last FINs to be captured."""


def play(part: Part) -> dict[str, object]:
    """Let one client talk, and note what it did."""
    mail = MAIL if "-T" in part.dialogue.command else b""
    done = subprocess.run(
        [*CLIENT, *part.command()], input=mail, capture_output=True, check=False, timeout=CLIENT_S
    )
    return {
        "title": part.dialogue.title,
        "address": part.address,
        "name": part.name,
        "user": part.user,
        "client_name": part.client_name,
        "secrets": sorted({part.secret, part.password, *part.of_proxy}),
        "status": done.returncode,
        "said": (done.stdout[-2000:] + done.stderr[-2000:]).decode(errors="replace"),
    }


def main() -> None:
    """Build, play, and leave the results."""
    output = Path(sys.argv[1])
    key = secrets.token_bytes(32)
    parts = cast(key, proxy_password := secrets.token_urlsafe(18))
    *network, hosts = NETWORK.strip().splitlines()
    for line in network:
        subprocess.run(line.split(), check=True)
    names = "".join(f"{part.address} {part.name}\n" for part in parts)
    (FOLDER / "hosts").write_text(f"127.0.0.1 localhost\n{names}")
    subprocess.run(hosts.split(), check=True)
    users = {part.user: part.password for part in parts}
    with (output / "lab.pcap").open("wb") as file, (output / "tcpdump.log").open("wb") as log:
        servers = Servers(FOLDER, users, key, proxy_password)
        tap = None
        try:
            servers.wait()
            capture = [
                "tcpdump",
                "-Z",
                "root",
                "-U",
                "--immediate-mode",
                "-B",
                "16384",
                "-i",
                "server",
                "-w",
                "-",
                "tcp",
            ]
            tap = subprocess.Popen(capture, stdout=file, stderr=subprocess.PIPE)
            assert tap.stderr
            log.write(tap.stderr.readline())
            with ThreadPoolExecutor(AT_ONCE) as pool:
                played = list(pool.map(play, parts))
            time.sleep(LINGER_S)
        finally:
            if tap:
                tap.terminate()
                log.write(tap.communicate()[1])
            servers.stop()
            (output / "servers.log").write_text(servers.said())
    (output / "labels.json").write_text(json.dumps(played, indent=1))


if __name__ == "__main__":
    main()
