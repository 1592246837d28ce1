"""Captures whose truth is known: sessions with their labels, and what each turn must have been.

A folder holds captures, ``labels.json`` (one object a connection: ends, ``auth_class``, ``attempts``, …) and
perhaps ``read.args`` with endpoints. What each turn was is not in the labels: it is the likeliest walk
through the protocol's dialogue that agrees with them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from scanner import account, claims
from scanner.account import Usernames
from scanner.capture.file import CaptureFile
from scanner.catalogue.exchange import load_catalogue
from scanner.events import Outcome, Turn
from scanner.inference import Exchange, Weighed, exchanges, weigh
from scanner.model import Observation
from scanner.pipeline import Pipeline
from scanner.protocols.imap_sizes import dialogues as imap
from scanner.protocols.pop3_sizes import dialogues as pop3
from scanner.protocols.smtp_sizes import dialogues as smtp
from scanner.sizes import Dialogue, Known, Move

DIALOGUES: dict[str, Callable[[Known], list[tuple[float, Dialogue]]]] = {
    "smtp": smtp,
    "imap": imap,
    "pop3": pop3,
}
MESSAGES = {"LOGIN": 3, "NTLM": 3, "DIGEST-MD5": 3, "GSSAPI": 4, "SCRAM-SHA-1": 4}
"""Messages of a client in a login, the bare command counted; of other mechanisms two."""
_Ends = tuple[str, str, int, str, int]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One connection: what is true of it, what is claimed, and what was said in it."""

    label: dict[str, Any]
    seen: Observation
    known: Known
    said: tuple[Exchange, ...]
    turns: tuple[Turn, ...]
    moves: tuple[Move, ...]
    """What each turn of the client was; empty where no walk agrees with the label."""
    dialogues: tuple[Dialogue, ...]
    """In which the moves are."""
    ended: bool
    """It was heard to its end."""
    bare: bool
    """A mechanism was named that is not offered, and refused at once: no login, whatever the label says."""

    @property
    def protocol(self) -> str:
        """What was spoken."""
        return str(self.label["protocol"])

    @property
    def family(self) -> str:
        """Whether sizes are exact."""
        cipher = str(self.label.get("tls_cipher") or "")
        return "AEAD" if any(mark in cipher for mark in ("GCM", "CHACHA", "CCM")) else "CBC"

    @property
    def server(self) -> str:
        """Who answered: an imitation of Exchange Online (``exo…``), or anything else."""
        return "Exchange" if str(self.label.get("server", "")).startswith("exo") else "others"

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """The logins that the label tells."""
        return list(self.label.get("attempts") or ())


def read(folder: Path) -> Iterator[Labelled]:
    """Read a folder's captures, and bring what is seen together with the labels."""
    labels = {_ends(label): label for label in json.loads((folder / "labels.json").read_text("utf-8"))}
    heard: dict[tuple[Turn, ...], tuple[Known, bool]] = {}
    for seen in _observations(folder, sorted({ends[0] for ends in labels}), heard):
        ends = (
            Path(seen.capture or "").name, seen.client_ip, seen.client_port, seen.server_ip, seen.server_port,
        )  # fmt: skip
        if (label := labels.get(ends)) and label.get("auth_class") not in (None, "no-session"):
            known, ended = heard.get(seen.turns, (Known(), False))
            yield _labelled(label, seen, known, ended)


def _ends(label: dict[str, Any]) -> _Ends:
    return (
        Path(label["capture"]).name, label["client_ip"], label["client_port"],
        label["server_ip"], label["server_port"],
    )  # fmt: skip


def _observations(
    folder: Path, captures: Sequence[str], heard: dict[tuple[Turn, ...], tuple[Known, bool]]
) -> Iterator[Observation]:
    """Read captures, and note what was known of each session before it was weighed."""
    words = (folder / "read.args").read_text("utf-8").split() if (folder / "read.args").exists() else []
    endpoints = tuple(word for before, word in pairwise(words) if before == "--endpoint")

    def noting(protocol: str | None, known: Known, turns: Sequence[Turn], **more: Any) -> Any:
        heard[tuple(turns)] = known, more["ended"] and not more["lost"]
        return claims.infer(protocol, known, turns, **more)

    vars(account)["infer"] = noting
    try:
        pipeline = Pipeline(load_catalogue(None, endpoints), sensor="lab", usernames=Usernames.DROP)
        for name in captures:
            with CaptureFile(str(folder / name)) as capture:
                yield from (seen for found in pipeline.read(capture, name) for seen in found)
    finally:
        vars(account)["infer"] = claims.infer


def _labelled(label: dict[str, Any], seen: Observation, known: Known, ended: bool) -> Labelled:
    dialogues = DIALOGUES.get(str(label["protocol"]))
    said = tuple(exchanges(seen.turns, known.implicit, seen.tls_version == "TLSv1.3"))
    if dialogues is None or not said:
        return Labelled(label, seen, known, said, seen.turns, (), (), ended, bare=False)
    weighed = dialogues(known)
    found = weigh(weighed, said, ended)
    tried = tuple((one["mechanism"], _outcome(one.get("outcome"))) for one in label.get("attempts") or ())
    agreeing = [one for one in found if one.tried == tried and not one.odd]
    bare = _is_bare(label, said, found, agreeing)
    moves = agreeing[0].moves if agreeing and not bare else ()
    every = tuple(one for _, one in weighed)
    return Labelled(label, seen, known, said, seen.turns, moves, every, ended, bare)


def _outcome(text: str | None) -> Outcome | None:
    return Outcome(text) if text in ("accepted", "refused") else None


def _is_bare(
    label: dict[str, Any], said: Sequence[Exchange], found: Sequence[Weighed], agreeing: Sequence[Weighed]
) -> bool:
    """Whether a mechanism was but named, which labels count as a login: there are too few turns for one."""
    attempts = label.get("attempts") or ()
    if not any(one.get("sasl_ir") is False and one.get("outcome") == "refused" for one in attempts):
        return False
    apart = sum(MESSAGES.get(one["mechanism"], 2) - bool(one.get("sasl_ir")) for one in attempts)
    other = next((one for one in found if any(move.name == "not offered" for move in one.moves)), None)
    likelier = other is not None and (not agreeing or other.share > agreeing[0].share)
    return likelier or len(said) < 1 + apart
