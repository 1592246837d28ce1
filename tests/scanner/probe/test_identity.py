"""What a machine is asked beside mail, and whose word is taken for what."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from scanner.conversation import Endpoint
from scanner.events import Label
from scanner.probe.dial import Dialler, Unreachable
from scanner.probe.identity import LABELS_KEPT, Identity
from scanner.probe.player import Player
from scanner.services import Answered
from scanner.session import Asker

HOST = "192.0.2.7"
SSDP = (
    b"HTTP/1.1 200 OK\r\nLOCATION: http://%s:49152/desc.xml\r\n"
    b"SERVER: Linux UPnP/1.0 Copier/2\r\nST: upnp:rootdevice\r\n\r\n"
)
DESCRIPTION = (
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    b"<root><device><modelName>Copier 12</modelName></device></root>"
)
STATUS = b"\0\1\x84\0\0\0\0\1\0\0\0\0\0\0\x21\0\1\0\0\0\0\0\x19\1FILES-3        \0\4\0\2\0\0\0\0\1"
MDNS = (
    b"\0\0\x84\0\0\0\0\2\0\0\0\0"
    b"%s\x05local\0\0\1\0\1\0\0\0\x78\0\4\xc0\0\2\x09"
    b"%s\x05local\0\0\1\0\1\0\0\0\x78\0\4\xc0\0\2\x07"
)
"""An address that was not asked, then the one that was."""


class Played(Dialler):
    """Answers from a table, and notes what was asked."""

    def __init__(
        self, datagrams: Iterable[tuple[int, bytes]] = (), pages: dict[int, bytes] | None = None
    ) -> None:
        self.datagrams, self.pages = list(datagrams), pages or {}
        self.sent: list[list[int]] = []
        self.called: list[int] = []

    async def inquire(self, host: str, sent: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        self.sent.append([port for port, _ in sent])
        return self.datagrams if len(self.sent) == 1 else []

    async def play(self, end: Endpoint, player: Player, tries: int = 3) -> None:
        self.called.append(end.port)
        assert end.ip == HOST
        if end.port not in self.pages:
            raise Unreachable(Answered.REFUSED, "refused")
        player.begin()
        player.hear(self.pages[end.port])
        player.hung_up("it closed the connection")


def asked(dialler: Played, **how: object) -> tuple[Label, ...]:
    identity = Identity(dialler, Asker(), lambda count: bytes(count), **how)  # type: ignore[arg-type]
    return asyncio.run(identity.ask(HOST))


def test_a_machine_that_answers_nothing_is_asked_each_thing_once() -> None:
    dialler = Played()
    assert asked(dialler) == ()
    assert {137, 1900, 3702, 5353} == set(dialler.sent[0])
    assert dialler.called == [631]


@pytest.mark.parametrize(
    ("how", "port"), [({"pjl": True}, 9100), ({"communities": ["public"]}, 161)], ids=["PJL", "SNMP"]
)
def test_what_may_harm_or_needs_a_community_is_asked_only_if_the_user_says_so(
    how: dict[str, object], port: int
) -> None:
    without, with_it = Played(), Played()
    asked(without)
    asked(with_it, **how)
    assert port not in (*without.called, *without.sent[0])
    assert port in (*with_it.called, *with_it.sent[0])


def test_snmp_v1_is_asked_where_v2c_is_not_answered() -> None:
    dialler = Played()
    asked(dialler, communities=["public"])
    assert set(dialler.sent[1]) == {161}


def test_a_description_is_fetched_from_the_machine_itself() -> None:
    dialler = Played([(1900, SSDP % HOST.encode())], {49152: DESCRIPTION})
    found = asked(dialler)
    assert Label("upnp.model", "Copier 12") in found
    assert 49152 in dialler.called


def test_a_description_elsewhere_is_left_alone() -> None:
    dialler = Played([(1900, SSDP % b"198.51.100.9")])
    found = asked(dialler)
    assert dialler.called == [631]
    assert all(label.ip is None for label in found)


def test_a_search_is_answered_from_any_port_and_nothing_else_is() -> None:
    dialler = Played([(40000, SSDP % HOST.encode()), (40000, STATUS)], {49152: DESCRIPTION})
    assert asked(dialler) == (
        Label("ssdp.server", "Linux UPnP/1.0 Copier/2"),
        Label("upnp.model", "Copier 12"),
    )
    assert Label("nbns.name", "FILES-3") in asked(Played([(137, STATUS)]))


def test_a_machine_is_known_by_all_of_the_addresses_that_have_its_name() -> None:
    assert Label("mdns.host", "copier.local") in asked(
        Played([(5353, MDNS % (b"\x06copier", b"\x06copier"))])
    )
    assert Label("mdns.host", "copier.local") not in asked(
        Played([(5353, MDNS % (b"\x06copier", b"\x05other"))])
    )


def test_a_flood_of_facts_is_cut() -> None:
    many = [(1900, SSDP.replace(b"Copier/2", b"Copier/%d" % one) % HOST.encode()) for one in range(500)]
    assert len(asked(Played(many))) <= LABELS_KEPT
