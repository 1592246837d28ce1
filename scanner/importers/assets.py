"""A list of the site's own: which machine is whose, where it stands, and what else is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from scanner.importers.family import Cells, Family, Kind, Terms, UnreadableRowError, first, mac_of, words
from scanner.net import canonical
from scanner.tenant import Asset

_MAC = words("mac macaddress ethernet ethernetaddress hardwareaddress physicaladdress macadresse adressemac")
_IP = words("ip ipaddress address ipv4 ipv4address ipv6 ipv6address ipadresse adresse adresseip direcciónip")
_NAME = words(
    """
    name hostname host devicename device computername computer printername printer dnsname fqdn asset
    assetname machine gerät gerätename rechnername drucker nom appareil nombre equipo
    """
)
_OWNER = words(
    """
    owner assignedto responsible contact user department team besitzer verantwortlich abteilung propriétaire
    responsable propietario
    """
)
_PLACE = words(
    """
    place location room site building floor office standort ort raum lieu emplacement salle ubicación lugar
    """
)
_NOTE = words(
    """
    note notes comment comments description remark remarks bemerkung notiz kommentar beschreibung remarque
    commentaire nota comentario
    """
)


def _read(cells: Cells, _: Terms) -> Iterator[Asset]:
    told = [first(cells, names).strip() or None for names in (_OWNER, _PLACE, _NOTE)]
    if not any(told):
        return
    keys = [mac_of(first(cells, _MAC)), first(cells, _NAME).strip().lower()]
    with suppress(ValueError):
        keys.insert(1, canonical(first(cells, _IP).strip()))
    found = [key for key in dict.fromkeys(keys) if key]
    if not found:
        raise UnreadableRowError("neither a MAC nor an address nor a name")
    for key in found:
        yield Asset(key, *told)


ASSETS = Family(
    Kind.ASSETS,
    "a list of assets",
    (frozenset((*_MAC, *_IP, *_NAME)), frozenset((*_OWNER, *_PLACE, *_NOTE))),
    frozenset((*_MAC, *_IP, *_NAME, *_OWNER, *_PLACE, *_NOTE)),
    _read,
)
