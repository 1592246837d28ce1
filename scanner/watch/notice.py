"""Where a finding is told: a webhook, or a log by syslog; what it says there, and nothing that acts on it."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from http.client import HTTPException
from typing import Any, Protocol
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from scanner.model import Host, Level, Verdict
from scanner.report.escape import visible
from scanner.report.records import Record, host_record, timestamp
from scanner.report.views import called, what
from scanner.version import __version__

TIMEOUT_S = 10.0
"""For each step of telling: connecting, sending, the answer's head."""
TEXT_BYTES = 1_000
"""Of a line: all who take syslog take 480 bytes, and should take 2,048 (RFC 5426 3.2)."""
LOCAL_LOG, SYSLOG_PORT = "/dev/log", 514
_KEYS = ("host", "addresses", "mac", "names", "device", "verdict", "deadline", "reasons", "behind", "advice")
_DAEMON = 3
_SEVERITY = {Level.BROKEN: 3, Level.BREAKS: 4, Level.REVIEW: 5}
"""Error, warning, notice (RFC 5424 6.2.1)."""
_MARKUP = re.compile(r"[<>&@`*|\[\]]")
"""What chats take for links, and for calls to everybody."""


class Finding:
    """A host that became worse than it was known to be."""

    __slots__ = ("level", "record", "text")

    def __init__(self, host: Host, verdict: Verdict, sensor: str, at: int) -> None:
        """Write it down; ``at``: when it was found, ns."""
        record = host_record(host, verdict)
        self.level = verdict.level
        self.text = _said(record)
        self.record: Record = {
            "event": "finding",
            "at": timestamp(at),
            "sensor": sensor,
            "text": self.text,
            **{key: record[key] for key in _KEYS},
        }


class Destination(Protocol):
    """Who is told."""

    name: str
    """For people; without what is secret in an address."""

    def tell(self, finding: Finding) -> None:
        """Tell it. Raises OSError."""


class _Stays(HTTPRedirectHandler):
    """A POST that is sent elsewhere would become a GET there (RFC 9110 15.4.3)."""

    def redirect_request(self, *_: object) -> None:
        return None


class Webhook:
    """A POST of JSON for each finding, with ``text`` as chats show it."""

    def __init__(self, url: str) -> None:
        """Check an address. Raises ValueError."""
        parts = urlsplit(url)
        is_one = re.fullmatch("[!-~]+", url) and parts.hostname and parts.port != 0
        if not is_one or parts.username is not None:
            raise ValueError("is not an address like https://example.com/hook, without user and password")
        self._url, self._opener = url, build_opener(_Stays)
        self.name = f"the webhook at {parts.hostname}"  # its path is often its key

    def tell(self, finding: Finding) -> None:
        """Tell it. Raises OSError."""
        body = json.dumps(finding.record).encode()
        head = {"Content-Type": "application/json", "User-Agent": f"mailsunset/{__version__}"}
        try:
            self._opener.open(Request(self._url, body, head), timeout=TIMEOUT_S).close()
        except HTTPError as fault:
            fault.close()
            raise OSError(f"it answered {fault.code}") from None
        except HTTPException as fault:
            raise OSError(f"it does not speak HTTP: {fault!r}") from None


class Syslog:
    """A line for each finding (RFC 5424), in a datagram to a socket here or by UDP (RFC 5426).

    Who listens at this machine's own log knows the lines that syslog(3) writes, and no others.
    """

    def __init__(self, place: str) -> None:
        """Check a path, or an address with or without a port. Raises ValueError."""
        has_paths = hasattr(socket, "AF_UNIX")  # Windows has none
        self._path = place if place.startswith("/") and has_paths else None
        self._write = _own_line if place == LOCAL_LOG else _line
        address, port = (place, "") if place.count(":") > 1 and "]" not in place else _split(place)
        self._address = address.strip("[]")
        is_address = self._address and not place.startswith("/") and (not port or 0 < _number(port) < 1 << 16)
        if not (self._path or is_address):
            raise ValueError("is not a place like syslog:10.0.0.1, syslog:10.0.0.1:514 or syslog:/dev/log")
        self._port = _number(port) if port else SYSLOG_PORT
        self.name = f"syslog at {place}"

    def tell(self, finding: Finding) -> None:
        """Tell it. Raises OSError."""
        line = self._write(finding)
        if self._path:
            self._send(socket.AF_UNIX, self._path, line)
            return
        family, *_, place = socket.getaddrinfo(self._address, self._port, type=socket.SOCK_DGRAM)[0]
        self._send(family, place, line)

    def _send(self, family: int, place: Any, line: bytes) -> None:
        with socket.socket(family, socket.SOCK_DGRAM) as link:
            link.settimeout(TIMEOUT_S)
            link.connect(place)
            link.send(line)


def destination(text: str) -> Destination:
    """Find out who is meant: an address, ``syslog``, ``syslog:ADDRESS[:PORT]``, ``syslog:/PATH``.

    Raises ValueError.
    """
    if text.startswith(("http://", "https://")):
        return Webhook(text)
    if text.partition(":")[0] == "syslog":
        return Syslog(text.removeprefix("syslog").removeprefix(":") or LOCAL_LOG)
    raise ValueError("is neither an address like https://example.com/hook nor syslog[:ADDRESS]")


def _split(place: str) -> tuple[str, str]:
    address, colon, port = place.rpartition(":")
    return (address, port) if colon and not port.endswith("]") else (place, "")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0


def _said(record: Record) -> str:
    """A finding in a line."""
    when = f" on {record['deadline']}" if record["deadline"] else ""
    who = ", ".join(
        filter(None, (record["host"], *record["addresses"][:1], *called(record)[:1], what(record)))
    )
    why = "".join(f": {reason['text']} ({reason['rule']})" for reason in record["reasons"][:1])
    said = f"{record['verdict']}{when}: {who}{why}"
    return _MARKUP.sub("\N{MIDDLE DOT}", visible(said)).encode()[:TEXT_BYTES].decode("utf-8", "ignore")


def _line(finding: Finding) -> bytes:
    host = re.sub(r"[^!-~]", "", socket.gethostname())[:255] or "-"
    head = f"<{_priority(finding)}>1 {finding.record['at']} {host} mailsunset {os.getpid()} finding -"
    return f"{head} {finding.text}".encode()


def _own_line(finding: Finding) -> bytes:
    now = time.strftime("%b %e %H:%M:%S")
    return f"<{_priority(finding)}>{now} mailsunset[{os.getpid()}]: {finding.text}".encode()


def _priority(finding: Finding) -> int:
    return _DAEMON * 8 + _SEVERITY[finding.level]
