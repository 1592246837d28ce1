"""Each rule on the day before, on and after its date."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.catalogue.retirement import load_retirement
from scanner.events import Outcome, TlsMode
from scanner.model import AuthClass, Basis, Level, ServerKind, Usage
from scanner.rules import RULES, judge, weigh

RETIREMENT = load_retirement()
END = date(2026, 12, 31)


def usage(
    protocol: str = "smtp",
    auth: AuthClass = AuthClass.BASIC,
    *,
    kind: ServerKind = ServerKind.EXCHANGE_ONLINE,
    service: str | None = None,
    tls: str | None = "TLSv1.2",
    outcome: Outcome | None = None,
    cause: str | None = None,
    version: str | None = None,
    port: int = 587,
) -> Usage:
    return Usage(
        "smtp.office365.com",
        kind,
        port,
        protocol,
        service,
        TlsMode.STARTTLS,
        tls,
        None,
        auth,
        outcome,
        Basis.SEEN,
        0.9,
        0,
        0,
        1,
        cause=cause,
        client_version=version,
    )


@pytest.mark.parametrize(
    ("seen", "role", "day", "level", "rule"),
    [
        pytest.param(
            usage(), None, END - timedelta(1), Level.BREAKS, "smtp-auth", id="SMTP AUTH the day before"
        ),
        pytest.param(usage(), None, END, Level.BROKEN, "smtp-auth", id="SMTP AUTH on its day"),
        pytest.param(
            usage(), None, END + timedelta(1), Level.BROKEN, "smtp-auth", id="SMTP AUTH the day after"
        ),
        pytest.param(
            usage(outcome=Outcome.REFUSED, cause="basic-disabled"),
            None,
            date(2026, 6, 1),
            Level.BROKEN,
            "smtp-auth-refused",
            id="SMTP AUTH that is refused already",
        ),
        pytest.param(usage("pop3"), None, date(2022, 12, 31), Level.BREAKS, "basic-auth", id="POP3 in 2022"),
        pytest.param(usage("pop3"), None, date(2023, 1, 1), Level.BROKEN, "basic-auth", id="POP3 since 2023"),
        pytest.param(
            usage("imap", AuthClass.OAUTH), None, END, Level.FINE, "modern-login", id="IMAP with OAuth"
        ),
        pytest.param(usage("smtp", AuthClass.NONE), None, END, Level.FINE, "no-login", id="nobody logged in"),
        pytest.param(
            usage("smtp", AuthClass.NONE, port=25), "mx", END, Level.REVIEW, "direct-send", id="to the MX"
        ),
        pytest.param(
            usage("smtp", AuthClass.OAUTH, tls="TLSv1"),
            None,
            END,
            Level.BROKEN,
            "old-tls",
            id="TLS 1.0 with OAuth",
        ),
        pytest.param(
            usage("pop3", AuthClass.OAUTH, tls="TLSv1"),
            "pop-legacy",
            date(2026, 12, 30),
            Level.BREAKS,
            "legacy-tls",
            id="TLS 1.0 to a legacy host",
        ),
        pytest.param(
            usage("smtp", AuthClass.OAUTH, tls="TLSv1"),
            "smtp-legacy",
            END,
            Level.REVIEW,
            "legacy-tls",
            id="TLS 1.0 to the SMTP legacy host",
        ),
        pytest.param(
            usage("http", AuthClass.OAUTH, service="eas", version="14.1"),
            None,
            date(2026, 2, 28),
            Level.BREAKS,
            "old-activesync",
            id="ActiveSync 14.1 before March 2026",
        ),
        pytest.param(
            usage("http", AuthClass.OAUTH, service="eas", version="14.1"),
            None,
            END,
            Level.BROKEN,
            "old-activesync",
            id="ActiveSync 14.1 after",
        ),
        pytest.param(
            usage("http", AuthClass.OAUTH, service="eas", version="16.1"),
            None,
            END,
            Level.FINE,
            "modern-login",
            id="ActiveSync 16.1",
        ),
        pytest.param(
            usage("http", AuthClass.OAUTH, service="ews"),
            None,
            date(2026, 9, 30),
            Level.BREAKS,
            "ews",
            id="EWS before its first date",
        ),
        pytest.param(
            usage("http", AuthClass.OAUTH, service="ews"),
            None,
            END,
            Level.BREAKS,
            "ews",
            id="EWS between its dates",
        ),
        pytest.param(
            usage("http", AuthClass.OAUTH, service="ews"),
            None,
            date(2027, 4, 1),
            Level.BROKEN,
            "ews",
            id="EWS after its last",
        ),
        pytest.param(
            usage("http", AuthClass.OAUTH, service="powershell"),
            None,
            END,
            Level.BROKEN,
            "remote-powershell",
            id="Remote PowerShell",
        ),
        pytest.param(usage(), "hve", END, Level.REVIEW, "high-volume-email", id="High Volume Email"),
        pytest.param(usage(), "smtp-legacy", date(2026, 1, 1), Level.BREAKS, "smtp-auth", id="a legacy host"),
        pytest.param(
            usage(auth=AuthClass.UNKNOWN), None, END, Level.UNKNOWN, "unknown-login", id="inside TLS"
        ),
        pytest.param(
            usage(auth=AuthClass.INCOMPLETE),
            None,
            END,
            Level.UNKNOWN,
            "unknown-login",
            id="nothing came of it",
        ),
        pytest.param(
            usage(kind=ServerKind.INTERNAL),
            None,
            END,
            Level.FINE,
            "not-exchange-online",
            id="a relay of the site",
        ),
        pytest.param(
            usage(kind=ServerKind.OTHER), None, END, Level.FINE, "not-exchange-online", id="elsewhere"
        ),
        pytest.param(
            usage(kind=ServerKind.OTHER),
            "azure-communication-services",
            END,
            Level.UNKNOWN,
            "unknown-login",
            id="Azure Communication Services keep passwords",
        ),
    ],
)
def test_a_usage_is_judged_by_its_day(
    seen: Usage, role: str | None, day: date, level: Level, rule: str
) -> None:
    reason = judge(seen, RETIREMENT, day, role)[0]
    assert (reason.level, reason.rule) == (level, rule)


def test_a_host_is_as_bad_as_the_worst_it_does() -> None:
    both = [usage("imap", AuthClass.OAUTH), usage(), usage("pop3")]
    judged = weigh(reason for one in both for reason in judge(one, RETIREMENT, date(2026, 6, 1)))
    assert judged.level is Level.BROKEN
    assert judged.advice
    assert [reason.level for reason in judged.reasons] == [Level.BROKEN, Level.BREAKS, Level.FINE]


def test_a_host_that_does_nothing_is_fine() -> None:
    assert weigh([]).level is Level.FINE


def test_every_rule_says_why() -> None:
    assert all(rule.__doc__ for rule in RULES)


@settings(max_examples=200, deadline=None)
@given(
    seen=st.builds(
        Usage,
        protocol=st.sampled_from(["smtp", "imap", "pop3", "http", None]),
        service=st.sampled_from(["eas", "ews", "rpc", "mx", None]),
        client_version=st.one_of(st.none(), st.text(max_size=5)),
    ),
    role=st.sampled_from([None, "mx", "hve", "pop-legacy", "smtp-legacy", "consumer"]),
    day=st.dates(),
)
def test_no_usage_is_left_without_a_reason(seen: Usage, role: str | None, day: date) -> None:
    assert judge(seen, RETIREMENT, day, role)
