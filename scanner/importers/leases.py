"""Whom DHCP lent an address, by its server's own list: Kea's, Windows', and those of ``lease_files``.

Kea: https://kea.readthedocs.io, memfile; Windows: ``Get-DhcpServerv4Lease``, or the console's "Export List".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from scanner.importers.family import Cells, Family, Kind, Terms, UnreadableRowError, first, mac_of, words
from scanner.importers.times import SECOND, nanoseconds
from scanner.model import LEASE, Sighting
from scanner.net import canonical

FOREVER_NS = 0xFFFF_FFFF * SECOND
"""Infinity, as DHCP has it (RFC 2131 3.3)."""
LAST_EPOCH = 7_258_118_400
"""The year 2200, in Unix seconds."""
_IP = ("ipaddress", "clientipaddress", "address")
_MAC = ("clientid", "uniqueid", "hwaddr")
_NAME = ("hostname", "name")
_ENDS = ("leaseexpirytime", "leaseexpiration", "expire")
_STATE = ("addressstate", "state")
_UNUSED = ("declined", "abandoned", "backup", "reset", "offered", "inactive", "bad")
_KEA = {"1": "declined"}
_ENDLESS = ("never", "reserv", "unlimited", "infinite")
_NOBODY = ("*", "bad_address")


def _read(cells: Cells, terms: Terms) -> Iterator[Sighting]:
    state = first(cells, _STATE).strip().lower()
    if _KEA.get(state, state).startswith(_UNUSED):
        return
    try:
        ip = canonical(first(cells, _IP).strip())
    except ValueError:
        raise UnreadableRowError(f"no address: {first(cells, _IP)[:40]!r}") from None
    mac = mac_of(first(cells, ("hwaddr", *_MAC)))
    if mac is None:
        return
    begin, end = _span(cells, terms)
    yield Sighting(ip, mac, LEASE, "", begin, end)
    name = first(cells, _NAME).strip().rstrip(".").replace("&#x2c", ",")
    if name and name.lower() not in _NOBODY:
        yield Sighting(ip, mac, "dhcp.host_name", name, begin, max(begin, min(end, terms.at)))


def _span(cells: Cells, terms: Terms) -> tuple[int, int]:
    """From when to when; where only its end is told it began before the file was written, not known when."""
    text = first(cells, _ENDS).strip()
    if not text or text == "0" or any(part in text.lower() for part in _ENDLESS):
        end = terms.at + FOREVER_NS
    else:
        end = _at(text, terms)
    begin = min(terms.at, end)
    if starts := cells.get("starts"):
        begin = min(_at(starts, terms), end)
    elif (lasts := cells.get("validlifetime", "")).isdecimal() and len(lasts) <= 10 and text:
        begin = end - int(lasts) * SECOND
    return begin, end


def _at(text: str, terms: Terms) -> int:
    if text.isascii() and text.isdecimal():
        if len(text) > 10 or int(text) > LAST_EPOCH:
            raise UnreadableRowError(f"no time: {text[:40]!r}")
        return int(text) * SECOND
    return nanoseconds(text, terms.zone if not text.endswith("Z") else UTC, terms.day_first)


LEASES = Family(
    Kind.LEASES,
    "DHCP leases",
    (frozenset(_IP), frozenset(_MAC), frozenset({*_ENDS, *_STATE, *_NAME})),
    frozenset(
        words("""
        scopeid description clienttype dnsrr dnsregistration naphealth napcapable napstatus policyname
        probationends serverip pscomputername ciminstanceproperties cimsystemproperties cimclass type
        startaddress subnetid fqdnfwd fqdnrev usercontext poolid validlifetime starts duid leasetype iaid
        prefixlen preflifetime hwtype hwaddrsource
        """)
    )
    | {*_IP, *_MAC, *_NAME, *_ENDS, *_STATE},
    _read,
    ("leaseexpirytime", "leaseexpiration"),
)
