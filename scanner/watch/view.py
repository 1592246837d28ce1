"""The live view of a sensor on a terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from scanner.model import Observation
from scanner.report.escape import visible
from scanner.report.records import session_record
from scanner.report.views import SESSIONS
from scanner.watch.status import Status, Wire, as_text, missed, stamp

_COLUMNS = ("when", "client", "server", "protocol", "login")
_LONGEST = "server"
"""It is cut where there is no room for all."""
_MOST = {"client": 18, "login": 24}
"""Letters, lest one of them leave no room for all else."""


class LiveTalk:
    """Shows how the sensor does; what is said goes above. A terminal may go away."""

    def __init__(self, console: Console) -> None:
        """Draw on a terminal."""
        self._console = console
        self._live = Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._live.start()
        cell_len("\u65e5")  # rich reads how wide letters are now: later its files may be out of reach

    def note(self, text: str) -> None:
        """Say something now."""
        with self._while_there_is_one():
            self._console.print(Text(f"mailsunset: {visible(text)}"))

    def second(self, status: Status) -> None:
        """Draw anew."""
        with self._while_there_is_one():
            self._live.update(Group(_wires(status), _found(status), _last(status)), refresh=True)

    def tell(self, event: str, status: Status) -> None:
        """Say how it does; at the end the view goes."""
        with self._while_there_is_one():
            if event == "end":
                self._live.stop()
            if event != "minute":
                self._console.print(Text(visible(f"{stamp(status.at)} {as_text(status)}")))

    @contextmanager
    def _while_there_is_one(self) -> Iterator[None]:
        """Draw nowhere once the terminal is gone: what is left in a buffer would fail at the very end."""
        try:
            yield
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._console.file.fileno())


def _wires(status: Status) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("interface", "packets", "looked at", "dropped", "VLAN-tagged"):
        table.add_column(Text(head), justify="left" if head == "interface" else "right")
    for wire in status.wires:
        table.add_row(*_wire(wire))
    return table


def _wire(wire: Wire) -> tuple[Text, ...]:
    name = Text(visible(wire.name) if wire.up else f"{visible(wire.name)} (down)", "" if wire.up else "red")
    arrived = "?" if wire.arrived is None else f"{wire.arrived:,}"
    dropped = Text(f"{wire.dropped:,}", "red" if wire.dropped else "")
    return name, Text(arrived), Text(f"{wire.delivered:,}"), dropped, Text(f"{wire.tagged:,}")


def _found(status: Status) -> RenderableType:
    hours, rest = divmod((status.at - status.began) // 1_000_000_000, 3600)
    found = status.findings
    text = Text(f"{hours}:{rest // 60:02}:{rest % 60:02} listened; ")
    text.append(f"{status.totals.observations:,} sessions of {found.devices:,} devices, ")
    text.append(f"{found.passwords:,} with a password for Exchange Online", "bold" if found.passwords else "")
    text.append(f"; {status.open:,} connections open; {visible(missed(status))}")
    return text


def _last(status: Status) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    for head in _COLUMNS:
        ratio = 1 if head == _LONGEST else None
        table.add_column(
            Text(head), no_wrap=True, overflow="ellipsis", ratio=ratio, max_width=_MOST.get(head)
        )
    for seen in reversed(status.findings.last):
        table.add_row(*_row(seen))
    return table


def _row(seen: Observation) -> list[Text]:
    record = session_record(seen)
    cells = []
    for head in _COLUMNS:
        told = SESSIONS.columns[head](record)
        text = " ".join(told) if isinstance(told, list) else str(told)
        cells.append(Text(visible(text.partition(" ")[2] if head == "when" else text)))
    return cells
