"""Sessions to fill an inventory with."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from db.filters import Lens
from db.store import Inventory
from scanner.events import Outcome, TlsMode
from scanner.model import AuthClass, Basis, Host, Level, Observation, ServerKind, Verdict
from scanner.totals import RunTotals

SEEN = Observation(
    capture="a.pcap",
    sensor="here",
    first_seen=1_000,
    last_seen=2_000,
    client_ip="10.0.0.1",
    client_port=50000,
    client_mac="00:26:73:00:00:01",
    server_ip="52.96.0.1",
    server_port=587,
    server_name="smtp.office365.com",
    server_kind=ServerKind.EXCHANGE_ONLINE,
    protocol="smtp",
    service="submission",
    tls_mode=TlsMode.CLEAR,
    tls_version=None,
    tls_cipher=None,
    ja3=None,
    ja4=None,
    client_name="copier",
    mechanism="LOGIN",
    auth_class=AuthClass.BASIC,
    outcome=Outcome.ACCEPTED,
    attempts=(),
    basis=Basis.SEEN,
    confidence=0.99,
    username="s***",
    mails=2,
    gaps=0,
    evidence="seen",
)


def other(**changes: Any) -> Observation:
    """A session between other ends."""
    return replace(SEEN, **changes)


def _fine(_: Host) -> Verdict:
    return Verdict(Level.FINE, None, ())


FINE = Lens(_fine)


def filled(path: Path, *seen: Observation, began: int = 1) -> Inventory:
    """An inventory that holds one finished run."""
    kept = Inventory.open(str(path))
    run = kept.begin_run("here", ["a.pcap"], began)
    kept.record(run, seen)
    kept.finish_run(run, RunTotals(packets=3, unreadable=("x",)), began + 1)
    return kept
