"""What is new, fixed, worse or silent since a day."""

from dataclasses import replace

import pytest

from scanner.model import AuthClass, Host, Level, Usage, Verdict
from scanner.report.changes import Kind, changes
from tests.reports import AT, DAY_NS, USE, host

SINCE = AT + 10 * DAY_NS
OLD = replace(USE, first_seen=AT, last_seen=AT + DAY_NS)
STILL = replace(OLD, last_seen=SINCE)
TOKEN = replace(USE, auth_class=AuthClass.OAUTH, first_seen=SINCE, last_seen=SINCE + DAY_NS)
FRESH = replace(USE, first_seen=SINCE, last_seen=SINCE)
REFUSED = replace(FRESH, auth_class=AuthClass.DIGEST)
UNTOLD = replace(TOKEN, auth_class=AuthClass.UNKNOWN)
LEVELS = {
    AuthClass.BASIC: Level.BREAKS,
    AuthClass.OAUTH: Level.FINE,
    AuthClass.DIGEST: Level.BROKEN,
    AuthClass.UNKNOWN: Level.UNKNOWN,
}


def judge(found: Host) -> Verdict:
    order = list(Level)
    return Verdict(min((LEVELS[use.auth_class] for use in found.usage), key=order.index), None, ())


@pytest.mark.parametrize(
    ("usage", "kind"),
    [
        ((OLD,), Kind.SILENT),
        ((STILL,), None),
        ((FRESH,), Kind.NEW),
        ((OLD, TOKEN), Kind.FIXED),
        ((STILL, TOKEN), None),
        ((OLD, REFUSED), Kind.WORSE),
        ((OLD, UNTOLD), None),
        ((replace(TOKEN, first_seen=AT), FRESH), Kind.WORSE),
        ((replace(TOKEN, first_seen=AT, last_seen=AT),), None),
        ((), None),
    ],
    ids=[
        "a password, then nothing", "a password as before", "first heard since", "a password, then a token",
        "a password and a token", "a password, then refused", "a password, then nobody can tell",
        "a token, then a password", "a token, then nothing", "never heard mailing",
    ],
)  # fmt: skip
def test_a_change_is_what_it_did_before_and_since(usage: tuple[Usage, ...], kind: Kind | None) -> None:
    found = [one.kind for one in changes([host(1, usage=usage)], SINCE, judge, judge, ())]
    assert found == ([kind] if kind else [])


def test_a_date_that_passed_makes_it_worse() -> None:
    def later(_: Host) -> Verdict:
        return Verdict(Level.BROKEN, None, ())

    (found,) = changes([host(1, usage=(STILL,))], SINCE, judge, later, ())
    assert (found.kind, found.before, found.after) == (Kind.WORSE, Level.BREAKS, Level.BROKEN)


def test_nothing_is_fixed_behind_a_relay_that_is_not() -> None:
    behind = host(1, usage=(OLD, TOKEN), behind=("relay",))
    assert [one.kind for one in changes([behind], SINCE, judge, judge, {"relay"})] == [Kind.FIXED]
    assert list(changes([behind], SINCE, judge, judge, {"another"})) == []
