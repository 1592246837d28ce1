"""A greeting's text is the same in every session of one server."""

import pytest

from scanner.protocols.announcement import TEXT_LENGTH
from scanner.protocols.banner import banner


@pytest.mark.parametrize(
    ("protocol", "greeting", "expected"),
    [
        pytest.param("smtp", "mx.example.com ESMTP Postfix", "mx.example.com ESMTP Postfix", id="SMTP"),
        pytest.param(
            "smtp",
            "mx.example.com Microsoft ESMTP MAIL ready at Tue, 24 Nov 2026 10:00:00 +0000 [08DE01ABCDEF1234]",
            "mx.example.com Microsoft ESMTP MAIL ready at",
            id="Exchange's date and session",
        ),
        pytest.param(
            "smtp",
            "mx.example.com ESMTP Sendmail 8.14.7/8.14.7; Tue, 24 Nov 2026 10:00:00 GMT",
            "mx.example.com ESMTP Sendmail 8.14.7/8.14.7",
            id="Sendmail's date",
        ),
        pytest.param(
            "smtp", "ups SMTP ready Tue Nov 24 10:00:00 2026", "ups SMTP ready", id="a date as C writes it"
        ),
        pytest.param("smtp", "Monitor of Sunday Inc", "Monitor of Sunday Inc", id="a day without a date"),
        pytest.param(
            "imap",
            "OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] Dovecot (Debian) ready.",
            "Dovecot (Debian) ready.",
            id="IMAP with what it can do",
        ),
        pytest.param("imap", "OK NAS ready", "NAS ready", id="IMAP without"),
        pytest.param(
            "imap",
            "OK The Microsoft Exchange IMAP4 service is ready. [TQBAAAAAAAAA]",
            "The Microsoft Exchange IMAP4 service is ready.",
            id="Exchange's back end",
        ),
        pytest.param("pop3", "+OK Dovecot ready <1.2@mx>.", "Dovecot ready .", id="APOP's timestamp"),
        pytest.param("pop3", "+OK", "", id="POP3 without a word"),
        pytest.param("smtp", "a" * 400, "a" * TEXT_LENGTH, id="a long one"),
    ],
)
def test_only_what_stays_is_kept(protocol: str, greeting: str, expected: str) -> None:
    assert banner(protocol, greeting) == expected
