"""What a conversation is made of: bytes, and fields that differ from one conversation to the next."""

from __future__ import annotations

import base64
import string
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
"""A row a conversation."""
CLIENT, SERVER = 0, 1
_ALPHABET = np.frombuffer(
    (string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/").encode(), np.uint8
)
LOWER = tuple(letter.encode() for letter in string.ascii_lowercase)
HEXADECIMAL = tuple(digit.encode() for digit in string.hexdigits[:16].upper())
BASE64 = tuple(bytes([letter]) for letter in _ALPHABET)
ANY = tuple(bytes([value]) for value in range(256))


@dataclass(frozen=True, slots=True)
class Field:
    """So many words, drawn from words of one length; the same wherever its name stands in a conversation."""

    name: str
    words: tuple[bytes, ...]
    times: int = 1

    def __len__(self) -> int:
        return len(self.words[0]) * self.times


@dataclass(frozen=True, slots=True)
class Encoded:
    """Base64 of parts."""

    parts: tuple[Part, ...]

    def __len__(self) -> int:
        return -(-size(self.parts) // 3) * 4


Part = bytes | Field | Encoded
Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What one side sends at once."""

    side: int
    parts: Parts


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation, the port it goes to, and the prefix of its servers."""

    port: int
    said: tuple[Said, ...]
    servers: bytes
    """First three bytes of their IPv4 addresses."""
    udp: bool = False


@dataclass(slots=True)
class Draw:
    """Values of fields for so many conversations; a field's are drawn once, unless they are given."""

    count: int
    random: np.random.Generator
    drawn: dict[Field, Bytes] = field(default_factory=dict)

    def of(self, part: Field | Encoded) -> Bytes:
        """Give a row of bytes a conversation."""
        if isinstance(part, Encoded):
            return encoded(np.concatenate([self._row(inner) for inner in part.parts], axis=1))
        if part not in self.drawn:
            words = np.frombuffer(b"".join(part.words), np.uint8).reshape(len(part.words), -1)
            chosen = self.random.integers(0, len(words), (self.count, part.times))
            self.drawn[part] = words[chosen].reshape(self.count, len(part))
        return self.drawn[part]

    def _row(self, part: Part) -> Bytes:
        if isinstance(part, bytes):
            return np.tile(np.frombuffer(part, np.uint8), (self.count, 1))
        return self.of(part)


def encoded(rows: Bytes) -> Bytes:
    """Base64 of each row."""
    count, width = rows.shape
    padded = np.zeros((count, -(-width // 3), 3), np.uint32)
    padded.reshape(count, -1)[:, :width] = rows
    whole = padded[..., 0] << 16 | padded[..., 1] << 8 | padded[..., 2]
    sextets = np.stack([whole >> shift & 63 for shift in (18, 12, 6, 0)], axis=2)
    text = _ALPHABET[sextets].reshape(count, -1)
    if missing := -width % 3:
        text[:, -missing:] = ord("=")
    return text


def size(parts: Sequence[Part]) -> int:
    """Bytes of parts."""
    return sum(len(part) for part in parts)


def sample(parts: Sequence[Part]) -> bytes:
    """Parts as one conversation has them: the first word of every field."""
    return b"".join(_sample(part) for part in parts)


def _sample(part: Part) -> bytes:
    match part:
        case Field(_, words, times):
            return words[0] * times
        case Encoded(parts):
            return base64.b64encode(sample(parts))
        case _:
            return part


def says(side: int, *parts: Part | str) -> Said:
    """Make something said; text is a line or lines in ASCII."""
    return Said(side, tuple(part.encode() if isinstance(part, str) else part for part in parts))
