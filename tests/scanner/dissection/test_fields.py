"""Of dissected fields only what is wanted gets through, and no secret does."""

from __future__ import annotations

import pytest

from scanner.dissection import Field
from scanner.dissection.fields import cut

SECRET = "c2VjcmV0LTE="

CASES: tuple[tuple[str, str, list[tuple[str, str]], list[tuple[str, str]]], ...] = (
    (
        "of AUTH only the mechanism",
        "smtp",
        [("smtp.req.command", "auth"), ("smtp.req.parameter", f"PLAIN {SECRET}")],
        [("smtp.req.command", "AUTH"), ("smtp.req.parameter", "PLAIN")],
    ),
    (
        "an answer in base64 is no command",
        "smtp",
        [("smtp.req.command", SECRET[:4]), ("smtp.req.parameter", SECRET)],
        [],
    ),
    (
        "of an envelope only that there is one",
        "smtp",
        [("smtp.req.command", "MAIL"), ("smtp.req.parameter", "FROM:<a@example.com>")],
        [("smtp.req.command", "MAIL")],
    ),
    (
        "a password of POP3 is not even looked at",
        "pop",
        [("pop.request.command", "PASS"), ("pop.request.parameter", SECRET)],
        [("pop.request.command", "PASS")],
    ),
    ("nor is an answer that looks like a command", "pop", [("pop.request.command", SECRET)], []),
    (
        "the name of USER is",
        "pop",
        [("pop.request.command", "user"), ("pop.request.parameter", "ann")],
        [("pop.request.command", "USER"), ("pop.request.parameter", "ann")],
    ),
    (
        "of APOP the name, not the digest",
        "pop",
        [("pop.request.command", "APOP"), ("pop.request.parameter", f"ann {SECRET}")],
        [("pop.request.command", "APOP"), ("pop.request.parameter", "ann")],
    ),
    (
        "of IMAP's LOGIN the name",
        "imap",
        [
            ("imap.line", f"a LOGIN ann {SECRET}\r\n"),
            ("imap.request_tag", "a"),
            ("imap.request", f"a LOGIN ann {SECRET}"),
            ("imap.request.command", "login"),
            ("imap.request.username", '"ann"'),
        ],
        [("imap.request_tag", "a"), ("imap.request.command", "LOGIN"), ("imap.request.username", "ann")],
    ),
    (
        "of AUTHENTICATE the mechanism",
        "imap",
        [("imap.request_tag", "a"), ("imap.request", f"a authenticate PLAIN {SECRET}")],
        [("imap.request", "PLAIN")],
    ),
    ("a line without a command is an answer", "imap", [("imap.request_tag", SECRET)], []),
    ("a literal's length is no name", "imap", [("imap.request.username", "{16+}")], []),
    (
        "of Authorization the scheme, and of Basic the name",
        "http",
        [("http.authorization", f"Basic {SECRET}"), ("http.authbasic", "ann:secret-1")],
        [("http.authorization", "Basic"), ("http.authbasic", "ann")],
    ),
    (
        "of a cookie its name, and of header lines one version",
        "http",
        [
            ("http.cookie_pair", f"FedAuth={SECRET}"),
            ("http.request.line", f"Authorization: Basic {SECRET}"),
            ("http.request.line", "MS-ASProtocolVersion: 14.1\r\n"),
        ],
        [("http.cookie_pair", "FedAuth"), ("http.request.line", "14.1")],
    ),
    (
        "of a certificate's names the common one",
        "tls",
        [("x509if.RDNSequence_item", "RDNSequence item: 1 item (id-at-commonName=mail.example.com)")],
        [("x509if.RDNSequence_item", "mail.example.com")],
    ),
)


@pytest.mark.parametrize(("layer", "fields", "kept"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_what_gets_through(layer: str, fields: list[tuple[str, str]], kept: list[tuple[str, str]]) -> None:
    assert list(cut(layer, fields)) == [Field(*one) for one in kept]


def test_a_long_text_is_cut() -> None:
    (field,) = cut("smtp", [("smtp.rsp.parameter", "x" * 1000)])
    assert len(field.text) == 512
