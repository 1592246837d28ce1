"""Servers of other makes, drawn from a seed: a product's sentences, or a mixture of several products'."""

from __future__ import annotations

import random
from collections.abc import Mapping

from imitation.exchange import PORTS
from imitation.persona import ImapTexts, Persona, Pop3Texts, SmtpTexts
from imitation.vocabulary import CHALLENGES, IMAP, MECHANISMS, POP3, SMTP, TOKEN_JSON, Words

HOSTS = (
    "mx.{id}.example",
    "mail.{id}.example.com",
    "{id}",
    "smtp-relay-{id}.intern.stadtwerke-musterstadt.example.org",
    "mail01.ad.{id}.example.net",
    "mx-out-{id}.mail.hosting-provider.example",
    "exch16-{id}.corp.contoso.example",
    "relay.{id}.lan.example",
)
SHARE_MIXED = 0.3
"""So many servers speak no single product's language: proxies in front, banners that admins wrote."""


def persona(number: int, seed: int, address: str) -> Persona:
    """Draw a server; the same seed and number give the same."""
    draw = random.Random(f"{seed}/{number}")
    code = "".join(draw.choices("abcdefghkmnpqrstuvwxyz23456789", k=draw.randint(2, 9)))
    host = draw.choice(HOSTS).format(id=code)
    values = {"host": host, "id": "".join(draw.choices("ABCDEF0123456789", k=draw.choice((6, 10, 16))))}
    mixed = draw.random() < SHARE_MIXED
    gathers = draw.random() < 0.5
    offered = draw.choice(MECHANISMS)
    web = "on-premises" if draw.random() < 0.15 else None
    return Persona(
        web=web,
        name=f"seed{seed}-{number:03}",
        address=address,
        host=host,
        smtp=_smtp(draw, _row(draw, SMTP, mixed), values),
        imap=_imap(draw, _row(draw, IMAP, mixed), values, offered),
        pop3=_pop3(draw, _row(draw, POP3, mixed), values, offered),
        names=(f"mail{number}-{seed}.{'lab' * draw.randint(1, 4)}.test",),
        gathers=gathers,
        messages=draw.choice((0, 0, 1, 2)),
        ports={port: how for port, how in PORTS.items() if port not in ((25,) if web else (25, 443))},
    )


def _row(draw: random.Random, table: Mapping[str, Words], mixed: bool) -> Words:
    """Give one product's words, or for each sentence some product's."""
    row = dict(table[draw.choice(list(table))])
    if mixed:
        for key in row:
            others = [other[key] for other in table.values() if key in other]
            row[key] = draw.choice(others)
    return row


def _fill(text: str, values: Mapping[str, str]) -> str:
    """Put the server's own values in; what belongs to a client stays."""
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text


def _texts(row: Words, values: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: _fill(str(row[name]), values) for name in names if name in row}


def _smtp(draw: random.Random, row: Words, values: Mapping[str, str]) -> SmtpTexts:
    plain = _texts(
        row,
        values,
        "hello",
        "helo",
        "starttls_ready",
        "accepted",
        "not_offered",
        "sender_ok",
        "recipient_ok",
        "data_go",
        "queued",
        "reset",
        "noop",
        "bye",
        "unknown",
        "needs_login",
        "needs_login_at",
        "needs_tls",
        "chunk_ok",
    )
    mechanisms = draw.choice(row.get("mechanisms", MECHANISMS))
    features = list(row["features"])
    if draw.random() < 0.3:
        features = [word for word in features if draw.random() < 0.8] or features
    if draw.random() < 0.15:
        draw.shuffle(features)
    refusals = draw.sample(row["refusal"], len(row["refusal"]))
    json = draw.choice(row.get("json", TOKEN_JSON))
    return SmtpTexts(
        greeting=tuple(_fill(draw.choice(row["greeting"]), values).split("|")),
        features=tuple(features),
        mechanisms=tuple(mechanisms),
        auth_form=draw.choice(("AUTH {mechanisms}",) * 5 + ("AUTH={mechanisms}|AUTH {mechanisms}",)),
        auth_place=draw.choice((-1, -1, -1, 0, 1)),
        starttls_place=min(int(str(row["starttls_place"])), len(features)),
        challenges=draw.choice(CHALLENGES),
        empty_challenge=draw.choice(("334 ", "334 ", "334 ", "334", "334 =")),
        refusals=(("", _fill(refusals[0], values).replace("|", "\r\n")),),
        token_json=json,
        greets_together=bool(row.get("greets_together", draw.random() < 0.9)),
        **{key: text.replace("|", "\r\n") for key, text in plain.items()},
    )


def _imap(draw: random.Random, row: Words, values: Mapping[str, str], offered: tuple[str, ...]) -> ImapTexts:
    auth = " ".join(f"AUTH={name}" for name in offered)
    before = draw.choice(row["before"]).replace("{auth}", auth)
    after = str(row["after"])
    inner = {**values, "before": before, "after": after}
    plain = _texts(
        row,
        inner,
        "capability_ok",
        "login_ok",
        "authenticate_ok",
        "challenge",
        "bye",
        "logout_ok",
        "bad",
        "starttls_ok",
        "not_offered",
    )
    plain.setdefault("authenticate_ok", plain["login_ok"].replace("LOGIN", "AUTHENTICATE"))
    refusal = _fill(draw.choice(row["refusal"]), inner)
    identity = row.get("identity")
    return ImapTexts(
        greeting=_fill(draw.choice(row["greeting"]), inner),
        capabilities=before,
        capabilities_after=after,
        login_no=refusal,
        authenticate_no=draw.choice((refusal, refusal.replace("LOGIN", "AUTHENTICATE"))),
        token_json=draw.choice(row.get("json", TOKEN_JSON)),
        untagged_after=bool(row.get("untagged", draw.random() < 0.15)),
        done=str(row["done"]),
        identity=str(identity) if identity and " ID" in before else None,
        challenges=draw.choice(CHALLENGES),
        **plain,
    )


def _pop3(draw: random.Random, row: Words, values: Mapping[str, str], offered: tuple[str, ...]) -> Pop3Texts:
    plain = _texts(
        row, values, "capa_ok", "user_ok", "pass_ok", "challenge", "bye", "stls_ok", "bad", "listing"
    )
    refusal = _fill(draw.choice(row["refusal"]), values)
    capabilities = [line.replace("{auth}", " ".join(offered)) for line in row["capabilities"]]
    return Pop3Texts(
        greeting=_fill(draw.choice(row["greeting"]), values),
        capabilities=tuple(capabilities),
        auth_ok=draw.choice((plain["pass_ok"], "+OK", "+OK Authentication successful")),
        pass_no=refusal,
        auth_no=draw.choice((refusal, refusal, "-ERR [AUTH] Authentication failed.")),
        token_json=draw.choice(TOKEN_JSON),
        challenges=draw.choice(CHALLENGES),
        **plain,
    )
