"""What the evidence of one interface means: is there a mirror, and does it bring packets as they were?"""

from __future__ import annotations

from collections.abc import Iterator

from scanner.watch.evidence import Evidence, WireEvidence
from scanner.watch.findings import Finding, Grade, many, percent

FLOODED = 0.05
"""Of frames that are not this machine's own, the share between others that comes to any port: what a switch
floods as it does not know where to send it."""
CUT = 0.005
"""Of packets with contents, the share that may be cut: a mirror that cuts does so to all that are long."""
DROPPED_BADLY = 0.01
"""Of packets, the share lost from which most sessions have a hole: they have dozens of packets."""
_MIRROR = (
    "Make the switch's port the destination of a mirror (SPAN) session whose source is the port of the"
    " firewall or router, both directions, and see that the cable is in that port. In a virtual machine its"
    " port group must allow promiscuous mode, and be mirrored to."
)
_WHOLE = (
    "Have the mirror send whole packets: no truncation or snap length in its session (ERSPAN, TZSP, packet"
    " broker), and room for the tunnel's headers in the MTU of the way here."
)


def diagnose_wire(wire: WireEvidence, evidence: Evidence) -> Iterator[Finding]:
    """Say what one interface is like."""
    yield _mirror(wire, evidence)
    if wire.news:
        advice = "Check the cable, and what else sets this interface up (NetworkManager, scripts)."
        text = "It changed while it was listened to."
        yield Finding("interface", Grade.WARN, text, advice, wire.name, wire.news)
    if not wire.frames.frames:
        return
    if wire.frames.others and not (wire.segments or wire.headers_cut):
        text = f"No TCP is in {many(wire.frames.others, 'packet')} between others: their wrapping is unknown."
        advice = "Have the mirror send plain copies, or use ERSPAN, VXLAN, GENEVE, GRE or TZSP."
        yield Finding("contents", Grade.BAD, text, advice, wire.name)
    yield _whole(wire)
    yield _wrapping(wire)
    if oversized := wire.frames.oversized:
        text = f"{many(oversized, 'packet')} longer than the MTU, put together by the card: read, too."
        yield Finding("offloading", Grade.INFO, text, "", wire.name)
    yield _drops(wire, evidence)
    if wire.arrived:
        yield _card(wire)


def _mirror(wire: WireEvidence, evidence: Evidence) -> Finding:
    frames, name, wrapped = wire.frames, wire.name, sum(wire.tunnels.values())
    beside = f"{frames.to_all:,} to everybody, {frames.own:,} of this machine itself"
    advice = _MIRROR
    if not wire.up:
        text = f"{name} is down, or has no carrier."
        advice = (
            f"Switch it on (ip link set {name} up), check the cable, and whether the switch's port is on."
        )
    elif not frames.frames:
        text = f"{name} is up, and nothing arrived in {evidence.seconds:.0f} s."
    elif not frames.others and not wrapped and frames.own and evidence.mail.clients > 1:
        text = (
            f"All that arrived is this machine's own ({beside}), with mail of {evidence.mail.clients:,}"
            " machines: right if it passes mail on, as a router or a proxy does; it is no mirror."
        )
        return Finding("mirror", Grade.INFO, text, "", name)
    elif not frames.others and not wrapped:
        text = f"Only what comes to any port arrived ({beside}), nothing from one other machine to another."
    elif frames.others < FLOODED * (frames.others + frames.to_all) and not wrapped:
        text = (
            f"Hardly anything arrived from one other machine to another ({many(frames.others, 'packet')};"
            f" {beside}): what a switch floods to any port."
        )
    else:
        return Finding("mirror", Grade.OK, _rate(wire, evidence.seconds), "", name)
    return Finding("mirror", Grade.BAD, text, advice, name)


def _rate(wire: WireEvidence, seconds: float) -> str:
    """How much comes, and for whom it is."""
    frames = wire.frames
    packets = wire.arrived.packets if wire.arrived else frames.frames
    bits = f", {wire.arrived.bytes * 8 / seconds / 1e6:,.1f} Mbit/s" if wire.arrived else ""
    return (
        f"{many(packets, 'packet')} arrived, {packets / seconds:,.0f} a second{bits}. Of {frames.frames:,}"
        f" looked at {frames.others:,} went from one other machine to another, {frames.to_all:,} to"
        f" everybody, {frames.own:,} were of this machine itself."
    )


def _whole(wire: WireEvidence) -> Finding:
    cut, of = (count + wire.headers_cut for count in (wire.frames.cut, wire.frames.payloads))
    lost = wire.fragments_lost
    if cut > CUT * of:
        text = f"{percent(cut, of)} of packets with contents ({cut:,}) are cut short: logins cannot be told."
        return Finding("snap length", Grade.BAD, text, _WHOLE, wire.name)
    if lost > CUT * of:
        text = f"{many(lost, 'fragment')} never became whole packets: the others of them did not arrive."
        return Finding("snap length", Grade.WARN, text, _WHOLE, wire.name)
    some = f", but for {cut:,}" if cut else ""
    return Finding("snap length", Grade.OK, f"Packets are whole{some}.", "", wire.name)


def _wrapping(wire: WireEvidence) -> Finding:
    said = [f"{many(count, 'packet')} in {what}" for what, count in {**wire.tunnels, **wire.shims}.items()]
    if wire.inner_tags:
        where = " further in (QinQ, or in a tunnel)" if wire.frames.tagged or wire.tunnels else ""
        said.insert(0, f"{many(wire.inner_tags, 'VLAN tag')}{where}")
    if wire.frames.tagged:
        said.insert(0, f"{many(wire.frames.tagged, 'packet')} with a VLAN tag")
    if not said:
        return Finding("wrapping", Grade.OK, "Neither VLAN tags nor tunnels.", "", wire.name)
    return Finding("wrapping", Grade.INFO, f"{', '.join(said)}: they are looked through.", "", wire.name)


def _drops(wire: WireEvidence, evidence: Evidence) -> Finding:
    of = wire.passed + wire.dropped
    what = f"{many(of, 'packet')} that {'passed the kernel filter' if evidence.filtered else 'arrived'}"
    if not wire.dropped:
        return Finding("drops", Grade.OK, f"None of {what} was lost.", "", wire.name)
    grade = Grade.BAD if wire.dropped >= DROPPED_BADLY * of else Grade.WARN
    text = f"{wire.dropped:,} of {what} ({percent(wire.dropped, of)}) were lost: there was no room for them."
    cutting = "" if evidence.machine.extended else ", the filter that cuts bulk off (see 'filter')"
    advice = f"Give watch more processes (--workers 2), more room (--ring 128){cutting}, or mirror less."
    return Finding("drops", grade, text, advice, wire.name)


def _card(wire: WireEvidence) -> Finding:
    card, name = wire.arrived, wire.name
    assert card
    lost = (
        (card.missed, "for which it had no room", f"give it more (ethtool -G {name} rx 4096)"),
        (card.long, "of a wrong length", f"set a larger MTU (ip link set {name} mtu 9000)"),
        (card.broken, "in a broken frame", "change the cable"),
    )
    said = [f"{many(count, 'packet')} {why}" for count, why, _ in lost if count]
    if said:
        advice = "; ".join(what for count, _, what in lost if count)
        text = f"The network card lost {', '.join(said)}."
        return Finding("card", Grade.WARN, text, f"{advice[:1].upper()}{advice[1:]}.", name)
    if card.dropped:
        text = f"The network card lost nothing. The system dropped {many(card.dropped, 'packet')} after it"
        return Finding("card", Grade.INFO, f"{text}, mostly for having no use for them itself.", "", name)
    return Finding("card", Grade.OK, "The network card lost nothing.", "", name)
