"""Who says nothing more is over in time; of who waits for mail somebody is told before."""

from __future__ import annotations

import pytest
from packets import BEGAN, SECOND

from scanner.conversation import Endpoint, Flow
from scanner.net import Prefixes
from scanner.wire.interest import Interest
from scanner.wire.patience import IDLE_S, SETTLED_QUIET_S, SETTLED_S, Patience
from scanner.wire.reassembly import Stream

INTEREST = Interest(frozenset({25, 993, 443}), Prefixes())


def lasting(port: int, spoke_s: int) -> Stream:
    """A connection that began when all did, and spoke last so long after."""
    stream = Stream(Flow(Endpoint("10.0.0.1", 50000), Endpoint("192.0.2.1", port)), True, BEGAN, 99)
    stream.last_seen = BEGAN + spoke_s * SECOND
    return stream


@pytest.mark.parametrize(
    ("live", "port", "spoke_s", "quiet_s", "over"),
    [
        pytest.param(False, 993, 400, IDLE_S, False, id="a capture waits for an hour"),
        pytest.param(False, 993, 400, IDLE_S + 1, True, id="and no longer"),
        pytest.param(True, 993, 400, SETTLED_QUIET_S + 1, True, id="live a mailbox that settled is told of"),
        pytest.param(True, 993, 400, SETTLED_QUIET_S, False, id="not while it talks"),
        pytest.param(True, 993, 0, SETTLED_S, False, id="not while it is young"),
        pytest.param(True, 993, 0, SETTLED_S + 1, True, id="though it never talked"),
        pytest.param(True, 443, 400, IDLE_S, False, id="a phone's request may be held for long"),
        pytest.param(True, 443, 400, IDLE_S + 1, True, id="but not for ever"),
        pytest.param(True, 9025, 400, 1000, False, id="mail on another port is waited for"),
        pytest.param(True, 993, 400, -7200, False, id="a clock that went back ends nothing"),
    ],
)
def test_when_it_is_over(live: bool, port: int, spoke_s: int, quiet_s: int, over: bool) -> None:
    patience = Patience(INTEREST, IDLE_S, live)
    assert patience.is_over(lasting(port, spoke_s), BEGAN + (spoke_s + quiet_s) * SECOND) is over


def test_other_ports_may_be_mails() -> None:
    patience, stream = Patience(INTEREST, IDLE_S, live=True), lasting(9025, 400)
    patience.reload(Interest(frozenset({9025}), Prefixes()))
    now = BEGAN + 500 * SECOND
    assert (patience.is_over(stream, now), patience.is_over(lasting(993, 400), now)) == (True, False)
