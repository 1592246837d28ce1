"""The POP3 server's half, in one persona's words."""

from __future__ import annotations

import base64

from imitation.persona import Pop3Texts
from imitation.sasl import Cancelled, decoded, login
from imitation.talk import Talk

MAIL = ("From: a@example.com", "To: b@example.net", "Subject: lab", "", "scan")
SIZE = sum(len(line) + 2 for line in MAIL)


class Pop3:
    """One conversation."""

    def __init__(self, talk: Talk, texts: Pop3Texts, messages: int) -> None:
        """Over this connection, in these words, with so many messages waiting."""
        self._talk, self._texts, self._messages = talk, texts, messages
        self._logged_in = False
        self._user: str | None = None

    def run(self) -> None:
        """Talk until the client takes leave; Gone ends it otherwise."""
        talk, texts = self._talk, self._texts
        talk.say(texts.greeting)
        while True:
            verb, _, rest = talk.line().decode(errors="replace").partition(" ")
            match verb.upper():
                case "QUIT":
                    talk.say(texts.bye.format(user=talk.session.user))
                    return
                case "STLS" if not talk.encrypted:
                    talk.say(texts.stls_ok)
                    talk.secure()
                case "CAPA":
                    talk.say(texts.capa_ok, *self._capabilities(), ".")
                case "USER" if talk.encrypted:
                    self._user = rest
                    talk.say(texts.user_ok.format(user=rest))
                case "PASS" if talk.encrypted and self._user is not None:
                    talk.deed.tried("USERPASS")
                    accepted = talk.session.accepts("USERPASS", self._user, rest)
                    self._finish(accepted, texts.pass_ok, texts.pass_no)
                case "APOP" if talk.encrypted:
                    talk.deed.tried("APOP")
                    stamped = "<" in texts.greeting
                    accepted = stamped and talk.session.accepts("APOP", rest.partition(" ")[0], None)
                    self._finish(accepted, texts.pass_ok, texts.pass_no)
                case "AUTH" if talk.encrypted and rest:
                    self._auth(rest)
                case "NOOP" | "RSET":
                    talk.say(texts.done)
                case name if self._logged_in:
                    self._mailbox(name, rest)
                case _:
                    talk.say(texts.bad)

    def _capabilities(self) -> list[str]:
        if self._talk.encrypted:
            return list(self._texts.capabilities)
        kept = [line for line in self._texts.capabilities if not line.startswith(("SASL", "USER"))]
        return [*kept, "STLS"]

    def _finish(self, accepted: bool, yes: str, no: str) -> None:
        tried = self._talk.deed.last
        assert tried
        if self._texts.passwords_off and tried.mechanism != "XOAUTH2":
            accepted = False
        tried.outcome = "accepted" if accepted else "refused"
        self._logged_in = accepted
        if not accepted:
            self._talk.wait()
        said = yes if accepted else no
        user = self._talk.session.user
        self._talk.say(said.format(count=self._messages, size=self._messages * SIZE, user=user))

    def _ask(self, challenge: bytes) -> bytes | None:
        code = base64.b64encode(challenge).decode()
        self._talk.say(f"+ {code}" if code else self._texts.challenge)
        answer = self._talk.line()
        return None if answer == b"*" else decoded(answer)

    def _auth(self, rest: str) -> None:
        talk, texts = self._talk, self._texts
        name, _, initial = rest.strip().partition(" ")
        mechanism = name.upper()
        talk.deed.tried(mechanism, bool(initial))
        offered = next((line.split()[1:] for line in texts.capabilities if line.startswith("SASL")), [])
        if mechanism not in offered:
            self._finish(False, "", texts.bad)
            return
        first = decoded(initial.encode()) if initial else None
        try:
            accepted = login(talk, mechanism, first, self._ask, texts.challenges, texts.token_json)
        except Cancelled:
            accepted = False
        self._finish(accepted, texts.auth_ok, texts.auth_no)

    def _mailbox(self, name: str, rest: str) -> None:
        talk, texts, count = self._talk, self._texts, self._messages
        sizes = {"count": count, "size": count * SIZE}
        match name.upper():
            case "STAT":
                talk.say(texts.stat.format_map(sizes))
            case "LIST" if not rest:
                talk.say(texts.listing.format_map(sizes), *(f"{n} {SIZE}" for n in range(1, count + 1)), ".")
            case "UIDL" if not rest:
                talk.say(texts.uidl, *(f"{n} AAA{n:012}" for n in range(1, count + 1)), ".")
            case "LIST":
                talk.say(f"+OK {rest} {SIZE}")
            case "UIDL":
                talk.say(f"+OK {rest} AAA{int(rest):012}")
            case "RETR" | "TOP":
                talk.say(texts.done, *MAIL, ".")
            case _:
                talk.say(texts.done)
