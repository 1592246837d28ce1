"""Reports to write: devices of every verdict behind a relay, and names that mean no good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from scanner.catalogue.retirement import load_retirement
from scanner.events import Outcome
from scanner.model import AuthClass, Basis, Device, Heard, Host, Level, Reason, ServerKind, Usage, Verdict
from scanner.report.records import host_record
from scanner.report.summary import Judged, Report, basis, due
from scanner.totals import RunTotals
from tests.db.samples import other

DAY_NS = 86_400_000_000_000
AT = 1_790_000_000_000_000_000
"""2026-09-21T14:13:20 UTC."""
AS_OF = date(2026, 11, 24)
MARK = "pwned"
"""Part of every hostile name, to find it by."""
HOSTILE = (
    f"<script>document.title='{MARK}'</script>",
    f"\"'><img src=x onerror=\"document.title='{MARK}'\">",
    f"</script><script>document.title='{MARK}'</script>",
    f"<!--<script>{MARK}",
    f"]]>&{MARK};&lt;",
    f"=HYPERLINK(\"http://192.0.2.1/{MARK}\")",
    f"@SUM(1+1)*cmd|' /C calc'!A0{MARK}",
    f"-2+3+{MARK}",
    f"#N/A{MARK}",
    f"\u202e{MARK}\u2066\u200b",
    f"\x1b[2J\x1b]0;{MARK}\x07",
    f"nul\x00{MARK}",
    f"\ud800{MARK}\udfff",
    f"{MARK}\ufffe\uffff\x85",
    f"a\r\nSet: {MARK}\n\n# head | cell",
    f"[click](javascript:{MARK}) ![x](http://192.0.2.1/{MARK})",
    f"| {MARK} | `code` *b* __proto__ {{{{7*7}}}} {{% raw %}} ${{7*7}}",
    MARK + "x" * 20_000,
)  # fmt: skip
"""HTML, scripts, ends of elements and comments, formulas, what turns text round, controls, no text at all."""

USE = Usage(
    server_name="smtp.office365.com",
    server_kind=ServerKind.EXCHANGE_ONLINE,
    server_port=587,
    protocol="smtp",
    service="submission",
    tls_mode=None,
    tls_version="TLSv1.3",
    mechanism="LOGIN",
    auth_class=AuthClass.BASIC,
    outcome=Outcome.ACCEPTED,
    basis=Basis.INFERRED,
    confidence=0.99,
    first_seen=AT,
    last_seen=AT + DAY_NS,
    sessions=3,
)
SMTP = load_retirement()["smtp-auth"]
REASON = Reason(
    "smtp-auth", Level.BREAKS, "SMTP with LOGIN works until then", SMTP.source, Basis.INFERRED, 0.99,
    SMTP.date, "Move it to OAuth, to a relay that speaks OAuth, or to High Volume Email.",
)  # fmt: skip
BREAKS = Verdict(Level.BREAKS, SMTP.date, (REASON,))
VERDICTS = {
    Level.BROKEN: Verdict(
        Level.BROKEN, date(2023, 1, 1), (replace(REASON, level=Level.BROKEN, deadline=date(2023, 1, 1)),)
    ),
    Level.BREAKS: BREAKS,
    Level.REVIEW: Verdict(Level.REVIEW, None, (replace(REASON, level=Level.REVIEW, deadline=None),)),
    Level.UNKNOWN: Verdict(Level.UNKNOWN, None, ()),
    Level.FINE: Verdict(Level.FINE, None, (replace(REASON, level=Level.FINE, deadline=None),)),
}


def host(number: int, name: str = "", **changes: Any) -> Host:
    """A host of a name (one of its own if there is none)."""
    labels = (Heard("dhcp.host_name", name or f"device{number}", AT, AT),)
    return replace(
        Host(
            host=f"10.0.{number // 200}.{1 + number % 200}",
            addresses=(f"10.0.{number // 200}.{1 + number % 200}",),
            mac=None,
            vendor=None,
            labels=labels,
            router=False,
            first_seen=AT,
            last_seen=AT + DAY_NS,
            usage=(USE,),
        ),
        **changes,
    )


def judged(found: Host, level: Level = Level.BREAKS, verdict: Verdict | None = None) -> Judged:
    """A host with what becomes of it."""
    thought = verdict or VERDICTS[level]
    return Judged(found, thought, host_record(found, thought, AS_OF))


def report(devices: Sequence[Judged], **changes: Any) -> Report:
    """A report of these."""
    heard = RunTotals(packets=1_234, observations=9, first_at=AT, last_at=AT + DAY_NS, dropped=2)
    found = Report(
        as_of=AS_OF,
        devices=devices,
        basis=basis([heard], []),
        deadlines=due(load_retirement().values(), (one.verdict for one in devices)),
    )
    return replace(found, **changes)


def hostile() -> Report:
    """A device of each hostile name, which says it wherever it can say something, all behind a relay."""
    devices = []
    names = [host(number).host for number in range(len(HOSTILE))]
    for number, text in enumerate(HOSTILE):
        found = host(
            number, text, host=text[:60], device=Device(text, text, "printer", 0.9, text, text), vendor=text,
            usage=(replace(USE, server_name=text, mechanism=text),), carries=() if number else tuple(names),
        )  # fmt: skip
        said = f"goes through {text}, which goes on working ({text})"
        reason = replace(REASON, text=said, source=text, advice=text)
        one = judged(found, verdict=replace(BREAKS, reasons=(reason,)))
        one.record["asset"] = {"owner": text, "place": text, "note": text}
        one.record["mailboxes"] = [{"user": text, "score": 0.9, "basis": "coincidence"}]
        devices.append(one)
    seen = {
        one.host.host: [other(server_name=text, evidence=f"greeting of {text}; EHLO {text}")]
        for one, text in zip(devices, HOSTILE, strict=True)
    }
    return report(devices, latest=seen)
