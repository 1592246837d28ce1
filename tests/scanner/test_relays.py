"""What becomes of mail that passes relays, in every shape of graph."""

from datetime import date
from itertools import permutations

import pytest

from scanner.model import Basis, Level, Passage, Reason, Verdict
from scanner.relays import chains
from scanner.rules import weigh

END = date(2026, 12, 31)
OUT = {
    "breaks": Reason("smtp-auth", Level.BREAKS, "SMTP with LOGIN", "page", Basis.SEEN, 0.9, END, "Move it."),
    "broken": Reason("basic-auth", Level.BROKEN, "IMAP with LOGIN", "page", Basis.SEEN, 0.9, END),
    "fine": Reason("modern-login", Level.FINE, "XOAUTH2 goes on", "", Basis.SEEN, 0.9),
    "inside": Reason("not-exchange-online", Level.FINE, "not Exchange Online", "", Basis.SEEN, 0.9),
    "unknown": Reason("unknown-login", Level.UNKNOWN, "inside TLS", "", Basis.ENDPOINT, 0.0),
}


def told(said: dict[int, dict[str, str]], *ways: tuple[int, int, str]) -> dict[int, tuple[Level, str, str]]:
    """Of each host: its level, the relays it is behind, whom it carries; ``said`` by host and protocol."""

    def own(host: int, protocol: str | None) -> Verdict:
        uses = said.get(host, {})
        return weigh(OUT[what] for its, what in uses.items() if protocol in (None, its))

    found = chains([Passage(*way) for way in ways], own, lambda host: f"h{host}")
    return {
        host: (chain.verdict.level, " ".join(map(str, chain.behind)), " ".join(map(str, chain.carries)))
        for host, chain in found.items()
    }


SMTP = {"smtp": "inside"}


@pytest.mark.parametrize(
    ("said", "ways", "expected"),
    [
        pytest.param(
            {1: SMTP, 9: {"smtp": "breaks"}}, [(1, 9, "smtp")],
            {1: (Level.BREAKS, "9", ""), 9: (Level.BREAKS, "", "1")},
            id="a copier behind a relay breaks with the relay",
        ),
        pytest.param(
            {1: SMTP, 8: SMTP, 9: {"smtp": "breaks"}}, [(1, 8, "smtp"), (8, 9, "smtp")],
            {1: (Level.BREAKS, "8 9", ""), 8: (Level.BREAKS, "9", "1"), 9: (Level.BREAKS, "", "8")},
            id="two hops, the nearest first",
        ),
        pytest.param(
            {1: SMTP, 9: {"smtp": "fine"}}, [(1, 9, "smtp")],
            {1: (Level.FINE, "9", ""), 9: (Level.FINE, "", "1")},
            id="a bridge that takes passwords and speaks OAuth ends the chain well",
        ),
        pytest.param(
            {1: {"imap": "inside"}, 9: {"imap": "fine", "smtp": "breaks"}}, [(1, 9, "imap")],
            {1: (Level.FINE, "9", ""), 9: (Level.BREAKS, "", "1")},
            id="only what the relay does in the same protocol counts",
        ),
        pytest.param(
            {1: SMTP}, [(1, 9, "smtp")], {}, id="a server that passes nothing on is no relay",
        ),
        pytest.param(
            {1: SMTP, 2: SMTP}, [(1, 2, "smtp"), (2, 1, "smtp")],
            {1: (Level.FINE, "2", "2"), 2: (Level.FINE, "1", "1")},
            id="two that send to each other make no endless chain",
        ),
        pytest.param(
            {1: SMTP, 2: SMTP, 3: SMTP, 9: {"smtp": "breaks"}},
            [(1, 2, "smtp"), (2, 3, "smtp"), (3, 1, "smtp"), (3, 9, "smtp")],
            {
                1: (Level.BREAKS, "2 3 9", "3"), 2: (Level.BREAKS, "3 1 9", "1"),
                3: (Level.BREAKS, "1 9 2", "2"), 9: (Level.BREAKS, "", "3"),
            },
            id="a ring with a way out breaks with the way out",
        ),
        pytest.param(
            {1: {"smtp": "fine"}, 9: {"smtp": "unknown"}}, [(1, 9, "smtp")],
            {1: (Level.UNKNOWN, "9", ""), 9: (Level.UNKNOWN, "", "1")},
            id="what is not known of the relay is not known of those behind it",
        ),
        pytest.param(
            {1: SMTP, 8: {"smtp": "fine"}, 9: {"smtp": "broken"}}, [(1, 8, "smtp"), (1, 9, "smtp")],
            {1: (Level.BROKEN, "8 9", ""), 8: (Level.FINE, "", "1"), 9: (Level.BROKEN, "", "1")},
            id="of two relays the worse one counts",
        ),
        pytest.param({9: {"smtp": "breaks"}}, [(9, 9, "smtp")], {}, id="who sends to itself is behind none"),
    ],
)  # fmt: skip
def test_chains(
    said: dict[int, dict[str, str]],
    ways: list[tuple[int, int, str]],
    expected: dict[int, tuple[Level, str, str]],
) -> None:
    for order in permutations(ways):
        assert told(said, *order) == expected


def test_the_reason_names_the_relay_and_what_to_mend() -> None:
    own = {9: weigh([OUT["breaks"]])}
    found = chains([Passage(1, 9, "smtp")], lambda host, _: own.get(host, weigh(())), lambda host: f"h{host}")
    (reason,) = found[1].verdict.reasons
    assert reason.rule == "behind-relay"
    assert reason.text == ("goes through h9, and works until that relay's own login breaks (SMTP with LOGIN)")
    assert (reason.deadline, reason.source, reason.confidence) == (END, "page", 0.9)
    assert reason.advice == "Mend the relay h9, and all behind it goes on. Move it."
