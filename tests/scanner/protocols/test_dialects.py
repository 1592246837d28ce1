"""Every dialect's examples, whole, byte by byte, at random cuts, and with hostile bytes between."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.conversation import Side
from scanner.events import Event, Login, Mail, Turn
from scanner.protocols import dialects
from scanner.session import Dialect, Example, Session

EXAMPLES = [
    pytest.param(dialect, example, id=f"{dialect.name}: {example.title}")
    for dialect in dialects()
    for example in dialect.examples
]


def heard(session: Session, said: Iterable[tuple[Side, bytes]]) -> list[Event]:
    events: list[Event] = []
    for side, data in said:
        events.extend(session.feed(side, data, 0))
    events.extend(session.end())
    return [replace(event, at=0) if isinstance(event, Login | Turn) else event for event in events]


def test_there_is_a_dialect_a_protocol() -> None:
    assert {"smtp", "imap", "pop3", "tls", "http", "dns"} <= {dialect.name for dialect in dialects()}


@pytest.mark.parametrize("dialect", dialects(), ids=lambda dialect: dialect.name)
def test_every_dialect_proves_itself_by_an_example(dialect: Dialect) -> None:
    assert dialect.examples


@pytest.mark.parametrize(("dialect", "example"), EXAMPLES)
def test_a_transcript_gives_its_events(dialect: Dialect, example: Example) -> None:
    assert heard(dialect.session(), example.lines) == list(example.events)


@pytest.mark.parametrize(("dialect", "example"), EXAMPLES)
def test_a_transcript_gives_the_same_events_byte_by_byte(dialect: Dialect, example: Example) -> None:
    if dialect.alone:
        return
    bytewise = [(side, data[at : at + 1]) for side, data in example.lines for at in range(len(data))]
    assert heard(dialect.session(), bytewise) == list(example.events)


@pytest.mark.parametrize(("dialect", "example"), EXAMPLES)
def test_no_secret_is_in_any_event(dialect: Dialect, example: Example) -> None:
    shown = repr(heard(dialect.session(), example.lines)).encode()
    assert not [secret for secret in example.secrets if secret in shown]


@pytest.mark.parametrize(("dialect", "example"), EXAMPLES)
def test_a_transcript_bears_its_own_mark(dialect: Dialect, example: Example) -> None:
    for side, mark in ((Side.CLIENT, dialect.client_mark), (Side.SERVER, dialect.server_mark)):
        said = b"".join(data for speaker, data in example.lines if speaker is side)
        assert not said or mark(said[:512]) is not False


@settings(max_examples=40, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("dialect", dialects(), ids=lambda dialect: dialect.name)
def test_bytes_of_any_kind_never_raise(dialect: Dialect, data: st.DataObject) -> None:
    example = data.draw(st.sampled_from(dialect.examples))
    session = dialect.session()
    for side, said in example.lines:
        kind = data.draw(st.sampled_from(["whole", "garbled", "lost", "noise"]))
        if kind == "lost":
            list(session.gap(side, data.draw(st.integers(-1, 2000).filter(bool)), 0))
            continue
        if kind == "garbled" and said:
            at = data.draw(st.integers(0, len(said) - 1))
            said = said[:at] + data.draw(st.binary(max_size=8)) + said[at + 1 :]
        list(session.feed(side, said, 0))
        if kind == "noise":
            list(session.feed(data.draw(st.sampled_from(Side)), data.draw(st.binary(max_size=64)), 0))
    list(session.end())


@pytest.mark.parametrize(("dialect", "example"), EXAMPLES)
def test_whatever_is_lost_no_secret_is_taken_for_a_name(dialect: Dialect, example: Example) -> None:
    for first in range(len(example.lines)):
        for behind in range(first + 1, len(example.lines) + 1):
            session = dialect.session()
            events: list[Event] = []
            for number, (side, data) in enumerate(example.lines):
                if first <= number < behind:
                    events.extend(session.gap(side, len(data), 0))
                else:
                    events.extend(session.feed(side, data, 0))
            events.extend(session.end())
            shown = repr(events).encode()
            assert not [secret for secret in example.secrets if secret in shown]


@pytest.mark.parametrize(("dialect", "example"), EXAMPLES)
def test_losing_any_one_part_invents_no_login_and_no_mail(dialect: Dialect, example: Example) -> None:
    truth = {(event.mechanism, event.outcome) for event in example.events if isinstance(event, Login)}
    allowed = truth | {(mechanism, None) for mechanism, _ in truth}
    for lost in range(len(example.lines)):
        session = dialect.session()
        events: list[Event] = []
        for number, (side, data) in enumerate(example.lines):
            if number == lost:
                events.extend(session.gap(side, len(data), 0))
            else:
                events.extend(session.feed(side, data, 0))
        events.extend(session.end())
        logins = {(event.mechanism, event.outcome) for event in events if isinstance(event, Login)}
        assert logins <= allowed
        assert sum(isinstance(event, Mail) for event in events) <= sum(
            isinstance(event, Mail) for event in example.events
        )
