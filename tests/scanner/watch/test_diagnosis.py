"""What the evidence means: of the connections that were heard, and of the machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scanner.watch.diagnosis import SERVERS_SHOWN, diagnose, to_mend
from scanner.watch.evidence import MailEvidence, Server, Stated
from scanner.watch.findings import Finding
from scanner.wire.survey import Directions
from tests.scanner.watch.evidences import EXCHANGE, MACHINE, MAIL, RELAY, RIGHT, WIRE

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


def finding(check: str, **changed: Any) -> Finding:
    (found,) = (one for one in diagnose(replace(RIGHT, **changed)) if one.check == check)
    return found


def machine(check: str, **changed: Any) -> Finding:
    return finding(check, machine=MACHINE._replace(**changed))


def mail(**changed: Any) -> MailEvidence:
    return replace(MAIL, **changed)


def test_where_all_is_right_nothing_is_to_be_mended() -> None:
    found = diagnose(RIGHT)
    assert {one.grade for one in found} == {"ok"}
    assert not to_mend(found)
    assert [one.check for one in found] == [
        "mirror", "snap length", "wrapping", "drops", "card", "both directions", "duplicates", "mail",
        "beginnings", "clock", "capturing", "filter", "tshark", "inventory",
    ]  # fmt: skip


def test_each_interface_is_diagnosed() -> None:
    found = diagnose(replace(RIGHT, wires=(WIRE, replace(WIRE, name="eth2", up=False))))
    assert [(one.interface, one.grade) for one in found if one.check == "mirror"] == [
        ("eth1", "ok"),
        ("eth2", "bad"),
    ]
    assert to_mend(found)


def test_where_nothing_came_only_the_machine_is_judged_beside() -> None:
    silent = replace(WIRE, frames=type(WIRE.frames)())
    found = diagnose(replace(RIGHT, wires=(silent,), mail=MailEvidence(), directions=Directions()))
    assert [one.check for one in found] == ["mirror", "capturing", "filter", "tshark", "inventory"]


@pytest.mark.parametrize(
    ("of_mail", "of_all", "grade", "said"),
    [
        (Directions(95, 5, 0), Directions(), "ok", "Of 100 mail connections 95 (95.0 %)"),
        (Directions(94, 3, 3), Directions(), "warn", "94.0 %"),
        (Directions(0, 19, 1), Directions(500), "bad", "What servers answer is missing"),
        (Directions(1, 1, 90), Directions(), "bad", "What clients send is missing"),
        (Directions(2, 1, 1), Directions(40), "ok", "Of 40 connections 40 (100 %) were seen both ways."),
        (Directions(), Directions(20, 10, 9), "warn", "51.3 %) were seen both ways."),
        (Directions(), Directions(4), "info", "Too few connections to tell (4)"),
    ],
)
def test_whether_both_directions_are_seen(
    of_mail: Directions, of_all: Directions, grade: str, said: str
) -> None:
    found = finding("both directions", mail=mail(directions=of_mail), directions=of_all)
    assert found.grade == grade
    assert said in found.text
    assert bool(found.advice) is (grade != "ok")


def test_copies_are_told_and_need_not_be_mended() -> None:
    assert finding("duplicates", copies=100).grade == "ok"
    found = finding("duplicates", copies=2500)
    assert found.grade == "info"
    assert "50.0 % of packets (2,500)" in found.text
    assert finding("duplicates", copies=0, segments=0).grade == "ok"


def test_servers_are_listed_the_busiest_first() -> None:
    found = finding("mail", mail=mail(servers={RELAY: 30, EXCHANGE: 70}))
    assert (
        found.text == "12 machines opened 100 connections to 2 mail servers, 70 of them to Exchange Online."
    )
    assert found.details == (
        "smtp.office365.com:587 smtp, exchange-online: 70",
        "relay.example.com:25 smtp, internal: 30",
    )
    many = {Server(f"s{n}", 25, "smtp", RELAY.kind): 1 for n in range(SERVERS_SHOWN + 3)}
    details = finding("mail", mail=mail(servers=many)).details
    assert (len(details), details[-1]) == (SERVERS_SHOWN + 1, "and 3 others")


def test_mail_with_others_alone_is_remarked() -> None:
    found = finding("mail", mail=mail(servers={RELAY: 30}))
    assert (found.grade, "way out" in found.advice) == ("ok", True)


@pytest.mark.parametrize(("seconds", "grade"), [(60.0, "info"), (600.0, "warn")])
def test_no_mail_at_all_means_something_only_after_a_while(seconds: float, grade: str) -> None:
    found = finding("mail", mail=MailEvidence(), seconds=seconds)
    assert (found.grade, bool(found.advice)) == (grade, True)
    assert not [one for one in diagnose(replace(RIGHT, mail=MailEvidence())) if one.check == "beginnings"]


@pytest.mark.parametrize(
    ("begun", "grade", "told"), [(100, "ok", False), (60, "ok", True), (10, "info", True)]
)
def test_how_many_began_in_sight(begun: int, grade: str, told: bool) -> None:
    found = finding("beginnings", mail=mail(begun=begun))
    assert (found.grade, "usual" in found.text) == (grade, told)


def clocks(*ahead: float, microsoft: bool = False) -> tuple[Stated, ...]:
    return tuple(Stated(int(one * SECOND), microsoft) for one in ahead)


@pytest.mark.parametrize(
    ("stated", "held", "grade", "said"),
    [
        (clocks(0.4, microsoft=True), True, "ok", "is right by what 1 server said (+0.4 s)"),
        (clocks(-2.9, microsoft=True), False, "ok", "-2.9 s"),
        (clocks(7, microsoft=True), False, "warn", "is 7.0 s ahead by what 1 server said"),
        (clocks(-90, -91, -90), True, "warn", "is 90.0 s behind by what 3 servers said"),
        (clocks(0.1, microsoft=True) + clocks(700, 700, 700), True, "ok", "1 server"),
        (clocks(700, 700), True, "ok", "too few said"),
        (clocks(700, 700), False, "info", "too few said"),
        (clocks(700, 5, 90_000), False, "info", "they disagree"),
        (clocks(700, 5, 90_000), True, "ok", "they disagree"),
        (clocks(), False, "info", "too few said"),
        (clocks(2 * 86_400, microsoft=True), True, "info", "seems to be a recording"),
        (clocks(2 * 86_400, microsoft=True), False, "warn", "is 2.0 days ahead"),
    ],
)
def test_whether_the_clock_is_right(stated: tuple[Stated, ...], held: bool, grade: str, said: str) -> None:
    found = finding("clock", clocks=stated, machine=MACHINE._replace(clock_held=held))
    assert found.grade == grade
    assert said in found.text
    assert ("timedatectl" in found.advice) is (grade == "warn" or (grade == "info" and not held))


def test_what_the_machine_lacks_is_told_with_what_it_means() -> None:
    plain = machine(
        "filter", extended=False, filter_note="the kernel cuts no connections off (no map: denied)"
    )
    assert plain.grade == "info"
    assert plain.text == "The kernel cuts no connections off (no map: denied)."
    assert "CAP_BPF" in plain.advice
    missing = machine("tshark", tshark=None, tshark_note="tshark is not installed: apt install tshark")
    assert (missing.grade, "apt install" in missing.text, "--keylog" in missing.advice) == (
        "info",
        True,
        True,
    )
    assert "nobody" in machine("capturing").text


@pytest.mark.parametrize(
    ("writer", "free", "grade", "said"),
    [
        ("ann", 50 << 30, "ok", "/i.db would be written by ann; 50.0 GiB are free"),
        ("ann", None, "ok", "was not asked"),
        ("ann", 1 << 29, "warn", "0.5 GiB"),
        (None, 50 << 30, "bad", "Nobody can write /i.db"),
    ],
)
def test_whether_the_inventory_can_be_kept(
    writer: str | None, free: int | None, grade: str, said: str
) -> None:
    found = machine("inventory", writer=writer, free_bytes=free)
    assert found.grade == grade
    assert said in found.text
    assert bool(found.advice) is (grade != "ok")
