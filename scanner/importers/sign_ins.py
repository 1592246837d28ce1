"""Sign-ins of Microsoft Entra ID: the portal's CSV and JSON, Microsoft Graph's JSON, Log Analytics' exports.

https://learn.microsoft.com/graph/api/resources/signin and …/azure-monitor/reference/tables/signinlogs
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC
from functools import lru_cache
from hashlib import blake2b

from scanner.events import Outcome
from scanner.importers.family import Cells, Family, Kind, Terms, UnreadableRowError, first, words
from scanner.importers.times import nanoseconds
from scanner.net import canonical
from scanner.tenant import SignIn

_UTC = ("dateutc", "timegeneratedutc", "createddatetimeutc")
_AT = ("createddatetime", "date", "datelocal", "timegenerated", "timegeneratedlocaltime", "time")
_USER = ("userprincipalname", "username", "signinidentifier")
_APP = ("clientapp", "clientappused")
_AUTH = ("authenticationprotocol",)
_CODE = ("signinerrorcode", "statuserrorcode", "resulttype", "errorcode")
_REASON = ("failurereason", "statusfailurereason", "resultdescription")
_ID = ("requestid", "id")
_SERVICE = ("serviceprincipalid", "serviceprincipalname")
_APPS = (
    ("smtp", "smtp", None), ("imap", "imap", None), ("pop", "pop3", None), ("activesync", "http", "eas"),
    ("exchange web services", "http", "ews"), ("autodiscover", "http", "autodiscover"),
    ("mapi", "http", "mapi"), ("offline address book", "http", "oab"), ("outlook anywhere", "http", "rpc"),
    ("powershell", "http", "powershell"), ("outlook service", "http", None),
    ("reporting web services", "http", None),
)  # fmt: skip
"""What of a client app's name tells the protocol: "IMAP", "IMAP4" and "Other clients; IMAP" all come."""
_MODERN = ("browser", "mobile apps and desktop clients", "modern clients")
_OLD = "other clients"
"""Documented as those that use older ways to log in, whatever follows it."""
_ROPC, _AGENT = "ropc", "bav2ropc"
"""Entra logs in with the password of who gave it (RFC 6749 4.3); Exchange, which then is the agent."""
_TOKENS = ("oauth", "devicecode", "saml", "wsfederation", "authenticationtransfer", "nativeauth")


def _read(cells: Cells, terms: Terms) -> Iterator[SignIn]:
    user = first(cells, _USER).strip().lower()
    if not user:
        if first(cells, _SERVICE):
            return
        raise UnreadableRowError("no user")
    if utc := first(cells, _UTC):
        at = nanoseconds(utc, UTC, terms.day_first)
    else:
        at = nanoseconds(first(cells, _AT), terms.zone, terms.day_first)
    app, agent = first(cells, _APP), first(cells, ("useragent",))
    outcome, reason = _outcome(cells)
    protocol, service = _protocol(app.lower())
    password = _password(first(cells, _AUTH).lower(), agent.lower(), app.lower())
    ip = _address(first(cells, ("ipaddress",)))
    id_ = first(cells, _ID).strip() or _hash(str(at), user, ip or "", app, agent, reason or "")
    yield SignIn(id_, at, user, ip, protocol, service, outcome, password, reason, agent or None)


@lru_cache(1024)
def _protocol(app: str) -> tuple[str | None, str | None]:
    return next(((protocol, service) for part, protocol, service in _APPS if part in app), (None, None))


@lru_cache(1024)
def _password(auth: str, agent: str, app: str) -> bool | None:
    """Whether a password crossed: by the protocol, else by the agent, else by what the app's group tells."""
    if _ROPC in auth or _AGENT in agent:
        return True
    if any(part in auth for part in _TOKENS) or app.startswith(_MODERN):
        return False
    return True if app.startswith(_OLD) else None


def _outcome(cells: Cells) -> tuple[Outcome | None, str | None]:
    code, status = first(cells, _CODE).strip(), cells.get("status", "").strip().lower()
    if code in ("0", "0.0") or (not code and status == "success"):
        return Outcome.ACCEPTED, None
    if code.removeprefix("-").isdecimal() or status in ("failure", "interrupted"):
        told = first(cells, _REASON).strip()
        return Outcome.REFUSED, ": ".join(part for part in (code, told) if part) or None
    return None, None


@lru_cache(4096)
def _address(text: str) -> str | None:
    """An address, with or without a port behind it."""
    text = text.strip()
    for candidate in (text, text.rpartition(":")[0].strip("[]")):
        with suppress(ValueError):
            return canonical(candidate)
    return None


def _hash(*parts: str) -> str:
    text = "\x1f".join(parts).encode("utf-8", "replace")
    return f"row {blake2b(text, digest_size=16).hexdigest()}"


def _nothing(_: Cells, __: Terms) -> Iterator[SignIn]:
    return iter(())


_OF_NO_USE = words(
    """
    correlationid userid user usertype crosstenantaccesstype incomingtokentype uniquetokenidentifier
    originaltransfermethod clientcredentialtype tokenprotectionsigninsession
    tokenprotectionsigninsessionstatuscode application applicationid appownertenantid resource resourceid
    resourcetenantid resourceownertenantid hometenantid hometenantname location deviceid browser
    operatingsystem compliant managed jointype multifactorauthenticationresult
    multifactorauthenticationauthmethod multifactorauthenticationauthdetail authenticationrequirement
    sessionid ipaddressseenbyresource throughglobalsecureaccess globalsecureaccessipaddress
    autonomoussystemnumber flaggedforreview tokenissuertype tokenissuername latency conditionalaccess
    associatedresourceid federatedtokenid federatedtokenissuer

    appdisplayname appid ipaddressfromresourceprovider authenticationdetails authenticationprocessingdetails
    conditionalaccessstatus appliedconditionalaccesspolicies originalrequestid isinteractive signineventtypes
    networklocationdetails resourcedisplayname userdisplayname signinidentifiertype
    processingtimeinmilliseconds riskdetail risklevelaggregated risklevelduringsignin riskstate
    riskeventtypes riskeventtypesv2 authenticationmethodsused authenticationcontextclassreferences
    sessionlifetimepolicies privatelinkdetails mfadetail odatatype statusadditionaldetails devicedetail
    devicedetaildeviceid devicedetaildisplayname devicedetailoperatingsystem devicedetailbrowser
    devicedetailiscompliant devicedetailismanaged devicedetailtrusttype locationcity locationstate
    locationcountryorregion locationgeocoordinates

    tenantid sourcesystem type operationname operationversion category resultsignature durationms identity
    level locationdetails resourcegroup resourceprovider resourceidentity conditionalaccesspolicies
    properties tablename managedidentitytype serviceprincipalcredentialkeyid
    serviceprincipalcredentialthumbprint
    """
)
"""Of the portal, of Graph, and of Log Analytics."""
SIGN_INS = Family(
    Kind.SIGN_INS,
    "sign-ins",
    (frozenset((*_UTC, *_AT)), frozenset(_USER), frozenset((*_APP, *_AUTH))),
    frozenset((*_OF_NO_USE, *_UTC, *_AT, *_USER, *_APP, *_AUTH, *_CODE, *_REASON, *_ID, *_SERVICE))
    | {"status", "useragent", "ipaddress"},
    _read,
    (*_UTC, *_AT),
    _UTC,
)  # fmt: skip
APPLICATIONS = Family(
    Kind.SIGN_INS,
    "sign-ins of applications, which name no user",
    (frozenset((*_UTC, *_AT)), frozenset(_SERVICE)),
    SIGN_INS.knows,
    _nothing,
)
STEPS = Family(
    Kind.SIGN_INS,
    "steps of sign-ins, which tell nothing of mailboxes",
    (frozenset({"requestid"}), frozenset({"authenticationmethod"}), frozenset({"succeeded"})),
    frozenset({"requestid", "dateutc", "authenticationmethod", "authenticationmethoddetail", "succeeded"})
    | {"resultdetail", "requirement", "authenticationstep", "authenticationsteprequirement"},
    _nothing,
)
"""``*AuthDetails*.csv``."""
