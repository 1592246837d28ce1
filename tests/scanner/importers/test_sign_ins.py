"""Sign-ins in the words of the portal, of Graph, and of Log Analytics."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from scanner.events import Outcome
from scanner.importers.family import Terms, UnreadableRowError, loose
from scanner.importers.sign_ins import APPLICATIONS, SIGN_INS, STEPS
from scanner.tenant import SignIn

_COLUMNS = (
    "Date (UTC),Request ID,User agent,Correlation ID,User ID,User,Username,User type,"
    "Cross tenant access type,Incoming token type,Authentication Protocol,Unique token identifier,"
    "Original transfer method,Client credential type,Token Protection - Sign In Session,"
    "Token Protection - Sign In Session StatusCode,Application,Application ID ,App owner tenant ID,Resource,"
    "Resource ID ,Resource tenant ID,Resource owner tenant ID,Home tenant ID,Home tenant name,IP address,"
    "Location,Status,Sign-in error code,Failure reason,Client app,Device ID,Browser,Operating System,"
    "Compliant,Managed,Join Type,Multifactor authentication result,Multifactor authentication auth method,"
    "Multifactor authentication auth detail,Authentication requirement,Sign-in identifier,Session ID,"
    "IP address (seen by resource),Through Global Secure Access,Global Secure Access IP address,"
    "Autonomous system  number,Flagged for review,Token issuer type,Incoming token type,Token issuer name,"
    "Latency,Conditional Access,Managed Identity type,Associated Resource Id,Federated Token Id,"
    "Federated Token Issuer"
)
PORTAL = _COLUMNS.split(",")
"""Its 56 columns with their odd spaces, and one that is there twice."""
AT = int(datetime(2025, 12, 4, 8, 19, 41, tzinfo=UTC).timestamp()) * 1_000_000_000
PLAIN = {
    "createddatetime": "2025-12-04T08:19:41Z", "userprincipalname": "Scan@Contoso.com", "id": "r-1",
    "clientappused": "Authenticated SMTP", "ipaddress": "192.0.2.1", "statuserrorcode": "0",
}  # fmt: skip


def read(terms: Terms | None = None, **cells: str) -> SignIn:
    (found,) = SIGN_INS.read({**PLAIN, **cells}, terms or Terms(0))
    assert isinstance(found, SignIn)
    return found


def test_all_columns_of_the_portal_are_known() -> None:
    names = [loose(name) for name in PORTAL]
    assert SIGN_INS.fits(names) and set(names) <= SIGN_INS.knows


def test_a_sign_in_of_the_portal() -> None:
    told = {
        "Date (UTC)": "2025-12-04T08:19:41Z", "Request ID": "a-b", "User agent": "BAV2ROPC", "User": "Scan",
        "Username": "scan@contoso.com", "Authentication Protocol": "ROPC", "IP address": "2001:DB8::1",
        "Status": "Failure", "Sign-in error code": "50126", "Failure reason": "Invalid password.",
        "Client app": "Authenticated SMTP",
    }  # fmt: skip
    (found,) = SIGN_INS.read({loose(name): told.get(name, "") for name in PORTAL}, Terms(0))
    assert found == SignIn(
        "a-b", AT, "scan@contoso.com", "2001:db8::1", "smtp", None, Outcome.REFUSED, True,
        "50126: Invalid password.", "BAV2ROPC",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("app", "protocol", "service"),
    [
        ("Authenticated SMTP", "smtp", None),
        ("SMTP", "smtp", None),
        ("Other clients; SMTP", "smtp", None),
        ("IMAP4", "imap", None),
        ("Other clients; IMAP", "imap", None),
        ("POP3", "pop3", None),
        ("Other clients; POP", "pop3", None),
        ("Exchange ActiveSync", "http", "eas"),
        ("Exchange Web Services", "http", "ews"),
        ("AutoDiscover", "http", "autodiscover"),
        ("MAPI Over HTTP", "http", "mapi"),
        ("Outlook Anywhere (RPC over HTTP)", "http", "rpc"),
        ("Offline Address Book", "http", "oab"),
        ("Exchange Online PowerShell", "http", "powershell"),
        ("Browser", None, None),
        ("Mobile Apps and Desktop clients", None, None),
        ("Other clients", None, None),
        ("Unknown", None, None),
    ],
)
def test_a_client_app_tells_the_protocol(app: str, protocol: str | None, service: str | None) -> None:
    for spelling in (app, app.upper()):
        found = read(clientappused=spelling)
        assert (found.protocol, found.service) == (protocol, service)


@pytest.mark.parametrize(
    ("cells", "password"),
    [
        ({"authenticationprotocol": "ropc"}, True),
        ({"authenticationprotocol": "Resource owner password (ROPC)"}, True),
        ({"authenticationprotocol": "none", "useragent": "BAV2ROPC"}, True),
        ({"authenticationprotocol": "oAuth2", "useragent": "bav2ropc"}, True),
        ({"authenticationprotocol": "oAuth2"}, False),
        ({"authenticationprotocol": "deviceCode"}, False),
        ({"authenticationprotocol": "none"}, None),
        ({}, None),
        ({"clientappused": "Other clients; IMAP"}, True),
        ({"clientappused": "Other clients; IMAP", "authenticationprotocol": "oAuth2"}, False),
        ({"clientappused": "Exchange ActiveSync"}, None),
        ({"clientappused": "Browser"}, False),
    ],
)
def test_a_password_is_told_from_a_token(cells: dict[str, str], password: bool | None) -> None:
    assert read(**cells).password is password


@pytest.mark.parametrize(
    ("cells", "outcome", "reason"),
    [
        ({}, Outcome.ACCEPTED, None),
        ({"statuserrorcode": "", "status": "Success"}, Outcome.ACCEPTED, None),
        ({"statuserrorcode": "50126", "statusfailurereason": "Bad."}, Outcome.REFUSED, "50126: Bad."),
        ({"statuserrorcode": "", "resulttype": "50053"}, Outcome.REFUSED, "50053"),
        ({"statuserrorcode": "", "resulttype": "0"}, Outcome.ACCEPTED, None),
        ({"statuserrorcode": "", "status": "Interrupted"}, Outcome.REFUSED, None),
        ({"statuserrorcode": "", "status": "Microsoft.Graph.SignInStatus"}, None, None),
    ],
)
def test_how_a_sign_in_ended(cells: dict[str, str], outcome: Outcome | None, reason: str | None) -> None:
    found = read(**cells)
    assert (found.outcome, found.reason) == (outcome, reason)


@pytest.mark.parametrize(
    ("text", "ip"),
    [
        ("2001:DB8:0::1", "2001:db8::1"), ("192.0.2.1:1234", "192.0.2.1"),
        ("[2001:db8::1]:25", "2001:db8::1"),
        ("", None), ("Redacted", None),
    ],
)  # fmt: skip
def test_an_address_is_canonical_or_none(text: str, ip: str | None) -> None:
    assert read(ipaddress=text).ip == ip


def test_a_time_in_utc_is_so_whatever_zone_is_told() -> None:
    terms = Terms(0, timezone(timedelta(hours=1)), False)
    local = {"createddatetime": "", "date": "12/4/2025 9:19:41 AM"}
    assert read(terms, **local).at == AT
    assert read(terms, timegeneratedutc="12/4/2025, 8:19:41.000 AM").at == AT


def test_a_row_without_an_id_has_one_of_what_it_tells() -> None:
    one, again, other = (read(id="", useragent=agent) for agent in ("a", "a", "b"))
    assert one.id == again.id != other.id
    assert read(id="").id != read(id="", ipaddress="192.0.2.2").id


@pytest.mark.parametrize(
    "cells", [{"userprincipalname": " "}, {"createddatetime": "soon"}, {"createddatetime": ""}]
)
def test_a_row_without_user_or_time_is_unreadable(cells: dict[str, Any]) -> None:
    with pytest.raises(UnreadableRowError):
        read(**cells)


def test_applications_and_steps_tell_nothing() -> None:
    service = {**PLAIN, "userprincipalname": "", "serviceprincipalid": "x"}
    assert list(SIGN_INS.read(service, Terms(0))) == []
    application = [loose(name) for name in ("Date (UTC)", "Request ID", "Service principal ID", "IP address")]
    assert APPLICATIONS.fits(application) and not SIGN_INS.fits(application)
    step = ["requestid", "authenticationmethod", "authenticationmethoddetail", "succeeded"]
    assert STEPS.fits(step) and not SIGN_INS.fits(step) and not APPLICATIONS.fits(step)
    assert list(STEPS.read({}, Terms(0))) == list(APPLICATIONS.read({}, Terms(0))) == []
