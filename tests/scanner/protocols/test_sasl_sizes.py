"""Sizes of SASL's messages against messages written out."""

from base64 import b64encode

import pytest

from scanner.protocols.imap_sizes import OFTEN as IMAP
from scanner.protocols.pop3_sizes import OFTEN as POP3
from scanner.protocols.sasl_sizes import Frame, logins
from scanner.protocols.smtp_sizes import OFTEN as SMTP
from scanner.sizes import END, Script, Sizes, span

TOKEN = b64encode(b"user=scan@example.com\1auth=Bearer " + b"x" * 1500 + b"\1\1")
PLAIN = b64encode(b"\0scan@example.com\0sample-secret")


def moves(frame: Frame) -> dict[str, Sizes]:
    script = Script()
    logins(script, frame, ({END: 1.0}, {END: 1.0}))
    return {name: move.client for name, move in script.moves.items()}


@pytest.mark.parametrize(
    ("command", "move", "said"),
    [
        (7, "AUTH LOGIN 0", b"AUTH LOGIN\r\n"),
        (7, "AUTH LOGIN 1", b64encode(b"scan@example.com") + b"\r\n"),
        (7, "AUTH LOGIN, accepted", b64encode(b"sample-secret") + b"\r\n"),
        (7, "AUTH LOGIN at once 0", b"AUTH LOGIN " + b64encode(b"scan@example.com") + b"\r\n"),
        (7, "AUTH PLAIN at once, accepted", b"AUTH PLAIN " + PLAIN + b"\r\n"),
        (7, "AUTH PLAIN 0", b"AUTH PLAIN\r\n"),
        (7, "AUTH XOAUTH2 at once, refused", b"AUTH XOAUTH2 " + TOKEN + b"\r\n"),
        (7, "AUTH XOAUTH2, accepted", TOKEN + b"\r\n"),
        (20, "AUTH PLAIN 0", b"A001 AUTHENTICATE PLAIN\r\n"),
        (20, "AUTH XOAUTH2 at once, accepted", b"A001 AUTHENTICATE XOAUTH2 " + TOKEN + b"\r\n"),
    ],
    ids=lambda value: value.decode()[:28] if isinstance(value, bytes) else str(value),
)
def test_what_is_really_said_is_likely(command: int, move: str, said: bytes) -> None:
    found = moves(Frame("AUTH", command, 6, span(20, 90), span(40, 200), SMTP))
    assert found[move].likelihood(len(said), len(said)) > 0


@pytest.mark.parametrize("often", [SMTP, IMAP, POP3], ids=["smtp", "imap", "pop3"])
def test_every_way_of_a_mechanism_begins_somewhere(often: dict[str, tuple[float, float]]) -> None:
    script = Script()
    begins = logins(script, Frame("AUTH", 7, 6, span(20, 90), span(40, 200), often), ({END: 1.0}, {END: 1.0}))
    assert set(begins) <= set(script.moves)
    assert sum(begins.values()) == pytest.approx(sum(map(sum, often.values())))
    assert {script.moves[name].mechanism for name in begins} == set(often)
