"""What a mail server's greeting says of its program: without status, date, and what is new every time."""

from __future__ import annotations

import re

from scanner.protocols.announcement import TEXT_LENGTH

_STATUS = {"imap": re.compile(r"\S+ *(?:\[CAPABILITY [^\]]*\])?"), "pop3": re.compile(r"\S+")}
"""``OK`` with IMAP's abilities, which are told as an offer; ``+OK``. Of SMTP the code is gone already."""
TIMESTAMP = re.compile(r"<[^<>@\s]+@[^<>\s]+>")
"""What APOP's digest is made with (RFC 1939 7)."""
_PASSING = re.compile(
    r"(?:[Mm]on|[Tt]ue|[Ww]ed|[Tt]hu|[Ff]ri|[Ss]at|[Ss]un)[a-z]*,? [\w ]{5,12} \d\d:\d\d(?::\d\d)?"
    r"(?: \d{4})?(?: [+-]\d{4})?(?: \(?[A-Z]{3,4}\b\)?)?"  # a date, RFC 5322 3.3 or as asctime(3) writes it
    r"|\[[A-Za-z0-9+/=]{12,}\]"  # Exchange's session or back end
    rf"|{TIMESTAMP.pattern}"
)
"""What differs from one session to the next; kept, it would make a new fact of each."""


def banner(protocol: str, greeting: str) -> str:
    """Give a greeting's text as it is in every session, at most 255 characters."""
    status = _STATUS.get(protocol)
    if status and (found := status.match(greeting)):
        greeting = greeting[found.end() :]
    return " ".join(_PASSING.sub("", greeting).split()).rstrip(" ;,")[:TEXT_LENGTH]
