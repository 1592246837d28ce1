"""Sessions of two readings come together by their ends and time, and differ field by field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scanner.compare import COMPARED, INSIDE, SILENT, SLACK_NS, Session, Tally, compare, session
from tests.scanner.test_claims import MAIL
from tests.scanner.test_draft import concluded, draft

CLIENT, SERVER = ("10.0.0.1", 50000), ("192.0.2.1", 587)
BEGAN = 1_000 * SLACK_NS


def made(at: int = 0, swapped: bool = False, **told: Any) -> Session:
    client, server = (SERVER, CLIENT) if swapped else (CLIENT, SERVER)
    values = tuple(told.get(name) for name in COMPARED)
    began = BEGAN + at * SLACK_NS
    return Session(frozenset((client, server)), began, began + SLACK_NS, client, server, values)


@pytest.mark.parametrize(
    ("ours", "tshark", "differing", "tally"),
    [
        ([made(mechanism="PLAIN")], [made(mechanism="PLAIN")], [], Tally(1, 1)),
        (
            [made(mechanism="PLAIN", mails=1)],
            [made(mechanism="LOGIN", mails=2)],
            [("mechanism", "PLAIN", "LOGIN"), ("mails", 1, 2)],
            Tally(1, 0, 1),
        ),
        ([made()], [], [("session", "seen", None)], Tally(only_ours=1)),
        ([], [made()], [("session", None, "seen")], Tally(only_tshark=1)),
        ([made(username="ann", ja4="x")], [made()], [], Tally(1, 1)),
        ([made()], [made(username="ann")], [("username", None, "ann")], Tally(1, 0, 1)),
        ([made(mechanism="PLAIN")], [made()], [("mechanism", "PLAIN", None)], Tally(1, 0, 1)),
        ([made(), made(9)], [made(9), made()], [], Tally(2, 2)),
        ([made()], [made(9)], [("session", "seen", None), ("session", None, "seen")], Tally(0, 0, 0, 1, 1)),
        (
            [made(client_ip="a")],
            [made(swapped=True, client_ip="b")],
            [("client_ip", "a", "b")],
            Tally(1, 0, 1),
        ),
    ],
    ids=[
        "the same",
        "two fields differ",
        "only ours has it",
        "only tshark has it",
        "tshark has nothing to say some things with",
        "what it says nevertheless counts",
        "its silence counts where it could speak",
        "ports were used again",
        "the same ends long after are another session",
        "the same ends the other way round are the same session",
    ],
)
def test_differences(
    ours: list[Session], tshark: list[Session], differing: list[tuple[str, Any, Any]], tally: Tally
) -> None:
    found, counted = compare(ours, tshark)
    assert [(one.field, one.ours, one.tshark) for one in found] == differing
    assert counted == tally
    assert counted.agreed is not bool(differing)


@pytest.mark.parametrize("gaps", [0, 7])
def test_what_is_inside_tls_is_compared_unless_bytes_are_missing(gaps: int) -> None:
    (heard,) = concluded(draft("10.0.0.1", (23, 210, 12, 18, 30, 18, 18, 37, *MAIL)))
    seen = replace(heard, gaps=gaps)
    told = dict(zip(COMPARED, session(seen).told, strict=True))
    assert (told["auth_class"], told["mechanism"]) == (("basic", "LOGIN") if not gaps else (INSIDE, None))


def test_every_field_has_its_reason() -> None:
    assert all(COMPARED.values())
    assert all(SILENT.values())
    assert SILENT.keys() <= COMPARED.keys()
