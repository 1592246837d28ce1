"""Dissected packets become sessions, in bounded memory, whatever their order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from packets import ACK, BEGAN, FIN, MILLISECOND, RST, SYN

from scanner.account import Usernames
from scanner.catalogue.exchange import load_catalogue
from scanner.conversation import Endpoint
from scanner.dissection import Dissected, Field, Layer, Told
from scanner.dissection.streams import IDLE_NS, SWEEP_NS, SecondOpinion
from scanner.events import Answer
from scanner.model import AuthClass, Observation

CLIENT, SERVER = Endpoint("10.0.0.1", 50000), Endpoint("192.0.2.1", 587)


def part(
    *layers: Layer, stream: int = 0, back: bool = False, flags: int = ACK, at: int = 0, sequence: int = 1
) -> Dissected:
    source, target = (SERVER, CLIENT) if back else (CLIENT, SERVER)
    length = len(layers) * 10
    return Dissected(
        stream, BEGAN + at * MILLISECOND, source, target, None, None, flags, sequence, 0, length, layers
    )


def smtp(**fields: str) -> Layer:
    names = {"verb": "smtp.req.command", "word": "smtp.req.parameter", "code": "smtp.response.code"}
    names |= {"text": "smtp.rsp.parameter", "user": "smtp.auth.username"}
    return Layer("smtp", tuple(Field(names[name], text) for name, text in fields.items()))


def read(*told: Told, most: int = 10) -> list[Observation]:
    def dissect(path: str) -> Iterator[Told]:
        yield from told

    opinion = SecondOpinion(load_catalogue(), "here", Usernames.KEEP, dissect, most)
    return [seen for batch in opinion.read("a.pcap") for seen in batch]


GREETING = part(smtp(code="220", text="mx.example.com ESMTP"), back=True)
HELLO = part(smtp(verb="EHLO", word="copier"))
OPENED = (part(flags=SYN), part(flags=SYN | ACK, back=True))
CLOSED = (part(flags=FIN | ACK), part(flags=FIN | ACK, back=True))


def test_a_login_is_told_with_its_outcome() -> None:
    (seen,) = read(
        *OPENED,
        GREETING,
        HELLO,
        part(smtp(code="250", text="mx.example.com"), back=True),
        part(smtp(verb="AUTH", word="PLAIN", user="ann")),
        part(smtp(code="535", text="5.7.139 basic authentication is disabled"), back=True),
        *CLOSED,
    )
    assert (seen.mechanism, seen.outcome, seen.username, seen.cause) == (
        "PLAIN",
        "refused",
        "ann",
        "basic-disabled",
    )
    assert (seen.client_name, seen.server_name, seen.protocol) == ("copier", "mx.example.com", "smtp")


@pytest.mark.parametrize(
    ("packets", "auth"),
    [
        ((*OPENED, GREETING, HELLO, *CLOSED), AuthClass.NONE),
        ((*OPENED, GREETING, HELLO), AuthClass.INCOMPLETE),
        ((GREETING, HELLO), AuthClass.UNKNOWN),
        ((*OPENED, GREETING, HELLO, part(flags=RST)), AuthClass.NONE),
    ],
    ids=["heard whole", "the capture ended first", "it had begun before", "reset"],
)
def test_a_claim_that_nobody_logged_in_needs_the_whole(packets: tuple[Told, ...], auth: AuthClass) -> None:
    (seen,) = read(*packets)
    assert seen.auth_class is auth


def test_a_hole_is_told() -> None:
    (seen,) = read(*OPENED, GREETING, HELLO, part(smtp(verb="QUIT"), sequence=100), *CLOSED)
    assert seen.gaps == 89


def test_late_segments_of_an_ended_connection_begin_no_other() -> None:
    assert len(read(*OPENED, GREETING, *CLOSED, GREETING)) == 1


def test_what_no_dissector_knows_is_no_session() -> None:
    assert read(*OPENED, *CLOSED, part(Layer("dns", ()), stream=1)) == []


def test_no_more_connections_are_kept_open_than_allowed() -> None:
    told = [part(smtp(verb="EHLO", word=str(number)), stream=number) for number in range(5)]
    found = read(*told, most=2)
    assert [seen.client_name for seen in found] == ["0", "1", "2", "3", "4"]
    assert [seen.ending for seen in found] == ["evicted"] * 3 + ["ended"] * 2


def test_a_silent_connection_is_over() -> None:
    later = (IDLE_NS + SWEEP_NS) // MILLISECOND + 1
    found = read(GREETING, part(smtp(verb="NOOP"), stream=1, at=later), part(smtp(verb="NOOP"), at=later + 1))
    assert [seen.ending for seen in found] == ["idle", "ended"]


def test_a_name_that_dns_told_is_the_servers() -> None:
    (seen,) = read(Answer("smtp.example.com", SERVER.ip), HELLO)
    assert seen.server_name == "smtp.example.com"


def test_what_was_heard_before_a_fault_is_given() -> None:
    def dissect(path: str) -> Iterator[Told]:
        yield HELLO
        raise OSError("gone")

    opinion = SecondOpinion(load_catalogue(), "here", Usernames.KEEP, dissect)
    found: list[Observation] = []
    with pytest.raises(OSError, match="gone"):
        for batch in opinion.read("a.pcap"):
            found += batch
    assert len(found) == 1
    assert opinion.totals().conversations == 1
