"""Devices' habits as programs of the lab."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from imitation import habits, mailbox_habits
from imitation.program import Call, Program
from imitation.session import Session


def _run(name: str) -> Callable[[Session, Path], Call]:
    def call(session: Session, folder: Path) -> Call:
        return Call(
            (
                sys.executable,
                "-m",
                "imitation.habits",
                name,
                session.host,
                str(session.port),
                session.tls_mode,
                session.tls[:2],
                session.user,
                session.secret,
                session.client_name,
            )
        )

    return call


def _program(habit: Callable[..., None], protocol: str, does: str | None) -> Program:
    name = habit.__name__
    return Program(f"habit-{name.replace('_', '-')}", {protocol: (does,)}, _run(name), weight=0.4)


NO_LOGIN = ("probe", "probe_noop", "silent", "envelope_first", "pipelined_relay", "imap_probe", "pop3_probe")


def _does(habit: Callable[..., None], otherwise: str) -> str | None:
    return None if habit.__name__ in NO_LOGIN else otherwise


PROGRAMS: tuple[Program, ...] = (
    *(_program(habit, "smtp", _does(habit, "auto")) for habit in habits.SMTP),
    *(_program(habit, "smtp", "XOAUTH2") for habit in habits.TOKENS),
    *(_program(habit, "imap", _does(habit, "auto")) for habit in habits.IMAP),
    *(_program(habit, "pop3", _does(habit, "auto")) for habit in habits.POP3),
    _program(mailbox_habits.imap_token, "imap", "XOAUTH2"),
    _program(mailbox_habits.pop3_token, "pop3", "XOAUTH2"),
)
