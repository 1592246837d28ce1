"""What the tenant's logs and lists say, as it is kept; and whose mailbox a host uses.

What is imported again becomes as the last import has it, so a wrong zone can be put right.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, delete, select, tuple_

from db import bulk
from db.schema import assets, mailboxes, senders, sign_ins, ties
from scanner.events import Outcome
from scanner.tenant import Asset, Coincidence, Mailbox, Sender, SignIn, SmtpAuth, Tie

ROWS_A_WRITE = 5_000
"""In one transaction, a tenth of a second: a sensor writes in between."""
KEYS_ASKED = 250
"""Keys of up to three columns in one query: SQLite before 3.32 takes 999 parameters."""
ROWS_A_READ = 1000
USER_LENGTH, TEXT_LENGTH, ID_LENGTH = 320, 512, 64
"""Characters that columns take: a mailbox's name has 64, an "@" and 255 more (RFC 5321 4.5.3.1)."""
_AUTH = {None: "", True: "password", False: "token"}
_PASSWORD = {text: password for password, text in _AUTH.items()}

Row = tuple[Any, ...]
Opens = Callable[[], AbstractContextManager[Connection]]


class TenantStore:
    """The part of an inventory that is imported, or follows from what is."""

    _writes: Opens
    _reads: Opens

    def add_sign_ins(self, found: Iterable[SignIn]) -> int:
        """Keep sign-ins, some thousand in a transaction; tells how many were not there before."""
        return self._add(sign_ins, map(_of_sign_in, found), ("id",))

    def sign_ins(self, since: int = 0, until: int | None = None) -> Iterator[SignIn]:
        """Sign-ins from a time on and before another (ns), in order of time."""
        query = select(sign_ins).where(sign_ins.c.at >= since).order_by(sign_ins.c.at, sign_ins.c.id)
        if until is not None:
            query = query.where(sign_ins.c.at < until)
        with self._reads() as connection:
            for row in connection.execution_options(yield_per=ROWS_A_READ).execute(query):
                id_, at, user, ip, protocol, service, outcome, *rest = row
                result = Outcome(outcome) if outcome else None
                yield SignIn(id_, at, user, ip, protocol, service, result, *rest)

    def add_mailboxes(self, found: Iterable[Mailbox]) -> int:
        """Keep what the tenant says of mailboxes; tells how many were not there before, as of that time."""
        rows = ((_text(one.address, USER_LENGTH), one.at, one.smtp_auth) for one in found)
        return self._add(mailboxes, rows, ("address", "at"))

    def mailboxes(self) -> dict[str, Mailbox]:
        """Mailboxes by address, as the tenant said last."""
        query = select(mailboxes.c.address, mailboxes.c.smtp_auth, mailboxes.c.at).order_by(mailboxes.c.at)
        with self._reads() as connection:
            found = bulk.read(connection, query)
        return {name: Mailbox(name, SmtpAuth(auth) if auth else None, at) for name, auth, at in found}

    def add_senders(self, found: Iterable[Sender]) -> int:
        """Keep rows of the report "SMTP AUTH clients"; tells how many were not there before."""
        rows = ((_text(one.address, USER_LENGTH), one.at, _AUTH[one.password], one.messages) for one in found)
        return self._add(senders, rows, ("address", "at", "auth"))

    def senders(self) -> list[Sender]:
        """All rows of such reports, the newest first."""
        query = select(senders).order_by(senders.c.at.desc(), senders.c.address, senders.c.auth)
        with self._reads() as connection:
            found = bulk.read(connection, query)
        return [Sender(address, _PASSWORD[auth], messages, at) for address, at, auth, messages in found]

    def add_assets(self, found: Iterable[Asset]) -> int:
        """Keep rows of a list of the site's own; tells how many were not there before."""
        rows = (
            tuple(text and _text(text, TEXT_LENGTH) for text in (one.key, one.owner, one.place, one.note))
            for one in found
        )
        return self._add(assets, rows, ("key",))

    def assets(self) -> dict[str, Asset]:
        """Assets by MAC, address or name."""
        with self._reads() as connection:
            return {row[0]: Asset(*row) for row in bulk.read(connection, select(assets))}

    def keep_ties(self, found: Sequence[Tie]) -> None:
        """Keep these, and none that were there before."""
        columns = tuple(ties.c.keys())
        rows = {(one.host, one.user): _of_tie(one) for one in found}
        with self._writes() as connection:
            connection.execute(delete(ties))
            bulk.insert(connection, ties, columns, list(rows.values()), ("host", "username"))

    def ties(self) -> dict[str, list[Tie]]:
        """Whose mailboxes hosts use, by the host's name, the likeliest first."""
        found: dict[str, list[Tie]] = defaultdict(list)
        query = select(ties).order_by(ties.c.host, ties.c.score.desc(), ties.c.username)
        with self._reads() as connection:
            for host, user, score, basis, record in bulk.read(connection, query):
                told = json.loads(record)
                fits = tuple(Coincidence(*one) for one in told["coincidences"])
                found[host].append(Tie(host, user, score, basis, fits, told["count"]))
        return dict(found)

    def _add(self, table: Table, found: Iterable[Row], unique: tuple[str, ...]) -> int:
        """Write rows; what they are made of is read before a transaction begins, not in one."""
        columns = tuple(table.c.keys())
        places = [columns.index(name) for name in unique]
        new = 0
        for some in _batched(found, ROWS_A_WRITE):
            rows = {tuple(row[place] for place in places): row for row in some}
            with self._writes() as connection:
                new += len(rows) - _known(connection, table, unique, list(rows))
                bulk.put(connection, table, columns, list(rows.values()), unique)
        return new


def _known(connection: Connection, table: Table, unique: tuple[str, ...], keys: Sequence[Row]) -> int:
    column = tuple_(*(table.c[name] for name in unique))
    asked = (select(table.c[unique[0]]).where(column.in_(some)) for some in _batched(keys, KEYS_ASKED))
    return sum(len(bulk.read(connection, query)) for query in asked)


def _batched(found: Iterable[Row], size: int) -> Iterator[list[Row]]:
    left = iter(found)
    while some := list(islice(left, size)):
        yield some


def _text(text: str, length: int) -> str:
    """As much of a text as its column takes, without what databases take in none: zeros and surrogates."""
    return text[:length].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _of_sign_in(one: SignIn) -> Row:
    return (
        _text(one.id, ID_LENGTH), one.at, _text(one.user, USER_LENGTH), one.ip, one.protocol, one.service,
        one.outcome, one.password,
        one.reason and _text(one.reason, TEXT_LENGTH), one.user_agent and _text(one.user_agent, TEXT_LENGTH),
    )  # fmt: skip


def _of_tie(one: Tie) -> Row:
    fits = [[fit.session_at, fit.sign_in, fit.apart_ns, fit.candidates] for fit in one.coincidences]
    record = json.dumps({"count": one.count, "coincidences": fits}, separators=(",", ":"))
    return one.host, _text(one.user, USER_LENGTH), one.score, one.basis, record
