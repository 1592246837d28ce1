"""The SMTP server's half, in one persona's words; it notes what the client tried."""

from __future__ import annotations

import base64
import re

from imitation.persona import SmtpTexts
from imitation.sasl import Cancelled, decoded, login
from imitation.talk import Talk

MAX_MAIL = 1 << 20


class Smtp:
    """One conversation."""

    def __init__(self, talk: Talk, texts: SmtpTexts) -> None:
        """Over this connection, in these words."""
        self._talk, self._texts = talk, texts
        self._inside = self._logged_in = False

    def run(self) -> None:
        """Talk until the client takes leave; Gone ends it otherwise."""
        talk, texts = self._talk, self._texts
        talk.say(*texts.greeting)
        while True:
            line = talk.line()
            verb, _, rest = line.decode(errors="replace").partition(" ")
            match verb.upper():
                case "EHLO":
                    self._hear_name(rest)
                    self._offer(rest)
                case "HELO":
                    self._hear_name(rest)
                    talk.say(texts.helo.format(name=rest))
                case "STARTTLS" if not talk.encrypted:
                    talk.say(texts.starttls_ready)
                    talk.secure()
                case "AUTH":
                    self._auth(rest)
                case "QUIT":
                    talk.say(texts.bye)
                    return
                case "NOOP":
                    talk.say(texts.noop)
                case "RSET":
                    talk.say(texts.reset)
                case "MAIL" | "RCPT" | "DATA" | "BDAT":
                    self._envelope(verb.upper(), rest)
                case _:
                    talk.say(texts.unknown.format(verb=verb))

    def _hear_name(self, name: str) -> None:
        if not self._talk.encrypted:
            self._talk.deed.client_name = name

    def _offer(self, name: str) -> None:
        texts = self._texts
        lines = list(texts.features)
        if not self._talk.encrypted:
            lines.insert(texts.starttls_place, "STARTTLS")
        elif texts.mechanisms:
            place = texts.starttls_place if texts.auth_place < 0 else texts.auth_place
            form = texts.auth_form.format(mechanisms=" ".join(texts.mechanisms))
            lines[place:place] = form.split("|")
        lines.insert(0, texts.hello.format(name=name))
        replies = [f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"]
        if texts.greets_together:
            self._talk.say(*replies)
        else:
            for reply in replies:
                self._talk.say(reply)

    def _ask(self, challenge: bytes) -> bytes | None:
        code = base64.b64encode(challenge).decode()
        self._talk.say(f"334 {code}" if code else self._texts.empty_challenge)
        answer = self._talk.line()
        return None if answer == b"*" else decoded(answer)

    def _auth(self, rest: str) -> None:
        talk, texts = self._talk, self._texts
        name, _, initial = rest.strip().partition(" ")
        mechanism = name.upper()
        if not talk.encrypted:
            talk.say(texts.needs_tls)
            return
        tried = talk.deed.tried(mechanism, bool(initial))
        if mechanism not in texts.mechanisms:
            tried.outcome = "refused"
            talk.say(texts.not_offered)
            return
        first = (b"" if initial == "=" else decoded(initial.encode())) if initial else None
        try:
            accepted = login(talk, mechanism, first, self._ask, texts.challenges, texts.token_json)
        except Cancelled:
            tried.outcome = "refused"
            talk.say(texts.cancelled)
            return
        tried.outcome = "accepted" if accepted else "refused"
        if accepted:
            self._logged_in = True
            talk.say(texts.accepted.replace("{user}", talk.session.user))
            return
        talk.wait()
        refusals = dict(texts.refusals)
        talk.say(refusals.get(talk.session.refusal or "", next(iter(refusals.values()))))

    def _envelope(self, verb: str, rest: str) -> None:
        talk, texts = self._talk, self._texts
        if verb == "BDAT":
            size = int(re.match(r"\d+", rest)[0])  # type: ignore[index]
            talk.exactly(min(size, MAX_MAIL))
        if (
            texts.needs_login_at
            and not self._logged_in
            and (verb != "MAIL" or texts.needs_login_at == "MAIL")
        ):
            talk.say(texts.needs_login)
            return
        match verb:
            case "MAIL":
                talk.say(texts.sender_ok.format(sender=_path(rest)))
            case "RCPT":
                talk.say(texts.recipient_ok.format(recipient=_path(rest)))
            case "DATA":
                talk.say(texts.data_go)
                while talk.line() != b".":
                    pass
                self._queued()
            case "BDAT" if rest.upper().endswith("LAST"):
                self._queued()
            case "BDAT":
                talk.say(texts.chunk_ok.format(size=rest))

    def _queued(self) -> None:
        self._talk.deed.mails += 1
        self._talk.say(self._texts.queued)


def _path(rest: str) -> str:
    found = re.search(r"<([^>]*)>", rest)
    return found[1] if found else ""
