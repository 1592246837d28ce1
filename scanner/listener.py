"""From one conversation to its session record: recognise, let each layer's session hear, fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

from scanner.account import FOLDS, Account, Usernames
from scanner.catalogue.exchange import Catalogue, Match
from scanner.conversation import CLIENT, Chunk, Conversation, Ending, Flow, Said, Side
from scanner.draft import Draft
from scanner.events import Certificate, Label, TlsMode, TlsStarted
from scanner.inside import chunks as inside_chunks
from scanner.labels import CLIENT as OF_CLIENT
from scanner.labels import SERVER as OF_SERVER
from scanner.model import Observation, ServerKind
from scanner.net import is_internal
from scanner.protocols.banner import banner
from scanner.protocols.stated_time import clock_ahead
from scanner.recognise import Recognised, hello_place, inner_protocol, inner_tls, known, recognise
from scanner.record import record
from scanner.session import Dialect
from scanner.texts import Servers
from scanner.web_claims import infer_web

STARTTLS_PORTS = frozenset({25, 587, 2525, 110, 143})
"""Where a server of mail speaks in clear first (RFC 6409, RFC 1939, RFC 9051; 2525 by custom)."""
MAIL = frozenset({"smtp", "imap", "pop3"})
_CLEAR, _CLOSED, _RESET = TlsMode.CLEAR, Ending.CLOSED, Ending.RESET
_OF_WEB = "http.server", "http.realm", "http.title", "http.exchange"
"""What a web server tells of itself; of Microsoft's nobody asks what it is."""
_MICROSOFT = (ServerKind.EXCHANGE_ONLINE, ServerKind.SIGN_IN)
LAYERS = 5
"""Protocols one inside the other: a proxy's CONNECT, mail, TLS, what keys show in it, and one to spare; more
is not read."""
BY_GREETING = {True: 0.97, False: 0.03}
BY_NAME, BY_ADDRESS, ELSEWHERE = 0.93, 0.6, 0.08
"""How likely a server speaks Exchange Online's sentences: that greets by such a name or by another; that has
such a name, or but such an address (a hybrid server, a lab); any other (Exchange on the premises)."""
LOCAL_ENDS = (".local", ".lan", ".internal", ".home.arpa")
"""Names of the site's own (RFC 6762 3, custom, ICANN's resolution of 2024-07-29, RFC 8375)."""


@record
class Overheard:
    """What a conversation that has nothing to do with mail tells of its two machines, in labels."""

    client_ip: str
    client_mac: str | None
    server_ip: str
    server_mac: str | None
    first_seen: int
    """ns"""
    last_seen: int
    """ns"""
    of_client: tuple[Label, ...]
    """Fields of ``labels.CLIENT``; empty unless the client's address is the site's own."""
    of_server: tuple[Label, ...]
    """Fields of ``labels.SERVER``; likewise of the server."""


@dataclass(frozen=True, slots=True)
class Listener:
    """How to turn a conversation into an observation; holds nothing that a conversation changes."""

    catalogue: Catalogue
    sensor: str
    usernames: Usernames

    def observe(
        self, conversation: Conversation, dns_name: str | None = None, inside: Sequence[Said] = ()
    ) -> Observation | None:
        """Listen to a conversation; None if it has nothing to do with mail or Exchange Online."""
        found = self.listen(conversation, dns_name, inside)
        if not isinstance(found, Draft):
            return None
        found.weigh(Servers())
        return found.observation(self.sensor, found.heard.client_mac)

    def listen(
        self, conversation: Conversation, dns_name: str | None = None, inside: Sequence[Said] = ()
    ) -> Draft | Overheard | None:
        """Listen to a conversation, and to what keys show of its inside.

        Of one that has nothing to do with mail, tell what its machines are.
        """
        flow = conversation.flow
        recognised = recognise(conversation.chunks, flow.server.port, flow.client.port)
        if recognised is None:
            return None
        if recognised.swapped:
            conversation = _turn_round(conversation)
        account = Account(self.usernames, whole=_is_whole(conversation), lost=not conversation.client_started)
        _listen(account, recognised, conversation, inside_chunks(inside, conversation.flow) if inside else ())
        heard = conversation.without_bytes()
        return self.conclude(heard, account, dns_name) or _overheard(heard, account)

    def conclude(self, heard: Conversation, account: Account, dns_name: str | None) -> Draft | None:
        """Tell the server of what was folded into an account; None if it is nobody's business here."""
        hello, address = account.hello, heard.flow.server.ip
        if account.tunnel_host is None:
            name = (hello.server_name if hello else None) or account.greeting_host
            name = name or (_host_asked(account) if account.protocol == "http" else None) or dns_name
            if name is None and account.certificate:
                name = self._certified(account.certificate)
            match = self.catalogue.classify(address, name)
        else:
            name, match = self._behind_proxy(account, address, account.tunnel_host)
        if account.protocol in (None, "tls"):
            port = account.tunnel_port or heard.flow.server.port
            account.protocol = inner_protocol(hello.alpn if hello else (), port, name)
        if not _concerns_mail(account, match.kind):
            return None
        if match.kind in _MICROSOFT:
            if account.protocol == "http":
                account.forget(*_OF_WEB)
            elif account.greeting and (ahead := clock_ahead(account.greeting[1], heard.first_seen)):
                account.hear(Label("clock.ahead", str(ahead)))
        elif account.greeting:
            account.tell_banner(banner(*account.greeting))
        exchange = None
        if account.turns and account.protocol == "http":
            if match.kind is ServerKind.EXCHANGE_ONLINE:
                infer_web(account, name)
        elif account.turns:
            exchange = self._speaks_exchange(account, name, match)
        family = self.catalogue.family(name) if name and name is account.greeting_host else None
        if family and dns_name and self.catalogue.role(dns_name):
            family = dns_name
        return Draft(heard, account, name, family, match, exchange)

    def _speaks_exchange(self, account: Account, name: str | None, match: Match) -> float:
        """How likely the server speaks Exchange Online's sentences: by greeting, name or address."""
        if account.greeting_host:
            return BY_GREETING[self.catalogue.role(account.greeting_host) is not None]
        if match.kind is ServerKind.EXCHANGE_ONLINE:
            return BY_NAME if self.catalogue.role(name) else BY_ADDRESS
        return ELSEWHERE

    def _behind_proxy(self, account: Account, proxy: str, asked: str) -> tuple[str | None, Match]:
        """The server that a proxy was asked for: its name, and what it is by that or by what it says."""
        hello, target = account.hello, _address(asked)
        said = (hello.server_name if hello else None, account.greeting_host, _host_asked(account))
        names = [name for name in (None if target else asked.lower().rstrip("."), *said) if name]
        if not names and account.certificate and (certified := self._certified(account.certificate)):
            names = [certified]
        name = names[0] if names else None
        places = (target, proxy) if target else (proxy,)  # --endpoint may name the proxy's own address
        candidates: list[str | None] = [*names] or [None]
        for place in places:
            for candidate in candidates:
                match = self.catalogue.classify(place, candidate)
                if match.matched:
                    return name, match
        local = is_internal(target) if target else not name or "." not in name or name.endswith(LOCAL_ENDS)
        return name, Match(ServerKind.INTERNAL if local else ServerKind.OTHER)

    def _certified(self, certificate: Certificate) -> str | None:
        """The name in a certificate that the catalogue knows, else its first."""
        names = [name.lower() for name in (certificate.subject, *certificate.names) if name and "." in name]
        return next((name for name in names if self.catalogue.role(name)), names[0] if names else None)


def _listen(
    account: Account, recognised: Recognised | None, heard: Conversation, inside: Sequence[Chunk]
) -> None:
    """Let each layer's session hear the bytes, and the next layer what the last one left over."""
    chunks: Sequence[Chunk] = heard.chunks
    outer: Recognised | None = None
    if recognised and (hello := hello_place(recognised, chunks, heard.flow.server.port)):
        account.protocol, account.tls_mode = recognised.dialect.name, TlsMode.STARTTLS
        recognised, chunks = inner_tls(), chunks[hello:]
    for _ in range(LAYERS):
        if recognised is None:
            return
        name = recognised.dialect.name
        if name == "tls":
            account.tls_mode = account.tls_mode or _outermost_tls(heard)
        else:
            account.protocol, account.tls_mode = name, account.tls_mode or _CLEAR
        chunks = _hear(account, recognised, chunks)
        if name == "tls" and inside:
            recognised = outer or _opened(account, inside, heard.flow)
            chunks, inside, account.bare_inside = inside, (), recognised is not None
            if outer:
                account.forget("smtp.manner")  # the inner session tells more of it
            continue
        match account.inner:
            case None:
                return
            case TlsStarted():
                account.bare_inside = _goes_on_bare(recognised.dialect, chunks)
                if account.bare_inside:
                    account.forget("smtp.manner")  # the inner session tells more of it
                else:
                    outer, recognised = recognised, inner_tls()
            case Label(text=target):
                host, _, asked = target.rpartition(":")
                port = int(asked) if asked.isdecimal() else 0
                recognised = recognise(chunks, port, 0)
                if recognised:
                    account.enter_tunnel(host, port)
        account.inner = None


def _opened(account: Account, inside: Sequence[Chunk], flow: Flow) -> Recognised | None:
    """What is spoken inside TLS from the start: by what keys show of it, else by what it was begun for."""
    port = account.tunnel_port or flow.server.port
    found = recognise(inside, port, flow.client.port)
    if found and not found.swapped:
        return found
    hello = account.hello
    asked, name = (hello.alpn, hello.server_name) if hello else ((), None)
    return known(inner_protocol(asked, port, name))


def _hear(account: Account, recognised: Recognised, chunks: Sequence[Chunk]) -> tuple[Chunk, ...]:
    """Feed a session until its layer ends; gives what it did not read."""
    session = recognised.dialect.session()
    feed, folds = session.feed, FOLDS
    unread = iter(chunks)
    for side, at, data, missing in unread:
        heard = session.gap(side, missing, at) if missing else feed(side, data, at)
        if heard:  # most of what is said tells nothing by itself
            for event in heard:
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
    """Web traffic that neither logs in nor goes to Microsoft's mail or sign-in is nobody's business here.

    Nor is what is said to a proxy that opens no tunnel: it does not even get that far.
    """
    only_proxy = account.protocol == "http" and account.tls_mode is _CLEAR and account.phase is None
    if account.protocol == "socks" or (only_proxy and not account.attempts):
        return False
    if account.protocol in MAIL or kind in _MICROSOFT:
        return True
    return account.protocol == "http" and bool(account.attempts or account.service or account.offered)


def _overheard(heard: Conversation, account: Account) -> Overheard | None:
    """The facts that are worth keeping: about machines of the site."""
    client, server = heard.flow.client.ip, heard.flow.server.ip
    of_client = tuple(label for label in account.labels if label.field in OF_CLIENT)
    of_server = tuple(label for label in account.labels if label.field in OF_SERVER)
    of_client = of_client if of_client and is_internal(client) else ()
    of_server = of_server if of_server and is_internal(server) else ()
    if not (of_client or of_server):
        return None
    macs = heard.client_mac, heard.server_mac
    return Overheard(
        client, macs[0], server, macs[1], heard.first_seen, heard.last_seen, of_client, of_server
    )


def _host_asked(account: Account) -> str | None:
    """The name in a request's Host line (RFC 9110 7.2); None for an address."""
    host = account.label("http.host")
    if not host:
        return None
    name, _, port = host.lower().rpartition(":")
    name = name if port.isdecimal() else host.lower()
    return name if name and not _address(name) else None


def _address(host: str) -> str | None:
    """Canonical text of an address, in brackets or not; None for a name."""
    if ":" not in host and not host[-1:].isdigit():
        return None
    try:
        return str(ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        return None
