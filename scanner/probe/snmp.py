"""SNMP v1 and v2c, to read who a machine is (RFC 1157 4.1.2, RFC 3416 4.2.1): written and read by scapy.

A community is a password that goes in clear: it stands in questions, never in what is told. scapy takes 0.2 s
to import: only asking does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from scanner.events import Label
from scanner.protocols.announcement import clean

ANSWER_READ = 4096
"""Bytes of an answer read: four texts of at most 255 bytes (RFC 3418 2, RFC 2790 4.2, RFC 3805 6) fit."""
FIELDS = {
    "1.3.6.1.2.1.1.1.0": "snmp.description",
    "1.3.6.1.2.1.1.5.0": "snmp.name",
    "1.3.6.1.2.1.25.3.2.1.3.1": "snmp.device",
    "1.3.6.1.2.1.43.5.1.1.16.1": "snmp.printer",
}
"""sysDescr, sysName, hrDeviceDescr.1, prtGeneralPrinterName.1."""


def question(version: int, community: str, number: int, wanted: Sequence[str]) -> bytes:
    """Write a GET; ``version`` is 1 or 2 (for v2c), ``number`` at most 31 bits."""
    _hush()
    from scapy.layers.snmp import SNMP, SNMPget, SNMPvarbind

    asked = [SNMPvarbind(oid=one) for one in wanted]
    return bytes(SNMP(version=version - 1, community=community, PDU=SNMPget(id=number, varbindlist=asked)))


def _hush() -> None:
    logging.getLogger("scapy").setLevel(logging.CRITICAL)  # what matters is raised


def reader(community: str, number: int) -> Callable[[bytes], tuple[Label, ...]]:
    """Make what reads the answer to a question, and nothing else."""
    return partial(_read, community.encode(), number)


def _read(community: bytes, number: int, payload: bytes) -> tuple[Label, ...]:
    if len(payload) > ANSWER_READ:
        return ()
    _hush()
    from scapy.layers.snmp import SNMP, SNMPresponse

    try:
        message = SNMP(payload)
        answer = message.PDU
        if not isinstance(answer, SNMPresponse) or message.community.val != community:
            return ()
        if answer.id.val != number or answer.error.val:
            return ()
        said = [(FIELDS.get(bind.oid.val), getattr(bind.value, "val", None)) for bind in answer.varbindlist]
    except Exception:  # scapy raises whatever broken BER leads it to, and promises nothing
        return ()
    found = [(field, clean(value)) for field, value in said if field and isinstance(value, bytes)]
    return tuple(Label(field, text) for field, text in dict(found).items() if text)
