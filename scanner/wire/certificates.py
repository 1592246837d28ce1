"""Read the names in a server's certificate, and no more: DER by hand, X.509 by RFC 5280 4.1."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from scanner.events import Certificate
from scanner.wire.hellos import Cursor, ShortMessageError

NAMES_KEPT = 64
"""Names of one certificate; Exchange Online's has about thirty."""
TEXT_LENGTH = 255
CERTIFICATES_KEPT = 256
"""Messages remembered, some 4 KB each: a site's devices meet the same few servers again and again."""
_SEQUENCE, _SET, _OID, _EXTENSIONS, _DNS = 0x30, 0x31, 0x06, 0xA3, 0x82
_COMMON_NAME, _ORGANISATION = b"\x55\x04\x03", b"\x55\x04\x0a"
_ALTERNATIVE_NAMES = b"\x55\x1d\x11"


@lru_cache(CERTIFICATES_KEPT)
def certificate(body: bytes) -> Certificate | None:
    """Read the first certificate of a Certificate message's body (RFC 5246 7.4.2); None if it is cut."""
    try:
        chain = Cursor(Cursor(body).vector(3))
        tbs = list(_items(_only(_only(chain.vector(3)))))
        fields = tbs[1:] if tbs and tbs[0][0] == 0xA0 else tbs
        issuer, subject = fields[2][1], fields[4][1]
        extensions = next((value for tag, value in fields[5:] if tag == _EXTENSIONS), b"")
        names = tuple(_alternative_names(extensions))[:NAMES_KEPT]
        return Certificate(_text(subject, _COMMON_NAME), names, _text(issuer, _ORGANISATION))
    except (ShortMessageError, IndexError):
        return None


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    cursor = Cursor(data)
    while cursor.left:
        tag, size = cursor.number(1), cursor.number(1)
        if size & 0x80:
            size = cursor.number(min(size & 0x7F, 4))
        yield tag, cursor.take(size)


def _only(data: bytes) -> bytes:
    """Contents of the first item."""
    for _, value in _items(data):
        return value
    raise ShortMessageError


def _text(name: bytes, kind: bytes) -> str | None:
    for _, part in _items(name):
        for _, pair in _items(part):
            found = list(_items(pair))
            if len(found) == 2 and found[0] == (_OID, kind):
                return found[1][1].decode("utf-8", "replace")[:TEXT_LENGTH]
    return None


def _alternative_names(extensions: bytes) -> Iterator[str]:
    for _, block in _items(extensions):
        for _, extension in _items(block):
            parts = list(_items(extension))
            if parts and parts[0] == (_OID, _ALTERNATIVE_NAMES):
                for tag, value in _items(_only(parts[-1][1])):
                    if tag == _DNS:
                        yield value.decode("ascii", "replace")[:TEXT_LENGTH]
