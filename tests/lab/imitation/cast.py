"""What is played, drawn from a seed: who meets whom, how, over which TLS, and what comes of it."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence

from stage.cast import token as signed

from imitation.exchange import REFUSALS
from imitation.persona import Persona
from imitation.program import Program
from imitation.session import Session

TLS = (
    *(("13-aes256", tickets) for tickets in (0, 1, 2, 2, 2)),
    ("13-chacha", 2),
    ("13-aes128", 1),
    ("12-gcm256", 1),
    ("12-gcm256", 0),
    ("12-gcm128", 1),
    ("12-chacha", 0),
    ("12-cbc-sha", 1),
    ("12-cbc-sha256", 1),
    ("12-cbc-mte", 0),
    ("12-rsa-cbc", 1),
    ("11-cbc", 0),
    ("10-cbc", 0),
)
KEY = b"the key that real servers check tokens by"
UNOFFERED = 0.06
"""How often a program is told to do what the server does not offer."""
SHARE_REFUSED = 1 / 3
TOKEN_MECHANISMS = ("XOAUTH2", "OAUTHBEARER", "HTTP-Bearer")
SYLLABLES = "an be co da el fra gi ha in jo ka lu mar no ol pe ra sa ti ul ver wi xa yo zu".split()  # noqa: SIM905
DOMAINS = (
    "a.example",
    "example.com",
    "contoso.example",
    "nordwind-logistics.example.net",
    "stadt-musterhausen.example.org",
)
CLIENT_NAMES = (
    "BRN30055CA1B2C3",
    "scanner",
    "WIN-8K2J3H4",
    "nas",
    "localhost.localdomain",
    "printer-3f.contoso.example",
    "KM7C2A9D",
    "RNP583879A1B2C3",
    "app01",
    "[192.168.10.24]",
    "EPSON44D2F1.local",
    "mail.example.com",
    "XRX9C934E0A1B2C",
    "localhost",
    "ubuntu-2204-prod-07.internal.example.net",
)
PASSWORD_SIGNS = string.ascii_letters + string.digits + "-_.+=!"
TOKEN_SIGNS = string.ascii_letters + string.digits + "-_"


def user_name(draw: random.Random) -> str:
    """Give a mailbox of 8 to 60 characters."""
    local = ".".join(
        "".join(draw.choices(SYLLABLES, k=draw.randint(1, 3))) for _ in range(draw.randint(1, 3))
    )
    return f"{local}{draw.choice(('', '', str(draw.randint(1, 999))))}@{draw.choice(DOMAINS)}"[:60]


def password(draw: random.Random) -> str:
    """Give a password of 6 to 40 characters, most of them short."""
    length = draw.choice((6, 8, 8, 10, 12, 12, 14, 16, 16, 16, 20, 24, 32, 40))
    return draw.choice(string.ascii_letters) + "".join(draw.choices(PASSWORD_SIGNS, k=length - 1))


def token(draw: random.Random) -> str:
    """Give a token as long as Microsoft's are; a few are shorter or longer."""
    length = draw.choice((900, 4000, *(draw.randint(1200, 2600) for _ in range(14))))
    return "eyJ0eXAi" + "".join(draw.choices(TOKEN_SIGNS, k=length - 8))


def _accepts(persona: Persona, protocol: str, mechanism: str | None) -> bool:
    """Tell whether the server offers it."""
    if mechanism is None:
        return True
    if mechanism == "auto":
        return len(persona.ports) > 1
    bare = mechanism.removesuffix("-IR").removesuffix("-later")
    if persona.product:
        return bare in persona.offers
    if protocol == "smtp" and persona.smtp:
        return bare in persona.smtp.mechanisms
    if protocol == "imap" and persona.imap:
        offered = persona.imap.capabilities.split()
        return (
            bare == "IMAP-LOGIN" and "LOGINDISABLED" not in offered
        ) or f"AUTH={bare}" in persona.imap.capabilities.split()
    if protocol == "pop3" and persona.pop3:
        return bare == "USERPASS" or any(bare in line.split() for line in persona.pop3.capabilities)
    return protocol == "http"


def _ports(persona: Persona, protocol: str, program: Program) -> list[tuple[int, str]]:
    return [
        (port, mode)
        for port, (spoken, mode) in persona.ports.items()
        if spoken == protocol and mode not in program.skips_mode and (port != 25 or len(persona.ports) == 1)
    ]


def _choices(
    program: Program, persona: Persona, draw: random.Random
) -> list[tuple[str, int, str, str | None]]:
    """Give protocol, port, TLS mode and mechanism of all that fits; rarely of what is not offered."""
    found = []
    for protocol, mechanisms in program.ways.items():
        for port, mode in _ports(persona, protocol, program):
            for mechanism in mechanisms:
                if _accepts(persona, protocol, mechanism) or draw.random() < UNOFFERED:
                    found.append((protocol, port, mode, mechanism))  # noqa: PERF401  # reads better so
    return found


def draw_sessions(
    personas: Sequence[Persona], programs: Sequence[Program], count: int, seed: int, delay_s: float
) -> list[Session]:
    """Draw so many sessions."""
    draw = random.Random(seed)
    sessions: list[Session] = []
    place = 0
    while len(sessions) < count:
        program = programs[place % len(programs)]
        place += 1
        if draw.random() > program.weight:
            continue
        pairs = [
            (persona, _choices(program, persona, draw)) for persona in draw.sample(personas, len(personas))
        ]
        persona, choices = next(((one, found) for one, found in pairs if found), (personas[0], []))
        if not choices:
            continue
        protocol, port, mode, mechanism = draw.choice(choices)
        sessions.append(
            draw_session(draw, len(sessions), program, persona, (protocol, port, mode, mechanism), delay_s)
        )
    return sessions


def draw_session(
    draw: random.Random,
    number: int,
    program: Program,
    persona: Persona,
    way: tuple[str, int, str, str | None],
    delay_s: float,
) -> Session:
    """Draw what is left open of a session: user, secret, TLS, and whether and why it is refused."""
    protocol, port, mode, mechanism = way
    bare = (mechanism or "").rpartition(" ")[2].removesuffix("-IR").removesuffix("-later")
    tls, tickets = draw.choice([row for row in TLS if row[0] not in program.refuses_tls])
    refused = draw.random() < SHARE_REFUSED and mechanism is not None and "none" not in mechanism
    keys = list(REFUSALS)
    if bare in TOKEN_MECHANISMS:
        keys = ["wrong", "wrong", "mailbox", "criteria", "blob", "tenant"]
    user = user_name(draw)
    secret = token(draw) if bare in TOKEN_MECHANISMS else password(draw)
    if persona.product:
        user = f"u{number}.{user}"
        if bare in TOKEN_MECHANISMS:
            secret = signed(user, KEY if not refused else b"another key")
    names = persona.names or (persona.host,)
    wanted = "smtp" if protocol == "smtp" else ("imap", "pop", "outlook", "mail", "m.")
    fitting = [name for name in names if name.startswith(wanted)]
    return Session(
        number=number,
        program=program.name,
        host=draw.choice(fitting or names),
        server=persona.name,
        protocol=protocol,
        port=port,
        tls_mode=mode,
        tls=tls,
        mechanism=mechanism,
        user=user,
        secret=secret,
        client_name=draw.choice(CLIENT_NAMES),
        refusal=draw.choice(keys) if refused else None,
        delay_s=delay_s * draw.choice((1, 1, 1, 0.4, 0) if persona.web != "exo" else (1,)),
        tickets=tickets,
        asks_certificate=persona.web == "exo" and protocol == "smtp" and draw.random() < 0.5,
        six=persona.six if program.name == "curl" and draw.random() < 0.15 else None,
        variant=draw.randrange(1000),
    )
