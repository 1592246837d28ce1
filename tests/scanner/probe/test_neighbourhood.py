"""What the kernel tells of the network around, in a namespace that has a cable, an address and a router."""

from __future__ import annotations

import shutil
import sys
from functools import cache
from typing import Any

import pytest
from own_network import inside

from scanner.probe.neighbourhood import WITHOUT_RIGHTS, written

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("unshare"), reason="namespaces are Linux's"
)

TOLD = """
import json, subprocess, sys
from scanner.probe.neighbourhood import may_sweep, neighbours, own_addresses, way
script = '''
echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
ip link set lo up
ip link add v0 type veth peer name v1
ip link set v0 address 02:00:00:00:00:01
ip link set v0 up
ip link set v1 up
ip addr add 10.0.0.1/24 dev v0
ip addr add fd00::1/64 dev v0 nodad
ip route add 10.9.0.0/16 via 10.0.0.2
ip route add 10.8.0.0/16 via inet6 fe80::2 dev v0
ip route add blackhole 10.7.0.0/16
ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev v0
ip neigh add fe80::7 lladdr 02:00:00:00:00:08 dev v0
'''
subprocess.run(["sh", "-ec", script], check=True)
ways = {ip: way(ip) for ip in sys.argv[1:]}
print(json.dumps({"ways": ways, "neighbours": neighbours(), "own": own_addresses(), "may": may_sweep()}))
"""
HOME = "fe80::ff:fe00:1"
WAYS = {
    "10.0.0.5": ["v0", "10.0.0.1", True, False],
    "10.9.1.1": ["v0", "10.0.0.1", False, False],
    "10.8.1.1": ["v0", "10.0.0.1", False, False],
    "10.0.0.1": ["lo", "10.0.0.1", True, True],
    "127.0.0.9": ["lo", "127.0.0.1", True, True],
    "10.0.0.255": None,
    "10.7.0.1": None,
    "8.8.8.8": None,
    "224.0.0.1": None,
    "fd00::7": ["v0", "fd00::1", True, False],
    "fe80::9%v0": ["v0", HOME, True, False],
    "fe80::9%gone": None,
    "2001:db8::1": None,
}


@cache
def told() -> dict[str, Any]:
    return inside(TOLD, *WAYS, before="")[0]


@pytest.mark.parametrize("ip", WAYS)
def test_the_way_to(ip: str) -> None:
    assert told()["ways"][ip] == WAYS[ip]


def test_neighbours_have_macs() -> None:
    assert told()["neighbours"] == {"10.0.0.7": "02:00:00:00:00:07", "fe80::7%v0": "02:00:00:00:00:08"}


def test_own_addresses_are_those_that_can_be_spoken_from() -> None:
    assert ["v0", "fd00::1", 64] in told()["own"]
    assert ["lo", "::1", 128] in told()["own"]


def test_who_may_not_sweep_is_told_what_is_lost() -> None:
    script = "import json, scanner.probe.neighbourhood as n; print(json.dumps({'why': n.may_sweep()}))"
    assert told()["may"] is None
    assert inside(script, before="", unshare="-Ur")[0]["why"] == WITHOUT_RIGHTS


def test_only_link_local_is_written_with_its_zone() -> None:
    assert written(bytes([10, 0, 0, 1]), "eth0") == "10.0.0.1"
    assert written(b"\xfe\x80" + bytes(13) + b"\1", "eth0") == "fe80::1%eth0"
    assert written(b"\xfd" + bytes(14) + b"\1", "eth0") == "fd00::1"
