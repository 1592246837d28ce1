"""An exchange gives a mechanism and a user name, and forgets all else."""

import base64
import struct
from collections.abc import Sequence

import pytest

from scanner.events import Login, Outcome
from scanner.model import AuthClass
from scanner.protocols.sasl import NAME_LENGTH, REASON_LENGTH, Exchange, auth_class, login, prompts_login

SECRET = b"secret-1"
XOAUTH2 = b"user=ann@example.com\x01auth=Bearer secret-1\x01\x01"
BEARER = b"n,a=ann@example.com,\x01host=x\x01auth=Bearer secret-1\x01\x01"
NTLM_OPEN = b"NTLMSSP\0\x01\0\0\0" + bytes(40)
NTLM_FINAL = (
    b"NTLMSSP\0\x03\0\0\0"
    + bytes(16)
    + struct.pack("<HHIHHI", 8, 8, 64, 6, 6, 72)
    + bytes(16)
    + b"\x01\0\0\0"
    + "CORPann".encode("utf-16-le")
)
DIGEST = b'charset=utf-8,username="ann@example.com",realm="x",response=secret-1'


def b64(message: bytes) -> bytes:
    return base64.b64encode(message)


def exchange_of(mechanism: bytes, *answers: bytes) -> Exchange:
    exchange = Exchange(mechanism, 7)
    for answer in answers:
        exchange.answer(answer)
    return exchange


@pytest.mark.parametrize(
    ("mechanism", "messages", "expected"),
    [
        pytest.param(b"PLAIN", [b"\0ann\0secret-1"], "ann", id="PLAIN names the one who logs in"),
        pytest.param(b"PLAIN", [b"boss\0ann\0secret-1"], "ann", id="PLAIN for somebody else"),
        pytest.param(b"PLAIN", [b"ann secret-1"], None, id="PLAIN without its zeros"),
        pytest.param(b"PLAIN", [b"\0\0secret-1"], None, id="PLAIN without a name"),
        pytest.param(
            b"PLAIN", [b"ann\0\0secret-1"], "ann", id="PLAIN whose name stands where another's would"
        ),
        pytest.param(b"LOGIN", [b"ann", SECRET], "ann", id="LOGIN in two steps"),
        pytest.param(b"LOGIN", [b"", SECRET], None, id="LOGIN with an empty name does not take the password"),
        pytest.param(b"XOAUTH2", [XOAUTH2], "ann@example.com", id="XOAUTH2"),
        pytest.param(b"XOAUTH2", [b"auth=Bearer secret-1\x01\x01"], None, id="XOAUTH2 without a user"),
        pytest.param(b"XOAUTH2", [XOAUTH2, b""], "ann@example.com", id="XOAUTH2 whose error is acknowledged"),
        pytest.param(b"OAUTHBEARER", [BEARER], "ann@example.com", id="OAUTHBEARER"),
        pytest.param(b"OAUTHBEARER", [b"n,,\x01auth=Bearer secret-1\x01\x01"], None, id="a token alone"),
        pytest.param(b"CRAM-MD5", [b"ann lee secret-1"], "ann lee", id="CRAM-MD5 with a space in the name"),
        pytest.param(b"CRAM-MD5", [SECRET], None, id="CRAM-MD5 without a name"),
        pytest.param(b"DIGEST-MD5", [DIGEST, b""], "ann@example.com", id="DIGEST-MD5"),
        pytest.param(b"DIGEST-MD5", [b"response=secret-1"], None, id="DIGEST-MD5 without a name"),
        pytest.param(
            b"DIGEST-MD5", [b'realm="x", username="a\\"n\\\\n",nc=1'], 'a"n\\n', id="DIGEST-MD5 with escapes"
        ),
        pytest.param(b"DIGEST-MD5", [b"username=ann,nc=1"], "ann", id="DIGEST-MD5 without quotes"),
        pytest.param(b"NTLM", [NTLM_OPEN, NTLM_FINAL], "CORP\\ann", id="NTLM names somebody at last"),
        pytest.param(b"NTLM", [NTLM_OPEN], None, id="NTLM that only opened"),
        pytest.param(b"EXTERNAL", [b"ann@example.com"], "ann@example.com", id="EXTERNAL with a name"),
        pytest.param(
            b"SCRAM-SHA-256",
            [b"n,,n=ann=2Clee=3D,r=secret-1", b"c=biws,r=x,n=other"],
            "ann,lee=",
            id="SCRAM names somebody first, with escapes",
        ),
        pytest.param(b"SCRAM-SHA-1", [b"n,,r=secret-1"], None, id="SCRAM without a name"),
        pytest.param(b"SCRAM-SHA-1", [b"", b"n,,n=ann"], None, id="SCRAM names nobody later"),
        pytest.param(b"GSSAPI", [SECRET, SECRET], None, id="a ticket is not read"),
        pytest.param(b"ANONYMOUS", [SECRET], None, id="a trace is not read"),
        pytest.param(b"X-OWN", [SECRET], None, id="an unknown mechanism is not read"),
        pytest.param(b"plain", [b"\0ann\0secret-1"], "ann", id="lower case is the same"),
    ],
)
def test_only_the_name_survives(mechanism: bytes, messages: Sequence[bytes], expected: str | None) -> None:
    exchange = exchange_of(mechanism, *map(b64, messages))
    assert exchange.login(None) == Login(mechanism.decode().upper(), None, expected, at=7)
    kept = repr([getattr(exchange, slot) for slot in Exchange.__slots__])
    assert "secret" not in kept
    assert base64.b64encode(SECRET).decode() not in kept


def test_a_password_that_is_asked_for_first_is_no_name() -> None:
    exchange = Exchange(b"LOGIN", 0)
    exchange.challenge(b64(b"Password:"))
    exchange.answer(b64(SECRET))
    assert exchange.username is None


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        pytest.param(b64(b"Username:"), "ann", id="asked for by name"),
        pytest.param(b64(b"User Name\0"), "ann", id="asked for as the draft says"),
        pytest.param(b"", "ann", id="asked for without a word"),
        pytest.param(b"V", "ann", id="asked for in bytes that are no base64"),
    ],
)
def test_a_name_is_taken_whatever_the_prompt(prompt: bytes, expected: str) -> None:
    exchange = Exchange(b"LOGIN", 0)
    exchange.challenge(prompt)
    exchange.answer(b64(b"ann"))
    exchange.challenge(b64(b"Password:"))
    exchange.answer(b64(SECRET))
    assert exchange.username == expected


def test_a_challenge_of_another_mechanism_changes_nothing() -> None:
    exchange = Exchange(b"CRAM-MD5", 0)
    exchange.challenge(b64(b"Password:"))
    exchange.answer(b64(b"ann secret-1"))
    assert exchange.username == "ann"


@pytest.mark.parametrize(
    ("mechanism", "answer"),
    [
        pytest.param(b"EXTERNAL", b"=", id="an equals sign is an empty message"),
        pytest.param(b"EXTERNAL", b"", id="an empty line is an empty message"),
        pytest.param(b"LOGIN", b"abcde", id="what is no base64 names nobody"),
    ],
)
def test_an_answer_without_a_name(mechanism: bytes, answer: bytes) -> None:
    exchange = exchange_of(mechanism, answer)
    assert exchange.username is None


@pytest.mark.parametrize(
    ("mechanism", "needed"),
    [
        pytest.param(b"PLAIN", 1, id="PLAIN says all at once"),
        pytest.param(b"LOGIN", 2, id="LOGIN needs two"),
        pytest.param(b"NTLM", 2, id="NTLM needs two"),
        pytest.param(b"SCRAM-SHA-256", 2, id="SCRAM needs two"),
        pytest.param(b"GSSAPI", 3, id="GSSAPI needs three"),
        pytest.param(b"X-OWN", 1, id="an unknown one needs one"),
    ],
)
def test_an_exchange_is_spoken_after_its_messages(mechanism: bytes, needed: int) -> None:
    exchange = Exchange(mechanism, 0)
    for _ in range(needed):
        assert not exchange.spoken
        exchange.answer(b"=")
    assert exchange.spoken


@pytest.mark.parametrize(
    ("mechanism", "challenges", "outcome"),
    [
        pytest.param(b"XOAUTH2", [b"", b'{"status":"401"}'], Outcome.REFUSED, id="a token is no good"),
        pytest.param(b"OAUTHBEARER", [b"", b'{"status":"invalid_token"}'], Outcome.REFUSED, id="nor is this"),
        pytest.param(b"XOAUTH2", [b""], None, id="the server asked for it only"),
        pytest.param(b"XOAUTH2", [b'{"status":"401"}'], None, id="an error before any token"),
        pytest.param(b"PLAIN", [b"", b"{}"], None, id="a password has no such challenge"),
    ],
)
def test_a_client_may_leave_when_its_token_is_no_good(
    mechanism: bytes, challenges: list[bytes], outcome: Outcome | None
) -> None:
    exchange = Exchange(mechanism, 0)
    exchange.challenge(b64(challenges[0]))
    if len(challenges) > 1:
        exchange.answer(b64(b"user=ann\x01auth=Bearer secret-1\x01\x01"))
        exchange.challenge(b64(challenges[1]))
    assert exchange.login(None).outcome is outcome


def test_what_is_kept_is_bounded() -> None:
    exchange = exchange_of(b"X" * 99, b"")
    assert exchange.mechanism == "X" * 32
    exchange = exchange_of(b"PLAIN", b64(b"\0" + b"u" * 999 + b"\0secret-1"))
    assert exchange.username == "u" * NAME_LENGTH
    told = exchange.login(Outcome.REFUSED, b"5.7.3 Authentication unsuccessful " + b"x" * 999)
    assert told.reason is not None
    assert len(told.reason) == REASON_LENGTH


@pytest.mark.parametrize(
    ("outcome", "sentence", "expected"),
    [
        pytest.param(
            Outcome.REFUSED,
            b" 5.7.3 Authentication unsuccessful ",
            Login("PLAIN", Outcome.REFUSED, "ann", "5.7.3 Authentication unsuccessful", "bad-credentials", 5),
            id="a refusal has a reason and a class",
        ),
        pytest.param(
            Outcome.REFUSED, b"", Login("PLAIN", Outcome.REFUSED, "ann", at=5), id="a refusal without a word"
        ),
        pytest.param(
            Outcome.ACCEPTED, b"bad password", Login("PLAIN", Outcome.ACCEPTED, "ann", at=5), id="accepted"
        ),
        pytest.param(None, b"bad password", Login("PLAIN", None, "ann", at=5), id="nobody knows"),
    ],
)
def test_an_attempt_is_told(outcome: Outcome | None, sentence: bytes, expected: Login) -> None:
    assert login("PLAIN", outcome, "ann", sentence, 5) == expected


@pytest.mark.parametrize(
    ("mechanism", "expected"),
    [
        ("PLAIN", AuthClass.BASIC),
        ("USERPASS", AuthClass.BASIC),
        ("IMAP-LOGIN", AuthClass.BASIC),
        ("XOAUTH2", AuthClass.OAUTH),
        ("NTLM", AuthClass.NTLM),
        ("GSSAPI", AuthClass.KERBEROS),
        ("KERBEROS_V4", AuthClass.KERBEROS),
        ("OTP", AuthClass.DIGEST),
        ("CRAM-MD5", AuthClass.DIGEST),
        ("SCRAM-SHA-512", AuthClass.DIGEST),
        ("EXTERNAL", AuthClass.CERTIFICATE),
        ("ANONYMOUS", AuthClass.NONE),
        ("X-OWN", AuthClass.UNKNOWN),
    ],
)
def test_a_mechanism_has_its_class(mechanism: str, expected: AuthClass) -> None:
    assert auth_class(mechanism) is expected


@pytest.mark.parametrize(
    ("challenge", "expected"),
    [
        pytest.param(b64(b"Username:"), True, id="for a name"),
        pytest.param(b64(b"password"), True, id="for a password"),
        pytest.param(b64(b"<1.2@example.com>"), False, id="CRAM-MD5 asks otherwise"),
        pytest.param(b"", False, id="nothing"),
        pytest.param(b"a", False, id="no base64"),
    ],
)
def test_login_is_known_by_its_questions(challenge: bytes, expected: bool) -> None:
    assert prompts_login(challenge) is expected
