"""What Linux tells of an interface is told as it is, and of one that is not there in a line."""

from __future__ import annotations

import struct

import pytest
from own_network import CABLE, inside

from scanner.capture import interface
from scanner.capture.interface import look, name_of, names, received
from scanner.capture.live import TapError
from scanner.wire.batch import LinkType

SET_UP = CABLE + "from scanner.capture.interface import look, name_of, names, received\n"


def test_the_loopback_is_there() -> None:
    there = look("lo")
    assert (there.name, there.link, there.loopback) == ("lo", LinkType.ETHERNET, True)
    assert name_of(there.number) == "lo"
    assert "lo" in names()
    assert name_of(1 << 30) is None


@pytest.mark.parametrize("name", ["nowhere", "x" * 300, "", "eth0/../lo", "\udcff"])
def test_what_is_not_there_is_told_with_what_is(name: str) -> None:
    with pytest.raises(TapError) as told:
        look(name)
    assert str(told.value).startswith(f"{name}: no such interface; there are: ")
    assert "lo" in str(told.value)
    assert received(name) is None


def test_a_cable_is_seen_up_down_renamed_and_gone() -> None:
    script = """
def state():
    here = look("v1")
    told(up=here.up, mtu=here.mtu, link=here.link, loopback=here.loopback)
state()
ip("link", "set", "v0", "down")
for _ in range(300):  # the kernel tells of a carrier that is lost within a second
    if not look("v1").up:
        break
    time.sleep(0.01)
state()
up("v0", "v1")
number, before = look("v1").number, received("v1")
send(*[OWN * 10] * 3)
told(more=received("v1") - before >= 3, name=name_of(number))
ip("link", "set", "v1", "down")
ip("link", "set", "v1", "name", "a-mirror")
told(name=name_of(number), names=sorted(names()), counts=received("v1"))
ip("link", "del", "a-mirror")
told(name=name_of(number))
sender.close()
"""
    first, down, *rest = inside(script, before=SET_UP)
    assert first == {"up": True, "mtu": 9000, "link": 1, "loopback": False}
    assert down == {**first, "up": False}
    assert rest == [
        {"more": True, "name": "v1"},
        {"name": "a-mirror", "names": ["a-mirror", "lo", "v0"], "counts": None},
        {"name": None},
    ]


@pytest.mark.parametrize(
    ("kind", "link"),
    [
        pytest.param(1, LinkType.ETHERNET, id="a card, a bridge, GRE with Ethernet inside"),
        pytest.param(772, LinkType.ETHERNET, id="the loopback"),
        pytest.param(778, LinkType.RAW, id="GRE with IP inside"),
        pytest.param(768, LinkType.RAW, id="IP in IP"),
        pytest.param(65534, LinkType.RAW, id="tun, WireGuard"),
        pytest.param(512, LinkType.RAW, id="PPP"),
        pytest.param(280, None, id="CAN"),
    ],
)
def test_a_kind_is_known_by_how_its_packets_begin(
    kind: int, link: LinkType | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kinds are told by number (linux/if_arp.h); kernels of test machines lack most of them."""
    answer = bytes(16) + struct.pack("i", kind) + bytes(236)
    monkeypatch.setattr(interface.fcntl, "ioctl", lambda *_: answer)
    if link is not None:
        assert look("lo").link is link
        return
    with pytest.raises(TapError, match=r"lo: packets of its kind \(ARPHRD 280\) cannot be read"):
        look("lo")


def test_where_nothing_is_counted_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(interface, "open", missing, raising=False)
    assert received("lo") is None
