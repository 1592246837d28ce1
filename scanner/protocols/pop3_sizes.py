"""POP3 in the dark: how long its commands and replies are.

Sizes are bytes with CRLF (RFC 1939, RFC 2449, RFC 5034; facts 3.4 for Exchange Online's sentences).
"""

from __future__ import annotations

from functools import lru_cache

from scanner.protocols import sasl_sizes
from scanner.protocols.sasl_sizes import Frame
from scanner.sizes import END, OFFERED, Dialogue, Known, Script, Sizes, at, either, mix, scaled, span, spans

OFTEN = {
    "PLAIN": (0.09, 0.03), "LOGIN": (0.03, 0.0), "XOAUTH2": (0.13, 0.08), "OAUTHBEARER": (0.02, 0.01),
    "CRAM-MD5": (0.03, 0.0), "NTLM": (0.02, 0.01), "DIGEST-MD5": (0.005, 0.0),
    "SCRAM-SHA-1": (0.003, 0.003), "SCRAM-SHA-256": (0.003, 0.003),
}  # fmt: skip
"""How often each mechanism is used, without and with a first message in the command. Set by hand to what
programs do that can be configured for each, counted in a laboratory; ``make calibrate`` counts anew."""
NAME = mix((0.9, span(3, 45)), (0.09, span(46, 70)), (0.01, span(71, 110)))
"""A user name as it is: characters."""
OFFER, OFFER_BYTES = f"CAPA{OFFERED}PLAIN XOAUTH2 and USER", 45
"""What Exchange Online offers, still in 2026, and how long it says so (facts 3.4)."""
APOP = {True: 0.01, None: 0.015, False: 0.0}
"""How often APOP is used: where the greeting brought a timestamp, was not heard, or brought none."""
SECRET = spans((0.91, 5, 33), (0.082, 34, 256), (0.008, 700, 4000))
"""A password as it is; some programs give a token for one."""


@lru_cache(4)
def dialogue(exchange: bool, apop: float = APOP[None]) -> Dialogue:
    """The dialogue inside TLS; ``exchange``: the server speaks Exchange Online's sentences, without APOP."""
    own = 0.95 if exchange else 0.08
    script = Script()
    served = {"a look at the mailbox": 0.94, "QUIT": 0.04, END: 0.005}
    refused: dict[str, float] = {}
    logins = _logins(script, own, 0.0 if exchange else apop, (served, refused))
    asks = {OFFER: own * 0.8, "CAPA": 1 - own * 0.8} if exchange else {"CAPA": 1.0}
    refused |= {"QUIT": 0.5, END: 0.35, "too early": 0.03, "?": 0.01, **scaled(asks, 0.02),
                **scaled(logins, 0.09)}  # fmt: skip
    offers = mix((own, at(38, 51)), (1 - own, span(12, 260)))
    farewell = mix((own, at(56)), ((1 - own) * 0.5, span(5, 30)), ((1 - own) * 0.5, span(5, 110)))
    looks = {"a look at the mailbox": 0.58, "QUIT": 0.37, END: 0.05}
    hello = {**scaled(logins, 0.88), "AUTH": 0.02, "not offered": 0.02, "QUIT": 0.05, END: 0.04, "?": 0.01}
    script.move("CAPA", at(6), offers, hello, lines=True)
    script.move(OFFER, at(6), at(OFFER_BYTES), hello, lines=True)
    script.move("AUTH", at(6), span(5, 120), {**scaled(logins, 0.8), "CAPA": 0.1, "QUIT": 0.05, END: 0.05})
    script.move("too early", at(6), span(5, 60), {"QUIT": 0.8, END: 0.2}, alike=False)
    script.move("QUIT", at(6), farewell, {END: 0.995, "?": 0.005})
    script.move("a look at the mailbox", mix((0.75, at(6)), (0.25, spans((0.8, 7, 14), (0.2, 15, 200)))),
                spans((0.55, 5, 40), (0.25, 41, 400), (0.2, 5, 50_000)), looks,
                lines=True, hides=True, alike=False)  # fmt: skip
    script.move(
        "not offered", sasl_sizes.bare(7), span(8, 90), {**scaled(logins, 0.6), "QUIT": 0.2, END: 0.2}
    )
    script.move("?", span(1, 3000), span(1, 3000), {"?": 0.3, END: 0.3, "QUIT": 0.1, **scaled(logins, 0.2)},
                alike=False)  # fmt: skip
    begins = {**scaled(asks, 0.4), "QUIT": 0.04, "AUTH": 0.01, END: 0.02, "?": 0.01, "not offered": 0.01}
    return Dialogue(script.moves, {**begins, **scaled(logins, 0.5)}, exchange=exchange)


def _logins(
    script: Script, own: float, apop: float, after: tuple[dict[str, float], dict[str, float]]
) -> dict[str, float]:
    """SASL, and what POP3 has of its own."""
    ok = spans((0.75, 5, 30), (0.2, 31, 70), (0.05, 5, 200))
    err = spans((0.9, 14, 80), (0.1, 6, 200))
    success = mix((own * 0.5, at(34)), (own * 0.5, at(38)), (1 - own, ok))
    refusal = mix((own, at(39, 56, 65, 41, 49, 47)), (1 - own, err))
    said_ok = mix((0.75, at(5)), (0.25, span(4, 80)))
    begins = sasl_sizes.logins(script, Frame("AUTH", 7, 4, success, refusal, OFTEN), after)
    both = spans((0.9, 7 + 3 + 7 + 5, 7 + 45 + 7 + 33), (0.1, 14, 300))
    # STAT or QUIT may come along
    in_, out = (mix((0.75, one.plus(5)), (0.25, span(30, 200))) for one in (success, refusal))
    ways: list[tuple[float, str, str, list[tuple[Sizes, Sizes]], tuple[Sizes, Sizes, Sizes]]] = [
        (0.55, "USERPASS", "USER and PASS", [(NAME.plus(7), said_ok)], (SECRET.plus(7), success, refusal)),
        (0.01, "USERPASS", "USER and PASS at once", [], (both, in_, out)),
        (apop, "APOP", "APOP", [], (NAME.plus(40), success, refusal)),
    ]
    for weight, mechanism, name, legs, last in (way for way in ways if way[0]):
        several, titles = mechanism == "USERPASS" and not legs, ("USER", "PASS") if legs else ()
        known_by = () if several else [*["USER"] * len(legs), *sasl_sizes.ENDS]
        login = script.login(mechanism, name, legs, last, after, titles=titles, answers=known_by,
                             several=several)  # fmt: skip
        begins |= scaled(login, weight)
    return begins


def dialogues(known: Known) -> list[tuple[float, Dialogue]]:
    """The dialogue with Exchange Online, and with any other server."""
    return [(weight, dialogue(kind.exchange > 0, APOP[known.timestamp])) for weight, kind in either(known)]
