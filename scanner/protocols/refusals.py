"""Why a server refused a login, by its sentence: Exchange Online's codes alone do not tell (facts of 3.2).

Sources: Microsoft's "Troubleshoot SMTP AUTH client submission" and answers recorded in public logs.
"""

from __future__ import annotations

SENTENCES: tuple[tuple[bytes, str], ...] = (
    (b"basic authentication is disabled", "basic-disabled"),
    (b"basic authentication is not supported for client submission", "basic-removed"),
    (b"basicauthblocked", "basic-disabled"),
    (b"smtpclientauthentication is disabled for the tenant", "smtp-auth-disabled-tenant"),
    (b"smtpclientauthentication is disabled for the mailbox", "smtp-auth-disabled-mailbox"),
    (b"security defaults policy", "security-defaults"),
    (b"did not meet the criteria", "conditional-access"),
    (b"account locked", "account-locked"),
    (b"user is locked", "account-locked"),
    (b"federated sts", "federation"),
    (b"not connected", "mailbox-refused"),
    (b"credentials were incorrect", "bad-credentials"),
    (b"client not authenticated", "not-authenticated"),
    (b"client was not authenticated", "not-authenticated"),
    (b"tls 1.0 and 1.1 are not supported", "old-tls"),
    (b"invalid xoauth2", "bad-token"),
    (b"sendasdenied", "send-as-denied"),
    (b"permissions to send as", "send-as-denied"),
    (b"unrecognized authentication type", "mechanism-unknown"),
    (b"mechanism not supported", "mechanism-unknown"),
    (b"bad password", "bad-credentials"),
    (b"authentication unsuccessful", "bad-credentials"),
    (b"authentication failed", "bad-credentials"),
    (b"login failed", "bad-credentials"),
    (b"authenticate failed", "bad-credentials"),
    (b"invalid credentials", "bad-credentials"),
    (b"authentication credentials invalid", "bad-credentials"),
)
"""The first that occurs counts: the precise ones stand before the general ones."""


def cause(sentence: bytes) -> str | None:
    """Class of a refusal; None for a sentence that nobody has classified."""
    lowered = sentence.lower()
    for words, name in SENTENCES:
        if words in lowered:
            return name
    return None
