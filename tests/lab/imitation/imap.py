"""The IMAP server's half, in one persona's words; everybody's mailbox is empty."""

from __future__ import annotations

import base64
import re
import shlex

from imitation.persona import ImapTexts
from imitation.sasl import Cancelled, decoded, login
from imitation.talk import Talk

LITERAL = re.compile(rb"\{(\d+)(\+?)\}$")


class Imap:
    """One conversation."""

    def __init__(self, talk: Talk, texts: ImapTexts) -> None:
        """Over this connection, in these words."""
        self._talk, self._texts = talk, texts
        self._logged_in = False

    def run(self) -> None:
        """Talk until the client takes leave; Gone ends it otherwise."""
        talk, texts = self._talk, self._texts
        talk.say(texts.greeting)
        while True:
            tag, _, rest = self._command().partition(" ")
            verb, _, rest = rest.partition(" ")
            verb = verb.upper()
            match verb:
                case "LOGOUT":
                    talk.say(texts.bye, f"{tag} {texts.logout_ok}")
                    return
                case "STARTTLS" if not talk.encrypted:
                    talk.say(f"{tag} {texts.starttls_ok}")
                    talk.secure()
                case "LOGIN":
                    self._login(tag, rest)
                case "AUTHENTICATE":
                    self._authenticate(tag, rest)
                case "CAPABILITY":
                    talk.say(f"* CAPABILITY {self._capabilities()}", f"{tag} {texts.capability_ok}")
                case "ID" if texts.identity:
                    talk.say(texts.identity, self._done(tag, verb))
                case "NOOP":
                    talk.say(self._done(tag, verb))
                case _ if self._logged_in:
                    self._mailbox(tag, verb, rest)
                case _:
                    talk.say(f"{tag} {texts.bad}")
            tried = talk.deed.last
            if texts.hangs_up and tried and not self._logged_in and tried.mechanism != "XOAUTH2":
                talk.say(texts.bye)
                return

    def _capabilities(self) -> str:
        texts = self._texts
        if self._logged_in:
            return texts.capabilities_after
        if self._talk.encrypted:
            return texts.capabilities
        kept = [word for word in texts.capabilities.split() if not word.startswith(("AUTH=", "LOGINDIS"))]
        return " ".join([*kept, "STARTTLS", "LOGINDISABLED"])

    def _done(self, tag: str, verb: str) -> str:
        return f"{tag} {self._texts.done.format(verb=verb)}"

    def _command(self) -> str:
        """Give a command with its literals put in as quoted strings."""
        line = self._talk.line()
        while found := LITERAL.search(line):
            if not found[2]:
                self._talk.say("+ Ready for additional command text.")
            inside = self._talk.exactly(int(found[1])).decode(errors="replace")
            quoted = '"' + inside.replace("\\", "\\\\").replace('"', '\\"') + '"'
            line = line[: found.start()] + quoted.encode() + self._talk.line()
        return line.decode(errors="replace")

    def _finish(self, tag: str, accepted: bool, yes: str, no: str) -> None:
        talk, texts = self._talk, self._texts
        tried = talk.deed.last
        assert tried
        tried.outcome = "accepted" if accepted else "refused"
        if not accepted:
            talk.wait()
            talk.say(f"{tag} {no.replace('{user}', talk.session.user)}")
            return
        self._logged_in = True
        after = [f"* CAPABILITY {texts.capabilities_after}"] if texts.untagged_after else []
        talk.say(*after, f"{tag} {yes.replace('{user}', talk.session.user)}")

    def _login(self, tag: str, rest: str) -> None:
        talk, texts = self._talk, self._texts
        try:
            words = shlex.split(rest)
        except ValueError:
            words = rest.split()
        if not talk.encrypted:
            talk.say(f"{tag} {texts.bad}")
            return
        talk.deed.tried("IMAP-LOGIN")
        accepted = len(words) == 2 and talk.session.accepts("IMAP-LOGIN", *words)
        self._finish(tag, accepted and not texts.login_disabled, texts.login_ok, texts.login_no)

    def _ask(self, challenge: bytes) -> bytes | None:
        code = base64.b64encode(challenge).decode()
        self._talk.say(f"+ {code}" if code else self._texts.challenge)
        answer = self._talk.line()
        return None if answer == b"*" else decoded(answer)

    def _authenticate(self, tag: str, rest: str) -> None:
        talk, texts = self._talk, self._texts
        name, _, initial = rest.strip().partition(" ")
        mechanism = name.strip('"').upper()
        if not talk.encrypted:
            talk.say(f"{tag} {texts.bad}")
            return
        talk.deed.tried(mechanism, bool(initial))
        if f"AUTH={mechanism}" not in texts.capabilities.upper().split():
            self._finish(tag, False, "", texts.not_offered)
            return
        first = (b"" if initial == "=" else decoded(initial.encode())) if initial else None
        try:
            accepted = login(talk, mechanism, first, self._ask, texts.challenges, texts.token_json)
        except Cancelled:
            accepted = False
        self._finish(tag, accepted, texts.authenticate_ok, texts.authenticate_no)

    def _mailbox(self, tag: str, verb: str, rest: str) -> None:
        """Say as little as an empty mailbox allows."""
        talk, done = self._talk, self._done(tag, verb)
        match verb:
            case "LIST" | "XLIST" | "LSUB":
                name = "INBOX" if rest.rstrip('"').endswith(("%", "*", "INBOX")) else ""
                flags = r"(\HasNoChildren)" if name else r"(\Noselect)"
                talk.say(f'* {verb} {flags} "/" {name or chr(34) * 2}', done)
            case "SELECT" | "EXAMINE":
                flags = r"(\Seen \Answered \Flagged \Deleted \Draft)"
                talk.say(
                    f"* FLAGS {flags}", "* 0 EXISTS", "* 0 RECENT",
                    rf"* OK [PERMANENTFLAGS {flags}] Permanent flags", "* OK [UIDVALIDITY 14] UIDs valid",
                    "* OK [UIDNEXT 1] Predicted next UID",
                    f"{tag} OK [READ-{'WRITE' if verb == 'SELECT' else 'ONLY'}] {verb} completed.",
                )  # fmt: skip
            case "STATUS":
                name = rest.partition(" ")[0]
                talk.say(f"* STATUS {name} (MESSAGES 0 UNSEEN 0 UIDNEXT 1 UIDVALIDITY 14)", done)
            case "NAMESPACE":
                talk.say('* NAMESPACE (("" "/")) NIL NIL', done)
            case "UID" if rest.upper().startswith("SEARCH"):
                talk.say("* SEARCH", done)
            case "SEARCH":
                talk.say("* SEARCH", done)
            case "IDLE":
                talk.say("+ IDLE accepted, awaiting DONE command.")
                talk.line()
                talk.say(done)
            case _:
                talk.say(done)
