"""The parts that requests to Exchange's front end are made of, by service and by way to log in, in bytes.

Reasoned from what is in the messages (RFC 7617, RFC 6750, MS-NTHT, MS-ASHTTP, MS-OXCMAPIHTTP; tokens as
Exchange Online takes them), not fitted: measured sizes were only held against them. Sizes are HTTP/1.1's;
HTTP/2's follow from them.
"""

from __future__ import annotations

from typing import NamedTuple

from scanner.protocols.http_lengths import Part


class Way(NamedTuple):
    """A way to log in."""

    auth_class: str
    mechanism: str | None
    steps: tuple[str, ...]
    """What logs in, in each request: keys of ``HEADERS``; the last goes on."""
    share: float
    """Of those of its class."""


Parts = tuple[tuple[float, Part], ...]
"""Kinds of a part by share."""


class Service(NamedTuple):
    """What requests to a service look like."""

    share: float
    head: Part
    """Without what logs in."""
    bare: tuple[float, float]
    """Share of requests without a body: of first ones, and of others."""
    bodies: Parts
    same: float
    """How often a request has the head and body of one before."""
    answers: Parts
    """Bodies of replies to those who are logged in."""
    held: tuple[float, float]
    """How often a reply is held back for seconds, and for a heartbeat's length."""
    classes: dict[str, float]
    """How its clients log in, by share."""


NOTHING, COOKIES = "no login", "cookies"
PASSWORD, TOKEN = "a short, password-sized header", "a long, token-sized header"
TYPE_1, TYPE_3 = "NTLM's first leg", "NTLM's last leg"
HEADERS: dict[str, tuple[Part, ...]] = {
    NOTHING: (),
    PASSWORD: (Part(36, 60, 130, 340),),
    TOKEN: (Part(850, 1150, 2600, 4200),),
    TYPE_1: (Part(64, 70, 100, 130),),
    TYPE_3: (Part(330, 450, 900, 1500),),
    COOKIES: (Part(600, 1500, 4000, 8000),),
}
"""What logs in, as a header line. Basic: 23 and 4/3 of user and password (11 to 60 and 8 to 40 usually).
Bearer: a token of Exchange Online has 1100 to 2600. NTLM: messages of 32 to 60 and 300 to 650 bytes before
base64."""
WAYS = (
    Way("none", None, (NOTHING,), 1.0),
    Way("basic", "HTTP-Basic", (PASSWORD,), 0.7),
    Way("basic", "HTTP-Basic", (NOTHING, PASSWORD), 0.3),
    Way("oauth", "HTTP-Bearer", (TOKEN,), 0.8),
    Way("oauth", "HTTP-Bearer", (NOTHING, TOKEN), 0.2),
    Way("ntlm", "HTTP-NTLM", (NOTHING, TYPE_1, TYPE_3, NOTHING), 0.5),
    Way("ntlm", "HTTP-NTLM", (TYPE_1, TYPE_3, NOTHING), 0.5),
    Way("cookie", "HTTP-Cookie", (COOKIES,), 1.0),
)
"""Passwords and tokens are sent at once or after a 401; NTLM logs the connection in, and is said once."""
INDEXED = {PASSWORD: 0.2, TOKEN: 0.2, COOKIES: 0.6}
"""Share of HTTP/2's clients that index what logs them in, so that later HEADERS are without it: Go does;
browsers index cookies (RFC 9113 8.2.3), others neither (RFC 7541 7.1.3)."""
WAYS_2 = tuple(
    way._replace(steps=steps, share=way.share * share)
    for way in WAYS
    for indexed in [INDEXED.get(way.steps[-1], 0.0)]
    for steps, share in ((way.steps, 1 - indexed), ((*way.steps, NOTHING), indexed))
    if share and way.auth_class != "ntlm"
)
"""The same in HTTP/2, which does not allow NTLM."""
SERVICES = {
    "eas": Service(
        0.3, Part(160, 250, 480, 900), (0.3, 0.05),
        ((0.9, Part(5, 13, 200, 500)), (0.1, Part(300, 600, 3000, 8000))), 0.4,
        ((0.5, Part(0, 0, 20, 40)), (0.4, Part(30, 60, 1000, 3000)), (0.1, Part(500, 1000, 8000, 8180))),
        (0.05, 0.1), {"basic": 0.46, "oauth": 0.45, "ntlm": 0.03, "none": 0.06},
    ),
    "ews": Service(
        0.3, Part(140, 190, 420, 900), (0.02, 0.02), ((1.0, Part(350, 600, 2300, 6000)),), 0.4,
        ((1.0, Part(300, 500, 5000, 8100)),), (0.015, 0.003),
        {"basic": 0.40, "oauth": 0.48, "ntlm": 0.08, "none": 0.04},
    ),
    "autodiscover": Service(
        0.08, Part(140, 190, 420, 700), (0.3, 0.1), ((1.0, Part(250, 320, 480, 800)),), 0.3,
        ((0.25, Part(40, 60, 200, 400)), (0.75, Part(400, 2500, 6500, 8100))), (0.012, 0.001),
        {"basic": 0.4, "oauth": 0.34, "ntlm": 0.06, "none": 0.2},
    ),
    "mapi": Service(
        0.18, Part(420, 540, 900, 1500), (0.02, 0.02),
        ((0.2, Part(4, 4, 12, 16)), (0.8, Part(50, 90, 600, 4000))), 0.1,
        ((1.0, Part(50, 80, 2000, 8100)),), (0.025, 0.05),
        {"basic": 0.2, "oauth": 0.7, "ntlm": 0.07, "none": 0.03},
    ),
    "owa": Service(
        0.14, Part(200, 440, 1100, 1700), (0.8, 0.6), ((1.0, Part(60, 200, 1500, 4000)),), 0.15,
        ((0.5, Part(0, 50, 3000, 8180)), (0.5, Part(1000, 6000, 8180, 8190))), (0.018, 0.02),
        {"oauth": 0.25, "cookie": 0.45, "none": 0.3},
    ),
}  # fmt: skip
"""EAS: a line with user, device and command, WBXML of few bytes, a message to send now and then; an answer
without news is empty, and Ping holds. EWS: SOAP both ways. Autodiscover: one XML or a GET. MAPI/HTTP: a dozen
headers of Outlook's and its cookies, and binary calls, hardly one like another; NotificationWait holds. OWA
and REST: a browser's head, or a program's; mostly GET; pages; no password."""
VARIES = Part(-200, -48, 48, 200)
"""How much the heads of two requests differ: the path, a length, what OPTIONS is without."""
REFUSAL = Part(150, 400, 1300, 1800)
"""A 401 of the front end, with its challenges and no page."""
CHALLENGE = Part(60, 100, 400, 600)
"""NTLM's type 2 in it: 200 to 350 bytes before base64, in place of bare challenges."""
ANSWER = Part(250, 420, 1250, 1500)
"""A reply's head."""
TO_SIGN_IN = Part(300, 450, 2500, 4000)
"""What OWA says to a browser without cookies: where to sign in."""
JITTER = Part(-24, -4, 4, 24)
"""How much two heads of replies differ: request ids, a number's digits."""
BODY_LATER = 0.4
"""Share of NTLM's clients that keep the body back until the last leg (curl)."""

HPACKED, CODED, ANSWERED = 0.6, 0.8, 0.7
"""HTTP/2: what its first HEADERS are of a head in HTTP/1.1, a base64 text by Huffman (RFC 7541 B: 6.3 bits a
letter), and a first reply."""
AGAIN, ANSWERED_AGAIN = Part(10, 20, 130, 300), Part(50, 75, 170, 260)
"""HTTP/2's later HEADERS, without what logs in: a path, a length; the rest is indexed. Those of replies."""
REQUESTS = (0.25, 0.2, 0.55)
"""Share of flows with one, two and more requests."""
REQUESTS_IN_VAIN = (0.7, 0.18, 0.12)
"""The same where nobody logs in: who is told so goes away, or logs in on another connection."""
REQUESTS_BEFORE_SIGN_IN = (0.8, 0.15, 0.05)
"""The same for a browser without cookies: it is sent to another host to sign in."""
NEARLY = 0.3
"""How often a request has the head and body of the last but for ``VARIES``."""
SAME_AFTER_401 = 0.85
"""How often a request is said again, with more, after a 401."""
SAME_ANSWER, SAME_ANSWER_TO_OTHERS, NEARLY_ANSWER = 0.5, 0.05, 0.2
"""How often two answers in a row are of one size: to one request said twice, to two; nearly (``VARIES``)."""
SAME_REFUSAL, SAME_WAY = 0.85, 0.3
"""The same for refusals, and for where to sign in, which holds what was asked for."""
REFUSED = 0.15
"""Share of logins that are refused."""
ANYBODY = 0.05
"""Share of those without a login who are answered: Autodiscover's JSON needs none."""
SENT_AWAY = 0.8
"""Share of browsers without cookies whom OWA sends to sign in, and does not refuse."""
FAR, TARRIES = 0.03, 0.8
"""Share of servers that take some time (``http_fits.SLOW_S``) for each reply, being far away; and for each
refusal of a login, too: a wrong password is answered late."""
WORKS = 0.15
"""How often a server takes as long for one reply."""
