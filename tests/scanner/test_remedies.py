"""What to do about a host, and in which order."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from scanner.events import TlsMode
from scanner.model import AuthClass, Basis, Device, Host, Level, Reason, ServerKind, Usage, Verdict
from scanner.remedies import Effort, known, options, remedies
from scanner.rules import RULES

END = date(2026, 12, 31)
RICOH = Device("Ricoh", "IM C3000", "multifunction printer", 0.9)
CANON = Device("Canon", "imageRUNNER ADVANCE C5535", "multifunction printer", 0.9)
QNAP = Device("QNAP", None, "nas", 0.9)
UPS = Device("APC", None, "ups", 0.9)
DOTNET = Device(kind="mail library", software=".NET SmtpClient")
CDO = Device(kind="mail library", software="CDO")
POSTFIX = Device(kind="mail server", software="Postfix")
UNHEARD_OF = Device()


def host(name: str = "10.0.0.1", **changes: Any) -> Host:
    return replace(Host(name, (name,), None, None, (), False, 0, 0, ()), **changes)


def usage(protocol: str, service: str | None = None, auth: AuthClass = AuthClass.BASIC) -> Usage:
    return Usage(
        "outlook.office365.com", ServerKind.EXCHANGE_ONLINE, 993, protocol, service, TlsMode.IMPLICIT,
        "TLSv1.2", None, auth, None, Basis.SEEN, 0.9, 0, 0, 1,
    )  # fmt: skip


def verdict(*rules: str, level: Level = Level.BREAKS, deadline: date | None = END) -> Verdict:
    reasons = tuple(Reason(rule, level, "", "", Basis.SEEN, 0.9, deadline) for rule in rules)
    return Verdict(level, deadline, reasons)


@pytest.mark.parametrize(
    ("device", "rule", "relays", "first"),
    [
        pytest.param(CANON, "smtp-auth", (), "oauth relay connector", id="a copier whose line has OAuth"),
        pytest.param(CANON, "smtp-auth", ("r",), "oauth relay", id="OAuth before a relay that is there"),
        pytest.param(RICOH, "smtp-auth", (), "oauth relay", id="a copier whose maker has OAuth for some"),
        pytest.param(
            UPS,
            "smtp-auth",
            (),
            "high-volume-email direct-send oauth",
            id="what mails alerts to the site itself",
        ),
        pytest.param(QNAP, "smtp-auth", (), "high-volume-email direct-send relay", id="a NAS without OAuth"),
        pytest.param(QNAP, "smtp-auth", ("r",), "relay high-volume-email", id="a NAS where a relay is there"),
        pytest.param(DOTNET, "smtp-auth", (), "graph relay", id="a script that uses .NET's SmtpClient"),
        pytest.param(CDO, "smtp-auth-refused", (), "graph relay", id="a script that uses CDO"),
        pytest.param(UNHEARD_OF, "smtp-auth", (), "oauth relay", id="nothing known of the device"),
        pytest.param(UNHEARD_OF, "smtp-auth", ("r",), "relay oauth", id="nothing known, a relay is there"),
        pytest.param(POSTFIX, "smtp-auth", ("r",), "connector oauth", id="a relay that logs in itself"),
        pytest.param(CANON, "behind-relay", ("r",), "mend-relay", id="a copier behind a relay"),
        pytest.param(CANON, "old-tls", (), "update relay replace", id="TLS that is too old"),
        pytest.param(UNHEARD_OF, "direct-send", (), "check-connectors", id="direct send"),
        pytest.param(UNHEARD_OF, "modern-login", (), "", id="nothing to be done"),
    ],
)
def test_the_most_apt_way_comes_first(device: Device, rule: str, relays: tuple[str, ...], first: str) -> None:
    ways = [option.way for option in options(host(device=device), verdict(rule), relays)]
    assert ways[: len(first.split())] == first.split()
    assert len(ways) == len(set(ways))


@pytest.mark.parametrize(
    ("use", "ways"),
    [
        pytest.param(usage("imap"), "oauth bridge replace", id="a device that fetches mail"),
        pytest.param(usage("http", "ews"), "graph", id="EWS"),
        pytest.param(usage("http", "ews", AuthClass.NTLM), "graph", id="EWS with a password by NTLM"),
        pytest.param(usage("http", "eas"), "update-client", id="ActiveSync"),
    ],
)
def test_what_fetches_mail_has_its_own_ways(use: Usage, ways: str) -> None:
    assert " ".join(one.way for one in options(host(usage=(use,)), verdict("basic-auth"))) == ways


def test_what_is_known_of_the_make_stands_in_the_text_with_its_source() -> None:
    first = options(host(device=CANON), verdict("smtp-auth"))[0]
    assert "Remote UI" in first.text and first.source.startswith("Canon") and first.effort is Effort.SMALL
    assert options(host(device=RICOH), verdict("smtp-auth"))[0].effort is Effort.MEDIUM


def test_a_password_that_is_only_kept_longer_comes_last() -> None:
    assert options(host(), verdict("smtp-auth"))[-1].way == "keep-password"


def test_nothing_is_to_be_done_where_a_reason_is_fine() -> None:
    assert not options(host(), verdict("smtp-auth", level=Level.FINE))
    assert not options(host(), verdict("smtp-auth", level=Level.UNKNOWN))


def test_ways_for_all_that_is_wrong_are_listed_once() -> None:
    ways = [one.way for one in options(host(), verdict("smtp-auth", "old-tls"))]
    assert "update" in ways and ways.count("relay") == 1


def test_hosts_come_by_date_then_by_effort() -> None:
    later = date(2027, 4, 1)
    found = [
        (host("10.0.0.1", device=RICOH), verdict("smtp-auth")),
        (host("10.0.0.2"), verdict("ews", deadline=later)),
        (host("10.0.0.3", device=CANON), verdict("smtp-auth")),
        (host("10.0.0.4"), verdict("direct-send", level=Level.REVIEW, deadline=None)),
        (host("10.0.0.5"), verdict("smtp-auth-refused", level=Level.BROKEN)),
        (host("10.0.0.6"), verdict("modern-login", level=Level.FINE, deadline=None)),
    ]
    assert [one.host.host for one in remedies(found)] == [f"10.0.0.{n}" for n in (5, 3, 1, 2, 4)]


def test_a_relay_that_goes_on_is_offered_to_others_and_one_that_breaks_is_not() -> None:
    fine = verdict("modern-login", level=Level.FINE, deadline=None)
    good = host("10.0.0.8", carries=("10.0.0.9",), usage=(usage("smtp"),)), fine
    bridge = host("10.0.0.6", carries=("10.0.0.9",), usage=(usage("imap"),)), fine
    bad = host("10.0.0.7", carries=("10.0.0.9",)), verdict("smtp-auth")
    said = remedies([(host(), verdict("smtp-auth")), good, bad, bridge])
    relay = next(one for one in said[0].options if one.way == "relay")
    assert relay.text.startswith("Send through 10.0.0.8, ") and relay.effort is Effort.SMALL


def test_what_takes_mail_from_others_is_a_relay_whatever_else_it_is() -> None:
    assert options(host(carries=("10.0.0.9",)), verdict("smtp-auth"))[0].way == "connector"


def test_a_relay_behind_which_a_device_stands_is_named() -> None:
    (only,) = options(host(behind=("10.0.0.7", "10.0.0.8")), verdict("behind-relay"))
    assert "10.0.0.7" in only.text and only.effort is Effort.SMALL


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_rule_has_a_way_out(rule: Any) -> None:
    names = {  # by what a rule calls what it finds
        "password_on_a_closed_protocol": "basic-auth", "password_on_submission": "smtp-auth",
        "web_services": "ews", "retired_service": "remote-powershell", "old_activesync": "old-activesync",
    }  # fmt: skip
    name = names.get(rule.__name__, rule.__name__.replace("_", "-"))
    assert options(host(usage=(usage("imap"),)), verdict(name))


@pytest.mark.parametrize("way", sorted(known()))
def test_every_way_says_what_it_needs_and_where_that_stands(way: str) -> None:
    option = known()[way]
    assert option.text.endswith(".") and option.needs and option.source and option.checked
