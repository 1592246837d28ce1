"""Secrets in every form in which they could get out, and a quick search for all of them at once."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator

import numpy as np

SHORTEST = 12
"""Bytes of a secret that count as a leak: so many random ones are met by chance never."""
KEY = 8
"""Bytes of a needle that the search looks for first, as one number."""
_PUBLIC = (b".lab.test", b"example.com", b"example.net")
_PART = re.compile(rb"[A-Za-z0-9+/=_.~-]{16,}")


def forms(secret: bytes) -> set[bytes]:
    """Give its beginning, middle and end: raw, UTF-16, hexadecimal, and base64 at any alignment."""
    spelled = {secret, secret.decode("latin-1").encode("utf-16-le"), secret.hex().encode()}
    spelled |= {secret.hex().upper().encode(), secret.hex(":").encode(), secret[::-1]}
    for shift in range(3):
        coded = base64.b64encode(bytes(shift) + secret).rstrip(b"=")[shift and shift + 1 : -1]
        spelled |= {coded, coded.replace(b"+", b"-").replace(b"/", b"_")}
    return {piece for form in spelled for piece in _pieces(form)}


def _pieces(form: bytes) -> Iterator[bytes]:
    middle = (len(form) - SHORTEST) // 2
    yield from (form[:SHORTEST], form[middle : middle + SHORTEST], form[-SHORTEST:])


def answers(said: bytes, user: bytes) -> set[bytes]:
    """Give all that a client answered to challenges in clear: whole, and what is random inside of base64."""
    found: set[bytes] = set()
    for part in _PART.findall(said):
        inner = _decoded(part)
        if inner is not None and inner != user:
            pieces = {part, *_PART.findall(inner)}
            found |= {piece for piece in pieces if not piece.endswith(_PUBLIC)}
    return found


def _decoded(part: bytes) -> bytes | None:
    try:
        return base64.b64decode(part, validate=True)
    except ValueError:
        return None


class Search:
    """Looks for many needles in much hay."""

    def __init__(self, secrets: Iterable[bytes]) -> None:
        """Look for these, in all their forms."""
        self._whole: dict[int, dict[bytes, bytes]] = {}
        for secret in secrets:
            if len(secret) < SHORTEST:
                raise ValueError("too short to be told from chance")
            for needle in forms(secret):
                key = int.from_bytes(needle[:KEY], "little")
                self._whole.setdefault(key, {})[needle] = secret
        self._keys = np.array(sorted(self._whole), np.uint64)

    def places(self, hay: bytes) -> Iterator[tuple[int, bytes]]:
        """Give every place where a secret begins, and the secret."""
        raw = np.frombuffer(hay, np.uint8)
        for start in range(KEY):
            words = raw[start : start + max(len(raw) - start, 0) // KEY * KEY].view(np.uint64)
            at = np.minimum(np.searchsorted(self._keys, words), len(self._keys) - 1)
            for number in np.flatnonzero(self._keys[at] == words).tolist():
                begin = start + number * KEY
                for needle, secret in self._whole[int(words[number])].items():
                    if hay.startswith(needle, begin):
                        yield begin, secret

    def found(self, hay: bytes) -> set[bytes]:
        """Name the secrets that are in there."""
        return {secret for _, secret in self.places(hay)}
