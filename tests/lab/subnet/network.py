"""The cables: every machine on a switch with a card of its own, though all but one share a namespace."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from subnet.cast import ADDRESS, ALONE, DOVECOT_SIX, MAC, NETWORK, NUMBERS, PRINTER_SIX, SCANNER, SCANNER_SIX

SCANNING = "scanner"
"""The namespace of whoever scans; the switch is its own, so that all can be heard there."""
SWITCH, SWITCH_MAC = "lan", "02:00:00:00:77:01"
PLACES = f"""
mount -t tmpfs none /run
mkdir -m 755 /run/lab
ip netns add {SCANNING}
ip netns add {ALONE}
"""
SIX = """
echo 0 >/proc/sys/net/ipv6/conf/{card}/disable_ipv6
ip address add {address} dev {card} nodad
"""
SETTINGS = """
for each in all default; do
    echo 1 >/proc/sys/net/ipv6/conf/$each/disable_ipv6
    echo 1 >/proc/sys/net/ipv4/conf/$each/arp_ignore
    echo 0 >/proc/sys/net/ipv4/conf/$each/rp_filter
done
"""
"""A card answers for its own address alone, and sends nothing of its own accord."""


def within(namespace: str, *command: str) -> list[str]:
    """Words that run a program in a namespace; empty: in this one."""
    return ["nsenter", f"--net=/run/netns/{namespace}", "--", *command] if namespace else [*command]


def build() -> None:
    """Lay the cables."""
    for line in PLACES.strip().splitlines():
        subprocess.run(line.split(), check=True)
    for namespace in ("", SCANNING, ALONE):
        subprocess.run(within(namespace, "sh", "-c", SETTINGS), check=True)
    _batch(
        SCANNING,
        f"link add {SWITCH} address {SWITCH_MAC} type bridge mcast_snooping 0",
        f"link set {SWITCH} up",
        f"address add {SCANNER}/22 dev {SWITCH}",
    )
    _batch("", *(_plug(name) for name in NUMBERS))
    _batch(SCANNING, *(f"link set p{number} master {SWITCH} up" for number in NUMBERS.values()))
    _batch("", *(line for name in NUMBERS if name != ALONE for line in _configure(name)))
    _batch(ALONE, *_configure(ALONE))
    give_six(ALONE, "lo", f"{PRINTER_SIX}/128")


def begin_six() -> None:
    """Let one machine and the scanner have IPv6, which nobody spoke until now."""
    give_six("", f"c{NUMBERS['dovecot']}", f"{DOVECOT_SIX}/64")
    give_six(SCANNING, SWITCH, f"{SCANNER_SIX}/64")


def give_six(namespace: str, card: str, address: str) -> None:
    """Let a card have an address of IPv6."""
    script = SIX.format(card=card, address=address)
    subprocess.run(within(namespace, "sh", "-ec", script), check=True)


def overlay(folder: Path, file: str, text: str) -> None:
    """Let a file in /etc say something else."""
    (folder / file).write_text(text)
    subprocess.run(["mount", "--bind", folder / file, f"/etc/{file}"], check=True)


def _plug(name: str) -> str:
    number, where = NUMBERS[name], f"netns {ALONE}" if name == ALONE else ""
    card = f"name c{number} address {MAC[name]} gso_max_segs 1 {where}"
    return f"link add {card} type veth peer name p{number} gso_max_segs 1 netns {SCANNING}"


def _configure(name: str) -> Iterator[str]:
    """What a machine says leaves by its own card; it knows the scanner without having to ask for him."""
    number, address = NUMBERS[name], ADDRESS[name]
    yield f"link set c{number} up"
    yield f"address add {address}/22 dev c{number} noprefixroute"
    yield f"neighbour add {SCANNER} lladdr {SWITCH_MAC} dev c{number} nud permanent"
    yield f"route add {NETWORK} dev c{number} src {address} table {number}"
    yield f"rule add from {address} table {number}"
    yield f"route replace {NETWORK} dev c{number} src {address}"


def _batch(namespace: str, *lines: str) -> None:
    told = "\n".join(["link set lo up", *lines])
    subprocess.run(within(namespace, "ip", "-batch", "-"), input=told, text=True, check=True)
