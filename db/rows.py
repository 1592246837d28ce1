"""Observations as rows, and rows as observations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import Any

from scanner.conversation import Ending
from scanner.events import Label, Outcome, TlsMode
from scanner.labels import CLIENT, SERVER
from scanner.model import Attempt, AuthClass, Basis, Observation, ServerKind, Usage

SHAPE_FIELDS = (
    "server_name", "server_kind", "server_port", "protocol", "service", "tls_mode", "tls_version",
    "mechanism", "auth_class", "outcome", "basis", "confidence", "cause",
)  # fmt: skip
"""What makes two sessions of a host the same usage, beside the version that the client gave."""
SHAPE_COLUMNS = ("key", *SHAPE_FIELDS, "client_version")
DETAIL_FIELDS = (
    "capture", "sensor", "tls_cipher", "ja3", "ja4", "attempts", "offered", "labels", "weird", "ending",
)  # fmt: skip
"""What else many sessions have alike."""
SESSION_FIELDS = (
    "first_seen", "last_seen", "client_port", "server_ip", "server_name", "server_matched", "client_name",
    "username", "mails", "gaps", "evidence",
)  # fmt: skip
"""What a session has of its own, or of its client's or server's own."""
ENDPOINT_FIELDS = ("client_ip", "client_mac")
DROPPED_FIELDS = ("turns", "server_mac", "login_again")
"""Sizes inside TLS are never stored: those of a login betray the length of its secret. A server's MAC goes
with what it told of itself; whether a login is as long as an earlier one, with what its usage adds up to."""

shared = attrgetter("server_used", *SHAPE_FIELDS[1:], *DETAIL_FIELDS)
"""What sessions may have alike, as a tuple."""
OWN_LAST, OWN_NAME = 2, 7
"""Where ``own`` has when a session ended, and the client's name."""
NAME_LENGTH = 512
"""As much of a client's name as its column takes."""
REPLACED = "\ufffd"
"""Stands for a zero, which PostgreSQL takes in no text."""
_ENCODER = json.JSONEncoder(separators=(",", ":"))
_LABELS = DETAIL_FIELDS.index("labels") + len(SHAPE_FIELDS)
_JA4 = DETAIL_FIELDS.index("ja4") + len(SHAPE_FIELDS)
Fact = tuple[str, str]
"""Field and text."""


def identity(*parts: object) -> int:
    """Hash what names a row to a positive 63-bit number, the same on every machine."""
    text = "\x1f".join(["" if part is None else str(part) for part in parts])
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def flow(client_ip: str, client_port: int, server_ip: str, server_port: int) -> int:
    """Hash the ends of a session to a positive 63-bit number, the same on every machine."""
    ends = f"{client_ip} {client_port} {server_ip} {server_port}".encode()
    return int.from_bytes(blake2b(ends, digest_size=8).digest(), "big") >> 1


def own(seen: Observation) -> tuple[Any, ...]:
    """What a session has of its own, as its row has it: by ``SESSION_FIELDS``, and its ``flow``."""
    port, server, matched = seen.client_port, seen.server_ip, seen.server_matched
    name, username, evidence = seen.client_name, seen.username, seen.evidence
    front_end = seen.server_name if seen.server_family else None
    return (
        seen.first_seen, flow(seen.client_ip, port, server, seen.server_port), seen.last_seen, port, server,
        front_end and front_end.replace("\0", REPLACED),
        matched and matched.replace("\0", REPLACED),
        name[:NAME_LENGTH].replace("\0", REPLACED) if name else None,
        username and username.replace("\0", REPLACED),
        seen.mails, seen.gaps, evidence.replace("\0", REPLACED),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """What sessions have alike: a row of ``shapes``, one of ``details``, and what these tell of the ends."""

    shape_key: int
    shape: tuple[Any, ...]
    """By ``SHAPE_COLUMNS``."""
    key: int
    """Of ``details``."""
    record: str
    client: tuple[Fact, ...]
    """What is told of the client, beside its name."""
    server: tuple[Fact, ...]
    """What is told of the server."""


def form(values: tuple[Any, ...]) -> Form:
    """The rows that hold what ``shared`` gave."""
    labels: tuple[Label, ...] = values[_LABELS]
    version = None
    for label in labels:
        if label.field == "eas.version":
            version = label.text[:64]
            break
    shape = _shape(*values[: len(SHAPE_FIELDS)], version)
    record = dump(dict(zip(DETAIL_FIELDS, values[len(SHAPE_FIELDS) :], strict=True)))
    client = [_fact(label.field, label.text) for label in labels if label.field in CLIENT]
    if values[_JA4]:
        client.append(_fact("tls.ja4", values[_JA4]))
    server = [_fact(label.field, label.text) for label in labels if label.field in SERVER]
    return Form(shape[0], shape, identity(shape[0], record), record, tuple(client), tuple(server))


def _fact(field: str, text: str) -> Fact:
    return field, text[:NAME_LENGTH].replace("\0", REPLACED)


@lru_cache(4096)
def _shape(*values: Any) -> tuple[Any, ...]:
    cleaned = tuple(map(clean, values))
    return (identity("shape", *cleaned), *cleaned)


def clean(value: Any) -> Any:
    """Text without what PostgreSQL takes in none, a zero, and plain where it was a name of an enum."""
    return str(value).replace("\0", REPLACED) if isinstance(value, str) else value


def dump(details: Mapping[str, Any]) -> str:
    """What sessions share as JSON, without what is empty; ASCII only."""
    record = {name: value for name, value in details.items() if value not in (None, ())}
    if attempts := record.get("attempts"):
        record["attempts"] = [[a.mechanism, a.auth_class, a.outcome, a.cause] for a in attempts]
    if labels := record.get("labels"):
        record["labels"] = [[label.field, label.text] for label in labels]
    return _ENCODER.encode(record)


def load(text: str) -> dict[str, Any]:
    """What sessions share from JSON; fields that the writer did not know have their defaults."""
    record: dict[str, Any] = dict.fromkeys(DETAIL_FIELDS)
    record |= {"sensor": "", "attempts": (), "offered": (), "labels": (), "weird": ()}
    record |= {"ending": Ending.ENDED}
    record |= {name: value for name, value in json.loads(text).items() if name in record}
    record["ending"] = Ending(record["ending"])
    record["attempts"] = tuple(Attempt(m, AuthClass(a), _outcome(o), c) for m, a, o, c in record["attempts"])
    record["labels"] = tuple(Label(*label) for label in record["labels"])
    record["offered"], record["weird"] = tuple(record["offered"]), tuple(record["weird"])
    return record


def way(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of ``shapes`` by the names and types of ``Observation`` and ``Usage``."""
    found = {name: row[name] for name in SHAPE_FIELDS}
    found["server_kind"] = ServerKind(row["server_kind"])
    found["tls_mode"] = TlsMode(row["tls_mode"]) if row["tls_mode"] else None
    found["auth_class"] = AuthClass(row["auth_class"])
    found["outcome"] = _outcome(row["outcome"])
    found["basis"] = Basis(row["basis"])
    return found


def observation(
    of_shape: Mapping[str, Any], details: Mapping[str, Any], ip: str, mac: str, values: tuple[Any, ...]
) -> Observation:
    """A session from the rows that it is in; ``values`` are by ``SESSION_FIELDS``."""
    mine = dict(zip(SESSION_FIELDS, values, strict=True))
    if mine["server_name"]:
        mine["server_family"] = of_shape["server_name"]
    else:
        del mine["server_name"]
    return Observation(client_ip=ip, client_mac=mac or None, **{**of_shape, **details, **mine})


def counted(
    of_shape: Mapping[str, Any],
    first_seen: int,
    last_seen: int,
    sessions: int,
    mails: int,
    same: int,
    changed: int,
) -> Usage:
    """A way (with its ``client_version``) and how much it was used; by the columns of ``usages``."""
    return Usage(
        **of_shape,
        first_seen=first_seen,
        last_seen=last_seen,
        sessions=sessions,
        mails=mails,
        logins_same=same,
        logins_changed=changed,
    )


def _outcome(text: str | None) -> Outcome | None:
    return Outcome(text) if text else None
