"""From turns to requests and replies: preface, control frames, tickets, bodies and alerts set apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.conversation import Side
from scanner.events import Turn
from scanner.protocols.http_exchanges import EXCHANGES_READ, Exchange, exchanges, is_http2

C, S = Side.CLIENT, Side.SERVER
SECOND = 1_000_000_000
Spoken = tuple[Side, tuple[int, ...]]


def turns(*spoken: Spoken, slack: int = 0) -> list[Turn]:
    """Turns a second apart, of records of these sizes; ``slack``: how much shorter each may be (CBC)."""
    return [
        Turn(
            side, max(sum(sizes) - slack * len(sizes), 0), sum(sizes), len(sizes), number * SECOND, sizes[:8]
        )
        for number, (side, sizes) in enumerate(spoken)
    ]


@pytest.mark.parametrize(
    ("spoken", "found"),
    [
        pytest.param(
            [(C, (300,)), (S, (1500,))],
            [(300, None, 1500)],
            id="a request in one record may have its body in it",
        ),
        pytest.param(
            [(C, (300, 900)), (S, (1500,))], [(300, 900, 1500)], id="the first of two records is the head"
        ),
        pytest.param(
            [(C, (300, 512, 512, 90)), (S, (1500, 4000))],
            [(300, 1114, 5500)],
            id="a body in pieces is one body, and so is a reply",
        ),
        pytest.param(
            [(C, (700, 700, 200)), (S, (1500,))],
            [(1600, None, 1500)],
            id="a stack that cuts all it sends shows no head",
        ),
        pytest.param(
            [(C, (1179, 400)), (S, (1500,))], [(1579, None, 1500)], id="a record that is full is no head"
        ),
        pytest.param(
            [(C, (300,)), (S, (25,)), (C, (900,)), (S, (1500,))],
            [(300, 900, 1500)],
            id="the go-ahead of Expect: 100-continue is no reply",
        ),
        pytest.param(
            [(S, (250, 250)), (C, (300,)), (S, (1500,))],
            [(300, None, 1500)],
            id="tickets ahead of all are left out",
        ),
        pytest.param(
            [(C, (300,)), (S, (250, 250, 1500))],
            [(300, None, 1500)],
            id="tickets ahead of the first reply are left out",
        ),
        pytest.param(
            [(C, (300,)), (S, (250,)), (C, (900,)), (S, (1500,))],
            [(300, 900, 1500)],
            id="a ticket between a head and its body is no reply",
        ),
        pytest.param(
            [(C, (300,)), (S, (1500,)), (C, (300,)), (S, (250,))],
            [(300, None, 1500), (300, None, 250)],
            id="behind the first reply what is as short as a ticket is a reply",
        ),
        pytest.param(
            [(C, (300,)), (S, (1500, 2)), (C, (2,))], [(300, None, 1500)], id="closing alerts are left out"
        ),
        pytest.param(
            [(C, (1, 299)), (S, (1500,))], [(299, None, 1500)], id="a first byte by itself is no head"
        ),
        pytest.param([(C, (300,))], [(300, None, 0)], id="a request may have no reply"),
        pytest.param([(S, (1500,))], [], id="a reply without a request is nothing"),
        pytest.param([], [], id="of nothing comes nothing"),
    ],
)
def test_http11(spoken: list[Spoken], found: list[tuple[int, int | None, int]]) -> None:
    heard = turns(*spoken)
    assert not is_http2(heard)
    assert [(one.head, one.body, one.reply) for one in exchanges(heard, h2=False)] == found


@pytest.mark.parametrize(
    ("spoken", "found"),
    [
        pytest.param(
            [(C, (64,)), (S, (51,)), (C, (9,)), (C, (180, 100)), (S, (9, 900))],
            [(180, 100, 900)],
            id="preface, SETTINGS and what acknowledges them are left out",
        ),
        pytest.param(
            [(C, (64, 180, 100)), (S, (51, 9, 900))],
            [(180, 100, 900)],
            id="a client need not wait for SETTINGS",
        ),
        pytest.param(
            [(C, (264, 100)), (S, (51, 900))], [(200, 100, 900)], id="HEADERS may share the preface's record"
        ),
        pytest.param(
            [(C, (64, 180)), (S, (51,)), (C, (9,)), (C, (700,)), (S, (900,))],
            [(180, 700, 900)],
            id="a body that waits for SETTINGS is a body",
        ),
        pytest.param(
            [(C, (64, 180, 100)), (S, (51, 900)), (C, (13, 90, 100)), (S, (80,))],
            [(180, 100, 900), (90, 100, 80)],
            id="WINDOW_UPDATE ahead of HEADERS is left out",
        ),
        pytest.param(
            [(C, (64, 180, 1009)), (S, (51, 900)), (C, (22, 1009)), (S, (80,))],
            [(180, 1009, 900), (22, 1009, 80)],
            id="HEADERS that are indexed wholly are shorter than two control frames",
        ),
        pytest.param(
            [(C, (64, 180)), (S, (51, 900)), (C, (17,)), (S, (17,)), (C, (90,)), (S, (80,))],
            [(180, None, 900), (90, None, 80)],
            id="PING and its answer are no exchange",
        ),
        pytest.param(
            [(C, (64,)), (S, (250,)), (C, (180,)), (S, (51,)), (C, (9,)), (S, (900,))],
            [(180, None, 900)],
            id="a ticket ahead of SETTINGS is left out",
        ),
        pytest.param([(C, (64,)), (S, (51,))], [], id="a preface alone asks for nothing"),
    ],
)
def test_http2(spoken: list[Spoken], found: list[tuple[int, int | None, int]]) -> None:
    merged: list[Spoken] = []
    for side, sizes in spoken:
        if merged and merged[-1][0] is side:
            merged[-1] = side, merged[-1][1] + sizes
        else:
            merged.append((side, sizes))
    heard = turns(*merged)
    assert is_http2(heard)
    assert [(one.head, one.body, one.reply) for one in exchanges(heard, h2=True)] == found


@pytest.mark.parametrize(
    "spoken",
    [
        pytest.param([(C, (90,)), (S, (880,))], id="a short request that is answered at once"),
        pytest.param([(C, (400,)), (S, (25,)), (C, (900,))], id="a head that waits for its go-ahead"),
        pytest.param([(S, (250,))], id="a server's tickets alone"),
    ],
)
def test_not_all_that_is_short_is_http2(spoken: list[Spoken]) -> None:
    assert not is_http2(turns(*spoken))


def test_waits_are_from_the_first_byte_asked_to_the_first_answered() -> None:
    heard = turns((C, (300,)), (S, (25,)), (C, (900,)), (S, (1500,)))
    assert exchanges(heard, h2=False) == [Exchange(300, 900, 1500, 3.0)]


def test_under_cbc_a_record_is_taken_for_the_middle_of_what_it_may_hold() -> None:
    (one,) = exchanges(turns((C, (315, 915)), (S, (1515,)), slack=16), h2=False)
    assert (one.head, one.body, one.reply) == (307, 907, 1507)


def test_records_that_are_not_told_one_by_one_count_all_the_same() -> None:
    (one,) = exchanges([Turn(C, 9300, 9300, 10, 0, (300, *(1000,) * 7))], h2=False)
    assert (one.head, one.body) == (300, 9000)


def test_no_more_is_read_than_needed() -> None:
    heard = turns(*((C, (300,)), (S, (1500,))) * 20)
    assert len(exchanges(heard, h2=False)) == EXCHANGES_READ


@given(
    st.lists(
        st.tuples(st.sampled_from(Side), st.lists(st.integers(0, 17_000), min_size=1, max_size=12)),
        max_size=20,
    ),
    st.sampled_from([0, 15]),
    st.booleans(),
)
def test_any_turns_make_some_exchanges(spoken: list[tuple[Side, list[int]]], slack: int, h2: bool) -> None:
    heard = turns(*((side, tuple(sizes)) for side, sizes in spoken), slack=slack)
    is_http2(heard)
    for one in exchanges(heard, h2):
        assert one.head > 0 and one.reply >= 0 and one.wait_s >= 0
