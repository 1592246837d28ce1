"""What the evidence means for whoever wants to listen here, in plain words, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import median_low

from scanner.model import ServerKind
from scanner.watch.diagnosis_of_wire import diagnose_wire
from scanner.watch.evidence import Evidence, Machine, MailEvidence, Stated
from scanner.watch.findings import Finding, Grade, lasting, many, percent
from scanner.wire.survey import Directions

COPIED = 0.02
"""Of segments, the share that may look like copies: where much is lost much is sent again, too."""
FEW_CONNECTIONS = 5
"""With fewer nothing is said of shares."""
BOTH_WELL, BOTH_HALF = 0.95, 0.5
"""Of connections, the share of which both directions are seen: from the one on all is well, below the other
most is missed. Some are always answered another way, or not at all."""
QUIET_S = 300
"""Phones and programs ask for mail every few minutes: who hears none for longer is in the wrong place."""
CLOCK_NS = 3_000_000_000
"""How far clocks may be apart: servers tell seconds, and answer some tenths of one late."""
RECORDED_NS = 3_600_000_000_000
"""A clock that a time service keeps is not wrong by so much: then what comes was recorded before."""
FEW_CLOCKS = 3
"""Of others than Microsoft: one printer may be wrong, several servers are not in the same way."""
LITTLE_BYTES = 1 << 30
"""Free for the inventory: it is a year of a big site."""
SERVERS_SHOWN = 20


def diagnose(evidence: Evidence) -> list[Finding]:
    """Say what all of it means: interface by interface, then what was heard, then the machine."""
    found = [finding for wire in evidence.wires for finding in diagnose_wire(wire, evidence)]
    if any(wire.frames.frames for wire in evidence.wires):
        found += [_directions(evidence), _copies(evidence), _mail(evidence.mail, evidence.seconds)]
        if evidence.mail.connections:
            found.append(_begun(evidence.mail))
        found.append(_clock(evidence.clocks, evidence.machine.clock_held))
    return [*found, *_machine(evidence.machine), _inventory(evidence.machine)]


def to_mend(found: Iterable[Finding]) -> bool:
    """Tell whether there is anything that somebody should mend."""
    return any(finding.grade in (Grade.WARN, Grade.BAD) for finding in found)


def _directions(evidence: Evidence) -> Finding:
    """By connections of mail if there are enough, else by all."""
    judged, whose = evidence.mail.directions, "mail connections"
    if judged.judged < FEW_CONNECTIONS:
        judged, whose = evidence.directions, "connections"
    all_of = judged.judged
    if all_of < FEW_CONNECTIONS:
        text = f"Too few connections to tell ({all_of})."
        return Finding("both directions", Grade.INFO, text, "Listen longer (--for 10m).")
    share = percent(judged.both, all_of)
    text = f"Of {all_of:,} {whose} {judged.both:,} ({share}) were seen both ways.{_missing(judged)}"
    if judged.both >= BOTH_WELL * all_of:
        return Finding("both directions", Grade.OK, text)
    advice = (
        "Mirror both directions of the port (Cisco: 'both', not 'rx' or 'tx'); of a network tap listen to"
        " both outputs (-i eth1 -i eth2); where traffic may take two ways, mirror both."
    )
    grade = Grade.WARN if judged.both >= BOTH_HALF * all_of else Grade.BAD
    return Finding("both directions", grade, text, advice)


def _missing(judged: Directions) -> str:
    if judged.client > 9 * judged.server:
        return " What servers answer is missing."
    return " What clients send is missing." if judged.server > 9 * judged.client else ""


def _copies(evidence: Evidence) -> Finding:
    if evidence.copies <= COPIED * evidence.segments:
        return Finding("duplicates", Grade.OK, "Packets come once.")
    share = percent(evidence.copies, evidence.segments)
    text = (
        f"{share} of packets ({evidence.copies:,}) are copies: they change no result, but cost room and work."
    )
    advice = "Mirror each way once: the uplink alone, or all ports but inbound only ('rx')."
    return Finding("duplicates", Grade.INFO, text, advice)


def _mail(mail: MailEvidence, seconds: float) -> Finding:
    if not mail.servers:
        text = "Nobody spoke to Exchange Online or to a mail server."
        if seconds >= QUIET_S:
            advice = "Check that the mirror's source is where mail leaves: the port of firewall or router."
            return Finding("mail", Grade.WARN, text, advice)
        advice = "Listen longer, while people work (--for 10m), and send a page from a scanner meanwhile."
        return Finding("mail", Grade.INFO, text, advice)
    ours = sum(count for server, count in mail.servers.items() if server.kind is ServerKind.EXCHANGE_ONLINE)
    first = sorted(mail.servers.items(), key=lambda one: -one[1])
    lines = [f"{one.name}:{one.port} {one.protocol}, {one.kind.value}: {count:,}" for one, count in first]
    if len(lines) > SERVERS_SHOWN:
        lines[SERVERS_SHOWN:] = [f"and {many(len(lines) - SERVERS_SHOWN, 'other')}"]
    text = (
        f"{many(mail.clients, 'machine')} opened {many(sum(mail.servers.values()), 'connection')} to"
        f" {many(len(first), 'mail server')}, {ours:,} of them to Exchange Online."
    )
    advice = "" if ours else "If mail is with Exchange Online, check that the mirror's source is the way out."
    return Finding("mail", Grade.OK, text, advice, details=tuple(lines))


def _begun(mail: MailEvidence) -> Finding:
    share = percent(mail.begun, mail.connections)
    text = f"Of {many(mail.connections, 'mail connection')} {mail.begun:,} ({share}) began in sight."
    if mail.begun < mail.connections:
        text += (
            " The others were open before: how they logged in shows when they are opened anew, with phones"
            " and Outlook after hours. In a short test that is usual."
        )
    return Finding("beginnings", Grade.OK if mail.begun * 2 >= mail.connections else Grade.INFO, text)


def _clock(clocks: Sequence[Stated], held: bool) -> Finding:
    """Microsoft's servers are believed at once, others if several agree."""
    microsoft = [one.ahead_ns for one in clocks if one.microsoft]
    said = microsoft or [one.ahead_ns for one in clocks]
    keep = "" if held else "Have a time service keep it (timedatectl set-ntp true, or chrony)."
    ahead = median_low(said) if said else 0
    agreed = sum(abs(one - ahead) <= CLOCK_NS for one in said)
    if agreed * 2 <= len(said) or (not microsoft and len(said) < FEW_CLOCKS):
        kept = "A time service keeps this machine's clock; by servers" if held else "By servers"
        why = "they disagree" if len(said) >= FEW_CLOCKS else "too few said what time it is"
        return Finding("clock", Grade.OK if held else Grade.INFO, f"{kept} it cannot be judged: {why}.", keep)
    by = f"by what {many(len(said), 'server')} said"
    if abs(ahead) <= CLOCK_NS:
        return Finding("clock", Grade.OK, f"This machine's clock is right {by} ({ahead / 1e9:+.1f} s).")
    text = f"This machine's clock is {lasting(abs(ahead))} {'ahead' if ahead > 0 else 'behind'} {by}"
    if held and abs(ahead) >= RECORDED_NS:
        text += ", though a time service keeps it: what comes seems to be a recording."
        return Finding("clock", Grade.INFO, text)
    text += ", or what comes is a recording. Sessions are dated by it."
    return Finding("clock", Grade.WARN, text, keep or "Check which time servers it asks (timedatectl).")


def _machine(machine: Machine) -> Iterator[Finding]:
    text = f"This program may; packets were looked at with no more rights than {machine.user} has."
    yield Finding("capturing", Grade.OK, text)
    if machine.extended:
        text = "The kernel can cut each connection off after its first kilobytes."
        yield Finding("filter", Grade.OK, text)
    else:
        note = machine.filter_note or "the kernel cuts no connections off"
        advice = (
            "Up to some hundred Mbit/s nothing; beyond, run as root or with CAP_BPF (Linux 5.8 or newer)."
        )
        yield Finding("filter", Grade.INFO, f"{note[:1].upper()}{note[1:]}.", advice)
    if machine.tshark:
        yield Finding("tshark", Grade.OK, f"It is there: {machine.tshark}.")
    else:
        advice = "Only 'read --keylog', 'read --engine tshark' and 'compare' need it: else nothing."
        yield Finding("tshark", Grade.INFO, f"{machine.tshark_note}.", advice)


def _inventory(machine: Machine) -> Finding:
    if machine.writer is None:
        advice = "Choose another place (--db), or mend the rights of the folder."
        return Finding("inventory", Grade.BAD, f"Nobody can write {machine.inventory}.", advice)
    text, free = f"{machine.inventory} would be written by {machine.writer}", machine.free_bytes
    if free is None:
        return Finding("inventory", Grade.OK, f"{text}; it was not asked.")
    text = f"{text}; {free / (1 << 30):,.1f} GiB are free."
    if free >= LITTLE_BYTES:
        return Finding("inventory", Grade.OK, text)
    return Finding("inventory", Grade.WARN, text, "Make room, or choose another place (--db).")
