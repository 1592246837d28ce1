"""What is claimed of logins inside TLS when part of the conversation was not heard: less, never otherwise."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from muffled import AEAD_13, SEALS, SESSIONS, Seal, Session
from packets import C, Connection, Packet, Side, batch

from scanner.account import Usernames
from scanner.capture.file import CaptureFile
from scanner.catalogue.exchange import load_catalogue
from scanner.events import TlsMode
from scanner.model import AuthClass, Observation
from scanner.pipeline import Pipeline
from scanner.wire.batch import Batch

CATALOGUE = load_catalogue()
CAPTURES = Path(__file__).parents[2] / "captures"
SURE = 0.7
"""Who claims so much must not be told otherwise by what was missing."""
SEEDS = 12
LOSSES = (0.005, 0.02)
NO_CLAIM = (AuthClass.UNKNOWN, AuthClass.INCOMPLETE)
ALL = [
    pytest.param(session, seal, id=f"{session.title}, {seal.name}") for session in SESSIONS for seal in SEALS
]
Ends = tuple[str, int, str, int]


@dataclass(frozen=True)
class Heard:
    """A connection's packets, and which of them say something."""

    packets: list[Packet]
    speaking: list[int]


def played(session: Session, seal: Seal, number: int = 0) -> Heard:
    """Play a session; its number is in the client's address."""
    connection = Connection((f"10.0.{number >> 8}.{number & 255}", 50000), ("52.96.0.1", session.port)).open()
    first = len(connection.packets)
    connection.say(*session.lines(seal))
    speaking = list(range(first, len(connection.packets)))
    return Heard(connection.close().packets, speaking)


def read(*batches: Batch) -> dict[Ends, Observation]:
    """Read packets; give what was seen, by connection."""
    pipeline = Pipeline(CATALOGUE, sensor="here", usernames=Usernames.KEEP)
    seen = [one for found in pipeline.read(batches, "x.pcap") for one in found]
    return {(one.client_ip, one.client_port, one.server_ip, one.server_port): one for one in seen}


def of(packets: Sequence[Packet]) -> Observation | None:
    """What is seen of packets of one connection."""
    return next(iter(read(batch(packets)).values()), None) if packets else None


def without(batches: Sequence[Batch], lost: random.Random, share: float) -> list[Batch]:
    """Lose this share of packets."""
    found = []
    for one in batches:
        kept = np.array([number for number in range(len(one.start)) if lost.random() >= share], np.int64)
        columns = {name: getattr(one, name)[kept] for name in ("start", "captured", "length", "at")}
        found.append(replace(one, **columns))
    return found


def honest(seen: Observation, whole: AuthClass) -> bool:
    """No other class with much confidence, and never no login where something is missing.

    In clear all that a client says may have been heard, or mail that was taken, in spite of a hole elsewhere.
    """
    other = seen.auth_class not in (*NO_CLAIM, whole) and seen.confidence >= SURE
    clear = seen.tls_mode is TlsMode.CLEAR and whole is AuthClass.NONE
    return not other and not (seen.gaps and seen.auth_class is AuthClass.NONE and not clear)


@pytest.mark.parametrize(("session", "seal"), ALL)
def test_what_was_heard_whole_is_known(session: Session, seal: Seal) -> None:
    """Without this the others could compare nothing with nothing."""
    seen = of(played(session, seal).packets)
    assert seen is not None
    assert (seen.auth_class.value, seen.gaps) == (session.auth_class, 0)
    assert seen.confidence >= 0.9


@pytest.mark.parametrize(("session", "seal"), ALL)
def test_one_packet_is_lost(session: Session, seal: Seal) -> None:
    heard = played(session, seal)
    for number in range(len(heard.packets)):
        seen = of([*heard.packets[:number], *heard.packets[number + 1 :]])
        assert seen is not None
        assert honest(seen, AuthClass(session.auth_class)), (number, seen.evidence)
        assert seen.gaps or number not in heard.speaking, number


def captured(name: str) -> list[Batch]:
    """The batches of a capture of ours, or of all sessions together."""
    if name != "sessions":
        with CaptureFile(str(CAPTURES / name)) as capture:
            return [replace(one, buffer=one.buffer.copy()) for one in capture]
    pairs = [(session, seal) for session in SESSIONS for seal in SEALS]
    played_all = (played(session, seal, number) for number, (session, seal) in enumerate(pairs))
    packets = sorted((one for heard in played_all for one in heard.packets), key=lambda packet: packet.at)
    return [batch(packets)]


@pytest.mark.parametrize("share", LOSSES, ids=lambda share: f"{share:.1%} lost")
@pytest.mark.parametrize("name", ["sessions", "office.pcapng", "lan.pcapng"])
def test_packets_are_lost_at_random(name: str, share: float) -> None:
    batches = captured(name)
    whole, missing = read(*batches), 0
    for seed in range(SEEDS):
        for ends, seen in read(*without(batches, random.Random(f"{name} {share} {seed}"), share)).items():
            missing += seen.gaps > 0
            before = whole[ends].auth_class if ends in whole else AuthClass.UNKNOWN
            assert honest(seen, before), (seed, ends, seen.auth_class, seen.evidence)
    assert missing


@pytest.mark.parametrize(("session", "seal"), ALL)
def test_the_start_is_missing(session: Session, seal: Seal) -> None:
    """From anywhere in the middle on: nothing is known of a login, and it is said why."""
    heard = played(session, seal)
    for first in (1, *heard.speaking[1:]):
        seen = of(heard.packets[first:])
        if seen is not None and seen.tls_version is None:
            assert seen.auth_class in NO_CLAIM, (first, seen.evidence)
            assert told_why(seen), seen.evidence
        elif seen is not None:
            assert honest(seen, AuthClass(session.auth_class)), (first, seen.evidence)


@pytest.mark.parametrize("side", list(Side), ids=["of the client alone", "of the server alone"])
@pytest.mark.parametrize(("session", "seal"), ALL)
def test_one_side_is_heard(session: Session, seal: Seal, side: Side) -> None:
    client = next(iter(played(session, seal).packets)).data[6:12]
    packets = [one for one in played(session, seal).packets if (one.data[6:12] == client) is (side is C)]
    seen = of(packets)
    if seen is not None:
        assert seen.auth_class in NO_CLAIM, seen.evidence
        assert told_why(seen), seen.evidence


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.title)
def test_it_breaks_off(session: Session) -> None:
    """The capture ends within the conversation: what is claimed of what came till then is not otherwise."""
    heard = played(session, AEAD_13)
    for last in heard.speaking[1:]:
        seen = of(heard.packets[:last])
        assert seen is not None
        if seen.confidence >= SURE:
            assert seen.auth_class.value in (*earlier(session), *NO_CLAIM), (last, seen.evidence)


def earlier(session: Session) -> Iterator[str]:
    """What may be claimed of a session's beginning."""
    yield session.auth_class
    if "token refused" in session.title:
        yield "oauth"


def told_why(seen: Observation) -> bool:
    """Whether the evidence gives the reason, or the lack of anything to claim."""
    reasons = ("missing", "inside TLS", "ended before", "not heard")
    return any(reason in seen.evidence for reason in reasons)
