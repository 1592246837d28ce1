"""Hear what several interfaces bring as ``watch`` does, all together, and count what it is like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from scanner.account import Usernames
from scanner.announcements import Announcements, Names, ports
from scanner.catalogue.exchange import Catalogue
from scanner.conversation import CLIENT, SERVER, Conversation
from scanner.draft import Draft
from scanner.listener import MAIL, Listener
from scanner.model import ServerKind
from scanner.protocols.stated_time import stated_time
from scanner.recognise import MAIL_PORTS
from scanner.watch.evidence import MailEvidence, Server, Stated
from scanner.wire.batch import Batch
from scanner.wire.decode import Decoder
from scanner.wire.flows import FlowTable
from scanner.wire.harvest import Basket, Harvest, Selection
from scanner.wire.interest import Interest
from scanner.wire.layers import Kind
from scanner.wire.survey import LATE_NS, SETTLED_NS, Connections, Copies, Directions, Frames

SERVERS_KEPT = 10_000
"""Servers told apart, and clocks compared; a site mails with a few hundred."""
CLIENTS_KEPT = 100_000
OPENING = 4
"""Chunks of a conversation in which a server's first words are looked for."""
TUNNELS = {
    Kind.GRE: "GRE", Kind.ERSPAN2: "ERSPAN II", Kind.ERSPAN3: "ERSPAN III", Kind.VXLAN: "VXLAN",
    Kind.GENEVE: "GENEVE", Kind.TZSP: "TZSP",
}  # fmt: skip
"""What may bring a mirror from afar."""
SHIMS = {
    Kind.MPLS: "MPLS", Kind.PPPOE: "PPPoE", Kind.METADATA: "Cisco's security tags", Kind.PORT_TAG: "802.1BR"
}  # fmt: skip
"""What networks wrap packets in for themselves."""
_OURS = frozenset(port for port, protocol in MAIL_PORTS.items() if protocol != "http")
_MICROSOFT = (ServerKind.EXCHANGE_ONLINE, ServerKind.SIGN_IN)


@dataclass(slots=True)
class Wire:
    """What one interface brought."""

    mac: bytes | None
    mtu: int
    frames: Frames = field(default_factory=Frames)
    decoder: Decoder = field(default_factory=lambda: Decoder(ports()))

    def met(self, kinds: Mapping[Kind, str]) -> dict[str, int]:
        """How many packets were wrapped in each of these, by its name."""
        return {name: count for kind, name in kinds.items() if (count := self.decoder.met[kind])}


class Examination:
    """Counts; its only clock is that of the packets."""

    def __init__(self, catalogue: Catalogue, wires: Sequence[Wire]) -> None:
        """Examine these interfaces, with what a catalogue names as Exchange Online."""
        self.wires = wires
        self.copies = Copies()
        self.clocks: dict[str, Stated] = {}
        """By the server's address."""
        self._connections = Connections()
        self._listener = Listener(catalogue, "", Usernames.DROP)
        interest = Interest(catalogue.mail_ports, catalogue.prefixes)
        self._selection = Selection(interest)
        self._basket = Basket(lag_ns=LATE_NS if len(wires) > 1 else 0)
        self._table = FlowTable(interest, None, live=True)
        self._announcements, self._names = Announcements(), Names()
        self._servers: Counter[Server] = Counter()
        self._clients: set[str] = set()
        self._count = self._begun = self._now = 0
        self._sides = [0, 0, 0]

    @property
    def looked_at(self) -> int:
        """Packets so far."""
        return sum(wire.frames.frames for wire in self.wires)

    @property
    def connections(self) -> int:
        """Those of mail so far."""
        return self._count

    def hear(self, number: int, batch: Batch, everything: bool) -> None:
        """Hear what the interface of this number brought; ``everything``: no filter has left anything out."""
        wire = self.wires[number]
        wire.frames.add(batch, wire.mac, wire.mtu)
        for columns in wire.decoder.decode(batch):
            wire.frames.add_payloads(columns)
            if everything:
                self._connections.add(columns, wire.mac)
            self.copies.add(columns)
            self._announcements.hear(columns)
            for answer in self._announcements.take().answers:
                self._names.learn(answer)
            part = self._selection.pick(columns)
            self._follow(part and self._basket.add(part))
            self._now = max(self._now, int(columns.at[-1]))

    def advance(self, now: int) -> None:
        """Learn what time it is (ns)."""
        self._now = max(self._now, now)
        self._follow(self._basket.empty(now))
        self._note(self._table.advance(now))

    def finish(self) -> tuple[MailEvidence, Directions]:
        """Take in what is still open; gives what was heard of mail, and the directions of everything."""
        self._follow(self._basket.empty())
        self._note(self._table.flush())
        mail = MailEvidence(
            dict(self._servers.most_common()), len(self._clients), self._count, self._begun,
            Directions(*self._sides),
        )  # fmt: skip
        return mail, self._connections.directions(self._now)

    def _follow(self, harvest: Harvest | None) -> None:
        if harvest:
            self._note(self._table.follow(harvest))

    def _note(self, conversations: Iterable[Conversation]) -> None:
        for one in conversations:
            found = self._listener.listen(one, self._names.get(one.flow.server.ip))
            draft = found if isinstance(found, Draft) else None
            self._compare_clocks(one, draft)
            if draft and (draft.account.protocol in MAIL or draft.match.kind in _MICROSOFT):
                self._count_server(draft)
            elif one.flow.server.port not in _OURS:
                continue
            self._count += 1
            self._begun += one.client_started
            self._look_at_sides(one)

    def _look_at_sides(self, heard: Conversation) -> None:
        spoke = {chunk.side for chunk in heard.chunks if chunk.data}
        if len(spoke) == 2:
            self._sides[0] += 1
        elif heard.first_seen <= self._now - SETTLED_NS:
            for place, side in ((1, CLIENT), (2, SERVER)):
                self._sides[place] += side in spoke

    def _count_server(self, draft: Draft) -> None:
        flow, account = draft.heard.flow, draft.account
        name = draft.family or draft.name or flow.server.ip
        server = Server(name, flow.server.port, account.protocol or "tls", draft.match.kind)
        if server in self._servers or len(self._servers) < SERVERS_KEPT:
            self._servers[server] += 1
        if len(self._clients) < CLIENTS_KEPT:
            self._clients.add(flow.client.ip)

    def _compare_clocks(self, heard: Conversation, draft: Draft | None) -> None:
        for chunk in heard.chunks[:OPENING]:
            stated = stated_time(chunk.data)
            if stated is not None and len(self.clocks) < SERVERS_KEPT:
                ahead = chunk.at - stated - 500_000_000  # it is told to the second: half of one, mostly
                microsoft = draft is not None and draft.match.kind in _MICROSOFT
                self.clocks[heard.flow.server.ip] = Stated(ahead, microsoft)
                return
