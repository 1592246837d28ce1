"""What a login was, heard from both sides of a real server's dialogue; lines in the clear."""

from __future__ import annotations

from imitation.truth import Deed


class Observer:
    """One conversation; what is tried and what comes of it goes to the deed."""

    def __init__(self, deed: Deed) -> None:
        """Of this connection."""
        self._deed = deed
        self._heard = {True: b"", False: b""}
        self._pending: str | None = None
        """What decides: for SMTP and POP3 ``AUTH``, for IMAP the tag."""
        self._body = False
        self._skip = 0
        self._asked: list[str] = []
        self._many = False
        self.turns_tls = False
        """The server has just agreed to begin TLS."""
        self._wants_tls: str | None = None
        self.encrypted = False

    def hear(self, client: bool, data: bytes) -> None:
        """Take what one side said."""
        if client and self._skip:
            skipped, data = data[: self._skip], data[self._skip :]
            self._skip -= len(skipped)
        self._heard[client] += data
        while b"\n" in self._heard[client]:
            line, _, self._heard[client] = self._heard[client].partition(b"\n")
            text = line.rstrip(b"\r").decode(errors="replace")
            getattr(self, f"_{self._deed.protocol}_{'client' if client else 'server'}")(text)

    def _end(self, accepted: bool) -> None:
        self._pending = None
        if self._deed.last:
            self._deed.last.outcome = "accepted" if accepted else "refused"

    def _smtp_client(self, line: str) -> None:
        if self._body:
            if line == ".":
                self._body = False
                self._deed.mails += 1
            return
        if self._pending:
            return
        verb, _, rest = line.partition(" ")
        match verb.upper():
            case "AUTH":
                name, _, initial = rest.strip().partition(" ")
                self._deed.tried(name.upper(), bool(initial))
                self._pending = "AUTH"
            case "EHLO" | "HELO" if not self.encrypted:
                self._deed.client_name = rest
            case "STARTTLS":
                self._wants_tls = "220"
            case "BDAT":
                size = int(rest.split()[0])
                inside = self._heard[True][:size]
                self._heard[True] = self._heard[True][size:]
                self._skip = size - len(inside)
                self._deed.mails += rest.upper().endswith("LAST")

    def _smtp_server(self, line: str) -> None:
        code, more = line[:3], line[3:4] == "-"
        if self._wants_tls and not more:
            self.turns_tls, self._wants_tls = code == self._wants_tls, None
        elif self._pending and not more and code != "334":
            self._end(code[:1] == "2")
        elif code == "354":
            self._body = True

    def _imap_client(self, line: str) -> None:
        if self._pending:
            return
        tag, _, rest = line.partition(" ")
        verb, _, rest = rest.partition(" ")
        match verb.upper():
            case "LOGIN":
                self._deed.tried("IMAP-LOGIN")
                self._pending = tag
            case "AUTHENTICATE":
                name, _, initial = rest.strip().partition(" ")
                self._deed.tried(name.strip('"').upper(), bool(initial))
                self._pending = tag
            case "STARTTLS":
                self._wants_tls = tag

    def _imap_server(self, line: str) -> None:
        tag, _, rest = line.partition(" ")
        if self._wants_tls and tag == self._wants_tls:
            self.turns_tls, self._wants_tls = rest.upper().startswith("OK"), None
        elif self._pending and tag == self._pending:
            self._end(rest.upper().startswith("OK"))

    def _pop3_client(self, line: str) -> None:
        if self._pending:
            return
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        self._asked.append(verb if rest or verb not in ("LIST", "UIDL") else f"{verb} all")
        if verb == "AUTH" and rest:
            name, _, initial = rest.strip().partition(" ")
            self._deed.tried(name.upper(), bool(initial))
            self._pending = "AUTH"
        elif verb in ("PASS", "APOP"):
            self._deed.tried("USERPASS" if verb == "PASS" else "APOP")

    def _pop3_server(self, line: str) -> None:
        if self._many:
            self._many = line != "."
            return
        if line.startswith("+ ") or line == "+" or not self._asked:
            return
        asked, fine = self._asked.pop(0), line.startswith("+OK")
        if asked in ("PASS", "APOP") or (asked == "AUTH" and self._pending):
            self._end(fine)
        elif asked == "STLS":
            self.turns_tls = fine
        self._many = fine and asked in ("CAPA", "LIST all", "UIDL all", "RETR", "TOP")
