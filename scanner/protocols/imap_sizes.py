"""IMAP in the dark: how long its commands and replies are.

Sizes are bytes with CRLF; each command and its last answer begin with a tag, whose length is not known and is
the same throughout (RFC 9051 2.2.1): every length is tried (facts 3.3 for Exchange Online's sentences).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from scanner.protocols import sasl_sizes
from scanner.protocols.sasl_sizes import Frame
from scanner.sizes import END, OFFERED, Dialogue, Known, Script, Sizes, at, either, mix, scaled, span, spans

TAGS = {1: 0.1, 2: 0.15, 3: 0.07, 4: 0.22, 5: 0.34, 6: 0.04, 7: 0.02, 8: 0.04, 9: 0.02}
"""Lengths of tags, and how many programs use them: ``a1``, ``A001``, ``a0001``."""
OFTEN = {
    "PLAIN": (0.1, 0.11), "LOGIN": (0.02, 0.01), "XOAUTH2": (0.11, 0.2), "OAUTHBEARER": (0.01, 0.02),
    "CRAM-MD5": (0.03, 0.0), "NTLM": (0.02, 0.01), "DIGEST-MD5": (0.005, 0.0),
    "SCRAM-SHA-1": (0.003, 0.003), "SCRAM-SHA-256": (0.003, 0.003),
}  # fmt: skip
"""How often each mechanism is used, without and with a first message in the command. Set by hand to what
programs do that can be configured for each, counted in a laboratory; ``make calibrate`` counts anew."""
LOGIN = spans((0.12, 20, 34), (0.8, 30, 90), (0.07, 91, 380), (0.01, 381, 4500))
"""Beside the tag, ``LOGIN`` with a user name and a password: together seldom less than 20 characters; some
programs give a token for a password."""
EARLY = mix((0.6, at(12, 14, 15, 16, 17)), (0.4, spans((0.75, 8, 34), (0.25, 35, 70))))
"""Commands that monitors try without a login: NAMESPACE, LIST, SELECT or EXAMINE of INBOX."""
LOOK = spans((0.5, 7, 28), (0.3, 7, 90), (0.15, 6, 400), (0.03, 1, 3000))
SHOWN = spans((0.35, 8, 60), (0.35, 5, 400), (0.3, 5, 60_000))
"""A look at the mailbox, and what it shows; often that it was done, and no more."""
OK = spans((0.4, 8, 45), (0.15, 46, 150), (0.4, 151, 650), (0.05, 651, 1500))
"""A login that is accepted by any server, at times with the capabilities that it has now."""
NO = spans((0.9, 12, 80), (0.1, 8, 260))
BYE = 98
"""Exchange Online's refusal of passwords with its farewell (facts 3.3)."""
OFFERS = {
    f"CAPABILITY{OFFERED}XOAUTH2 alone": (145, 0.45, ("XOAUTH2", "OAUTHBEARER")),
    f"CAPABILITY{OFFERED}PLAIN XOAUTH2": (142, 0.2, None),
}
"""What Exchange Online offers, by the length of its answer without the tag (facts 3.3): bytes, how often,
and the mechanisms to be used; None: any. Since 2024 it says LOGINDISABLED, which many do not heed."""
UNOFFERED = 0.2
"""How much rarer a mechanism is used that was not offered; so often a client leaves instead."""


@lru_cache(64)
def dialogue(exchange: bool, tag: int) -> Dialogue:
    """The dialogue inside TLS with a tag of so many bytes.

    ``exchange``: whether the server speaks Exchange Online's sentences.
    """
    own = 0.95 if exchange else 0.08
    script = Script()
    served = {"a look at the mailbox": 0.89, "LOGOUT": 0.09, END: 0.005}
    refused: dict[str, float] = {}
    logins = _logins(script, own, tag, (served, refused))
    asks = {name: own * often for name, (_, often, _) in OFFERS.items()} if exchange else {}
    asks["CAPABILITY"] = 1 - sum(asks.values())
    refused |= {"LOGOUT": 0.38, END: 0.4, "too early": 0.03, "?": 0.01, "EXPUNGE and LOGOUT": 0.01,
                **scaled(asks, 0.03), **scaled(logins, 0.14)}  # fmt: skip
    others = {"ID": 0.09, "LOGOUT": 0.05, "NOOP": 0.01, END: 0.03, "not offered": 0.012, "too early": 0.01,
              "?": 0.005, **scaled(asks, 0.03)}  # fmt: skip
    hello = {**scaled(logins, 0.84), **others}
    farewell = mix((own, span(65, 90)), (1 - own, span(20, 150))).plus(tag)
    looks = {"a look at the mailbox": 0.68, "LOGOUT": 0.24, END: 0.07, "EXPUNGE and LOGOUT": 0.01}
    early = {"LOGOUT": 0.55, END: 0.25, "too early": 0.1, **scaled(logins, 0.1)}
    offers = mix((own * 0.8, span(130, 190)), (1 - own * 0.8, spans((0.6, 60, 240), (0.4, 40, 600))))
    script.move("CAPABILITY", at(tag + 13), offers.plus(tag), hello, lines=True)
    for name, follows in _after_offers(script, logins, others) if exchange else ():
        script.move(name, at(tag + 13), at(tag + OFFERS[name][0]), follows, lines=True)
    script.move("ID", *_names(own, tag), {**scaled(hello, 0.72), END: 0.08, "LOGOUT": 0.2}, lines=True)
    script.move("NOOP", at(tag + 7), span(tag + 8, tag + 60), hello)
    script.move("LOGOUT", at(tag + 9), farewell, {END: 0.995, "?": 0.005}, lines=True)
    script.move("EXPUNGE and LOGOUT", at(2 * tag + 19), farewell.plus(tag + 24), {END: 1.0}, several=True)
    script.move("a look at the mailbox", LOOK.plus(tag), SHOWN.plus(tag), looks,
                lines=True, hides=True, alike=False)  # fmt: skip
    script.move("too early", EARLY.plus(tag), span(tag + 8, tag + 90), early, hides=True, alike=False)
    script.move("not offered", sasl_sizes.bare(tag + 16), spans((0.9, 8, 90), (0.1, 91, 130)).plus(tag),
                {**scaled(logins, 0.6), "LOGOUT": 0.2, END: 0.2}, lines=True)  # fmt: skip
    script.move("?", span(1, 3000), span(1, 3000), {"?": 0.3, END: 0.3, "LOGOUT": 0.1, **scaled(logins, 0.2)},
                alike=False)  # fmt: skip
    begins = {**scaled(asks, 0.66), "ID": 0.03, "LOGOUT": 0.02, "NOOP": 0.01, END: 0.02, "?": 0.01,
              "not offered": 0.012, "too early": 0.01, **scaled(logins, 0.26)}  # fmt: skip
    return Dialogue(script.moves, begins, tag, exchange)


def _after_offers(
    script: Script, logins: dict[str, float], others: dict[str, float]
) -> Iterator[tuple[str, dict[str, float]]]:
    """What follows each of Exchange Online's offers: what it names, or leave."""
    for name, (_, _, mechanisms) in OFFERS.items():
        usual = {
            one: often * (UNOFFERED if mechanisms and script.moves[one].mechanism not in mechanisms else 1)
            for one, often in logins.items()
        }
        left = sum(logins.values()) - sum(usual.values())
        yield name, {**scaled(usual, 0.84), **others, "LOGOUT": others["LOGOUT"] + left}


def _names(own: float, tag: int) -> tuple[Sizes, Sizes]:
    """What client and server call themselves (RFC 2971); a server that does not know ID says so in a line."""
    client = mix((0.3, at(9)), (0.5, span(25, 120)), (0.2, span(12, 260)))
    named = mix((own, spans((0.7, 86, 96), (0.3, 80, 102))), (1 - own, spans((0.5, 8, 80), (0.5, 10, 300))))
    return client.plus(tag), named.plus(tag)


def _logins(
    script: Script, own: float, tag: int, after: tuple[dict[str, float], dict[str, float]]
) -> dict[str, float]:
    """SASL, and LOGIN with its strings in the line or as literals."""
    no = (own * 0.1, at(BYE)), (1 - own, NO)
    success, refusal = mix((own, at(29)), (1 - own, OK)), mix((own * 0.9, at(26, 39, 47)), *no)
    frame = Frame("AUTHENTICATE", tag + 16, 4, success.plus(tag), refusal.plus(tag), OFTEN)
    begins = sasl_sizes.logins(script, frame, after)
    answers = mix((own, at(22)), (1 - own, OK)).plus(tag), mix((own * 0.9, at(19, 39)), *no).plus(tag)
    words = LOGIN.plus(tag)
    counted = spans((0.7, 11, 16), (0.3, 17, 60)).plus(tag)
    ready = mix((own, at(38)), ((1 - own) * 0.6, span(3, 40)), ((1 - own) * 0.4, at(4, 3, 16)))
    word = span(5, 90)
    ways: list[tuple[float, str, list[tuple[Sizes, Sizes]], Sizes]] = [
        (0.34, "LOGIN with user name and password", [], words),
        (0.02, "LOGIN with literals", [(counted, ready), (word, ready)], span(5, 60)),
        (0.02, "LOGIN with a literal", [(span(tag + 14, tag + 90), ready)], span(5, 60)),
    ]
    for weight, name, legs, last in ways:
        known_by = [*[""] * len(legs), "success of LOGIN", "refusal of LOGIN"]
        login = script.login("IMAP-LOGIN", name, legs, (last, *answers), after, answers=known_by)
        begins |= scaled(login, weight)
    # refused, and a BYE in a record of its own
    leave = mix((own * 0.8, at(BYE)), (1 - own * 0.8, span(60, 130))).plus(tag)
    plain = sasl_sizes.PLAIN.plus(tag + 20)
    for weight, mechanism, said in ((0.008, "IMAP-LOGIN", words), (0.006, "PLAIN", plain)):
        name = f"{mechanism.removeprefix('IMAP-')} with user name and password, and sent away"
        known_by = ["", "refusal and BYE"]
        sent = script.login(
            mechanism, name, [], (said, leave, leave), after, 0.0, answers=known_by, several=True
        )
        begins |= scaled(sent, weight)
    return begins


def dialogues(known: Known) -> list[tuple[float, Dialogue]]:
    """The dialogue with Exchange Online and with any other server, with a tag of every length."""
    kinds = either(known)
    return [
        (often * weight, dialogue(kind.exchange > 0, tag))
        for weight, kind in kinds
        for tag, often in TAGS.items()
    ]
