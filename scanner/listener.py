"""From one conversation to its session record: recognise, let each layer's session hear, fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scanner.account import FOLDS, Account, Usernames
from scanner.catalogue.exchange import Catalogue, Match
from scanner.conversation import CLIENT, Chunk, Conversation, Ending, Flow, Side
from scanner.events import Certificate, Label, TlsMode, TlsStarted
from scanner.model import Observation, ServerKind
from scanner.recognise import Recognised, inner_protocol, inner_tls, recognise
from scanner.session import Dialect

STARTTLS_PORTS = frozenset({25, 587, 2525, 110, 143})
"""Where a server of mail speaks in clear first (RFC 6409, RFC 1939, RFC 9051; 2525 by custom)."""
MAIL = frozenset({"smtp", "imap", "pop3"})
_CLEAR, _CLOSED, _RESET = TlsMode.CLEAR, Ending.CLOSED, Ending.RESET
_MICROSOFT = (ServerKind.EXCHANGE_ONLINE, ServerKind.SIGN_IN)
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
        account = Account(self.usernames, whole=_is_whole(conversation), lost=not conversation.client_started)
        _listen(account, recognised, conversation)
        return self._record(conversation, account, dns_name)

    def _record(self, heard: Conversation, account: Account, dns_name: str | None) -> Observation | None:
        server, hello = heard.flow.server, account.hello
        asked = hello.server_name if hello else None
        name = asked or account.greeting_host or dns_name or account.label("http.host")
        if name is None and account.certificate:
            name = self._certified(account.certificate)
        match = self.catalogue.classify(server.ip, name)
        if account.protocol in (None, "tls"):
            account.protocol = inner_protocol(
                hello.alpn if hello else (), account.tunnel_port or server.port, name
            )
        if not _concerns_mail(account, match.kind):
            return None
        family = self.catalogue.family(name) if name and name is account.greeting_host else None
        if family and dns_name and self.catalogue.role(dns_name):
            family = dns_name
        return _observation(self.sensor, heard, account, (name, family), match)

    def _certified(self, certificate: Certificate) -> str | None:
        """The name in a certificate that the catalogue knows, else its first."""
        names = [name.lower() for name in (certificate.subject, *certificate.names) if name and "." in name]
        return next((name for name in names if self.catalogue.role(name)), names[0] if names else None)


def _observation(
    sensor: str, heard: Conversation, account: Account, named: tuple[str | None, str | None], match: Match
) -> Observation:
    (client_ip, client_port), (server_ip, server_port) = heard.flow.client, heard.flow.server
    hello, choice = account.hello, account.choice
    last = account.attempts[-1] if account.attempts else None
    auth_class, basis, confidence = account.auth
    return Observation(  # by place: to name so many fields costs twice what it costs to set them
        heard.capture, sensor, heard.first_seen, heard.last_seen,
        client_ip, client_port, heard.client_mac, server_ip, server_port, named[0], match.kind,
        account.protocol, account.service or _smtp_service(account, server_port),
        account.tls_mode, choice.version if choice else None, choice.cipher if choice else None,
        hello.ja3 if hello else None, hello.ja4 if hello else None, account.client_name,
        last.mechanism if last else None, auth_class, last.outcome if last else None,
        tuple(account.attempts) if len(account.attempts) > 1 else (), basis, confidence,
        account.username, account.mails, account.gaps, account.evidence,
        account.offered, tuple(account.labels), tuple(account.turns), account.cause, tuple(account.weird),
        match.matched, heard.ending, heard.server_mac, named[1],
    )  # fmt: skip


def _listen(account: Account, recognised: Recognised | None, heard: Conversation) -> None:
    """Let each layer's session hear the bytes, and the next layer what the last one left over."""
    chunks: Sequence[Chunk] = heard.chunks
    for _ in range(LAYERS):
        if recognised is None:
            return
        name = recognised.dialect.name
        if name == "tls":
            account.tls_mode = account.tls_mode or _outermost_tls(heard)
        else:
            account.protocol, account.tls_mode = name, account.tls_mode or _CLEAR
        chunks = _hear(account, recognised, chunks)
        match account.inner:
            case None:
                return
            case TlsStarted():
                account.bare_inside = _goes_on_bare(recognised.dialect, chunks)
                if not account.bare_inside:
                    recognised = inner_tls()
            case Label(text=target):
                asked = target.rpartition(":")[2]
                port = int(asked) if asked.isdecimal() else 0
                recognised = recognise(chunks, port, 0)
                if recognised:
                    account.enter_tunnel(port)
        account.inner = None


def _hear(account: Account, recognised: Recognised, chunks: Sequence[Chunk]) -> tuple[Chunk, ...]:
    """Feed a session until its layer ends; gives what it did not read."""
    session = recognised.dialect.session()
    feed, folds = session.feed, FOLDS
    unread = iter(chunks)
    for side, at, data, missing in unread:
        for event in session.gap(side, missing, at) if missing else feed(side, data, at):
            folds[type(event)](account, event)
        if account.inner is not None:
            break
    for event in session.end():
        folds[type(event)](account, event)
    if account.inner is None:
        return ()
    rest = [Chunk(side, at, data) for side, at, data in session.leftover if data]
    return (*rest, *unread)


def _outermost_tls(heard: Conversation) -> TlsMode:
    """TLS on a port where talk begins in clear, joined in its middle, came by STARTTLS."""
    joined = not heard.client_started and heard.flow.server.port in STARTTLS_PORTS
    return TlsMode.STARTTLS if joined else TlsMode.IMPLICIT


def _goes_on_bare(dialect: Dialect, chunks: Sequence[Chunk]) -> bool:
    """A tap that decrypts shows what was inside TLS in place of it: the client goes on as it began."""
    for side, _, data, _ in chunks:
        if side is CLIENT and data:
            return dialect.client_mark(data) is True
    return dialect.client_mark(b"") is True


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
    return both_started and heard.ending in (_CLOSED, _RESET)


def _concerns_mail(account: Account, kind: ServerKind) -> bool:
    """Web traffic that neither logs in nor goes to Microsoft's mail or sign-in is nobody's business here."""
    if account.protocol in MAIL or kind in _MICROSOFT:
        return True
    return account.protocol == "http" and bool(account.attempts or account.service or account.offered)


def _smtp_service(account: Account, port: int) -> str | None:
    if account.protocol != "smtp":
        return None
    port = account.tunnel_port or port
    submits = port in (465, 587) or account.attempts or "AUTH" in account.offered
    return "submission" if submits else "mx" if port == 25 else None
