"""What a server says: one product's sentences for each protocol, and its manners."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SmtpTexts:
    """What it says over SMTP; lines without their CRLF. ``{name}`` is the client's, ``{host}`` its own."""

    greeting: tuple[str, ...]
    hello: str
    features: tuple[str, ...]
    """Lines of the EHLO reply without AUTH and STARTTLS."""
    helo: str
    starttls_ready: str
    mechanisms: tuple[str, ...]
    """Offered inside TLS; in the clear none is."""
    auth_form: str = "AUTH {mechanisms}"
    """The line or, with ``|`` between them, the lines of its offer."""
    auth_place: int = -1
    """Where in the reply the AUTH line stands; -1: where STARTTLS stood before."""
    starttls_place: int = 4
    challenges: tuple[str, str] = ("Username:", "Password:")
    """Of LOGIN, before base64."""
    empty_challenge: str = "334 "
    accepted: str = "235 2.7.0 Authentication successful"
    refusals: tuple[tuple[str, str], ...] = (("", "535 5.7.3 Authentication unsuccessful"),)
    """Key and line; the first is the default."""
    token_json: str | None = None
    """Told as a challenge to a refused token, which the client has to answer; None: refused at once."""
    not_offered: str = "504 5.7.4 Unrecognized authentication type"
    sender_ok: str = "250 2.1.0 Sender OK"
    recipient_ok: str = "250 2.1.5 Recipient OK"
    data_go: str = "354 Start mail input; end with <CRLF>.<CRLF>"
    queued: str = "250 2.0.0 OK queued"
    chunk_ok: str = "250 2.6.0 {size} bytes received"
    reset: str = "250 2.0.0 Resetting"
    noop: str = "250 2.0.0 OK"
    bye: str = "221 2.0.0 Service closing transmission channel"
    unknown: str = "500 5.3.3 Unrecognized command"
    needs_login: str = "530 5.7.57 Client not authenticated to send mail."
    needs_login_at: str = "MAIL"
    """The command that it refuses to who has not logged in."""
    needs_tls: str = "530 5.7.0 Must issue a STARTTLS command first"
    cancelled: str = "501 5.7.0 Authentication cancelled"
    greets_together: bool = True
    """The EHLO reply's lines leave in one record."""


@dataclass(frozen=True, slots=True)
class ImapTexts:
    """What it says over IMAP, after the tag or the star."""

    greeting: str
    capabilities: str
    """Inside TLS, before login."""
    capabilities_after: str
    capability_ok: str = "OK CAPABILITY completed."
    login_ok: str = "OK LOGIN completed."
    authenticate_ok: str = "OK AUTHENTICATE completed."
    login_no: str = "NO LOGIN failed."
    authenticate_no: str = "NO AUTHENTICATE failed."
    challenge: str = "+ "
    token_json: str | None = None
    untagged_after: bool = False
    """It tells its capabilities after a login, unasked."""
    starttls_ok: str = "OK Begin TLS negotiation now."
    bye: str = "* BYE Microsoft Exchange Server IMAP4 server signing off."
    logout_ok: str = "OK LOGOUT completed."
    done: str = "OK {verb} completed."
    bad: str = "BAD Command Error. 12"
    identity: str | None = '* ID ("name" "Microsoft.Exchange.Imap4.Imap4Server" "version" "15.20")'
    not_offered: str = "NO AUTHENTICATE failed."
    hangs_up: bool = False
    """It says BYE after a refused login."""
    challenges: tuple[str, str] = ("Username:", "Password:")
    login_disabled: bool = False
    """LOGIN is refused before the password is looked at."""


@dataclass(frozen=True, slots=True)
class Pop3Texts:
    """What it says over POP3."""

    greeting: str
    capabilities: tuple[str, ...]
    """Inside TLS."""
    capa_ok: str = "+OK"
    user_ok: str = "+OK"
    pass_ok: str = "+OK User successfully logged on."
    auth_ok: str = "+OK User successfully authenticated."
    pass_no: str = "-ERR Logon failure: unknown user name or bad password."
    auth_no: str = "-ERR Authentication failure: unknown user name or bad password."
    challenge: str = "+ "
    token_json: str | None = None
    stls_ok: str = "+OK Begin TLS negotiation."
    stat: str = "+OK {count} {size}"
    listing: str = "+OK {count} {size}"
    uidl: str = "+OK"
    bye: str = "+OK Microsoft Exchange Server POP3 server signing off."
    done: str = "+OK"
    bad: str = "-ERR Protocol error. 14"
    challenges: tuple[str, str] = ("Username:", "Password:")
    passwords_off: bool = False
    """Passwords are refused whoever says them."""


@dataclass(frozen=True, slots=True)
class Persona:
    """A server: its name in labels, where it stands, and what it says."""

    name: str
    address: str
    host: str
    """What it calls itself."""
    smtp: SmtpTexts | None = None
    imap: ImapTexts | None = None
    pop3: Pop3Texts | None = None
    names: tuple[str, ...] = ()
    """Names by which clients know it."""
    gathers: bool = False
    """Answers to pipelined commands leave together."""
    messages: int = 0
    """In everybody's mailbox."""
    product: str | None = None
    """The real program behind it, where it only passes on."""
    offers: frozenset[str] = frozenset()
    """Mechanisms of the real program."""
    web: str | None = None
    """What it is over HTTP."""
    ports: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Port: protocol and how TLS begins there."""
    six: str | None = None
