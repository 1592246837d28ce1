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
from scanner.sizes import END, Dialogue, Known, Script, Sizes, at, either, mix, scaled, span

OFTEN = {
    "LOGIN": (0.27, 0.13), "PLAIN": (0.05, 0.12), "XOAUTH2": (0.08, 0.22), "OAUTHBEARER": (0.01, 0.02),
    "CRAM-MD5": (0.03, 0.0), "DIGEST-MD5": (0.02, 0.0), "NTLM": (0.02, 0.01), "GSSAPI": (0.001, 0.001),
    "SCRAM-SHA-1": (0.005, 0.005), "SCRAM-SHA-256": (0.005, 0.005),
}  # fmt: skip
"""How often each mechanism is used, without and with a first message in the command. Set by hand to what
programs do that can be configured for each, counted in a laboratory; ``make calibrate`` counts anew."""
SENDER = mix((0.85, span(20, 62)), (0.15, span(63, 130)))
"""``MAIL FROM:<>``, an address, and perhaps its size."""
RECIPIENT = mix((0.88, span(17, 56)), (0.12, span(57, 110)))
"""``RCPT TO:<>`` and an address."""
TOGETHER = mix((0.6, span(45, 260)), (0.4, span(261, 4000)))
"""An envelope in one go (RFC 2920), at times with the message (RFC 3030)."""
BODY = mix((0.03, span(3, 60)), (0.62, span(61, 800)), (0.2, span(801, 8000)), (0.15, span(8001, 10_000_000)))
"""A message; test mails are short."""
LACKS = 8
"""Bytes that a reply to EHLO may lack inside TLS, STARTTLS taken out; some servers leave out more."""
OFFERS = {
    True: {"LOGIN XOAUTH2": 0.6, "": 0.1, None: 0.3},
    False: {"LOGIN XOAUTH2": 0.03, "": 0.1, None: 0.87},
}
"""How often Exchange Online (True) and others offer just these mechanisms, none, or whatever else (None)."""
UNOFFERED = 0.06
"""How much rarer a mechanism is used that was not offered."""
_STARTTLS_LINE, _AUTH_LINE = 14, 11


@lru_cache(1024)
def dialogue(known: Known, offer: str | None = None) -> Dialogue:
    """The dialogue inside TLS with a server of which so much is known, and that offers these mechanisms."""
    named = _named(known.client_name)
    with_anybody = _dialogue(known.exchange > 0, offer)
    return with_anybody.resized({"EHLO": (named, _hello(known, offer)), "HELO": (named, None)})


@lru_cache(64)
def _dialogue(exchange: bool, offer: str | None) -> Dialogue:
    """The dialogue of which nothing is known but whether the server speaks Exchange Online's sentences.

    To make it takes a hundred times as long as to put in what is known of one server and its client.
    """
    said, script = _Answers(exchange), Script()
    often = OFTEN
    if offer is not None:
        rare = {name: UNOFFERED for name in OFTEN if name not in offer.split()}
        often = {name: (a * rare.get(name, 1), b * rare.get(name, 1)) for name, (a, b) in OFTEN.items()}
    served = {"MAIL": 0.62, "MAIL and RCPT": 0.12, "QUIT": 0.1, END: 0.1, "RSET": 0.03,
              "EHLO": 0.01, "?": 0.02}  # fmt: skip
    refused: dict[str, float] = {}
    frame = Frame("AUTH", 7, 6, said.success, said.refusal, often)
    logins = sasl_sizes.logins(script, frame, (served, refused))
    refused |= {"QUIT": 0.4, END: 0.4, "RSET": 0.02, "MAIL": 0.05, "MAIL refused": 0.03, "?": 0.02}
    refused |= scaled(logins, 0.14)
    hello = {"MAIL": 0.13, "MAIL refused": 0.04, "MAIL and RCPT": 0.03, "MAIL and RCPT refused": 0.015,
             "QUIT": 0.03, "EHLO": 0.02, "NOOP": 0.01,
             "RSET": 0.01, END: 0.03, "not offered": 0.01, "?": 0.01, **scaled(logins, 0.72)}  # fmt: skip
    script.move("EHLO", _named(None), _hello(Known(), offer), hello, alike=False)
    if offer is not None:
        told = f"EHLO, offered {offer}" if offer else "EHLO, no login offered"
        script.moves["EHLO"] = replace(script.moves["EHLO"], name=told)
    script.move("HELO", _named(None), said.short, hello, alike=False)
    script.move(
        "not offered", sasl_sizes.bare(7), said.refusal, {**scaled(logins, 0.5), "QUIT": 0.3, END: 0.2}
    )
    script.move("RSET", at(6), said.short, {"MAIL": 0.6, "QUIT": 0.15, END: 0.1, **scaled(logins, 0.15)})
    script.move(
        "NOOP", at(6), said.short, {"NOOP": 0.3, "QUIT": 0.4, "MAIL": 0.1, END: 0.1, **scaled(logins, 0.1)}
    )
    script.move("QUIT", at(6), said.farewell, {END: 0.995, "?": 0.005})
    script.move("?", mix((0.7, span(1, 200)), (0.3, span(201, 6000))), span(2, 600),
                {"?": 0.3, END: 0.3, "MAIL": 0.1, "EHLO": 0.1, "QUIT": 0.1,
                 **scaled(logins, 0.1)}, alike=False)  # fmt: skip
    _envelopes(script, said, logins)
    begins = {"EHLO": 0.9, "HELO": 0.04, "?": 0.01, END: 0.01, "MAIL": 0.01, **scaled(logins, 0.02)}
    return Dialogue(script.moves, begins)


def _envelopes(script: Script, said: _Answers, logins: dict[str, float]) -> None:
    """Mail itself; an envelope may be refused for want of a login."""
    envelope = {
        "RCPT": 0.75,
        "RCPT refused": 0.03,
        "RCPT and DATA": 0.08,
        "QUIT": 0.05,
        END: 0.07,
        "RSET": 0.02,
        "?": 0.01,
    }
    unwanted = {"QUIT": 0.45, END: 0.3, "RSET": 0.05, "RCPT": 0.03, "RCPT refused": 0.03,
                "RCPT and DATA": 0.05, "MAIL": 0.02, "?": 0.01, **scaled(logins, 0.08)}  # fmt: skip
    sent = {"QUIT": 0.6, END: 0.25, "MAIL": 0.08, "MAIL and RCPT": 0.04, "RSET": 0.02, "?": 0.01}
    together = {"DATA": 0.2, "?": 0.01, "body": 0.5, END: 0.15, "QUIT": 0.15}
    script.move("MAIL", SENDER, said.sender, envelope, hides=True)
    script.move("MAIL refused", SENDER, said.refusal, unwanted, hides=True)
    script.move("MAIL and RCPT", TOGETHER, said.several, together, several=True)
    script.move("MAIL and RCPT refused", TOGETHER, span(60, 650), {"QUIT late": 0.5, END: 0.4, "QUIT": 0.1},
                several=True)  # fmt: skip
    script.move("the rest", TOGETHER, span(40, 400), sent, several=True)
    script.move("QUIT late", at(6), span(30, 300), {END: 1.0}, several=True)
    script.move("RCPT", RECIPIENT, said.recipient,
                {"DATA": 0.7, "the rest": 0.04, "RCPT": 0.1, "RCPT refused": 0.02, "QUIT": 0.04, "RSET": 0.02,
                 END: 0.08})  # fmt: skip
    script.move("RCPT refused", RECIPIENT, said.refusal, {"QUIT": 0.4, "RSET": 0.3, "RCPT": 0.1, END: 0.2})
    script.move(
        "RCPT and DATA", span(26, 130), said.several, {"body": 0.8, END: 0.1, "QUIT": 0.1}, several=True
    )
    script.move("DATA", at(6), said.go_ahead, {"body": 0.95, END: 0.05})
    script.move("body", BODY, mix((0.8, span(15, 130)), (0.2, span(6, 300))), sent)


class _Answers:
    """How long a server's replies are."""

    def __init__(self, exchange: bool) -> None:
        own = 0.95 if exchange else 0.08
        other = 1 - own
        some = mix((0.8, span(8, 60)), (0.2, span(5, 160)))
        no = mix((0.9, span(24, 130)), (0.1, span(10, 320)))
        yes = mix((0.88, span(14, 50)), (0.12, span(6, 110)))
        self.short = some
        self.sender = mix((own, at(21)), (other, some))
        self.recipient = mix((own, at(24)), (other, some))
        self.go_ahead = mix((own, at(46)), (other * 0.9, span(18, 90)), (other * 0.1, some))
        self.farewell = mix((own, at(48)), (other, some))
        self.several = mix((own, at(91, 45, 70)), (other, span(16, 300)))
        self.refusal = mix((own, span(60, 260)), (other, no))
        self.success = mix((own * 0.5, at(37)), (own * 0.5, span(82, 95)), (other, yes))


def _hello(known: Known, offer: str | None) -> Sizes:
    """In clear it was heard already: what is missing is STARTTLS, what comes is AUTH."""
    if known.reply is None:
        return mix((0.95, span(60, 420)), (0.05, span(20, 900)))
    base = known.reply - _STARTTLS_LINE
    if offer is not None:
        return at(base + (_AUTH_LINE + len(offer) if offer else 0))
    return mix((0.9, span(base - LACKS, base + 90)), (0.1, span(20, 900)))


def _named(name: int | None) -> Sizes:
    if name is None:
        return mix((0.95, span(8, 75)), (0.05, span(76, 270)))
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
