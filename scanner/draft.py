"""A session that was listened to and is not yet a record: what is inside TLS has still to be weighed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

from scanner.account import Account
from scanner.catalogue.exchange import Match
from scanner.conversation import Conversation
from scanner.model import Observation
from scanner.recurrence import Lengths
from scanner.texts import Lessons, Servers, Texts, add


@dataclass(slots=True)
class Draft:
    """All that bears on a session's record; weighed once, or again when more is known of its server."""

    heard: Conversation
    account: Account
    name: str | None
    family: str | None
    """The server's name where ``name`` is a front end's own."""
    match: Match
    exchange: float | None = None
    """How likely the server speaks Exchange Online's sentences; None: there is nothing to weigh."""
    texts: Texts = ()
    """What was known of the server when it was weighed."""

    @property
    def server(self) -> str:
        """Who answers: a service under one name answers alike at all its addresses."""
        place = self.account.tunnel_host or self.heard.flow.server.ip
        named = self.match.matched and (self.family or self.name)
        return f"{self.account.protocol} {named or place}"

    def weigh(self, servers: Servers) -> Lessons:
        """Conclude from sizes what was said; gives what that teaches and was not known."""
        if self.exchange is None:
            return {}
        server, client = self.server, self.heard.flow.client.ip
        self.texts = servers.texts(server, client)
        self.account.infer(self.exchange, self.texts)
        found = self.account.inferred
        return servers.fresh(server, client, found.lessons) if found else {}

    def weigh_again(self, servers: Servers) -> Lessons:
        """Likewise, if more is known of the server by now."""
        if self.exchange is None or servers.texts(self.server, self.heard.flow.client.ip) == self.texts:
            return {}
        return self.weigh(servers)

    def observation(self, sensor: str, mac: str | None, lengths: Lengths | None = None) -> Observation:
        """Make the record of a client with this MAC; ``lengths``: of logins before, added to."""
        heard, account, match = self.heard, self.account, self.match
        again = lengths.compare(heard, account, self.family or self.name) if lengths else None
        (client_ip, client_port), (server_ip, server_port) = heard.flow.client, heard.flow.server
        hello, choice = account.hello, account.choice
        last = account.attempts[-1] if account.attempts else None
        auth_class, basis, confidence = account.auth
        return Observation(  # by place: to name so many fields costs twice what it costs to set them
            heard.capture, sensor, heard.first_seen, heard.last_seen,
            client_ip, client_port, mac, server_ip, server_port, self.name, match.kind,
            account.protocol, account.service or _smtp_service(account, server_port),
            account.tls_mode, choice.version if choice else None, choice.cipher if choice else None,
            hello.ja3 if hello else None, hello.ja4 if hello else None, account.client_name,
            last.mechanism if last else None, auth_class, last.outcome if last else None,
            tuple(account.attempts) if len(account.attempts) > 1 else (), basis, confidence,
            account.username, account.mails, account.gaps, account.evidence,
            account.offered, tuple(account.labels), tuple(account.turns), account.cause,
            tuple(account.weird), match.matched, heard.ending, heard.server_mac, self.family,
            again,
        )  # fmt: skip


class Drafts:
    """Sessions that wait until all that was heard meanwhile has taught what it can."""

    def __init__(self, sensor: str, servers: Servers, lengths: Lengths) -> None:
        """``servers``: what is known of their answers, ``lengths``: of logins; both added to."""
        self._sensor = sensor
        self._servers = servers
        self._lengths = lengths
        self._waiting: list[Draft] = []
        self._lessons: Lessons = {}

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def add(self, draft: Draft) -> None:
        """Weigh a session by what is known so far."""
        self._waiting.append(draft)
        add(self._lessons, draft.weigh(self._servers))

    def lessons(self) -> Lessons:
        """Give what is new, once; whoever shares the work must be told before ``conclude``."""
        lessons, self._lessons = self._lessons, {}
        return lessons

    def conclude(
        self, lessons: Lessons, mac_of: Callable[[Conversation], str | None] = attrgetter("client_mac")
    ) -> list[Observation]:
        """Give the records, the earliest first, by what was learned from all; ``mac_of``: a client's MAC.

        What is weighed anew may teach for the next.
        """
        self._servers.learn(lessons)
        waiting, self._waiting = sorted(self._waiting, key=lambda draft: draft.heard.first_seen), []
        for draft in waiting:
            add(self._lessons, draft.weigh_again(self._servers))
        return [draft.observation(self._sensor, mac_of(draft.heard), self._lengths) for draft in waiting]


def _smtp_service(account: Account, port: int) -> str | None:
    if account.protocol != "smtp":
        return None
    port = account.tunnel_port or port
    submits = port in (465, 587) or account.attempts or "AUTH" in account.offered
    return "submission" if submits else "mx" if port == 25 else None
