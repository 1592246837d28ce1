"""Of the head of a message, which program wrote it, and nothing else."""

import pytest

from scanner.events import Label
from scanner.protocols.announcement import TEXT_LENGTH
from scanner.protocols.message_head import LINES_READ, MessageHead

MAILER = Label("mail.x_mailer", "Scanner 3.1")


def read(*lines: bytes) -> list[Label]:
    found: list[Label] = []
    head = MessageHead(found)
    for line in lines:
        if not head.read(line):
            break
    return found


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([b"Subject: a", b"X-Mailer: Scanner 3.1", b""], [MAILER], id="a mailer"),
        pytest.param([b"x-MAILER :Scanner 3.1", b"."], [MAILER], id="in any case, and no body follows"),
        pytest.param(
            [b"User-Agent: Mutt/2", b"X-Mailer: Scanner 3.1", b""],
            [Label("mail.user_agent", "Mutt/2"), MAILER],
            id="both",
        ),
        pytest.param([b"X-Mailer: Scanner", b" 3.1", b""], [MAILER], id="folded"),
        pytest.param([b"X-Mailer:", b"\tScanner 3.1", b""], [MAILER], id="folded before the first word"),
        pytest.param([b"Subject: a", b" X-Mailer: Scanner 3.1", b""], [], id="in a folded subject"),
        pytest.param([b"Subject: a", b"", b"X-Mailer: Scanner 3.1", b""], [], id="in the body"),
        pytest.param([b"X-Mailer: Scanner 3.1"], [], id="cut off, a line may follow"),
        pytest.param([b"X-Mailer:", b""], [], id="an empty one"),
        pytest.param([b"X-Mailer", b""], [], id="no colon"),
        pytest.param(
            [b"Received: from a", b"X-Mailer: Scanner 3.1", b""], [], id="of a message that is passed on"
        ),
        pytest.param(
            [b"X-Mailer: Scanner 3.1", b"X-Mailer: Scanner 3.1", b""], [MAILER], id="the same twice"
        ),
        pytest.param([*[b"To: x"] * LINES_READ, b"X-Mailer: Scanner 3.1", b""], [], id="beyond the limit"),
        pytest.param(
            [b"From: ann@example.com", b"Xylophone: x", b"Under: u", b"Re: r", b""], [], id="others"
        ),
    ],
)
def test_programs_are_told(lines: list[bytes], expected: list[Label]) -> None:
    assert read(*lines) == expected


def test_a_long_text_is_cut() -> None:
    (label,) = read(b"X-Mailer: " + b"a" * 300, *[b" b" * 300] * 50, b"")
    assert len(label.text) == TEXT_LENGTH


def test_a_block_is_read_at_once() -> None:
    found: list[Label] = []
    MessageHead(found).read_whole(b"To: a\r\nX-Mailer: Scanner\n 3.1\r\n\r\nUser-Agent: body\r\n")
    assert found == [MAILER]


def test_the_cut_off_line_of_a_block_is_not_read() -> None:
    found: list[Label] = []
    MessageHead(found).read_whole(b"X-Mailer: Scanner 3.1\r\nUser-Agent: Mut")
    assert found == [MAILER]
