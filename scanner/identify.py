"""What a host is, by what it was heard to say: fingerprints vote, and those that agree make it surer.

Pure: it reads nothing but the fingerprints beside it. The result does not depend on the order of labels.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from math import prod

from scanner.fingerprints import OUI, Advice, Fingerprint, advices, by_field, compiled, words
from scanner.labels import PLACES
from scanner.model import Device, Heard
from scanner.record import record

TEXTS_KEPT = 65_536
"""Answers remembered: a large site's hosts say fewer different things; beyond it they are worked out anew."""
EVIDENCE_KEPT = 4096
"""Likewise what all the texts of a host come to: machines of one model mostly say the same."""
TEXT_READ = 512
"""Characters of a label that are looked at: no label has more (``events.Label``)."""
SURE = 0.99
"""The most that any agreement can make of it: texts can be set by whoever owns the machine."""
ENOUGH = 0.5
"""From here an appliance is one whatever programs run on it: a NAS with Postfix is a NAS."""


@record
class Vote:
    """What one entry makes of one text."""

    field: str
    text: str
    entry: str
    """The fingerprint's file and number."""
    source: str
    weight: float
    vendor: str | None = None
    model: str | None = None
    kind: str | None = None
    software: str | None = None
    version: str | None = None
    """Of the software."""


def _cleaned(text: str | None) -> str | None:
    return " ".join(text.replace("_", " ").split()).strip(" -.,;") or None if text else None


@cache
def _matchers(field: str) -> tuple[tuple[Fingerprint, Callable[[str], re.Match[str] | None]], ...]:
    return tuple((entry, compiled(entry.pattern).match) for entry in by_field().get(field, ()))


def _vote(entry: Fingerprint, field: str, text: str, found: re.Match[str]) -> Vote | None:
    groups = found.groupdict()
    vendor = entry.vendor
    if "vendor" in groups and not (vendor := words().spellings.get((groups["vendor"] or "").casefold())):
        return None
    model, version = entry.model or _cleaned(groups.get("model")), _cleaned(groups.get("version"))
    said = (vendor, model, entry.kind, entry.software, version)
    return Vote(field, text, entry.name, entry.source, entry.weight, *said)


@lru_cache(TEXTS_KEPT)
def votes(field: str, text: str) -> tuple[Vote, ...]:
    """What all entries make of one text."""
    text = text[:TEXT_READ].strip()
    found = [(entry, match) for entry, matches in _matchers(field) if (match := matches(text))]
    return tuple(vote for entry, match in found if (vote := _vote(entry, field, text, match)))


def evidence(labels: Iterable[Heard], oui: str | None) -> list[Vote]:
    """List which text matched which entry, each once, the weightiest first."""
    texts = {(label.field, label.text) for label in labels}
    if oui:
        texts.add((OUI, oui))
    found = {vote for field, text in texts for vote in votes(field, text)}
    return sorted(found, key=lambda vote: (-vote.weight, vote.entry, vote.field, vote.text))


def _scores(pairs: Iterable[tuple[str | None, Vote]]) -> dict[str, float]:
    """How sure each claim is: 1 - product of (1 - weight); an entry counts once, however often it matched."""
    weights: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for claim, vote in pairs:
        if claim:
            weights[claim][vote.entry] = max(vote.weight, weights[claim].get(vote.entry, 0.0))
    return {claim: min(SURE, _either(entries.values())) for claim, entries in weights.items()}


def _either(weights: Iterable[float]) -> float:
    return 1 - prod(1 - weight for weight in sorted(weights))


def _against(won: float, others: Iterable[float]) -> float:
    """How sure the winner is where others claim otherwise, and only one of them can be right."""
    rest = _either(others)
    return won * (1 - rest) / (1 - won * rest)


def _best(scores: Mapping[str, float], order: tuple[str, ...] = ()) -> str | None:
    """The surest claim; of equal ones that which stands first in ``order``, then in the alphabet."""
    place = {claim: number for number, claim in enumerate(order)}
    return min(scores, key=lambda claim: (-scores[claim], place.get(claim, 0), claim), default=None)


def _kind(found: Iterable[Vote]) -> tuple[str | None, float]:
    scores = _scores((vote.kind, vote) for vote in found)
    if "multifunction printer" in scores and "printer" in scores:  # one is a case of the other
        both = (scores["multifunction printer"], scores.pop("printer"))
        scores["multifunction printer"] = min(SURE, _either(both))
    tier = words().tier
    for tiers, least in (
        (("appliance",), ENOUGH),
        (("appliance", "role", "general"), 0.0),
        (("program",), 0.0),
    ):
        kind = _best({k: s for k, s in scores.items() if tier[k] in tiers and s >= least}, words().kinds)
        if kind:
            return kind, scores[kind]
    return None, 0.0


def _most_specific(found: Iterable[Vote]) -> str | None:
    models = {(vote.weight, len(vote.model), vote.model) for vote in found if vote.model}
    return max(models)[2] if models else None


def _software(found: Iterable[Vote]) -> tuple[str | None, float]:
    """The program, with its version if that was said; what answers says more than what passes through."""
    found = [vote for vote in found if vote.software]
    tier = words().tier
    answering = [vote for vote in found if vote.kind and tier[vote.kind] == "role"]
    scores = _scores((vote.software, vote) for vote in answering or found)
    best = _best(scores)
    if best is None:
        return None, 0.0
    versions = {(vote.weight, vote.version) for vote in found if vote.software == best and vote.version}
    return (f"{best} {max(versions)[1]}" if versions else best), scores[best]


def identify(labels: Iterable[Heard], oui: str | None) -> Device:
    """Make of a host's labels and its network card's maker what it is; ``Device()`` if nothing is known."""
    labels = tuple(labels)
    device = _decided(tuple(evidence(labels, oui)))
    places = (label.text for label in labels if label.field in PLACES and label.text.strip())
    place = min(places, default=None)
    return replace(device, place=place) if place else device


@lru_cache(EVIDENCE_KEPT)
def _decided(found: tuple[Vote, ...]) -> Device:
    vendors = _scores((vote.vendor, vote) for vote in found)
    vendor = _best(vendors)
    mine = [vote for vote in found if vote.vendor in (vendor, None)]
    kind, confidence = _kind(mine)
    software, spoken = _software(found)
    if vendor:
        confidence = _against(vendors[vendor], (score for name, score in vendors.items() if name != vendor))
    model = _most_specific(vote for vote in mine if vote.vendor)
    return Device(vendor, model, kind, round(confidence or spoken, 3), software)


def _fits(row: Advice, device: Device) -> bool:
    named = row.vendor is not None and row.vendor == device.vendor
    speaks = row.software is not None and (device.software or "").casefold().startswith(
        row.software.casefold()
    )
    if not (named or speaks) or (row.kinds and device.kind not in row.kinds):
        return False
    return row.model is None or bool(device.model and compiled(row.model).match(device.model))


def oauth_row(device: Device) -> Advice | None:
    """Tell what is known of OAuth for Exchange Online in the device, or in the program that speaks."""
    return next((row for row in advices() if _fits(row, device)), None)
