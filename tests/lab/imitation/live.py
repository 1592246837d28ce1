"""A dozen and some dialogues that are played whenever the tests run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from imitation.cast import draw_session
from imitation.persona import Persona
from imitation.program import Program
from imitation.session import Session

DELAY_S = 0.5
ROWS: tuple[tuple[str, str, int, str | None, str, str, str | None], ...] = (
    ("curl", "exo", 587, "LOGIN", "starttls", "13-aes256", None),
    ("curl", "exo", 587, "XOAUTH2-IR", "starttls", "12-gcm256", None),
    ("curl", "exo", 993, "XOAUTH2-IR", "implicit", "13-aes256", None),
    ("curl", "exo-2022", 995, "PLAIN", "implicit", "12-gcm128", None),
    ("msmtp", "exo", 587, "XOAUTH2", "starttls", "13-aes256", None),
    ("msmtp", "exo", 587, "LOGIN", "starttls", "12-chacha", "basic-disabled"),
    ("swaks", "exo-2022", 587, "LOGIN", "starttls", "13-aes256", "tenant"),
    ("smtplib", "exo", 587, "LOGIN", "starttls", "12-cbc-sha", None),
    ("smtplib", "exo", 587, "XOAUTH2", "starttls", "13-aes256", "wrong"),
    ("imaplib", "exo-2022", 993, "IMAP-LOGIN", "implicit", "13-aes256", None),
    ("imaplib", "exo", 993, "XOAUTH2", "implicit", "12-gcm256", None),
    ("poplib", "exo-2022", 995, "USERPASS", "implicit", "13-aes256", None),
    ("poplib", "exo", 995, "USERPASS", "implicit", "12-gcm256", "basic-disabled"),
    ("gsasl", "exo", 587, "LOGIN", "starttls", "13-aes256", None),
    ("habit-dotnet", "exo", 587, "auto", "starttls", "13-aes256", "final"),
    ("habit-retries", "exo", 587, "auto", "starttls", "12-gcm256", "credentials"),
    ("habit-probe", "exo", 587, None, "starttls", "13-aes256", None),
    ("habit-envelope-first", "exo", 587, None, "starttls", "13-aes256", None),
)
"""Program, server, port, what it is told, TLS mode and settings, and why it is refused."""
PROGRAMS = tuple(dict.fromkeys(row[0] for row in ROWS))
PROTOCOLS = {587: "smtp", 993: "imap", 995: "pop3"}


def sessions(personas: Sequence[Persona], programs: Sequence[Program], seed: int) -> list[Session]:
    """Give the rows as sessions; who is missing fails loudly here."""
    servers = {persona.name: persona for persona in personas}
    known = {program.name: program for program in programs}
    draw = random.Random(seed)
    made = []
    for number, (name, server, port, mechanism, mode, tls, refusal) in enumerate(ROWS):
        way = (PROTOCOLS[port], port, mode, mechanism)
        drawn = draw_session(draw, number, known[name], servers[server], way, DELAY_S)
        made.append(replace(drawn, tls=tls, refusal=refusal, tickets=2, six=None))
    return made
