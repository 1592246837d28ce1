"""HTTP/2 as tshark tells it, written as the HTTP/1.1 that would have said the same; secrets stay behind.

RFC 9113 8.3 (what HTTP/1's first line became), RFC 9112. Bodies are left out: nobody is told of them.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

HEADERS, PUSH_PROMISE = "1", "5"
"""The frames that hold headers (RFC 9113 6.2, 6.6); what CONTINUATION holds is told with them."""
_BODY = frozenset({"content-length", "transfer-encoding"})
_CREDENTIALS = frozenset({"authorization", "proxy-authorization"})
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_METHOD = re.compile(r"[A-Z]{1,32}\Z")
_STATUS = re.compile(r"[1-5][0-9]{2}\Z")


class Message(NamedTuple):
    """The head of a request or of a response."""

    stream: int
    by_client: bool
    data: bytes


def messages(
    kinds: Sequence[str], streams: Sequence[str], names: Sequence[str], values: Sequence[str]
) -> Iterator[Message]:
    """Give the heads in a packet: the types and streams of its frames, and all their headers in one row.

    ``ValueError`` where a stream is no number.
    """
    holding = (HEADERS, PUSH_PROMISE)
    heads = [int(stream) for kind, stream in zip(kinds, streams, strict=False) if kind in holding]
    for stream, head in zip(heads, _heads(zip(names, values, strict=False)), strict=False):
        if stream and (data := _request(head) or _response(head)):
            yield Message(stream, ":method" in head, data)


def _heads(headers: Iterable[tuple[str, str]]) -> Iterator[dict[str, str]]:
    """Part a row of headers: a pseudo-header behind others, or once more, begins anew (RFC 9113 8.3)."""
    head: dict[str, str] = {}
    ordinary = False
    for name, value in headers:
        pseudo = name.startswith(":")
        if head and pseudo and (ordinary or name in head):
            yield head
            head = {}
        ordinary = not pseudo
        joint = "; " if name == "cookie" else ", "
        head[name] = f"{head[name]}{joint}{value}" if name in head else value
    if head:
        yield head


def _request(head: dict[str, str]) -> bytes:
    method, path = head.get(":method", ""), head.get(":path", "")
    if not _METHOD.match(method):
        return b""
    return _written(f"{method} {path or '/'} HTTP/1.1", {"host": head.get(":authority", ""), **head})


def _response(head: dict[str, str]) -> bytes:
    status = head.get(":status", "")
    return _written(f"HTTP/1.1 {status} ", {**head, "content-length": "0"}) if _STATUS.match(status) else b""


def _written(first: str, head: dict[str, str]) -> bytes:
    lines = [first]
    for name, value in head.items():
        if name in _CREDENTIALS:
            value = _without_secret(value)
        elif name == "cookie":
            value = ";".join(part.partition("=")[0] + "=" for part in value.split(";") if "=" in part)
        if not name.startswith(":") and (name not in _BODY or value == "0"):
            lines.append(f"{name}: {value}")
    return "".join(_CONTROL.sub("", line) + "\r\n" for line in [*lines, ""]).encode("utf-8", "replace")


def _without_secret(value: str) -> str:
    """Leave the scheme, and the name that comes with a password; other schemes' values are theirs alone."""
    scheme, blank, rest = value.strip().partition(" ")
    if scheme.lower() != "basic":
        return f"{scheme} -" if blank else "-"
    try:
        name = b64decode(rest).partition(b":")[0]
    except (Error, ValueError):
        name = b""
    return f"{scheme} {b64encode(name + b':').decode('ascii')}"
