"""Evidence of a mirror that is right, to be made wrong in one way or another."""

from scanner.capture.card import Card
from scanner.model import ServerKind
from scanner.watch.evidence import Evidence, Machine, MailEvidence, Server, Stated, WireEvidence
from scanner.wire.survey import Directions, Frames

EXCHANGE = Server("smtp.office365.com", 587, "smtp", ServerKind.EXCHANGE_ONLINE)
RELAY = Server("relay.example.com", 25, "smtp", ServerKind.INTERNAL)
MACHINE = Machine(
    user="nobody", extended=True, filter_note=None, inventory="/i.db", writer="nobody", free_bytes=50 << 30,
    tshark="/usr/bin/tshark", tshark_note="", clock_held=True,
)  # fmt: skip
WIRE = WireEvidence(
    name="eth1", up=True, frames=Frames(frames=10_000, to_all=100, own=10, payloads=6000),
    arrived=Card(bytes=60_000_000, packets=12_000), segments=9000, passed=10_000,
)  # fmt: skip
MAIL = MailEvidence({EXCHANGE: 70, RELAY: 30}, 12, 100, 80, Directions(both=99, client=1))
RIGHT = Evidence(
    seconds=60.0, wires=(WIRE,), filtered=False, mail=MAIL, directions=Directions(both=500),
    segments=5000, copies=10, clocks=(Stated(300_000_000, True),), machine=MACHINE,
)  # fmt: skip
