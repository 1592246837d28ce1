"""Whose mailbox a host uses: records, a table, and what that rests on, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scanner.account import Usernames
from scanner.model import Host
from scanner.report.records import Record, mailbox_record, timestamp
from scanner.report.views import View, local_time
from scanner.tenant import Coincidence, Tie

NAMES_SHOWN = 1
"""Names of a host in the table, beside its own."""
_BASES = {
    "seen": "its name crossed in clear",
    "refusal": "a refusal in the log names the connection",
    "coincidence": "sign-ins follow its logins",
}


def tie_record(tie: Tie, usernames: Usernames, host: Host | None = None) -> Record:
    """The record of a tie; ``host``: as it is called."""
    names = sorted(host.names, key=lambda name: name.last_seen, reverse=True) if host else []
    return {
        "host": tie.host,
        "names": list(dict.fromkeys(name.text for name in names)),
        **explained(tie, usernames),
    }


def explained(tie: Tie, usernames: Usernames) -> Record:
    """Whose mailbox a host uses, with what that rests on."""
    fits = [_coincidence(one) for one in tie.coincidences]
    return mailbox_record(tie, usernames) | {"coincidences": fits}


def _coincidence(one: Coincidence) -> Record:
    return {
        "session_at": timestamp(one.session_at),
        "sign_in": one.sign_in,
        "apart_s": round(one.apart_ns / 1e9, 1),
        "candidates": one.candidates,
    }


def tie_lines(ties: Sequence[Tie], usernames: Usernames) -> Iterator[str]:
    """What an explanation says of a host's mailboxes."""
    if ties:
        yield from ("", "uses the mailbox of:")
    for tie in ties:
        yield f"  {usernames.treat(tie.user) or 'somebody'}, score {tie.score:.2f}: {_basis(tie)}"
        for one in map(_coincidence, tie.coincidences):
            yield f"      {local_time(one['session_at'])} {_fit(one)}"


def _basis(tie: Tie) -> str:
    times = f"{tie.count:,} time{'s' * (tie.count != 1)}"
    return f"{_BASES.get(tie.basis, tie.basis)}, {times}"


def _fit(one: Record) -> str:
    late, others = one["apart_s"], one["candidates"] - 1
    usual = f"{abs(late):.1f} s {'later' if late >= 0 else 'earlier'} than usual"
    fits = f"fits {others} other{'s' * (others != 1)}, too" if others else "fits nobody else"
    return f"sign-in {one['sign_in']}, {usual}, {fits}"


def _evidence(record: Record) -> list[str]:
    lines = [str(_BASES.get(record["basis"], record["basis"]))]
    if record["coincidences"]:
        best = record["coincidences"][0]
        lines.append(f"such as at {local_time(best['session_at'])}: {_fit(best)}")
    return lines


TIES = View(
    ("host", "names", "user", "score", "basis", "count", "coincidences"),
    {
        "device": lambda record: [*record["names"][:NAMES_SHOWN], record["host"]],
        "mailbox": lambda record: record["user"],
        "score": lambda record: f"{record['score']:.2f}",
        "logins": lambda record: f"{record['count']:,}",
        "evidence": _evidence,
    },
    frozenset({"score", "logins"}),
)
