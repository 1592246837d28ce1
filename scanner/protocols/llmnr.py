"""LLMNR: machines of a link that answer for their own names (RFC 4795).

Only answers are read; a responder has authority for nothing but its own names (2.3), so the addresses in an
answer are its own. An answer with the T bit is not yet sure of its name and is dropped, as 2.1.1 asks for.
Poisoners answer for every name that is asked for: a machine with many names may be one.
"""

from __future__ import annotations

from scanner.conversation import SERVER, Transport
from scanner.events import Label
from scanner.protocols.announcement import announcing, clean
from scanner.protocols.dns_names import read_header, read_message
from scanner.protocols.fields import reachable
from scanner.session import Example

RECORDS_READ = 32
"""Records of an answer read: the addresses of one machine. What is behind them is not told."""
_ANSWER_BITS, _ANSWER = 0xF90F, 0x8000
"""QR is set; the operation, the T bit and the response code are 0."""


def read(payload: bytes) -> tuple[Label, ...]:
    """Read one answer: the name with the addresses to know its machine by."""
    header = read_header(payload)
    if header.flags & _ANSWER_BITS != _ANSWER or header.questions != 1:
        return ()
    asked, records = read_message(payload, header, min(header.answers, RECORDS_READ))
    own = [record.address for record in records if record.ttl and _lower(record.owner) == _lower(asked)]
    name = clean(b".".join(asked))
    return tuple(Label("llmnr.name", name, ip) for ip in reachable(filter(None, own)) if name)


def _lower(name: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(label.lower() for label in name)


_ANSWERED = Example(
    "a machine answers for its name",
    (
        (
            SERVER,
            b"\x12\x34\x80\0\0\x01\0\x01\0\0\0\0\x07DESK-07\0\0\x01\0\x01"
            b"\x07DESK-07\0\0\x01\0\x01\0\0\0\x1e\0\x04\xc0\0\x02\x15",
        ),
    ),
    (Label("llmnr.name", "DESK-07", "192.0.2.21"),),
)
DIALECT = announcing("llmnr", Transport.UDP, frozenset({5355}), read, (_ANSWERED,))
