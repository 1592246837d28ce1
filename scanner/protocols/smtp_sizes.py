"""SMTP in the dark: how long its commands and replies are.

Sizes are bytes with CRLF. Those of clients follow from the grammar (RFC 5321 4.1.1, RFC 4954 4), those of
Exchange Online's replies from its sentences (facts 3.1, 3.2), which a trailer with server, time and id may
follow; those of other servers are bands that hold the replies of a dozen products.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from scanner.protocols import sasl_sizes
from scanner.protocols.sasl_sizes import Frame
from scanner.sizes import END, OFFERED, Dialogue, Known, Script, Sizes, at, either, mix, scaled, span, spans

OFTEN = {
    "LOGIN": (0.32, 0.12), "PLAIN": (0.05, 0.14), "XOAUTH2": (0.06, 0.18), "OAUTHBEARER": (0.01, 0.02),
    "CRAM-MD5": (0.03, 0.0), "DIGEST-MD5": (0.02, 0.0), "NTLM": (0.02, 0.01), "GSSAPI": (0.001, 0.001),
    "SCRAM-SHA-1": (0.005, 0.005), "SCRAM-SHA-256": (0.005, 0.005),
}  # fmt: skip
"""How often each mechanism is used, without and with a first message in the command. Set by hand to what
programs do that can be configured for each, counted in a laboratory; ``make calibrate`` counts anew."""
SENDER = spans((0.6, 22, 46), (0.3, 18, 75), (0.1, 63, 130))
"""``MAIL FROM:<>``, an address, and perhaps its size."""
RECIPIENT = spans((0.65, 20, 44), (0.25, 15, 70), (0.1, 57, 110))
"""``RCPT TO:<>`` and an address."""
TOGETHER = spans((0.45, 45, 130), (0.15, 131, 260), (0.25, 261, 1200), (0.15, 1201, 4000))
"""An envelope in one go (RFC 2920), at times with the message (RFC 3030)."""
BODY = spans((0.03, 3, 60), (0.62, 61, 800), (0.2, 801, 8000), (0.15, 8001, 10_000_000))
"""A message; test mails are short."""
LOGIN_REFUSED = spans((0.15, 78, 92), (0.25, 112, 130), (0.3, 150, 172), (0.2, 173, 245), (0.1, 60, 260))
"""Exchange Online's 504, 535 and 550 to a login (facts 3.2), with its trailer in either length."""
MAIL_REFUSED = spans((0.3, 88, 96), (0.65, 128, 138), (0.05, 60, 260))
"""Likewise its 530 to who has not logged in, and seldom other words."""
STRANGER = "MAIL without a login"
"""Many servers tell who may not relay by the recipient only."""
LACKS = 8
"""Bytes that a reply to EHLO may lack inside TLS, STARTTLS taken out; some servers leave out more."""
OFFERS = {
    True: {"LOGIN XOAUTH2": 0.6, "LOGIN PLAIN XOAUTH2": 0.1, "": 0.1, None: 0.2},
    False: {"LOGIN XOAUTH2": 0.03, "": 0.1, None: 0.87},
}
"""How often Exchange Online (True) and others offer just these mechanisms, none, or whatever else (None)."""
_STARTTLS_LINE, _AUTH_LINE = 14, 11


@lru_cache(1024)
def dialogue(known: Known, offer: str | None = None) -> Dialogue:
    """The dialogue inside TLS with a server of which so much is known, and that offers these mechanisms."""
    named = _named(known.client_name)
    with_anybody = _dialogue(known.exchange > 0, offer)
    return with_anybody.resized(
        {"EHLO": (named, _hello(known, offer)), "HELO": (named, None), "EHLO refused": (named, None)}
    )


@lru_cache(64)
def _dialogue(exchange: bool, offer: str | None) -> Dialogue:
    """The dialogue of which nothing is known but whether the server speaks Exchange Online's sentences.

    To make it takes a hundred times as long as to put in what is known of one server and its client.
    """
    said, script = _Answers(exchange), Script()
    served = {"MAIL": 0.73, "MAIL and RCPT": 0.12, "MAIL and RCPT refused": 0.02, "QUIT": 0.03, END: 0.005,
              "RSET first": 0.03, "NOOP": 0.01, "EHLO": 0.02, "?": 0.02}  # fmt: skip
    refused: dict[str, float] = {}
    frame = Frame("AUTH", 7, 6, said.success, said.refusal, OFTEN, None if offer is None else offer.split())
    logins = sasl_sizes.logins(script, frame, (served, refused))
    refused |= {"QUIT": 0.4, END: 0.4, "RSET": 0.02, STRANGER: 0.02, "MAIL refused": 0.03,
                "not offered": 0.02, "?": 0.01, **scaled(logins, 0.14)}  # fmt: skip
    hello = {STRANGER: 0.13, "MAIL refused": 0.05, "MAIL and RCPT": 0.03, "MAIL and RCPT refused": 0.015,
             "QUIT": 0.03, "EHLO": 0.02, "NOOP": 0.01, "RSET": 0.01, END: 0.03, "not offered": 0.02,
             "?": 0.005, **scaled(logins, 0.72)}  # fmt: skip
    script.move("EHLO", _named(None), _hello(Known(), offer), hello, lines=True, alike=False)
    if offer is not None:
        told = f"EHLO{OFFERED}{offer or 'no login'}"
        script.moves["EHLO"] = replace(script.moves["EHLO"], name=told)
    old = {STRANGER: 0.35, "MAIL refused": 0.2, "EHLO": 0.12, "QUIT": 0.08, END: 0.05, **scaled(logins, 0.2)}
    script.move("HELO", _named(None), said.short, old, alike=False)
    script.move("EHLO refused", _named(None), said.refusal, {"HELO": 0.8, "QUIT": 0.1, END: 0.1}, alike=False)
    script.move("not offered", sasl_sizes.bare(7), said.refusal,
                {**scaled(logins, 0.5), "QUIT": 0.3, END: 0.15, "MAIL refused": 0.05})  # fmt: skip
    script.move("RSET", at(6), said.short, {"MAIL": 0.2, "QUIT": 0.65, END: 0.03, **scaled(logins, 0.12)})
    script.move("RSET first", at(6), said.short, {"MAIL": 0.9, "QUIT": 0.07, END: 0.03}, like="RSET")
    script.move(
        "NOOP", at(6), said.short, {"NOOP": 0.45, "QUIT": 0.3, STRANGER: 0.1, END: 0.1, **scaled(logins, 0.1)}
    )
    script.move("QUIT", at(6), said.farewell, {END: 0.995, "?": 0.005})
    script.move("?", mix((0.7, span(1, 200)), (0.3, span(201, 6000))), span(2, 600),
                {"?": 0.3, END: 0.3, "MAIL": 0.1, "EHLO": 0.1, "QUIT": 0.1,
                 **scaled(logins, 0.1)}, alike=False)  # fmt: skip
    _envelopes(script, said, logins)
    begins = {"EHLO": 0.9, "EHLO refused": 0.01, "HELO": 0.04, "?": 0.01, END: 0.01, STRANGER: 0.01,
              **scaled(logins, 0.02)}  # fmt: skip
    return Dialogue(script.moves, begins, exchange=exchange)


def _envelopes(script: Script, said: _Answers, logins: dict[str, float]) -> None:
    """Mail itself; an envelope may be refused for want of a login."""
    envelope = {"RCPT": 0.88, "RCPT refused": 0.02, "RCPT and DATA": 0.04, "QUIT": 0.02, END: 0.02,
                "RSET": 0.01, "?": 0.01}  # fmt: skip
    relaying = {**envelope, "RCPT": 0.58, "RCPT refused": 0.32}
    unwanted = {"QUIT": 0.42, END: 0.26, "RSET": 0.12, "RCPT": 0.03, "RCPT refused": 0.03,
                "RCPT and DATA": 0.05, "MAIL": 0.02, "?": 0.01, **scaled(logins, 0.08)}  # fmt: skip
    sent = {
        "QUIT": 0.7,
        END: 0.15,
        "MAIL": 0.06,
        "MAIL and RCPT": 0.03,
        "RSET": 0.03,
        "NOOP": 0.01,
        "?": 0.01,
    }
    together = {"DATA": 0.2, "?": 0.01, "body": 0.5, END: 0.15, "QUIT": 0.15}
    script.move("MAIL", SENDER, said.sender, envelope, hides=True)
    script.move(STRANGER, SENDER, said.sender, relaying, hides=True, like="MAIL")
    script.move("MAIL refused", SENDER, said.unwanted, unwanted, hides=True)
    script.move("MAIL and RCPT", TOGETHER, said.several, together, several=True, hides=True)
    script.move("MAIL and RCPT refused", TOGETHER, span(60, 650), {"QUIT late": 0.5, END: 0.4, "QUIT": 0.1},
                several=True, hides=True)  # fmt: skip
    script.move("the rest", TOGETHER, span(40, 400), sent, several=True, hides=True)
    script.move("QUIT late", at(6), span(30, 300), {END: 1.0}, several=True)
    script.move("RCPT", RECIPIENT, said.recipient,
                {"DATA": 0.87, "the rest": 0.02, "RCPT": 0.04, "RCPT refused": 0.02, "QUIT": 0.02,
                 "RSET": 0.01, END: 0.02})  # fmt: skip
    script.move("RCPT refused", RECIPIENT, said.unwanted,
                {"QUIT": 0.4, "RSET": 0.25, "RCPT": 0.1, END: 0.25})  # fmt: skip
    script.move("RCPT and DATA", spans((0.8, 24, 52), (0.2, 53, 130)), said.several,
                {"body": 0.8, END: 0.1, "QUIT": 0.1}, several=True)  # fmt: skip
    script.move("DATA", at(6), said.go_ahead, {"body": 0.99, END: 0.01})
    script.move("body", BODY, spans((0.8, 15, 130), (0.2, 6, 300)), sent)


class _Answers:
    """How long a server's replies are."""

    def __init__(self, exchange: bool) -> None:
        own = 0.95 if exchange else 0.08
        other = 1 - own
        some = spans((0.8, 8, 60), (0.2, 5, 160))
        no = spans((0.7, 24, 70), (0.2, 71, 130), (0.1, 10, 320))
        yes = spans((0.8, 14, 50), (0.2, 6, 110))
        self.short = some
        self.sender = mix((own, at(21)), (other, some))
        self.recipient = mix((own, at(24)), (other, some))
        self.go_ahead = mix((own, at(46)), (other * 0.9, span(18, 90)), (other * 0.1, some))
        self.farewell = mix((own, at(48)), (other * 0.3, span(9, 15)), (other * 0.7, some))
        self.several = mix((own, at(91, 45, 70)), (other, span(16, 300)))
        self.refusal = mix((own, LOGIN_REFUSED), (other, no))
        self.unwanted = mix((own, MAIL_REFUSED), (other, no))
        self.success = mix((own * 0.5, at(37)), (own * 0.5, span(86, 92)), (other, yes))


def _hello(known: Known, offer: str | None) -> Sizes:
    """In clear it was heard already: what is missing is STARTTLS, what comes is AUTH."""
    if known.reply is None:
        return spans((0.75, 80, 280), (0.2, 60, 420), (0.05, 20, 900))
    base = known.reply - _STARTTLS_LINE
    if offer is not None:
        return at(base + (_AUTH_LINE + len(offer) if offer else 0))
    return mix((0.9, span(base - LACKS, base + 90)), (0.1, span(20, 900)))


def _named(name: int | None) -> Sizes:
    if name is None:
        return spans((0.8, 8, 45), (0.15, 46, 75), (0.05, 76, 270))
    return mix((0.9, at(7 + name)), (0.1, span(8, 75)))


def dialogues(known: Known) -> list[tuple[float, Dialogue]]:
    """The dialogue with Exchange Online and with any other server, and what each may offer.

    What is offered shows by how much longer the reply to EHLO is inside TLS than in clear, if that was heard.
    """
    return [
        (weight * often, dialogue(kind, offer))
        for weight, kind in either(known)
        for offer, often in (OFFERS[kind.exchange > 0] if known.reply else {None: 1.0}).items()
    ]
