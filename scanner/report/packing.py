"""All devices as the script of the page reads them: short lists, and what repeats said once.

The script knows the lists by position; their order here and in ``templates/report.js`` is the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup

from scanner.model import SEVERITY, AuthClass, Observation, Reason, Usage
from scanner.report.escape import visible
from scanner.report.languages import Language
from scanner.report.records import Record
from scanner.report.services import offered, place, speaks
from scanner.report.summary import Judged, Report, protocol_of
from scanner.report.views import called, what

NAMES_PACKED = 20
"""Names of a device; who has more makes them up."""
CARRIES_PACKED = 200
"""Devices behind a relay on its page; the list of devices finds all."""
TEXT_LENGTH = 2000
"""Characters of a text off the network; a name of megabytes would make a page that nobody can open."""
_SECOND_NS = 1_000_000_000


class _Once:
    """Values by number, each kept once."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def __call__(self, value: Any) -> int:
        number = self._numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


class Packer:
    """Packs devices in a language."""

    def __init__(self, language: Language) -> None:
        """Nothing is packed yet."""
        self._language = language
        self._texts, self._reasons, self._ways = _Once(), _Once(), _Once()

    def packed(self, report: Report) -> dict[str, Any]:
        """All that the script needs."""
        devices = [self._device(one, report.latest.get(one.host.host, ())) for one in report.devices]
        return {
            "lang": self._language.code,
            "locale": self._language.form["locale"],
            "asOf": report.as_of.isoformat(),
            "words": self._language.page,
            "levels": {level.value: self._language.say(f"level_{level}") for level in SEVERITY},
            "texts": self._texts.values,
            "reasons": self._reasons.values,
            "ways": self._ways.values,
            "devices": devices,
        }

    def _text(self, text: str | None) -> int:
        """The number of a text off the network, made visible."""
        return self._texts(visible((text or "")[:TEXT_LENGTH]))

    def _all(self, texts: Iterable[str]) -> list[int]:
        return [self._text(text) for text in texts]

    def _device(self, one: Judged, latest: Sequence[Observation]) -> list[Any]:
        host, verdict, record = one.host, one.verdict, one.record
        return [
            self._text(host.host),
            self._all(host.addresses),
            self._text(host.mac),
            self._all(called(record)[:NAMES_PACKED]),
            self._text(what(record, self._language.said)),
            self._text(host.vendor),
            int(host.router),
            verdict.level.value,
            verdict.deadline.isoformat() if verdict.deadline else "",
            [self._reason(reason) for reason in verdict.reasons],
            self._all(advised(one, self._language)),
            [self._usage(use) for use in host.usage],
            self._all(host.behind),
            self._all(host.carries[:CARRIES_PACKED]),
            host.first_seen // _SECOND_NS,
            host.last_seen // _SECOND_NS,
            [self._session(seen) for seen in latest],
            [self._offer(offer) for offer in record["offers"]],
            self._all(_asset(record)),
            self._all(mailboxes(record)),
        ]

    def _reason(self, reason: Reason) -> int:
        text = visible(self._language.said(reason.text)[:TEXT_LENGTH])
        deadline = reason.deadline.isoformat() if reason.deadline else ""
        confidence = round(reason.confidence, 2)
        return self._reasons((reason.level, text, deadline, reason.source, reason.basis, confidence))

    def _usage(self, use: Usage) -> list[int]:
        where = f"{use.server_name or '?'}:{use.server_port}"
        unnamed = "no_login" if use.auth_class is AuthClass.NONE else "not_known"
        login = use.mechanism or self._language.say(unnamed)
        protocol, tls = protocol_of(use) or "?", use.tls_version or ""
        basis = use.basis, round(use.confidence, 2)
        way = self._ways((protocol, visible(where), tls, visible(login), use.outcome or "", *basis))
        seen = use.first_seen // _SECOND_NS, use.last_seen // _SECOND_NS
        return [way, *seen, use.sessions - use.odd - use.untold, use.odd, use.untold]

    def _session(self, seen: Observation) -> list[Any]:
        where = f"{seen.server_name or seen.server_ip}:{seen.server_port}"
        steps = [step for step in seen.evidence.split("; ") if step]
        return [seen.first_seen // _SECOND_NS, self._text(where), self._all(steps)]

    def _offer(self, offer: Record) -> list[Any]:
        heads = [f"{place(offer)}: {', '.join(speaks(offer))}", offer["detail"], *offered(offer)]
        if offer["banner"]:
            heads.append(offer["banner"])
        if shown := offer["certificate"]:
            heads.append(f"{shown['subject']}, {shown['issuer']}, {shown['not_after'][:10]}, {shown['key']}")
        heads += [f"{one['path']}: {one['status']} {' '.join(one['offered'])}" for one in offer["paths"]]
        found = [self._all((self._language.said(one["text"]), one["why"])) for one in offer["findings"]]
        return [self._all(head for head in heads if head), found]


def advised(one: Judged, language: Language) -> list[str]:
    """What to do: about the worst reason, and what is known of the device."""
    general, whole = one.verdict.advice, one.record["advice"]
    return [part for part in (language.said(general), whole.removeprefix(general).strip()) if part]


def _asset(record: Record) -> list[str]:
    """Owner, place and note by the site's own list, where one was imported."""
    asset = record.get("asset") or {}
    return [str(asset.get(key) or "") for key in ("owner", "place", "note")] if asset else []


def mailboxes(record: Record) -> list[str]:
    """Whose mailboxes it uses, where sign-ins were matched, with how sure that is."""
    return [f"{one['user']} ({one['score']:.2f})" for one in record.get("mailboxes") or [] if one["user"]]


def as_script(packed: dict[str, Any]) -> Markup:
    """JSON for a ``script`` element: no character in it can end the element (HTML 13.3)."""
    text = json.dumps(packed, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
