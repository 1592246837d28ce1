"""Logins are read as they bear on whose they were."""

from pathlib import Path

import pytest

from scanner.events import Label, Outcome
from scanner.model import Attempt, AuthClass, Basis, Observation, ServerKind
from scanner.tenant import HeardLogin
from tests.db.samples import filled, other

MAC = "00:26:73:00:00:01"
ADDRESS = Label("smtp.public_ip", "203.0.113.7")
PLAIN = HeardLogin(MAC, 1_000, "smtp", None, Outcome.ACCEPTED, True, "here", username="s***")
TWO = (
    Attempt("XOAUTH2", AuthClass.OAUTH, Outcome.REFUSED),
    Attempt("LOGIN", AuthClass.BASIC, Outcome.ACCEPTED),
)
CASES: dict[str, tuple[Observation, list[tuple[object, ...]]]] = {
    "a password seen": (other(), [(MAC, 1_000, "smtp", Outcome.ACCEPTED, True, None)]),
    "the address that the server saw": (
        other(labels=(ADDRESS,)), [(MAC, 1_000, "smtp", Outcome.ACCEPTED, True, "203.0.113.7")]
    ),
    "a token, surely": (
        other(auth_class=AuthClass.OAUTH, basis=Basis.INFERRED, confidence=0.95),
        [(MAC, 1_000, "smtp", Outcome.ACCEPTED, False, None)],
    ),
    "a token, perhaps": (
        other(auth_class=AuthClass.OAUTH, basis=Basis.INFERRED, confidence=0.8),
        [(MAC, 1_000, "smtp", None, None, None)],
    ),
    "a login inside TLS that was not told apart": (
        other(auth_class=AuthClass.UNKNOWN, outcome=None, mechanism=None, confidence=0.0),
        [(MAC, 1_000, "smtp", None, None, None)],
    ),
    "two attempts are two logins": (
        other(attempts=TWO),
        [
            (MAC, 1_000, "smtp", Outcome.REFUSED, False, None),
            (MAC, 1_000, "smtp", Outcome.ACCEPTED, True, None),
        ],
    ),
    "nobody logged in": (other(auth_class=AuthClass.NONE), []),
    "it never got that far": (other(auth_class=AuthClass.INCOMPLETE), []),
    "another server": (other(server_kind=ServerKind.INTERNAL), []),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "found"), CASES.values(), ids=CASES)
def test_what_is_read(tmp_path: Path, seen: Observation, found: list[tuple[object, ...]]) -> None:
    with filled(tmp_path / "i.db", seen) as kept:
        logins = list(kept.logins())
    assert found == [
        (one.host, one.at, one.protocol, one.outcome, one.password, one.public_ip) for one in logins
    ]


def test_they_come_in_order_of_time_from_a_time_on(tmp_path: Path) -> None:
    seen = [other(first_seen=at, client_port=at) for at in (3_000, 1_000, 2_000)]
    with filled(tmp_path / "i.db", *seen) as kept:
        assert [one.at for one in kept.logins(2_000)] == [2_000, 3_000]


def test_a_name_is_as_it_was_kept(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db", other()) as kept:
        assert list(kept.logins()) == [PLAIN]


CLOCKS = {
    "clocks agree, as the greeting in clear said": ((ADDRESS,), 0),
    "the server's clock was ahead": ((ADDRESS, Label("clock.ahead", "-300")), -300),
    "no greeting was heard in clear": ((), None),
}


@pytest.mark.parametrize(("labels", "ahead"), CLOCKS.values(), ids=CLOCKS)
def test_what_a_greeting_told_of_the_clock(
    tmp_path: Path, labels: tuple[Label, ...], ahead: int | None
) -> None:
    with filled(tmp_path / "i.db", other(labels=labels)) as kept:
        assert [one.ahead_s for one in kept.logins()] == [ahead]


NAMED = {
    "greeting of a.outlook.office365.com [08DD84B323498C1A]; EHLO x": "08DD84B323498C1A",
    "greeting of a.outlook.office365.com; EHLO x [08DD84B323498C1A]": None,
    "TLS from the start": None,
}


@pytest.mark.parametrize(("evidence", "connection"), NAMED.items(), ids=NAMED)
def test_what_a_greeting_called_the_connection(tmp_path: Path, evidence: str, connection: str | None) -> None:
    with filled(tmp_path / "i.db", other(evidence=evidence)) as kept:
        assert [one.connection for one in kept.logins()] == [connection]


def test_who_is_behind_a_router_has_an_address_for_a_name(tmp_path: Path) -> None:
    seen = [other(client_ip=f"10.0.0.{number}", first_seen=number) for number in range(1, 9)]
    with filled(tmp_path / "i.db", *seen) as kept:
        assert [one.host for one in kept.logins()] == [f"10.0.0.{number}" for number in range(1, 9)]
