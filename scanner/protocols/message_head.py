"""The head of a message in transit (RFC 5322 2.2): which program wrote it, and nothing else of it.

A message that has been passed on already (a Received line, RFC 5321 4.4) tells nothing of who passes it on.
"""

from __future__ import annotations

from scanner.events import Label
from scanner.protocols.announcement import TEXT_LENGTH, clean

LINES_READ = 256
"""Lines of a head looked at: lists of recipients make a few dozen; what is beyond passes as a body does."""
BYTES_READ = 8192
"""Bytes of a BDAT chunk looked at for the head; likewise."""
MESSAGES_READ = 4
"""Messages of a conversation whose head is read: a program tells the same in each."""
_FIELDS = {b"x-mailer": "mail.x_mailer", b"user-agent": "mail.user_agent"}
_INITIALS = frozenset(b"XxUuRr \t")
"""How the lines begin that matter, their continuations included (RFC 5322 2.2.3)."""
_BLANKS = frozenset(b" \t")


class MessageHead:
    """Reads line by line until it is over."""

    __slots__ = ("_field", "_found", "_lines", "_value")

    def __init__(self, found: list[Label]) -> None:
        """Begin before the first line; what is found is added to a list."""
        self._found = found
        self._field = ""
        self._value = b""
        self._lines = 0

    def read(self, line: bytes) -> bool:
        """Read the next line; False: that was the last, and this need not be called again."""
        self._lines += 1
        initial = line[0] if line else None
        if initial in _BLANKS:
            if self._field and len(self._value) <= TEXT_LENGTH:
                self._value += line
        else:
            self.close()
            if initial in _INITIALS:
                name, colon, value = line.partition(b":")
                name = name.rstrip().lower() if colon else b""
                if name == b"received":
                    return False
                self._field, self._value = _FIELDS.get(name, ""), value
        return bool(line) and line != b"." and self._lines < LINES_READ

    def read_whole(self, raw: bytes) -> None:
        """Read a block; a last line without an end is not read, as its rest may follow."""
        lowered = raw.lower()
        if not self._field and b"x-mailer" not in lowered and b"user-agent" not in lowered:
            return
        for line in raw.split(b"\n")[:-1]:
            if not self.read(line.removesuffix(b"\r")):
                return
        self.close()

    def close(self) -> None:
        """Keep a field whose last line was read."""
        if self._field and (text := clean(self._value)):
            label = Label(self._field, text)
            if label not in self._found:
                self._found.append(label)
        self._field = ""
