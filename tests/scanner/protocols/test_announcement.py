import pytest

from scanner.conversation import CLIENT, SERVER, Transport
from scanner.events import Gap, Label
from scanner.protocols.announcement import TEXT_LENGTH, announcing, clean


def test_each_payload_is_read_for_itself() -> None:
    dialect = announcing(
        "x", Transport.UDP, frozenset({9}), lambda raw: [Label("x.name", raw.decode())], examples=()
    )
    session = dialect.session()
    assert dialect.alone
    assert list(session.feed(CLIENT, b"one", 0)) == [Label("x.name", "one")]
    assert list(session.gap(SERVER, 7, 0)) == [Gap(SERVER, 7)]
    assert list(session.end()) == []


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param(b"  copier\0\0\0", "copier", id="padding is no part of a name"),
        pytest.param("Kopierer Süd".encode(), "Kopierer Süd", id="UTF-8 is read"),
        pytest.param("Süd".encode("latin-1"), "Süd", id="Latin-1 is read where it is no UTF-8"),
        pytest.param(b"x" * 999, "x" * TEXT_LENGTH, id="a novel is cut"),
    ],
)
def test_text_is_taken_as_it_was_meant(raw: bytes, text: str) -> None:
    assert clean(raw) == text
