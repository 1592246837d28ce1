"""``mailsunset watch``: sit on a mirror port for weeks, and keep the inventory."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from socket import gethostname
from typing import TYPE_CHECKING

import click

from scanner.cli import options
from scanner.cli.settings import DAY_NS, InputError, Settings, catalogue_of, lens
from scanner.report.formats import Format

if TYPE_CHECKING:
    from db.filters import Lens
    from scanner.catalogue.exchange import Catalogue
    from scanner.model import Observation
    from scanner.pipeline import Bench, Pipeline
    from scanner.watch.journal import Journal
    from scanner.watch.metrics import Metrics
    from scanner.watch.notifier import Notice
    from scanner.watch.scribe import Ledger
    from scanner.watch.sensor import Found, Sensor
    from scanner.watch.start import Opened, Plan
    from scanner.watch.talk import Talk
    from scanner.watch.wishes import Wishes

    Served = tuple[Metrics, str, int]
    """What serves metrics, its address and port."""

TEXT, JSON = "text", "json"
BEST = "best"


@click.command("watch")
@click.option("-i", "--interface", "interfaces", multiple=True, required=True, metavar="NAME",
              help="Listen here; may be given several times.")  # fmt: skip
@click.option("--workers", "readers", type=click.IntRange(1, 16), default=1, show_default=True,
              help="Processes that share the packets.")  # fmt: skip
@click.option("--filter", "filtering", type=click.Choice([BEST, "extended", "classic", "none"]),
              default=BEST, show_default=True, help="What the kernel sorts out.")  # fmt: skip
@click.option("--ring", "ring_mb", type=click.IntRange(8, 1024), default=32, show_default=True, metavar="MB",
              help="Room for packets that wait, for each interface and worker.")  # fmt: skip
@click.option("--max-flows", type=click.IntRange(min=1), default=1_000_000, show_default=True,
              help="Connections followed at a time.")  # fmt: skip
@click.option("--user", metavar="NAME",
              help="Whom to become.  [default: who called sudo, else nobody]")  # fmt: skip
@click.option("--log-format", type=click.Choice([TEXT, JSON]),
              help="A line a minute on stderr.  [default: a live view on a terminal, else text]")  # fmt: skip
@click.option("--write", "keep", metavar="FILE",
              help="Keep packets of mail in numbered pcapng files, for a later 'read'.")  # fmt: skip
@click.option("--scapy", "portable", is_flag=True, default=sys.platform != "linux",
              help="Listen by way of scapy, as is done where Linux's rings are not.")  # fmt: skip
@click.option("--metrics", metavar="ADDRESS:PORT", help="Serve Prometheus metrics here.")
@click.option("--notify", metavar="URL|syslog[:ADDRESS]",
              help="Tell of each new finding: POST it as JSON, or send a line to a log.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["none", "ndjson"]), default="none", show_default=True,
              help="Also write each session to stdout.")  # fmt: skip
@options.endpoints
@options.catalogue
@options.usernames
@options.sensor
@options.keep_sessions
@click.pass_obj
def command(
    settings: Settings,
    interfaces: tuple[str, ...],
    readers: int,
    filtering: str,
    ring_mb: int,
    max_flows: int,
    user: str | None,
    log_format: str | None,
    keep: str | None,
    portable: bool,
    metrics: str | None,
    notify: str | None,
    form: str,
    usernames: str,
) -> None:
    """Listen to a mirror port until told to stop, and keep the inventory.

    SIGTERM and Ctrl-C end it, SIGHUP reads the catalogue again, SIGUSR1 has it say how it does.
    """
    from scanner.account import Usernames  # NumPy costs 200 ms that --help need not pay
    from scanner.pipeline import Pipeline
    from scanner.watch.filtering import Kind
    from scanner.watch.scribe import Ledger
    from scanner.watch.start import Plan

    served = _metrics(metrics) if metrics else None
    notice = _notice(settings, notify) if notify else None
    kind = Kind(filtering) if filtering != BEST else None
    plan = Plan(interfaces, readers, ring_mb, kind, user, keep, portable)
    talk = _talk(log_format)
    if keep:
        talk.note(f"{keep}: whoever can read it can read passwords that cross in clear; its mode is 0600")
    known, sensor, who = catalogue_of(settings), settings.sensor or gethostname(), Usernames(usernames)
    make = partial(Pipeline, known, sensor, who, max_flows, live=True)
    keep_ns = settings.keep_days and settings.keep_days * DAY_NS
    ledger = Ledger(settings.db, sensor, plan.interfaces, time.time_ns(), keep_ns, notice)
    opened = _open(plan, known, ledger, make, talk)
    raise click.exceptions.Exit(_watch(settings, plan, opened, talk, served, form))


def _talk(log_format: str | None) -> Talk:
    from scanner.watch.talk import JsonTalk, TextTalk

    if log_format is None and sys.stderr.isatty():
        from rich.console import Console  # 60 ms that a service need not pay

        from scanner.watch.view import LiveTalk

        return LiveTalk(Console(stderr=True))
    return JsonTalk(_say) if log_format == JSON else TextTalk(_say)


def _say(text: str) -> None:
    """Say a line: a log whose disk is full, or whom nobody reads, must not stop the sensor.

    Past Python's buffer, which would keep what could not be written and fail again wherever it is flushed.
    """
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"{text}\n".encode("utf-8", "backslashreplace"))


def _open(plan: Plan, known: Catalogue, ledger: Ledger, make: Callable[..., Pipeline], talk: Talk) -> Opened:
    from scanner.capture.kernel_bpf import FilterRefused
    from scanner.capture.live import TapError
    from scanner.watch.privileges import PrivilegesError
    from scanner.watch.scribe import ScribeError
    from scanner.watch.start import open_all

    try:
        return open_all(plan, known, ledger, lambda leases: make(leases=leases), talk)
    except (TapError, FilterRefused, PrivilegesError, ScribeError) as fault:
        raise InputError(str(fault)) from None


def _watch(
    settings: Settings, plan: Plan, opened: Opened, talk: Talk, served: Served | None, form: str
) -> int:
    """Watch until told to stop; gives the exit status."""
    from scanner.watch.journal import Journal
    from scanner.watch.sensor import Sensor, finisher
    from scanner.watch.wishes import Wishes

    with ExitStack() as stack:
        stack.callback(opened.scribe.abandon)
        stack.callback(opened.ears.close)
        wishes = stack.enter_context(Wishes())
        bench = opened.pipeline.bench(",".join(plan.interfaces), finisher())
        journal = Journal()
        stack.callback(journal.close)
        shown = [journal.second]
        if served:
            metrics = _serve(served)
            stack.callback(metrics.close)
            shown.append(metrics.show)

        def reload() -> None:
            nonlocal opened
            journal.reloading()
            opened = _reload(settings, opened, bench, talk)
            journal.ready()

        each = _writer(talk) if form == Format.NDJSON else None
        sensor = Sensor(opened.ears, bench, opened.scribe, talk, reload, shown, each)
        journal.ready()
        return _run(sensor, wishes, journal, talk)


def _run(sensor: Sensor, wishes: Wishes, journal: Journal, talk: Talk) -> int:
    from scanner.capture.live import TapError
    from scanner.watch.scribe import ScribeError

    failed = False
    try:
        try:
            sensor.run(wishes)
        except TapError as fault:
            talk.note(str(fault))
            failed = True
        journal.stopping()
        lost = sensor.end()
    except ScribeError as fault:
        raise click.ClickException(str(fault)) from None
    return 1 if lost or failed else 0


def _writer(talk: Talk) -> Callable[[Observation], None]:
    """Writes sessions to stdout until that fails: a sensor is for its inventory."""
    from scanner.report.formats import line
    from scanner.report.records import session_record

    is_open = True

    def write(seen: Observation) -> None:
        nonlocal is_open
        if not is_open:
            return
        try:
            sys.stdout.write(line(session_record(seen)))
            sys.stdout.flush()
        except OSError as fault:
            is_open = False
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            talk.note(f"sessions are not written to stdout any more: {fault.strerror}")

    return write


def _notice(settings: Settings, target: str) -> Notice:
    from scanner.watch.notice import destination
    from scanner.watch.notifier import Notice

    try:
        destination(target)
    except ValueError as fault:
        raise InputError(f"--notify: {fault}") from None  # not the address itself, which may hold a key
    return Notice(target, partial(_lens, settings, settings.as_of == datetime.now(UTC).date()))


def _lens(settings: Settings, daily: bool) -> Lens:
    """How to look at hosts: as of the day that it is by then, unless another was asked for."""
    return lens(replace(settings, as_of=datetime.now(UTC).date()) if daily else settings)


def _metrics(place: str) -> Served:
    from scanner.watch.metrics import Metrics

    address, _, port = place.rpartition(":")
    if not address or not port.isascii() or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise InputError(f"--metrics: {place!r} is not an address and a port like 127.0.0.1:9150")
    return Metrics(), address.strip("[]"), int(port)


def _serve(served: Served) -> Metrics:
    metrics, address, port = served
    try:
        metrics.serve(address, port)
    except OSError as fault:
        raise InputError(f"--metrics: {address}, port {port}: {fault.strerror or fault}") from None
    return metrics


def _reload(settings: Settings, opened: Opened, bench: Bench[Found], talk: Talk) -> Opened:
    """Read the catalogue again, and go on by it; a faulty one changes nothing."""
    from scanner.capture.passing import Passing
    from scanner.watch.filtering import Kind

    try:
        known = catalogue_of(settings)
    except InputError as fault:
        talk.note(f"the catalogue is not read again: {fault.message}")
        return opened
    listener, interest = opened.pipeline.reload(known)
    bench.reload(listener, interest)
    passing = Passing.of(known)
    changed = not passing.like(opened.passing) and opened.filtering is not Kind.NONE
    opened.ears.reload(interest, passing if changed else None)
    plain = "; the kernel filters by classic BPF from now on" if changed else ""
    talk.note(f"the catalogue is read again{plain}")
    return opened._replace(passing=passing) if changed else opened
