"""Read who NTLM messages are from: user, machine, domain; challenge answers are not looked at.

Source: [MS-NLMP] 2.2.1.1 to 2.2.1.3, 2.2.2.1, 2.2.2.5 and 2.2.2.10.
"""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass

from scanner.protocols.announcement import clean
from scanner.protocols.fields import values
from scanner.session import Script

SIGNATURE = b"NTLMSSP\0"
NAME_LIMIT = 256
"""Bytes of a name read; Windows account and domain names are shorter."""
_CHALLENGE, _AUTHENTICATE = 2, 3
_UNICODE, _VERSION = 1, 0x0200_0000
_LM_ANSWER, _NT_ANSWER, _DOMAIN, _USER, _WORKSTATION, _KEY = 12, 20, 28, 36, 44, 52
"""Where an AUTHENTICATE message tells of the length and the place of what."""
_INFORMATION = 40
"""Likewise of a CHALLENGE message."""
_HOSTS, _DOMAINS = (1, 3), (2, 4)
"""Kinds of pairs: the NetBIOS name and the DNS name."""
_WISHES = 0x0208_8205
"""Unicode, the target's name, NTLM, always sign, extended session security, the version."""
NEGOTIATE = binascii.b2a_base64(
    SIGNATURE + struct.pack("<II", 1, _WISHES) + bytes(16) + bytes(7) + b"\x0f", newline=False
)
"""What begins NTLM and names nobody, in base64: without a domain, a workstation or a version of ours."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a message tells of the machine that sent it."""

    names: tuple[str, ...]
    """By NetBIOS, by DNS; each once."""
    domains: tuple[str, ...]
    """Likewise; a client tells the domain of whoever logs in."""
    version: str | None
    """``major.minor.build``."""


def username(message: bytes) -> str | None:
    """Give ``DOMAIN\\user`` or ``user`` of a type 3 message; None for any other message."""
    if _kind(message) != _AUTHENTICATE or len(message) < _KEY:
        return None
    domain, user = _name(message, _DOMAIN), _name(message, _USER)
    if not user:
        return None
    return f"{domain}\\{user}" if domain else user


def machine(message: bytes) -> Machine | None:
    """Tell of the server that sent a type 2 message, or the client that sent a type 3; None for any other."""
    kind = _kind(message)
    if kind == _CHALLENGE and len(message) >= _INFORMATION + 8:
        begin, behind = _place(message, _INFORMATION)
        pairs = {
            code: raw.decode("utf-16-le", "replace")
            for code, raw in values(message[max(begin, _INFORMATION + 8) : behind], 4, _parted, "little")
        }
        hosts, domains = ([pairs.get(code, "") for code in codes] for codes in (_HOSTS, _DOMAINS))
        return Machine(_once(hosts), _once(domains), _version(message, 20, 48))
    if kind == _AUTHENTICATE and len(message) >= _KEY:
        names = [_name(message, _WORKSTATION)]
        return Machine(_once(names), _once([_name(message, _DOMAIN)]), _version(message, 60, 64))
    return None


def told(message: bytes) -> list[tuple[str, str]]:
    """What a challenge, bare or within SPNEGO (RFC 4178), tells of the server, as fields and texts of labels.

    Of each name the one by DNS, else the one by NetBIOS.
    """
    at = message.find(SIGNATURE)
    if at < 0 or _kind(message[at:]) != _CHALLENGE or not (said := machine(message[at:])):
        return []
    texts = (("ntlm.host", said.names[-1:]), ("ntlm.domain", said.domains[-1:]))
    facts = [(field, clean(text.encode("utf-8", "replace"))) for field, names in texts for text in names]
    if said.version:
        facts.append(("ntlm.version", said.version))
    return [(field, text) for field, text in facts if text]


def asked(begin: bytes, goes_on: bytes) -> Script:
    """Begin NTLM in a dialogue in lines, hear who the server is, and cancel (RFC 4422 3.5).

    ``begin``: the command; ``goes_on``: how a line begins by which the server asks for more. The first
    message waits for that: an initial response is not understood everywhere.
    """
    answer = yield begin
    if answer.line.startswith(goes_on):
        answer = yield NEGOTIATE + b"\r\n"
    if answer.line.startswith(goes_on):
        yield b"*\r\n"


def _parted(pair: int) -> tuple[int, int]:
    return pair & 0xFFFF, pair >> 16


def _kind(message: bytes) -> int:
    return int.from_bytes(message[8:12], "little") if message.startswith(SIGNATURE) else 0


def _place(message: bytes, at: int) -> tuple[int, int]:
    length, _, begin = struct.unpack_from("<HHI", message, at)
    return begin, begin + length


def _name(message: bytes, at: int) -> str:
    """Read a name of a type 3 message; empty where it lies within what nobody may read."""
    begin, behind = _place(message, at)
    behind = min(behind, begin + NAME_LIMIT)
    secret = [_place(message, field) for field in (_LM_ANSWER, _NT_ANSWER)]
    if len(message) >= 64 and min(begin, *(start for start, end in secret if end > start), 64) >= 60:
        secret.append(_place(message, _KEY))
    if begin < _KEY or any(begin < end and start < behind for start, end in secret):
        return ""
    unicode = len(message) < 64 or message[60] & _UNICODE
    return message[begin:behind].decode("utf-16-le" if unicode else "latin-1", "replace")


def _version(message: bytes, flags_at: int, at: int) -> str | None:
    """Read the version of the system; it is there if a flag says so, and not all zero."""
    flags = int.from_bytes(message[flags_at : flags_at + 4], "little")
    if not flags & _VERSION or len(message) < at + 8 or not any(message[at : at + 4]):
        return None
    major, minor, build = struct.unpack_from("<BBH", message, at)
    return f"{major}.{minor}.{build}"


def _once(texts: list[str]) -> tuple[str, ...]:
    """Leave out what is empty, and what is the same but for capitals."""
    found = {text.casefold(): text for text in reversed(texts) if text}
    return tuple(reversed(found.values()))
