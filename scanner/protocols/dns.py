"""DNS answers: which name was asked for when an address was given (RFC 1035 4)."""

from __future__ import annotations

from collections.abc import Iterator

from scanner.conversation import CLIENT, SERVER, Transport
from scanner.events import Answer
from scanner.protocols.announcement import announcing
from scanner.protocols.dns_names import CNAME, Name, read_header, read_message, read_name
from scanner.session import Example

ANSWERS_READ = 64
"""Records of one answer read; Exchange Online's names give eight addresses and three aliases."""
_ANSWER_BITS, _ANSWER = 0xF80F, 0x8000
"""QR is set; the operation and the response code are 0."""


def read(payload: bytes) -> Iterator[Answer]:
    """Read the addresses in an answer, each with the name that was asked for; nothing of anything else."""
    header = read_header(payload)
    if header.flags & _ANSWER_BITS != _ANSWER or header.questions != 1:
        return
    asked, records = read_message(payload, header, min(header.answers, ANSWERS_READ))
    names = {_text(asked)}
    for record in records:
        if _text(record.owner) not in names:
            continue
        if record.kind == CNAME and (alias := read_name(payload, record.at)[0]):
            names.add(_text(alias))
        elif address := record.address:
            yield Answer(_text(asked), str(address))


def _text(name: Name) -> str:
    return b".".join(name).decode("latin-1").lower()


_QUESTION = b"\x07outlook\x09office365\x03com\0\0\x01\0\x01"
_LOOKUP = Example(
    "an alias leads to an address, and the name asked for is what counts",
    (
        (CLIENT, b"\0\x01\x01\0\0\x01\0\0\0\0\0\0" + _QUESTION),
        (
            SERVER,
            b"\0\x01\x81\x80\0\x01\0\x02\0\0\0\0"
            + _QUESTION
            + b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x07\x04edge\xc0\x14"
            + b"\xc0\x33\0\x01\0\x01\0\0\0\x3c\0\x04\x34\x60\x00\x02",
        ),
    ),
    (Answer("outlook.office365.com", "52.96.0.2"),),
)

DIALECT = announcing("dns", Transport.UDP, frozenset({53}), read, (_LOOKUP,))
