"""The parts of the lab: who plays in each."""

from __future__ import annotations

import os
from dataclasses import dataclass

from imitation import browsers, debian, devices, exchange, foreign, libraries
from imitation.cast import draw_sessions
from imitation.persona import Persona
from imitation.program import Program
from imitation.session import Session


FLOWS_A_SERVER = 8

@dataclass(frozen=True, slots=True)
class Part:
    """What is played together."""

    personas: tuple[Persona, ...]
    programs: tuple[Program, ...]
    sessions: tuple[Session, ...]
    missing: dict[str, list[str]]
    """Programs left out, and what they would need."""


def exchange_personas() -> tuple[Persona, ...]:
    """Exchange Online today, and in the years when passwords still worked."""
    return (
        exchange.today("exo", 12, "203.0.113.10", ("smtp.office365.com", "outlook.office365.com"), six="2001:db8:5::10"),
        exchange.today("exo-2", 147, "203.0.113.11", ("smtp-mail.outlook.com", "outlook.office.com")),
        exchange.earlier("exo-2022", 8, "203.0.113.12", ("smtp-legacy.office365.com", "imap-legacy.office365.com"), messages=1),
    )  # fmt: skip


def part(name: str, seed: int, flows: int, delay_s: float) -> Part:
    """Give a part by its name."""
    every: tuple[Program, ...] = (*debian.PROGRAMS, *libraries.PROGRAMS, *devices.PROGRAMS, *browsers.PROGRAMS)
    if only := os.environ.get("LAB_ONLY"):
        every = tuple(program for program in every if program.name in only.split(","))
    missing = {program.name: absent for program in every if (absent := program.missing())}
    programs = tuple(program for program in every if program.name not in missing)
    personas = exchange_personas()
    if name == "foreign":
        count = max(6, flows // FLOWS_A_SERVER)
        personas = tuple(foreign.persona(number, seed, f"203.0.113.{30 + number}") for number in range(count))
    sessions = draw_sessions(personas, programs, flows, seed, delay_s)
    return Part(personas, programs, tuple(sessions), missing)
