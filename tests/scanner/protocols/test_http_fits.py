"""How well requests and replies go with services and ways to log in, one thing changed at a time."""

import pytest

from scanner.protocols.http_exchanges import Exchange
from scanner.protocols.http_fits import (
    AWAY,
    BARE,
    CHALLENGE,
    HELD_S,
    REFUSED,
    SERVED,
    SLOW_S,
    Replies,
    Requests,
)
from scanner.protocols.http_ways import COOKIES, NOTHING, PASSWORD, TOKEN, TYPE_1, TYPE_3, Way

NTLM = TYPE_1, TYPE_3, NOTHING


def requests(*heads: int, body: int | None = None) -> list[Exchange]:
    return [Exchange(head, body, 1200, 0.0) for head in heads]


def replies(*sizes: int, wait_s: float = 0.0) -> list[Exchange]:
    return [Exchange(400 + 30 * number, None, size, wait_s) for number, size in enumerate(sizes)]


def going(asked: list[Exchange], service: str, steps: tuple[str, ...], h2: bool = False) -> float:
    return Requests(service, asked, h2).likelihood(Way("a class", None, steps, 1.0))


@pytest.mark.parametrize(
    ("service", "steps", "likelier", "than"),
    [
        pytest.param(
            "eas", (PASSWORD,), requests(450, body=60), requests(2000, body=60), id="a password is short"
        ),
        pytest.param("eas", (TOKEN,), requests(2000, body=60), requests(450, body=60), id="a token is long"),
        pytest.param("owa", (COOKIES,), requests(3500), requests(700), id="cookies are long as well"),
        pytest.param("ews", (PASSWORD,), requests(1600), requests(400), id="a body makes one long, too"),
        pytest.param(
            "ews", (PASSWORD,), requests(400, body=1200), requests(1600, body=1200), id="unless it is apart"
        ),
        pytest.param("ews", (TOKEN,), requests(2000, body=900), requests(2000, body=60), id="SOAP is long"),
        pytest.param("eas", (TOKEN,), requests(2000, body=60), requests(2000, body=900), id="WBXML is short"),
        pytest.param(
            "eas", (TOKEN,), requests(2000, 2000), requests(2000, 1000), id="who logs in alike is as long"
        ),
        pytest.param(
            "eas", (NOTHING, PASSWORD), requests(400, 490), requests(400, 400), id="a password adds to it"
        ),
        pytest.param(
            "eas", (NOTHING, PASSWORD), requests(400, 490), requests(400, 1900), id="but not by much"
        ),
        pytest.param(
            "eas", (NOTHING, TOKEN), requests(400, 1900), requests(400, 490), id="a token does"
        ),
        pytest.param(
            "ews", NTLM, requests(300, 950, 230, body=900), requests(300, 950, 950, body=900),
            id="after NTLM's last leg a request is short again",
        ),
        pytest.param("ews", NTLM, requests(300, 2300), requests(300, 6900), id="NTLM's body may come late"),
    ],
)  # fmt: skip
def test_requests(
    service: str, steps: tuple[str, ...], likelier: list[Exchange], than: list[Exchange]
) -> None:
    assert going(likelier, service, steps) > 2 * going(than, service, steps)


@pytest.mark.parametrize(
    ("steps", "likelier", "than"),
    [
        pytest.param((TOKEN,), (1700, 1500), (1700, 60), id="a token that is said again is long"),
        pytest.param((TOKEN, NOTHING), (1700, 60), (1700, 1500), id="one that is indexed is said once"),
        pytest.param((NOTHING, TOKEN), (220, 1500), (220, 60), id="one after a 401 is said then"),
    ],
)
def test_requests_of_http2(steps: tuple[str, ...], likelier: tuple[int, ...], than: tuple[int, ...]) -> None:
    found, other = (going(requests(*heads, body=60), "eas", steps, h2=True) for heads in (likelier, than))
    assert found > 2 * other


@pytest.mark.parametrize(
    ("service", "answer", "likelier", "than"),
    [
        pytest.param("eas", BARE, replies(800), replies(3000), id="a refusal is short"),
        pytest.param("eas", CHALLENGE, replies(1700), replies(300), id="a challenge makes it longer"),
        pytest.param("owa", AWAY, replies(900), replies(6000), id="who has no cookies is sent away"),
        pytest.param("eas", BARE, replies(800, 801), replies(800, 1000), id="refusals are alike"),
        pytest.param("eas", SERVED, replies(900, 910), replies(900, 5000), id="a phone often has no news"),
        pytest.param(
            "eas", REFUSED, replies(800, wait_s=SLOW_S), replies(800), id="a wrong password is answered late"
        ),
        pytest.param(
            "eas", SERVED, replies(900, wait_s=HELD_S), replies(7000, wait_s=HELD_S),
            id="a reply that was held back tells little",
        ),
    ],
)  # fmt: skip
def test_replies(service: str, answer: str, likelier: list[Exchange], than: list[Exchange]) -> None:
    found, other = (
        Replies(asked, False).likelihood(service, answer, 0, len(asked)) for asked in (likelier, than)
    )
    assert found > 2 * other


def test_replies_of_http2_shrink_after_the_first() -> None:
    found, other = (
        Replies(replies(*sizes), True).likelihood("eas", SERVED, 0, 2) for sizes in ((800, 110), (110, 800))
    )
    assert found > 2 * other


def test_a_phones_long_poll_is_one_sign_however_often() -> None:
    once, often = (
        Replies(replies(*[900] * times, wait_s=HELD_S), False) for times in (1, 4)
    )  # fmt: skip
    ratios = [
        one.likelihood("eas", SERVED, 0, stop) / one.likelihood("ews", SERVED, 0, stop)
        for one, stop in ((once, 1), (often, 4))
    ]
    assert ratios[1] < ratios[0] ** 4


def test_nothing_heard_says_nothing() -> None:
    assert Replies(replies(0), False).likelihood("eas", SERVED, 0, 1) == Replies(
        replies(0), False
    ).likelihood("ews", SERVED, 0, 1)
