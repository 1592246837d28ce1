"""What a machine is asked: a few small datagrams that each protocol's own readers understand."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_network import inside

from scanner.events import Label
from scanner.probe.questions import NOISE, Question, questions, told
from scanner.protocols import nbns, ssdp, wsd

ADDRESS = "192.0.2.7"
ASKED = bytes(range(NOISE))
ASKABLE = {137, 161, 1900, 3702, 5353}


def asked(port: int, communities: Sequence[str] = ()) -> list[Question]:
    return [one for one in questions(ADDRESS, ASKED, communities=communities) if one.port == port]


@pytest.mark.parametrize("address", [ADDRESS, "2001:db8::7", "fe80::7%eth0"])
def test_questions_are_small_and_go_to_the_usual_ports(address: str) -> None:
    found = questions(address, ASKED, communities=("public",))
    assert {one.port for one in found} == ASKABLE
    assert all(len(one.payload) <= 512 for one in found)


def test_without_a_community_snmp_is_left_alone() -> None:
    assert not asked(161)


def test_each_community_is_asked_once_and_in_version_1_only_if_that_was_not_answered() -> None:
    both = asked(161, ("public", "s3cret"))
    assert len(both) == 2
    assert all([again.port for again in one.otherwise] == [161] * 3 for one in both)


def test_a_community_is_not_shown() -> None:
    assert "s3cret" not in repr(asked(161, ("s3cret",)))


def test_answers_are_read_by_the_ports_that_they_come_from_and_searches_from_any() -> None:
    found = questions(ADDRESS, ASKED)
    probe, search = (dialect.examples[0] for dialect in (wsd.DIALECT, ssdp.DIALECT))
    said = [example.lines[0][1] for example in (probe, search)]
    both = probe.events + search.events
    assert told(found, [(3702, said[0]), (1900, said[1])]) == both
    assert told(found, [(40000, said[0]), (40001, said[1]), (40001, said[1])]) == both
    assert told(found, [(137, said[0]), (5353, said[1])]) == ()


def test_nothing_is_read_from_what_we_ask_ourselves_but_our_name() -> None:
    for one in questions(ADDRESS, ASKED, communities=("public",)):
        assert {event.field for event in one.read(one.payload) if isinstance(event, Label)} <= {"ssdp.server"}


def test_answers_are_read_as_those_overheard() -> None:
    for port, dialect in ((3702, wsd.DIALECT), (1900, ssdp.DIALECT)):
        said = dialect.examples[0].lines[0][1]
        assert tuple(asked(port)[0].read(said)) == dialect.examples[0].events
    status = struct.pack(">6H", 1, 0x8400, 0, 1, 0, 0) + b"\0" + struct.pack(">HHIH", 0x21, 1, 0, 25)
    told = asked(137)[0].read(status + b"\1" + b"FILES-3".ljust(15) + b"\0\4\0" + b"\2\0\0\0\0\1")
    assert told == (Label("nbns.name", "FILES-3"), Label("nbns.mac", "02:00:00:00:00:01"))
    assert nbns.question(1) == b"\0\1" + asked(137)[0].payload[2:]


RESPONDER = r"""
import json, socket, subprocess
from zeroconf import IPVersion, ServiceInfo, Zeroconf
from scanner.probe.questions import questions
for command in ("link set lo up", "addr add 192.0.2.7 dev lo", "route add 224.0.0.0/4 dev lo"):
    subprocess.run(["ip", *command.split()], check=True)
with Zeroconf(["192.0.2.7"], ip_version=IPVersion.V4Only) as responder:
    said = {"ty": "Copier 12", "note": "Third floor"}
    here = [socket.inet_aton("192.0.2.7")]
    kind = "_ipp._tcp.local."
    service = ServiceInfo(kind, f"Office.{kind}", 631, 0, 0, said, "copier.local.", addresses=here)
    responder.register_service(service)
    for one in questions("192.0.2.7", bytes(16))[:2]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(10)
            asker.connect(("192.0.2.7", one.port))
            asker.send(one.payload)
            for event in one.read(asker.recv(9000)):
                print(json.dumps([getattr(event, "field", ""), getattr(event, "text", "")]))
"""


def test_a_real_responder_answers() -> None:
    assert [told for told in inside(RESPONDER, before="") if told[0]] == [
        ["mdns.service", "_ipp._tcp"],
        ["mdns.host", "copier.local"],
        ["mdns.instance", "Office"],
        ["mdns.service", "_ipp._tcp"],
        ["mdns.ty", "Copier 12"],
        ["mdns.note", "Third floor"],
    ]


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_never_raise(payload: bytes) -> None:
    for one in questions(ADDRESS, ASKED, communities=("public",)):
        one.read(payload)
