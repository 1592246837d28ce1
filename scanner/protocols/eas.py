"""Exchange ActiveSync's query: who syncs, with which device, in which version ([MS-ASHTTP] 2.2.1.1.1)."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

from scanner.events import Label

TEXT_LENGTH = 256
"""Characters of a value kept; device ids have at most 32."""
QUERY_LENGTH = 4096
"""Characters of a query read; real ones have under 200. What is beyond is not looked at."""
_FIELDS = {
    "deviceid": "eas.device_id",
    "devicetype": "eas.device_type",
    "cmd": "eas.command",
    "user": "eas.user",
}


def labels(query: str) -> Iterator[Label]:
    """Read a query in either form; yield nothing for one that is in neither."""
    if "=" in query.rstrip("=") or "&" in query:
        for pair in query[:QUERY_LENGTH].split("&"):
            name, _, value = pair.partition("=")
            field = _FIELDS.get((unquote(name) if "%" in name else name).lower())
            if field and value:
                yield Label(field, unquote_plus(value)[:TEXT_LENGTH])
    else:
        yield from _encoded(query)


def _encoded(query: str) -> Iterator[Label]:
    """[MS-ASHTTP] 2.2.1.1.1.1: version, command, locale; device id, policy key, device type with lengths."""
    try:
        raw = binascii.a2b_base64(query.encode("ascii", "replace"))
    except binascii.Error:
        return
    if len(raw) < 5:
        return
    yield Label("eas.version", f"{raw[0] // 10}.{raw[0] % 10}")
    at = 4
    device, at = _counted(raw, at)
    _, at = _counted(raw, at)
    kind, _ = _counted(raw, at)
    if device:
        yield Label("eas.device_id", device.hex().upper())
    if kind:
        yield Label("eas.device_type", kind.decode("ascii", "replace")[:TEXT_LENGTH])


def _counted(raw: bytes, at: int) -> tuple[bytes, int]:
    if at >= len(raw):
        return b"", at
    end = at + 1 + raw[at]
    return raw[at + 1 : end], end
