"""IMAP in the dark: how long its commands and replies are.

Sizes are bytes with CRLF; each command and its last answer begin with a tag, whose length is not known and is
the same throughout (RFC 9051 2.2.1): every length is tried (facts 3.3 for Exchange Online's sentences).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from scanner.protocols import sasl_sizes
from scanner.protocols.sasl_sizes import Frame
from scanner.sizes import END, Dialogue, Known, Script, Sizes, at, either, mix, scaled, span

TAGS = {1: 0.06, 2: 0.16, 3: 0.1, 4: 0.24, 5: 0.3, 6: 0.06, 7: 0.03, 8: 0.03, 9: 0.02}
"""Lengths of tags, and how many programs use them: ``a1``, ``A001``, ``a0001``."""
OFTEN = {
    "PLAIN": (0.1, 0.14), "LOGIN": (0.02, 0.01), "XOAUTH2": (0.11, 0.2), "OAUTHBEARER": (0.01, 0.02),
    "CRAM-MD5": (0.05, 0.0), "NTLM": (0.02, 0.01), "DIGEST-MD5": (0.005, 0.0),
    "SCRAM-SHA-1": (0.003, 0.003), "SCRAM-SHA-256": (0.003, 0.003),
}  # fmt: skip
"""How often each mechanism is used, without and with a first message in the command. Set by hand to what
programs do that can be configured for each, counted in a laboratory; ``make calibrate`` counts anew."""
OFFERS = {
    "CAPABILITY, offered XOAUTH2 alone": (145, 0.45, ("XOAUTH2", "OAUTHBEARER")),
    "CAPABILITY, offered PLAIN XOAUTH2": (142, 0.2, None),
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
    served = {"a look at the mailbox": 0.85, "LOGOUT": 0.12, END: 0.03}
    refused: dict[str, float] = {}
    logins = _logins(script, own, tag, (served, refused))
    asks = {name: own * often for name, (_, often, _) in OFFERS.items()} if exchange else {}
    asks["CAPABILITY"] = 1 - sum(asks.values())
    refused |= {"LOGOUT": 0.35, END: 0.4, "?": 0.01, **scaled(asks, 0.04), **scaled(logins, 0.14)}
    others = {"ID": 0.09, "LOGOUT": 0.05, "NOOP": 0.01, END: 0.03, "not offered": 0.012, "?": 0.005,
              **scaled(asks, 0.03)}  # fmt: skip
    hello = {**scaled(logins, 0.84), **others}
    offers = mix((own * 0.8, span(tag + 130, tag + 190)), (1 - own * 0.8, span(tag + 40, tag + 600)))
    farewell = mix((own, span(tag + 65, tag + 90)), (1 - own, span(tag + 20, tag + 150)))
    look = mix((0.5, span(tag + 6, tag + 40)), (0.47, span(tag + 6, tag + 400)), (0.03, span(1, 3000)))
    script.move("CAPABILITY", at(tag + 13), offers, hello)
    for name, follows in _after_offers(script, logins, others) if exchange else ():
        script.move(name, at(tag + 13), at(tag + OFFERS[name][0]), follows)
    script.move("ID", *_names(own, tag), {**scaled(hello, 0.6), END: 0.25, "LOGOUT": 0.2})
    script.move("NOOP", at(tag + 7), span(tag + 8, tag + 60), hello)
    script.move("LOGOUT", at(tag + 9), farewell, {END: 0.995, "?": 0.005})
    script.move(
        "a look at the mailbox",
        look,
        mix((0.6, span(tag + 5, 400)), (0.4, span(tag + 5, 60_000))),
        {"a look at the mailbox": 0.78, "LOGOUT": 0.12, END: 0.1},
        alike=False,
    )
    refused_command = mix((0.6, sasl_sizes.bare(tag + 16)), (0.4, span(tag + 9, tag + 40)))
    script.move("not offered", refused_command, span(tag + 8, tag + 90),
                {**scaled(logins, 0.6), "LOGOUT": 0.2, END: 0.2})  # fmt: skip
    script.move("?", span(1, 3000), span(1, 3000), {"?": 0.3, END: 0.3, "LOGOUT": 0.1, **scaled(logins, 0.2)},
                alike=False)  # fmt: skip
    begins = {**scaled(asks, 0.62), "ID": 0.03, "LOGOUT": 0.02, "NOOP": 0.01, END: 0.02, "?": 0.01,
              "not offered": 0.012, **scaled(logins, 0.3)}  # fmt: skip
    return Dialogue(script.moves, begins, tag)


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
    client = mix((0.3, at(tag + 9)), (0.5, span(tag + 25, tag + 120)), (0.2, span(tag + 12, tag + 260)))
    unwanted, named = span(tag + 8, tag + 80), span(tag + 10, tag + 300)
    return client, mix((own, span(tag + 80, tag + 102)), ((1 - own) / 2, unwanted), ((1 - own) / 2, named))


def _logins(
    script: Script, own: float, tag: int, after: tuple[dict[str, float], dict[str, float]]
) -> dict[str, float]:
    """SASL, and LOGIN with its strings in the line or as literals."""
    ok = mix(
        (0.4, span(tag + 8, tag + 45)), (0.1, span(tag + 46, tag + 150)), (0.5, span(tag + 151, tag + 650))
    )
    no = mix((0.9, span(tag + 12, tag + 80)), (0.1, span(tag + 8, tag + 260)))
    success = mix((own, at(tag + 29)), (1 - own, ok))
    refusal = mix((own, at(tag + 26, tag + 39, tag + 47)), (1 - own, no))
    begins = sasl_sizes.logins(script, Frame("AUTHENTICATE", tag + 16, 4, success, refusal, OFTEN), after)
    answers = (
        mix((own, at(tag + 22)), (1 - own, ok)),
        mix((own, at(tag + 19, tag + 39)), (1 - own, no)),
    )
    words = mix((0.93, span(tag + 18, tag + 90)), (0.07, span(tag + 91, tag + 380)))
    counted = mix((0.7, span(tag + 11, tag + 16)), (0.3, span(tag + 17, tag + 60)))
    ready, word = mix((0.6, span(3, 40)), (0.4, at(4, 3, 16))), span(5, 90)
    ways: list[tuple[float, str, list[tuple[Sizes, Sizes]], Sizes]] = [
        (0.3, "LOGIN with user name and password", [], words),
        (0.02, "LOGIN with literals", [(counted, ready), (word, ready)], span(5, 60)),
        (0.02, "LOGIN with a literal", [(span(tag + 14, tag + 90), ready)], span(5, 60)),
    ]
    for weight, name, legs, last in ways:
        known_by = [*[""] * len(legs), "success of LOGIN", "refusal of LOGIN"]
        login = script.login("IMAP-LOGIN", name, legs, (last, *answers), after, answers=known_by)
        begins |= scaled(login, weight)
    leave = span(tag + 60, tag + 130)  # refused, and a BYE in a record of its own
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
