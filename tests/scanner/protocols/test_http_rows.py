"""Likelihoods of requests and replies: what the parts of a message add up to."""

import pytest

from scanner.protocols.http_lengths import Row, likelihood
from scanner.protocols.http_rows import MIDDLE, body, first, growth, least, reply, second
from scanner.protocols.http_ways import COOKIES, NOTHING, PASSWORD, TOKEN, TYPE_1, TYPE_3

APART, TOGETHER = 0, 3
"""A body in a record of its own; three requests in a record each."""


@pytest.mark.parametrize(
    ("of", "likelier", "than"),
    [
        pytest.param(first("eas", PASSWORD, APART, False), 450, 2000, id="a head with a password is short"),
        pytest.param(first("eas", TOKEN, APART, False), 2000, 450, id="a head with a token is long"),
        pytest.param(first("eas", TOKEN, APART, True), 1700, 3200, id="and shorter in HTTP/2"),
        pytest.param(first("owa", COOKIES, -1, False), 3500, 700, id="cookies are long as well"),
        pytest.param(first("ews", PASSWORD, TOGETHER, False), 1600, 400, id="a body makes it long, too"),
        pytest.param(first("ews", PASSWORD, APART, False), 400, 1600, id="unless it stands apart"),
        pytest.param(body("ews"), 1200, 100, id="SOAP is long"),
        pytest.param(body("eas"), 60, 1200, id="WBXML is short"),
        pytest.param(second("eas", PASSWORD, PASSWORD, APART), 130, 1500, id="a second password is short"),
        pytest.param(second("eas", TOKEN, TOKEN, APART), 1600, 600, id="a second token is long"),
        pytest.param(second("eas", TOKEN, TOKEN, APART), 60, 600, id="or is indexed"),
        pytest.param(second("eas", NOTHING, TOKEN, APART), 1600, 60, id="a first token cannot be indexed"),
        pytest.param(reply("eas", False, NOTHING, False), 800, 3000, id="a refusal is short"),
        pytest.param(reply("eas", False, TYPE_1, False), 1700, 300, id="a challenge makes it longer"),
        pytest.param(reply("owa", True, None, False), 900, 6000, id="who has no cookies is sent away"),
    ],
)
def test_one_size_is_likelier_than_another(of: Row, likelier: int, than: int) -> None:
    assert likelihood(of, likelier) > 2 * likelihood(of, than)


@pytest.mark.parametrize(
    ("before", "now", "likelier", "than"),
    [
        pytest.param(NOTHING, NOTHING, 0, 100, id="requests that log in alike are of one length"),
        pytest.param(NOTHING, PASSWORD, 90, 0, id="a password makes one longer"),
        pytest.param(NOTHING, PASSWORD, 90, 1500, id="a password makes it little longer"),
        pytest.param(NOTHING, TOKEN, 1500, 90, id="a token makes it much longer"),
        pytest.param(TYPE_1, TYPE_3, 600, 0, id="NTLM's last leg is the long one"),
        pytest.param(TYPE_3, NOTHING, -650, 0, id="after which a request is short again"),
    ],
)
def test_growth_is_what_logs_in(before: str, now: str, likelier: int, than: int) -> None:
    of = growth("ews", before, now, False, False)
    assert likelihood(of, MIDDLE + likelier) > 2 * likelihood(of, MIDDLE + than)


def test_ntlms_clients_may_keep_the_body_back() -> None:
    kept_back, plain = growth("ews", TYPE_1, TYPE_3, True, False), growth("ews", TYPE_1, TYPE_3, False, False)
    assert likelihood(kept_back, MIDDLE + 600 + 1500) > 2 * likelihood(plain, MIDDLE + 600 + 1500)


def test_nothing_is_shorter_than_its_parts() -> None:
    assert least("eas", TOKEN, False) > 900 > least("eas", PASSWORD, False) > least("eas", NOTHING, False)
    assert least("eas", TOKEN, True) < least("eas", TOKEN, False)
