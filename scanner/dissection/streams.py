"""From dissected packets to observations: one account a connection, folded as the packets come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter

from scanner.account import Account, Usernames
from scanner.announcements import Names
from scanner.catalogue.exchange import Catalogue
from scanner.conversation import CLIENT, SERVER, Conversation, Ending, Flow, Side
from scanner.dissection import Dissected, Talk, Told
from scanner.dissection.http import HttpTalk
from scanner.dissection.imap import ImapTalk
from scanner.dissection.pop3 import Pop3Talk
from scanner.dissection.smtp import SmtpTalk
from scanner.dissection.socks import SocksTalk
from scanner.dissection.spans import Spans
from scanner.dissection.tls import TlsTalk
from scanner.draft import Drafts
from scanner.events import Answer, Event, Gap, Label, TlsMode, TlsStarted
from scanner.listener import MAIL, STARTTLS_PORTS, Listener
from scanner.model import Observation
from scanner.recognise import MAIL_PORTS
from scanner.recurrence import Lengths
from scanner.texts import Servers
from scanner.totals import RunTotals

MAX_STREAMS = 100_000
"""Connections kept open; past it the one begun first is ended as ``evicted``."""
DONE_KEPT = 100_000
"""Connections remembered after their end, so that late segments of theirs begin no other."""
IDLE_NS = 3_600_000_000_000
"""A phone's ActiveSync request may be held for 59 minutes; what is silent longer is over."""
WAITING = 1000
"""Sessions after which what they teach of servers is put to use, and they are given."""
SWEEP_NS = 60_000_000_000
"""How often, in capture time, silent connections are looked for."""
TALKS: dict[str, tuple[str, Callable[[], Talk]]] = {
    "smtp": ("smtp", SmtpTalk),
    "imap": ("imap", ImapTalk),
    "pop": ("pop3", Pop3Talk),
    "http": ("http", HttpTalk),
    "socks": ("socks", SocksTalk),
    "tls": ("tls", TlsTalk),
}
"""By tshark's layer: what we call the protocol, and who hears it."""
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16


@dataclass(slots=True)
class _Stream:
    """One connection; what it holds is bounded by the account's and the talks' own limits."""

    flow: Flow
    first_seen: int
    account: Account
    last_seen: int = 0
    macs: list[str | None] = field(default_factory=lambda: [None, None])
    started: list[bool] = field(default_factory=lambda: [False, False])
    closed: list[bool] = field(default_factory=lambda: [False, False])
    spans: tuple[Spans, Spans] = field(default_factory=lambda: (Spans(), Spans()))
    talks: dict[str, Talk] = field(default_factory=dict)

    def hear(self, part: Dissected) -> Ending | None:
        """Hear one segment; tells how the connection ended, if it did."""
        side = CLIENT if part.source == self.flow.client else SERVER
        self.last_seen = max(self.last_seen, part.at)
        self.macs[side] = self.macs[side] or part.source_mac
        if part.flags & _SYN:
            self.started[side] = True
            self.started[CLIENT] |= bool(part.flags & _ACK)  # who is answered has begun
        self.spans[side].seen(part.sequence + bool(part.flags & _SYN), part.length)
        if part.flags & _ACK:
            self.spans[side.other].acknowledged(part.acknowledged)
        for layer in part.layers:
            if layer.name in TALKS:
                self._fold(self._talk(layer.name).hear(side, layer, part.at))
        self.closed[side] |= bool(part.flags & _FIN)
        return Ending.RESET if part.flags & _RST else Ending.CLOSED if all(self.closed) else None

    def finish(self, ending: Ending, capture: str) -> tuple[Conversation, Account] | None:
        """Give what was heard; None if no dissector had a say."""
        if not self.talks:
            return None
        for talk in self.talks.values():
            self._fold(talk.end())
        ended = ending in (Ending.CLOSED, Ending.RESET)
        self.account.whole = ended and all(self.started)
        self.account.lost = not self.started[CLIENT]
        for side in Side:
            missing = self.spans[side].missing or (-1 if self._joined() else 0)
            if missing:
                self.account.hear(Gap(side, missing))
        client_mac, server_mac = self.macs
        conversation = Conversation(
            self.flow,
            (),
            self.first_seen,
            self.last_seen,
            ending,
            self.started[CLIENT],
            self.started[SERVER],
            client_mac,
            server_mac,
            capture=capture,
        )
        return conversation, self.account

    def _talk(self, layer: str) -> Talk:
        if layer not in self.talks:
            account, (protocol, make) = self.account, TALKS[layer]
            if protocol == "tls":
                account.tls_mode = account.tls_mode or self._outermost_tls()
            else:
                account.bare_inside |= account.tls_mode is TlsMode.STARTTLS
                account.protocol, account.tls_mode = protocol, account.tls_mode or TlsMode.CLEAR
            self.talks[layer] = make()
        return self.talks[layer]

    def _joined(self) -> bool:
        """It had begun before: neither a SYN nor what one begins with was heard."""
        account = self.account
        begun = account.hello or (account.steps[:1] and account.steps[0].startswith("greeting"))
        return not self.started[CLIENT] and account.protocol in MAIL and not begun

    def _outermost_tls(self) -> TlsMode:
        joined = not self.started[CLIENT] and self.flow.server.port in STARTTLS_PORTS
        return TlsMode.STARTTLS if joined else TlsMode.IMPLICIT

    def _fold(self, events: Iterable[Event]) -> None:
        account = self.account
        for event in events:
            account.hear(event)
            match account.inner:
                case Label(text=target):
                    host, _, port = target.rpartition(":")
                    account.enter_tunnel(host, int(port) if port.isdecimal() else 0)
                case TlsStarted() | None:
                    pass
            account.inner = None


class SecondOpinion:
    """One run over any number of captures, each dissected by another program."""

    def __init__(
        self,
        catalogue: Catalogue,
        sensor: str,
        usernames: Usernames,
        dissect: Callable[[str], Iterator[Told]],
        max_streams: int = MAX_STREAMS,
    ) -> None:
        """Listen as ``sensor`` to what ``dissect`` gives of a capture, by its path."""
        self.sensor = sensor
        self._listener = Listener(catalogue, sensor, usernames)
        self._dissect = dissect
        self._max_streams = max_streams
        self._names = Names()
        self._drafts = Drafts(sensor, Servers(), Lengths())
        self._totals = RunTotals()
        self._live: dict[int, _Stream] = {}
        self._done: dict[int, None] = {}
        self._swept = 0

    def read(self, path: str) -> Iterator[list[Observation]]:
        """Yield observations as connections end; when a capture fails, first the rest, then its error."""
        self._live, self._done, self._swept = {}, {}, 0
        failed: Exception | None = None
        try:
            for told in self._dissect(path):
                self._hear(told, path)
                if len(self._drafts) >= WAITING:
                    yield self._concluded()
        except Exception as fault:
            failed = fault
        for number in list(self._live):
            self._end(number, Ending.ENDED, path)
        if seen := self._concluded():
            yield seen
        if failed:
            raise failed

    def totals(self) -> RunTotals:
        """Say what was heard and lost, over all captures."""
        return self._totals

    def _hear(self, told: Told, path: str) -> None:
        """Hear a packet, and end what ends with it."""
        self._count(packets=1)
        if isinstance(told, Answer):
            self._names.learn(told)
            return
        if told.stream in self._done:
            return
        stream = self._live.get(told.stream)
        if stream is None:
            stream = self._live[told.stream] = self._begin(told)
        if ended := stream.hear(told):
            self._end(told.stream, ended, path)
        if len(self._live) > self._max_streams:
            self._count(evicted=1)
            self._end(next(iter(self._live)), Ending.EVICTED, path)
        if told.at - self._swept > SWEEP_NS:
            self._swept = told.at
            for number in [one for one, live in self._live.items() if told.at - live.last_seen > IDLE_NS]:
                self._end(number, Ending.IDLE, path)

    def _begin(self, part: Dissected) -> _Stream:
        by_client = not part.flags & _ACK if part.flags & _SYN else _looks_like_client(part)
        flow = Flow(part.source, part.target) if by_client else Flow(part.target, part.source)
        return _Stream(flow, part.at, Account(self._listener.usernames))

    def _end(self, number: int, ending: Ending, path: str) -> None:
        stream = self._live.pop(number)
        self._done[number] = None
        if len(self._done) > DONE_KEPT:
            del self._done[next(iter(self._done))]
        if ending in (Ending.ENDED, Ending.IDLE) and any(stream.closed):
            ending = Ending.CLOSED
        if heard := stream.finish(ending, path):
            self._count(conversations=1)
            if draft := self._listener.conclude(*heard, self._names.get(stream.flow.server.ip)):
                self._drafts.add(draft)

    def _concluded(self) -> list[Observation]:
        """The sessions that waited for what all of them teach of servers, in the order of time."""
        seen = sorted(self._drafts.conclude(self._drafts.lessons()), key=attrgetter("first_seen"))
        self._count(observations=len(seen), gaps=sum(one.gaps > 0 for one in seen))
        was = self._totals
        self._totals = replace(
            was,
            first_at=min(filter(None, (was.first_at, *(one.first_seen for one in seen))), default=None),
            last_at=max(filter(None, (was.last_at, *(one.last_seen for one in seen))), default=None),
        )
        return seen

    def _count(self, **more: int) -> None:
        self._totals = replace(
            self._totals, **{name: getattr(self._totals, name) + count for name, count in more.items()}
        )


def _looks_like_client(part: Dissected) -> bool:
    """Without a SYN: who sends to mail's port is the client, else who has the higher port."""
    if (part.source.port in MAIL_PORTS) != (part.target.port in MAIL_PORTS):
        return part.target.port in MAIL_PORTS
    return part.source.port >= part.target.port
