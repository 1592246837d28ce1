"""What a server's replies weigh: learned from others, never from oneself, and the same in any order."""

from itertools import permutations

import pytest

from scanner.texts import (
    DOUBT,
    SERVERS_KEPT,
    SPANS_KEPT,
    TEACHERS_KEPT,
    Lessons,
    Servers,
    Span,
    add,
    likelihood,
)

SUCCESS, OTHER = ("success", 30, 30), ("success", 41, 41)


def learned(*lessons: tuple[str, tuple[str, int, int]], server: str = "smtp mx") -> Servers:
    """A table to which clients, by turns, taught something."""
    servers = Servers()
    for client, lesson in lessons:
        servers.learn(servers.fresh(server, client, [lesson]))
    return servers


def test_nobody_is_taught_by_his_own() -> None:
    servers = learned(("a", SUCCESS), ("a", SUCCESS))
    assert servers.texts("smtp mx", "a") == ()
    assert servers.texts("smtp mx", "b") == (("success", (Span(30, 30, 1),)),)
    assert servers.texts("imap mx", "b") == ()


def test_more_clients_weigh_more_up_to_a_bound() -> None:
    clients = [f"c{number}" for number in range(TEACHERS_KEPT + 3)]
    servers = learned(*((client, SUCCESS) for client in clients), ("c0", OTHER))
    ((_, spans),) = servers.texts("smtp mx", "new")
    assert spans == (Span(30, 30, TEACHERS_KEPT), Span(41, 41, 1))
    assert servers.texts("smtp mx", "c0") == (("success", (Span(30, 30, TEACHERS_KEPT - 1),)),)
    assert servers.fresh("smtp mx", "new", [SUCCESS]) == {}


def test_exact_lengths_are_told_rather_than_bounds() -> None:
    rough = "success", 16, 31
    assert learned(("a", rough)).texts("smtp mx", "b") == (("success", (Span(16, 31, 1),)),)
    assert learned(("a", rough), ("a", SUCCESS)).texts("smtp mx", "b") == (("success", (Span(30, 30, 1),)),)


def test_the_order_of_work_does_not_matter() -> None:
    parts: list[Lessons] = [
        {("smtp mx", SUCCESS): (f"c{number}",), ("smtp mx", OTHER): ("c9",)} for number in range(5)
    ]
    told = set()
    for order in permutations(parts):
        together: Lessons = {}
        for part in order:
            add(together, part)
        servers = Servers()
        servers.learn(together)
        told.add((servers.texts("smtp mx", "new"), servers.texts("smtp mx", "c0")))
    assert len(told) == 1


def test_what_is_kept_is_bounded() -> None:
    servers = learned(*(("a", ("success", size, size)) for size in range(SPANS_KEPT + 2)))
    ((_, spans),) = servers.texts("smtp mx", "b")
    assert [span.low for span in spans] == list(range(2, SPANS_KEPT + 2))
    for number in range(SERVERS_KEPT):
        servers.learn({(f"smtp {number}", SUCCESS): ("a",)})
    assert servers.texts("smtp mx", "b") == ()
    assert servers.texts("smtp 0", "b")


@pytest.mark.parametrize(
    ("general", "spans", "heard", "expected"),
    [
        pytest.param(0.01, [Span(30, 30, 3)], (30, 30), (DOUBT * 0.01 + 3) / (DOUBT + 3), id="as before"),
        pytest.param(0.01, [Span(30, 30, 3)], (31, 31), DOUBT * 0.01 / (DOUBT + 3), id="another length"),
        pytest.param(0.2, [Span(16, 31, 1)], (24, 39), (DOUBT * 0.2 + 0.5) / (DOUBT + 1), id="bounds"),
    ],
)
def test_an_answer_is_as_likely_as_it_was_heard_and_in_general(
    general: float, spans: list[Span], heard: tuple[int, int], expected: float
) -> None:
    assert likelihood(general, spans, *heard) == pytest.approx(expected)
