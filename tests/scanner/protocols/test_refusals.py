"""A server's sentence tells why it refused."""

import pytest

from scanner.protocols.refusals import SENTENCES, cause


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        pytest.param(
            b"5.7.139 Authentication unsuccessful, basic authentication is disabled. [AM0PR01CA0001.x]",
            "basic-disabled",
            id="the precise words count before the general ones",
        ),
        pytest.param(
            b"5.7.30 Basic authentication is not supported for Client Submission.",
            "basic-removed",
            id="basic authentication is gone for good",
        ),
        pytest.param(b"[[ErrorCode: BasicAuthBlocked]]", "basic-disabled", id="a code instead of a sentence"),
        pytest.param(
            b"5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
            "smtp-auth-disabled-tenant",
            id="the tenant turned SMTP AUTH off",
        ),
        pytest.param(
            b"5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
            "smtp-auth-disabled-mailbox",
            id="the mailbox has SMTP AUTH off",
        ),
        pytest.param(
            b"5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults"
            b" policy. Contact your administrator.",
            "security-defaults",
            id="security defaults lock a user",
        ),
        pytest.param(
            b"5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated"
            b" successfully.",
            "conditional-access",
            id="conditional access stands in the way",
        ),
        pytest.param(
            b"5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
            "bad-credentials",
            id="the password is wrong",
        ),
        pytest.param(
            b"5.7.57 Client not authenticated to send mail.", "not-authenticated", id="mail without a login"
        ),
        pytest.param(
            b"5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM",
            "not-authenticated",
            id="mail without a login in the older words",
        ),
        pytest.param(
            b"4.7.0 TLS 1.0 and 1.1 are not supported. Please upgrade/update your client",
            "old-tls",
            id="TLS is too old",
        ),
        pytest.param(
            b"5.2.252 SendAsDenied; ann@example.com not allowed to send as bob@example.com",
            "send-as-denied",
            id="a sender that is somebody else",
        ),
        pytest.param(b"5.7.3 Authentication unsuccessful", "bad-credentials", id="the general words alone"),
        pytest.param(b"User is authenticated but not connected.", "mailbox-refused", id="no mailbox"),
        pytest.param(b"AUTHENTICATE failed.", "bad-credentials", id="upper case is the same"),
        pytest.param(b"5.3.2 Service not available", None, id="a sentence that nobody has classified"),
        pytest.param(b"\xff\xfe", None, id="bytes that are no text"),
        pytest.param(b"", None, id="no sentence"),
    ],
)
def test_a_sentence_has_its_class(sentence: bytes, expected: str | None) -> None:
    assert cause(sentence) == expected


@pytest.mark.parametrize(("words", "name"), SENTENCES, ids=[words.decode() for words, _ in SENTENCES])
def test_no_row_is_hidden_by_one_before_it(words: bytes, name: str) -> None:
    assert cause(b"535 " + words.upper() + b". [trailer]") == name
    assert words == words.lower()
