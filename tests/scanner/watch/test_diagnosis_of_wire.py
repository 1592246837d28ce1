"""What the evidence of an interface means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scanner.capture.card import Card
from scanner.watch.diagnosis_of_wire import diagnose_wire
from scanner.watch.evidence import MailEvidence, WireEvidence
from scanner.watch.findings import Finding
from scanner.wire.survey import Frames
from tests.scanner.watch.evidences import MACHINE, RIGHT, WIRE


def findings(wire: WireEvidence, **evidence: Any) -> dict[str, Finding]:
    return {one.check: one for one in diagnose_wire(wire, replace(RIGHT, **evidence))}


def frames(**counts: int) -> WireEvidence:
    """A wire on which only so much came."""
    return replace(WIRE, frames=replace(Frames(frames=1000, payloads=1000), **counts), segments=0)


def test_of_a_mirror_that_is_right_all_is_well() -> None:
    found = findings(WIRE)
    assert {check: one.grade for check, one in found.items()} == dict.fromkeys(
        ("mirror", "snap length", "wrapping", "drops", "card"), "ok"
    )
    assert not any(one.advice for one in found.values())
    assert all(one.interface == "eth1" for one in found.values())
    assert found["mirror"].text == (
        "12,000 packets arrived, 200 a second, 8.0 Mbit/s. Of 10,000 looked at 9,890 went from one other"
        " machine to another, 100 to everybody, 10 were of this machine itself."
    )


@pytest.mark.parametrize(
    ("wire", "grade", "said", "advised"),
    [
        (replace(frames(frames=0), up=False), "bad", "down", "ip link set eth1 up"),
        (frames(frames=0), "bad", "eth1 is up, and nothing arrived in 60 s", "promiscuous"),
        (frames(to_all=900, own=100), "bad", "Only what comes to any port arrived (900 to", "SPAN"),
        (frames(to_all=950, own=40), "bad", "Hardly anything", "SPAN"),
        (frames(to_all=10, own=900), "ok", "90 went from one other machine to another", ""),
        (replace(frames(own=1000), tunnels={"GRE": 990}), "ok", "1,000 were of this machine itself", ""),
        (replace(frames(own=1000), shims={"PPPoE": 990}), "bad", "Only what comes to any port", "SPAN"),
        (replace(frames(), arrived=None), "ok", "1,000 packets arrived, 17 a second. Of 1,000", ""),
    ],
    ids=["down", "silent", "no others", "flooded", "in use, too", "tunnelled", "own PPPoE", "not counted"],
)  # fmt: skip
def test_whether_there_is_a_mirror(wire: WireEvidence, grade: str, said: str, advised: str) -> None:
    found = findings(wire, mail=MailEvidence(clients=1))["mirror"]
    assert found.grade == grade
    assert said in found.text
    assert advised in found.advice


def test_what_passes_mail_on_needs_no_mirror() -> None:
    found = findings(frames(to_all=1, own=999), mail=MailEvidence(clients=2))["mirror"]
    assert (found.grade, "with mail of 2 machines" in found.text) == ("info", True)
    assert findings(frames(to_all=1000), mail=MailEvidence(clients=2))["mirror"].grade == "bad"


def test_where_nothing_came_nothing_else_is_said() -> None:
    assert findings(frames(frames=0)).keys() == {"mirror"}


def test_what_became_of_an_interface_is_told() -> None:
    found = findings(replace(WIRE, news=("eth1 is down", "eth1 is up")))["interface"]
    assert (found.grade, found.details) == ("warn", ("eth1 is down", "eth1 is up"))


def test_packets_without_tcp_are_wrapped_in_something_unknown() -> None:
    assert findings(frames())["contents"].grade == "bad"
    assert "contents" not in findings(WIRE)
    assert "contents" not in findings(replace(frames(), headers_cut=1))


@pytest.mark.parametrize(
    ("wire", "grade", "said"),
    [
        (frames(cut=5), "ok", "whole, but for 5"),
        (frames(cut=6), "bad", "0.6 % of packets with contents (6)"),
        (frames(cut=1000), "bad", "100 %"),
        (replace(frames(), headers_cut=1000), "bad", "50.0 % of packets with contents (1,000)"),
        (replace(WIRE, fragments_lost=31), "warn", "31 fragments never became whole"),
        (replace(WIRE, fragments_lost=30), "ok", "whole."),
    ],
)  # fmt: skip
def test_whether_packets_are_whole(wire: WireEvidence, grade: str, said: str) -> None:
    found = findings(wire)["snap length"]
    assert found.grade == grade
    assert said in found.text
    assert bool(found.advice) is (grade != "ok")


def test_what_packets_are_wrapped_in_is_told() -> None:
    wire = replace(
        WIRE, frames=replace(WIRE.frames, tagged=7), inner_tags=1, tunnels={"VXLAN": 5}, shims={"MPLS": 2}
    )
    found = findings(wire)["wrapping"]
    assert found.grade == "info"
    assert found.text == (
        "7 packets with a VLAN tag, 1 VLAN tag further in (QinQ, or in a tunnel), 5 packets in VXLAN,"
        " 2 packets in MPLS: they are looked through."
    )


def test_tags_that_nobody_took_off_are_tags() -> None:
    assert findings(replace(WIRE, inner_tags=2))["wrapping"].text == "2 VLAN tags: they are looked through."


def test_super_packets_are_told() -> None:
    assert findings(replace(WIRE, frames=replace(WIRE.frames, oversized=3)))["offloading"].grade == "info"


@pytest.mark.parametrize(
    ("passed", "dropped", "grade", "said"),
    [
        (1000, 0, "ok", "None of 1,000 packets that passed the kernel filter was lost"),
        (0, 0, "ok", "None of 0 packets"),
        (9990, 10, "warn", "10 of 10,000 packets that passed the kernel filter (0.1 %) were lost"),
        (90, 10, "bad", "(10.0 %)"),
    ],
)
def test_what_the_kernel_lost_is_told(passed: int, dropped: int, grade: str, said: str) -> None:
    found = findings(replace(WIRE, passed=passed, dropped=dropped), filtered=True)["drops"]
    assert found.grade == grade
    assert said in found.text
    assert ("--workers" in found.advice) is (dropped > 0)
    assert "see 'filter'" not in found.advice


def test_losses_with_the_plain_filter_speak_for_the_better_one() -> None:
    found = findings(replace(WIRE, dropped=10), machine=MACHINE._replace(extended=False))["drops"]
    assert "see 'filter'" in found.advice
    assert "that arrived" in found.text


def test_what_the_card_lost_is_told() -> None:
    found = findings(replace(WIRE, arrived=Card(missed=4, broken=1)))["card"]
    assert found.grade == "warn"
    assert found.text == (
        "The network card lost 4 packets for which it had no room, 1 packet in a broken frame."
    )
    assert found.advice == "Give it more (ethtool -G eth1 rx 4096); change the cable."
    assert "mtu 9000" in findings(replace(WIRE, arrived=Card(long=1)))["card"].advice
    assert findings(replace(WIRE, arrived=Card(dropped=7)))["card"].grade == "info"
    assert "card" not in findings(replace(WIRE, arrived=None))
