"""Which mailboxes keep SMTP AUTH, which lose it, and which nobody touches."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.events import TlsMode
from scanner.mailbox_switches import QUIET_NS, SURE, Decision, Switch, decide, untied
from scanner.model import AuthClass, Basis, Host, ServerKind, Usage
from scanner.tenant import Mailbox, SmtpAuth, Tie

NOW = 1_790_000_000_000_000_000
USER = "scan@example.com"
LOGIN = Usage(
    "smtp.office365.com", ServerKind.EXCHANGE_ONLINE, 587, "smtp", "submission", TlsMode.STARTTLS, "TLSv1.2",
    "LOGIN", AuthClass.BASIC, None, Basis.SEEN, 0.9, 0, NOW, 1,
)  # fmt: skip
PASSWORD = (LOGIN,)
TOKEN = (replace(LOGIN, auth_class=AuthClass.OAUTH),)
UNTOLD = (replace(LOGIN, auth_class=AuthClass.UNKNOWN),)
HVE = (replace(LOGIN, server_name="smtp.hve.mx.microsoft"),)
ELSEWHERE = replace(LOGIN, server_kind=ServerKind.INTERNAL, server_name=None, last_seen=NOW + QUIET_NS)
MOVED = (LOGIN, ELSEWHERE)
MOVED_JUST_NOW = (LOGIN, replace(ELSEWHERE, last_seen=NOW + QUIET_NS - 1))
CHANGED = (LOGIN, replace(TOKEN[0], last_seen=NOW + QUIET_NS))
"""A password once, tokens since."""
FETCHES = (replace(LOGIN, protocol="imap", server_port=993),)


def role(name: str | None) -> str | None:
    return "hve" if name and "hve" in name else None


def decided(*devices: tuple[Any, float], **more: Any) -> Decision:
    hosts = [
        Host(f"10.0.0.{n}", (), None, None, (), False, 0, 0, usage) for n, (usage, _) in enumerate(devices)
    ]
    ties = [Tie(f"10.0.0.{n}", USER, score, "coincidence") for n, (_, score) in enumerate(devices)]
    (only,) = decide(hosts, ties, role=role, **more)
    return only


@pytest.mark.parametrize(
    ("devices", "switch"),
    [
        pytest.param([(PASSWORD, SURE)], Switch.ALLOW, id="a device that needs it"),
        pytest.param([(PASSWORD, SURE - 0.01)], Switch.LEAVE, id="one that may be somebody else's"),
        pytest.param([(TOKEN, 1.0)], Switch.LEAVE, id="tokens alone"),
        pytest.param([(PASSWORD, 1.0), (TOKEN, 1.0)], Switch.ALLOW, id="a password and tokens"),
        pytest.param([(MOVED, 1.0), (TOKEN, 0.1)], Switch.LEAVE, id="one moved, another may use tokens"),
        pytest.param([(MOVED, 1.0), (UNTOLD, 0.1)], Switch.LEAVE, id="one moved, another is not told apart"),
        pytest.param([(MOVED, 1.0), (PASSWORD, 0.1)], Switch.LEAVE, id="one moved, another may need it"),
        pytest.param([(MOVED, 1.0)], Switch.DISABLE, id="all moved"),
        pytest.param([(MOVED, 1.0), (FETCHES, 1.0)], Switch.DISABLE, id="the other only fetches mail"),
        pytest.param([(MOVED, SURE - 0.01)], Switch.LEAVE, id="moved, but not surely its user"),
        pytest.param([(MOVED_JUST_NOW, 1.0)], Switch.ALLOW, id="moved a moment ago"),
        pytest.param([(CHANGED, 1.0)], Switch.LEAVE, id="a password once, tokens since"),
        pytest.param([(UNTOLD, 1.0)], Switch.LEAVE, id="a login that was not told apart"),
        pytest.param([(HVE, 1.0)], Switch.LEAVE, id="an account of High Volume Email"),
        pytest.param([(FETCHES, 1.0)], Switch.LEAVE, id="no SMTP at all"),
        pytest.param([((), 1.0)], Switch.LEAVE, id="nothing heard"),
    ],
)
def test_a_switch_is_touched_only_where_all_is_known(
    devices: list[tuple[Any, float]], switch: Switch
) -> None:
    assert decided(*devices).switch is switch


@pytest.mark.parametrize(("last", "switch"), [(NOW, Switch.DISABLE), (NOW + 1, Switch.LEAVE)])
def test_what_the_tenant_saw_later_keeps_it_on(last: int, switch: Switch) -> None:
    assert decided((MOVED, 1.0), last_used={USER: last}).switch is switch


needs = st.sampled_from([PASSWORD, TOKEN, UNTOLD, HVE, MOVED, CHANGED, FETCHES, ()])


@given(st.lists(st.tuples(needs, st.floats(0, 1)), min_size=1, max_size=5))
def test_no_mailbox_that_anything_may_send_by_is_switched_off(devices: list[tuple[Any, float]]) -> None:
    if decided(*devices).switch is Switch.DISABLE:
        assert not any(usage in (PASSWORD, TOKEN, UNTOLD, CHANGED) for usage, _ in devices)


def test_what_the_tenant_says_of_it_is_told() -> None:
    boxes = {USER: Mailbox(USER, SmtpAuth.DISABLED, 2)}
    assert decided((PASSWORD, 1.0), mailboxes=boxes).was is SmtpAuth.DISABLED
    assert decided((PASSWORD, 1.0)).was is None


@pytest.mark.parametrize(
    ("usage", "score", "is_untied"),
    [(PASSWORD, SURE, False), (PASSWORD, SURE - 0.01, True), (TOKEN, 0.0, False), (MOVED, 0.0, False)],
)
def test_devices_that_sign_in_for_nobody_known_are_told(usage: Any, score: float, is_untied: bool) -> None:
    host = Host("10.0.0.1", (), None, None, (), False, 0, 0, usage)
    assert untied([host], [Tie("10.0.0.1", USER, score, "seen")]) == ([host] if is_untied else [])


def test_a_tie_to_a_host_that_is_not_there_is_nothing() -> None:
    assert decide([], [Tie("10.0.0.1", USER, 1.0, "seen")]) == []
