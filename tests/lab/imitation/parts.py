"""The parts of the lab: who plays in each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from imitation import (
    browsers,
    devices,
    exchange,
    foreign,
    libraries,
    live,
    products,
    readers,
    relays,
    senders,
)
from imitation.cast import draw_sessions
from imitation.persona import Persona
from imitation.program import TOOLS, Program
from imitation.session import Session

PARTS = ("exchange", "foreign", "products", "live")
FLOWS_A_SERVER = 8
"""So many does a drawn server meet: enough to learn from some of them how it words things."""
MOST_SERVERS = 160
"""More addresses are not left in the servers' network."""
PROGRAMS = (
    *senders.PROGRAMS,
    *readers.PROGRAMS,
    *relays.PROGRAMS,
    *libraries.PROGRAMS,
    *devices.PROGRAMS,
    *browsers.PROGRAMS,
)
DOVECOT = frozenset(
    {
        "PLAIN",
        "LOGIN",
        "CRAM-MD5",
        "DIGEST-MD5",
        "SCRAM-SHA-1",
        "SCRAM-SHA-256",
        "XOAUTH2",
        "OAUTHBEARER",
        "IMAP-LOGIN",
        "USERPASS",
    }
)
OFFERS = {
    "dovecot": DOVECOT,
    "postfix": DOVECOT - {"IMAP-LOGIN", "USERPASS"},
    "exim": frozenset({"PLAIN", "LOGIN", "CRAM-MD5"}),
    "aiosmtpd": frozenset({"PLAIN", "LOGIN"}),
}
"""Real servers, and what they let be used."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is played together."""

    personas: tuple[Persona, ...]
    programs: tuple[Program, ...]
    sessions: tuple[Session, ...]
    missing: dict[str, list[str]]
    """Programs left out, and what they would need."""


def part(name: str, seed: int, flows: int, delay_s: float) -> Part:
    """Give a part by its name, with so many sessions; ``live`` is what it is."""
    wanted = [program for program in PROGRAMS if name != "live" or program.name in live.PROGRAMS]
    missing = {program.name: absent for program in wanted if (absent := program.missing())}
    programs = tuple(program for program in wanted if program.name not in missing)
    if name == "products":
        missing |= products.missing(TOOLS)
    personas = tuple(_personas(name, seed, flows))
    if name == "live":
        return Part(personas, programs, tuple(live.sessions(personas, programs, seed)), missing)
    sessions = draw_sessions(personas, programs, flows, seed, delay_s)
    return Part(personas, programs, tuple(sessions), missing)


def _personas(name: str, seed: int, flows: int) -> Iterable[Persona]:
    match name:
        case "foreign":
            count = min(max(6, flows // FLOWS_A_SERVER), MOST_SERVERS)
            return (foreign.persona(number, seed, f"203.0.113.{30 + number}") for number in range(count))
        case "products":
            rows = enumerate(OFFERS.items())
            return (_product(number, *row) for number, row in rows if row[0] not in products.missing(TOOLS))
        case _:
            return _exchange()


def _exchange() -> Iterable[Persona]:
    """Exchange Online today, in the years when passwords still worked, and its mail exchanger."""
    smtp, outlook = "smtp.office365.com", "outlook.office365.com"
    yield exchange.today("exo", 12, "203.0.113.10", (smtp, outlook), six="2001:db8:5::10")
    yield exchange.today("exo-2", 147, "203.0.113.11", ("smtp-mail.outlook.com", "outlook.office.com"))
    legacy = ("smtp-legacy.office365.com", "imap-legacy.office365.com")
    yield exchange.earlier("exo-2022", 8, "203.0.113.12", legacy, messages=1)
    yield exchange.exchanger("exo-mx", 3, "203.0.113.13", ("contoso-com.mail.protection.outlook.com",))


def _product(number: int, name: str, offers: frozenset[str]) -> Persona:
    return Persona(
        name=name,
        address=f"203.0.113.{200 + number}",
        host=f"{name}.lab.test",
        names=(f"mail.{name}.lab.test",),
        ports={port: exchange.PORTS[port] for port in products.PLACES[name]},
        product=name,
        offers=offers,
    )
