"""From batches of packets to observations: decode, follow flows, recognise, listen, fold."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from scanner import net
from scanner.account import Account, Usernames
from scanner.catalogue.exchange import Catalogue
from scanner.conversation import Chunk, Conversation, Ending, Flow, Side
from scanner.events import Answer, Event, Label, TlsMode, TlsStarted
from scanner.model import Observation, RunTotals, ServerKind
from scanner.protocols.dns import answers
from scanner.recognise import Recognised, inner_protocol, recognise, tls
from scanner.session import Dialect
from scanner.wire.batch import Batch, Columns
from scanner.wire.datagrams import datagrams
from scanner.wire.decode import Decoder
from scanner.wire.flows import FlowTable
from scanner.wire.interest import Interest

DNS_PORTS = frozenset({53, 5353})
NAMES_KEPT = 100_000
"""Addresses whose asked-for name is remembered; past it the oldest goes and its server shows no name."""
STARTTLS_PORTS = frozenset({25, 587, 2525, 110, 143})
"""Where a server of mail speaks in clear first (RFC 6409, RFC 1939, RFC 9051; 2525 by custom)."""
MAIL = frozenset({"smtp", "imap", "pop3"})
LAYERS = 4
"""Protocols one inside the other: a proxy's CONNECT, mail, STARTTLS, and one to spare; more is not read."""


@dataclass(frozen=True, slots=True)
class Listener:
    """How to turn a conversation into an observation; holds nothing that a conversation changes."""

    catalogue: Catalogue
    sensor: str
    usernames: Usernames

    def observe(self, conversation: Conversation, dns_name: str | None = None) -> Observation | None:
        """Listen to a conversation; None if it has nothing to do with mail or Exchange Online."""
        flow = conversation.flow
        recognised = recognise(conversation.chunks, flow.server.port, flow.client.port)
        if recognised is None:
            return None
        if recognised.swapped:
            conversation = _turn_round(conversation)
        account = Account(self.usernames, whole=_is_whole(conversation))
        _listen(account, recognised, conversation)
        return self._record(conversation, account, dns_name)

    def _record(self, heard: Conversation, account: Account, dns_name: str | None) -> Observation | None:
        client, server = heard.flow.client, heard.flow.server
        hello, choice = account.hello, account.choice
        asked = hello.server_name if hello else None
        name = asked or account.greeting_host or dns_name or account.label("http.host")
        match = self.catalogue.classify(server.ip, name)
        if account.protocol in (None, "tls"):
            account.protocol = inner_protocol(hello.alpn if hello else (), server.port, name)
        if not _concerns_mail(account, match.kind):
            return None
        last = account.attempts[-1] if account.attempts else None
        auth_class, basis, confidence = account.auth
        return Observation(
            capture=heard.capture,
            sensor=self.sensor,
            first_seen=heard.first_seen,
            last_seen=heard.last_seen,
            client_ip=client.ip,
            client_port=client.port,
            client_mac=heard.client_mac,
            server_ip=server.ip,
            server_port=server.port,
            server_name=name,
            server_kind=match.kind,
            community_id=net.community_id(heard.flow),
            protocol=account.protocol,
            service=account.service or _smtp_service(account, server.port),
            tls_mode=account.tls_mode,
            tls_version=choice.version if choice else None,
            tls_cipher=choice.cipher if choice else None,
            ja3=hello.ja3 if hello else None,
            ja4=hello.ja4 if hello else None,
            client_name=account.client_name,
            mechanism=last.mechanism if last else None,
            auth_class=auth_class,
            outcome=last.outcome if last else None,
            attempts=tuple(account.attempts) if len(account.attempts) > 1 else (),
            basis=basis,
            confidence=confidence,
            username=account.username,
            mails=account.mails,
            gaps=account.gaps,
            evidence=account.evidence,
            offered=account.offered,
            labels=tuple(account.labels),
            turns=tuple(account.turns),
            cause=account.cause,
            weird=tuple(account.weird),
            server_matched=match.matched,
            ending=heard.ending,
        )


class Pipeline:
    """One run over any number of captures; keeps the names that DNS gave addresses."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        sensor: str,
        usernames: Usernames = Usernames.MASK,
        max_flows: int = 1_000_000,
    ) -> None:
        """Listen as ``sensor``, with at most ``max_flows`` connections followed at a time."""
        self.sensor = sensor
        self._listener = Listener(catalogue, sensor, usernames)
        self._interest = Interest(catalogue.mail_ports, catalogue.prefixes)
        self._max_flows = max_flows
        self._names: dict[str, str] = {}
        self._totals = RunTotals()

    def read(self, capture: Iterable[Batch], name: str) -> Iterator[list[Observation]]:
        """Yield what each batch completed; when the capture fails, first what was heard, then its error."""
        table = FlowTable(self._interest, name, max_flows=self._max_flows)
        decoder = Decoder(DNS_PORTS)
        try:
            for batch in capture:
                decoded = decoder.decode(batch)
                for columns in decoded:
                    self._learn_names(columns)
                for columns in decoded:
                    if found := self._observe(table.add(columns)):
                        yield found
        except Exception:
            yield self._observe(table.flush())
            self._count(decoder, table)
            raise
        yield self._observe(table.flush())
        self._count(decoder, table)

    def totals(self) -> RunTotals:
        """Say what was heard and lost, over all captures read to their end."""
        return self._totals

    def _observe(self, conversations: Iterable[Conversation]) -> list[Observation]:
        found = []
        for conversation in conversations:
            dns_name = self._names.get(conversation.flow.server.ip)
            if observation := self._listener.observe(conversation, dns_name):
                found.append(observation)
        self._totals = replace(
            self._totals,
            observations=self._totals.observations + len(found),
            gaps=self._totals.gaps + sum(observation.gaps > 0 for observation in found),
        )
        return found

    def _learn_names(self, columns: Columns) -> None:
        for datagram in datagrams(columns, DNS_PORTS):
            for answer in answers(datagram.payload):
                self._learn(answer)

    def _learn(self, answer: Answer) -> None:
        self._names.pop(answer.address, None)
        self._names[answer.address] = answer.name
        if len(self._names) > NAMES_KEPT:
            del self._names[next(iter(self._names))]

    def _count(self, decoder: Decoder, table: FlowTable) -> None:
        was, tally = self._totals, decoder.tally
        firsts = [at for at in (was.first_at, tally.first_at) if at is not None]
        lasts = [at for at in (was.last_at, tally.last_at) if at is not None]
        self._totals = replace(
            was,
            packets=was.packets + tally.packets,
            bytes=was.bytes + tally.bytes,
            conversations=was.conversations + table.tally.conversations,
            evicted=was.evicted + table.tally.evicted,
            fragments_dropped=was.fragments_dropped + tally.fragments_dropped,
            truncated=was.truncated + tally.truncated,
            malformed=was.malformed + tally.malformed,
            not_ip=was.not_ip + tally.not_ip,
            unknown_link=was.unknown_link + tally.unknown_link,
            first_at=min(firsts, default=None),
            last_at=max(lasts, default=None),
        )


def _listen(account: Account, recognised: Recognised | None, heard: Conversation) -> None:
    """Let each layer's session hear the bytes, and the next layer what the last one left over."""
    chunks, port = deque(heard.chunks), heard.flow.server.port
    for _ in range(LAYERS):
        if recognised is None:
            return
        name = recognised.dialect.name
        if name == "tls":
            account.tls_mode = account.tls_mode or _outermost_tls(heard)
        else:
            account.protocol, account.tls_mode = name, account.tls_mode or TlsMode.CLEAR
        inner = _hear(account, recognised, chunks)
        if inner is None:
            return
        if isinstance(inner, TlsStarted):
            account.bare_inside = _goes_on_bare(recognised.dialect, chunks)
            if not account.bare_inside:
                recognised = Recognised(tls(), swapped=False, by_port=False)
        else:
            port = int(inner.text.rpartition(":")[2]) if inner.text.rpartition(":")[2].isdecimal() else 0
            recognised = recognise(chunks, port, 0)


def _hear(account: Account, recognised: Recognised, chunks: deque[Chunk]) -> TlsStarted | Label | None:
    """Feed a session until its layer ends; what it did not read is put back. Tells what opened the next."""
    session = recognised.dialect.session()
    inner: TlsStarted | Label | None = None
    while chunks and inner is None:
        chunk = chunks.popleft()
        if chunk.missing:
            events = session.gap(chunk.side, chunk.missing, chunk.at)
        else:
            events = session.feed(chunk.side, chunk.data, chunk.at)
        for event in events:
            account.hear(event)
            if _opens_layer(event):
                inner = event if isinstance(event, TlsStarted | Label) else None
    for event in session.end():
        account.hear(event)
    chunks.extendleft(Chunk(side, at, data) for side, at, data in reversed(session.leftover) if data)
    return inner


def _opens_layer(event: Event) -> bool:
    return (isinstance(event, TlsStarted) and event.mode is TlsMode.STARTTLS) or (
        isinstance(event, Label) and event.field == "http.connect"
    )


def _outermost_tls(heard: Conversation) -> TlsMode:
    """TLS on a port where talk begins in clear, joined in its middle, came by STARTTLS."""
    joined = not heard.client_started and heard.flow.server.port in STARTTLS_PORTS
    return TlsMode.STARTTLS if joined else TlsMode.IMPLICIT


def _goes_on_bare(dialect: Dialect, chunks: Iterable[Chunk]) -> bool:
    """A tap that decrypts shows what was inside TLS in place of it: the client goes on as it began."""
    said = next((chunk.data for chunk in chunks if chunk.side is Side.CLIENT and chunk.data), b"")
    return dialect.client_mark(said) is True


def _turn_round(heard: Conversation) -> Conversation:
    """Give the part of the client to the end that plays it; the capture began in the middle."""
    return replace(
        heard,
        flow=Flow(heard.flow.server, heard.flow.client, heard.flow.transport),
        chunks=tuple(chunk._replace(side=Side(chunk.side).other) for chunk in heard.chunks),
        client_mac=heard.server_mac,
        server_mac=heard.client_mac,
        client_started=heard.server_started,
        server_started=heard.client_started,
    )


def _is_whole(heard: Conversation) -> bool:
    both_started = heard.client_started and heard.server_started
    return both_started and heard.ending in (Ending.CLOSED, Ending.RESET)


def _concerns_mail(account: Account, kind: ServerKind) -> bool:
    """Web traffic that neither logs in nor goes to Microsoft's mail or sign-in is nobody's business here."""
    if kind in (ServerKind.EXCHANGE_ONLINE, ServerKind.SIGN_IN) or account.protocol in MAIL:
        return True
    return account.protocol == "http" and bool(account.attempts or account.service or account.offered)


def _smtp_service(account: Account, port: int) -> str | None:
    if account.protocol != "smtp":
        return None
    submits = port in (465, 587) or account.attempts or "AUTH" in account.offered
    return "submission" if submits else "mx" if port == 25 else None


__all__ = ["Listener", "Pipeline", "Usernames"]
