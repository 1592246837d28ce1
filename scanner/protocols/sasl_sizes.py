"""SASL in the dark: how long each mechanism's messages are, in SMTP, IMAP and POP3 alike but for their frame.

A line of base64 has a multiple of four characters, and CRLF (RFC 4616 PLAIN, RFC 2195 CRAM-MD5, RFC 2831
DIGEST-MD5, RFC 5802 SCRAM, RFC 7628 OAUTHBEARER, [MS-NLMP] NTLM; LOGIN and XOAUTH2 by custom). Bands are what
names, passwords and tokens of people and services have; where one ends is no threshold, only unlikely.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from scanner.sizes import ACCEPTED, EARLY, Script, Sizes, at, mix, scaled, span, steps

TOKEN = mix(
    (0.005, steps(110, 206)),
    (0.06, steps(210, 698)),
    (0.1, steps(702, 1298)),
    (0.74, steps(1302, 4402)),
    (0.1, steps(4406, 9002)),
)
"""A token: 0.9 to 3 KB mostly, before base64; opaque ones may be short (facts 3.5)."""
USER = mix((0.17, steps(10, 18)), (0.75, steps(22, 90)), (0.08, steps(94, 350)))
"""A user name: 4 to 65 characters mostly; at most 113 in Exchange Online."""
PASSWORD = mix((0.02, at(6)), (0.84, steps(10, 46)), (0.14, steps(50, 350)))
"""A password: up to 33 characters mostly; at most 256."""
PLAIN = mix((0.06, steps(18, 34)), (0.79, steps(38, 118)), (0.15, steps(122, 420)))
"""User and password, at times the user twice."""
HASHED = mix((0.9, steps(50, 122)), (0.1, steps(126, 250)))
"""User, blank and 32 digits."""
TOKENS = ("XOAUTH2", "OAUTHBEARER")
SERVER_FIRST = ("LOGIN", "CRAM-MD5", "DIGEST-MD5")
"""Mechanisms whose first challenge says something (RFC 4422 5)."""
ENDS = ("success", "refusal")
"""What a login's last answers are known by; see ``sizes.Move.answer``."""
TITLES = {
    "LOGIN": ("user name", "password"), "PLAIN": ("user name and password",), "XOAUTH2": ("token",),
    "OAUTHBEARER": ("token",), "CRAM-MD5": ("digest",), "DIGEST-MD5": ("digest", "empty answer"),
    "NTLM": ("negotiate message", "authenticate message"),
}  # fmt: skip
"""What the messages of mechanisms are, for people."""
FIRST_ANSWER = 0.3
"""How often SCRAM and DIGEST-MD5 are refused, which they are by the answer before the last."""
UNOFFERED, UNOFFERED_ACCEPTED = 0.12, 0.05
"""How much rarer a mechanism is used that was not offered, and how often it is accepted."""
UNHEARD = 0.015
"""How often a login is refused by the first of several messages, which came with the command."""
TOLD_WHY_NOT = 0.13
"""How often a token is refused by an error in JSON, which the client answers by nothing (RFC 7628 3.2.2)."""


GIVEN_UP = mix((0.9, at(2, 3, 6)), (0.1, TOKEN))
"""What is answered to such an error; some libraries (ruby, Mail::IMAPClient) say the token again."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a protocol puts around messages, and how often its clients use what."""

    verb: str
    command: int
    """Bytes of the command that names a mechanism, beside the name: verb, tag, blanks, CRLF."""
    challenge: int
    """Bytes around a challenge: ``334 `` or ``+ ``, and CRLF."""
    success: Sizes
    refusal: Sizes
    often: Mapping[str, tuple[float, float]]
    """How often each mechanism is used, without and with a first message in the command."""
    offered: Container[str] | None = None
    """Mechanisms that the server offers, if that is known: others are used seldom, and hardly ever let in."""


MECHANISMS = ("NTLM", "PLAIN", "LOGIN", "XOAUTH2", "CRAM-MD5", "DIGEST-MD5")
SELDOM = ("GSSAPI", "OAUTHBEARER", "SCRAM-SHA-1", "SCRAM-SHA-256")


def bare(command: int) -> Sizes:
    """A command that names a mechanism and nothing else; ``command``: as in ``Frame``."""
    often, seldom = (at(*(command + len(name) for name in names)) for names in (MECHANISMS, SELDOM))
    return mix((0.84, often), (0.13, seldom), (0.03, often.plus(1)))


def _named(command: int) -> Sizes:
    """The same of one mechanism; some (emailjs) leave a blank behind it."""
    return mix((0.97, at(command)), (0.03, at(command + 1)))


def logins(
    script: Script, frame: Frame, after: tuple[Mapping[str, float], Mapping[str, float]]
) -> dict[str, float]:
    """Add the dialogues of all mechanisms, with what follows success and refusal; gives what begins them."""
    begins: dict[str, float] = {}
    for mechanism, ways in frame.often.items():
        rare = UNOFFERED if _unoffered(frame, mechanism) else 1.0
        apart, at_once = rare * ways[0], rare * ways[1]
        messages, challenges = _messages(mechanism, frame.challenge)
        command = frame.command + len(mechanism)
        begins |= _way(script, frame, after, mechanism, apart, [_named(command), *messages], challenges)
        joined = [messages[0].plus(command - 1), *messages[1:]]
        begins |= _way(script, frame, after, mechanism, at_once, joined, challenges[1:])
    return begins


def _way(
    script: Script,
    frame: Frame,
    after: tuple[Mapping[str, float], Mapping[str, float]],
    mechanism: str,
    often: float,
    said: list[Sizes],
    challenges: list[Sizes],
) -> dict[str, float]:
    """Add one way to use a mechanism: with the first message apart from the command, or at once."""
    if not often:
        return {}
    legs, last = list(zip(said[:-1], challenges, strict=True)), said[-1]
    parts, apart = TITLES.get(mechanism, ("answer",) * 3), len(said) > len(_messages(mechanism, 0)[0])
    command = f"{frame.verb} {mechanism}"
    name = command if apart else f"{command} at once"
    titles = [command, *parts] if apart else [f"{command} with its {parts[0]}", *parts[1:]]
    titles = titles[: len(said)]
    names = [_challenge(mechanism, number) for number in range(3)][0 if apart else 1 :][: len(legs)]
    refused = TOLD_WHY_NOT if mechanism in TOKENS else 0.0
    begins: dict[str, float] = {}
    if refused:
        json = mix((0.7, span(8, 330)), (0.3, frame.refusal))
        answer, why = (GIVEN_UP, frame.refusal, frame.refusal), [*titles, "an empty answer to the error"]
        told = script.login(mechanism, f"{name}, told why not", [*legs, (last, json)], answer, after, 0.02,
                            titles=why, answers=[*names, "why not", *ENDS], bare=apart)  # fmt: skip
        begins |= scaled(told, often * refused)
    answers = last, frame.success, frame.refusal
    early = FIRST_ANSWER if mechanism.startswith(("SCRAM", "DIGEST")) else EARLY
    accepted = UNOFFERED_ACCEPTED if _unoffered(frame, mechanism) else ACCEPTED
    plain = script.login(mechanism, name, legs, answers, after, accepted, titles=titles,
                         answers=[*names, *ENDS], bare=apart, early=early,
                         unheard=0 if apart or not legs else UNHEARD)  # fmt: skip
    return begins | scaled(plain, often * (1 - refused))


def _unoffered(frame: Frame, mechanism: str) -> bool:
    return frame.offered is not None and mechanism not in frame.offered


def _challenge(mechanism: str, number: int) -> str:
    """What a challenge is known by; the first of most mechanisms is empty, and the same."""
    if number == 0 and mechanism not in SERVER_FIRST:
        return "empty challenge"
    return f"challenge {number + 1} of {mechanism}"


def _messages(mechanism: str, frame: int) -> tuple[list[Sizes], list[Sizes]]:
    """What the client says after the command that names the mechanism, and what each of it answers."""
    empty = mix((0.85, at(frame, frame - 1)), (0.11, span(frame - 1, 20)), (0.04, span(21, 80)))
    prompt = mix((0.82, at(frame + 12)), (0.12, at(frame + 8, frame + 16)), (0.06, span(frame, 60)))
    match mechanism:
        case "LOGIN":
            return [USER, PASSWORD], [prompt, prompt]
        case "PLAIN":
            return [PLAIN], [empty]
        case "CRAM-MD5":
            return [HASHED], [span(frame + 24, frame + 110)]
        case "DIGEST-MD5":
            return [span(180, 600), at(2)], [span(70, 400), span(20, 110)]
        case "NTLM":
            return [mix((0.8, steps(46, 82)), (0.2, steps(86, 130))), steps(178, 1000)], [
                empty,
                span(120, 700),
            ]
        case "GSSAPI":
            ticket = mix((0.3, at(2)), (0.7, steps(1200, 5000)))
            return [ticket, span(2, 300), steps(20, 300)], [empty, span(4, 400), span(4, 300)]
        case "SCRAM-SHA-1" | "SCRAM-SHA-256":
            return [span(40, 180), span(90, 330), at(2)], [empty, span(80, 260), span(20, 110)]
        case _:
            return [TOKEN], [empty]
