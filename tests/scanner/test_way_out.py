"""What is found in what the way out told: cases of each rule, and when the way is not free."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scanner.catalogue.exchange import load_catalogue
from scanner.events import TlsMode
from scanner.services import Answered, Service, ServicePath, ShownCertificate
from scanner.way_out import Address, Endpoint, Published, findings, fits, of_tenant, seen_as

CERTIFICATE = ShownCertificate(
    "outlook.com",
    "DigiCert Cloud Services CA-1",
    ("*.office365.com", "outlook.com"),
    0,
    1,
    "RSA 2048",
    "sha256",
    False,
)
SERVED = Service(
    "52.96.0.10", 587, Answered.ANSWERED, 0, "smtp", tls_mode=TlsMode.STARTTLS,
    offered_tls=("LOGIN", "XOAUTH2"), starttls=True, certificate=CERTIFICATE, public_ip="203.0.113.7",
)  # fmt: skip
FREE = Endpoint(
    "smtp.office365.com", 587, "submission", (Address("52.96.0.10", "52.96.0.0/14"),), service=SERVED,
    issuers=("DigiCert *", "Microsoft RSA TLS CA 01"), trusted=True, greeting_known=True, ahead_ns=0,
)  # fmt: skip
ROLE = load_catalogue().role


def served(**changes: object) -> Endpoint:
    return replace(FREE, service=replace(SERVED, **changes))  # type: ignore[arg-type]


def shown(**changes: object) -> Endpoint:
    return served(certificate=replace(CERTIFICATE, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "rules", "trouble"),
    [
        pytest.param(FREE, ["passwords-offered"], None, id="free, and passwords are offered"),
        pytest.param(served(offered_tls=("XOAUTH2",)), [], None, id="tokens alone"),
        pytest.param(shown(issuer="Web Gateway"), ["foreign-issuer", "passwords-offered"], "intercepted",
                     id="a proxy"),
        pytest.param(shown(issuer=None), ["foreign-issuer", "passwords-offered"], "intercepted",
                     id="issued by nobody"),
        pytest.param(shown(issuer="Microsoft RSA TLS CA 010"), ["foreign-issuer", "passwords-offered"],
                     "intercepted",
                     id="an issuer that is only called alike"),
        pytest.param(shown(names=("*.outlook.com",)), ["foreign-name", "passwords-offered"], "intercepted",
                     id="a certificate for others"),
        pytest.param(shown(names=()), ["foreign-name", "passwords-offered"], "intercepted",
                     id="one for nobody"),
        pytest.param(replace(FREE, trusted=False, distrust="self-signed certificate"),
                     ["untrusted", "passwords-offered"], "intercepted", id="a chain that is not trusted"),
        pytest.param(replace(FREE, trusted=False, distrust="certificate is not yet valid"),
                     ["untrusted", "passwords-offered"], None, id="not valid yet, by this machine's clock"),
        pytest.param(replace(FREE, trusted=None), ["passwords-offered"], None, id="trust was not found out"),
        pytest.param(served(starttls=False, certificate=None, tls_mode=TlsMode.CLEAR, offered_tls=()),
                     ["starttls-taken-away"], "intercepted", id="STARTTLS is hidden"),
        pytest.param(served(certificate=None, tls_mode=TlsMode.CLEAR, offered_tls=()),
                     ["starttls-taken-away"],
                     "intercepted",
                     id="STARTTLS is offered and refused"),
        pytest.param(replace(FREE, addresses=(Address("10.0.0.1", None),)), ["internal-address",
                     "passwords-offered"],
                     None, id="a name of theirs leads to the site"),
        pytest.param(replace(FREE, addresses=(Address("198.51.100.1", None),)),
                     ["passwords-offered", "outside-prefixes"], None, id="outside their prefixes"),
        pytest.param(replace(FREE, ahead_ns=6 * 10**9), ["clock-apart", "passwords-offered"], None,
                     id="a late clock"),
        pytest.param(replace(FREE, ahead_ns=-5 * 10**9), ["passwords-offered"], None,
                     id="a clock that is near enough"),
        pytest.param(replace(FREE, greeting_known=False), ["passwords-offered", "foreign-greeting"], None,
                     id="another's greeting"),
        pytest.param(served(outcome=Answered.FILTERED, offered_tls=()), [], "filtered", id="filtered"),
        pytest.param(replace(served(outcome=Answered.FILTERED, offered_tls=()), port=25),
                     ["closed-on-the-way"],
                     "filtered", id="port 25 is filtered"),
        pytest.param(Endpoint("smtp.office365.com", 587, "submission", fault="no answer"), [], "dns-error",
                     id="no address"),
        pytest.param(Endpoint("pop-legacy.office365.com", 995, "pop-legacy", fault="there is no such name"),
                     [], None,
                     id="an endpoint that is closed may be gone"),
        pytest.param(replace(shown(issuer="My own CA", names=("mail.example",)), role=None, issuers=(),
                             name="mail.example"), [], None, id="a server of one's own, and its certificate"),
        pytest.param(replace(served(starttls=False, tls_mode=TlsMode.CLEAR), role=None, name="outlook.com"),
                     [], None,
                     id="a server of one's own without STARTTLS"),
        pytest.param(replace(FREE, name="52.96.0.10"), ["passwords-offered"], None,
                     id="asked by its address"),
    ],
)  # fmt: skip
def test_what_is_found(asked: Endpoint, rules: list[str], trouble: str | None) -> None:
    assert ([finding.rule for finding in findings(asked)], asked.trouble) == (rules, trouble)


@pytest.mark.parametrize(
    ("changes", "passwords"),
    [
        ({"protocol": "imap", "offered_tls": ("PLAIN", "XOAUTH2"), "login_disabled": True}, ("PLAIN",)),
        ({"protocol": "imap", "offered_tls": ("XOAUTH2",), "login_disabled": False}, ("IMAP-LOGIN",)),
        ({"protocol": "imap", "offered_tls": ("XOAUTH2",), "login_disabled": None}, ()),
        ({"protocol": "pop3", "offered_tls": ("USERPASS", "XOAUTH2")}, ("USERPASS",)),
        ({"offered": ("PLAIN",), "offered_tls": ()}, ("PLAIN",)),
        ({"protocol": "http", "offered_tls": (), "paths": (ServicePath("eas", "/", 401, ("HTTP-Basic",)),)},
         ("HTTP-Basic",)),
        ({"offered_tls": ("XOAUTH2", "NTLM", "GSSAPI")}, ()),
    ],
    ids=["IMAP's PLAIN", "IMAP's LOGIN", "IMAP's silence", "USER and PASS", "in clear", "Basic", "none"],
)  # fmt: skip
def test_passwords_are_found_wherever_they_are_offered(
    changes: dict[str, object], passwords: tuple[str, ...]
) -> None:
    assert served(**changes).passwords == passwords


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("smtp.office365.com", "SMTP.Office365.com", True),
        ("*.office365.com", "smtp.office365.com", True),
        ("*.office365.com", "a.smtp.office365.com", False),
        ("*.office365.com", "office365.com", False),
        ("*.com", "office365.com", False),
        ("*", "com", False),
        ("s*.office365.com", "smtp.office365.com", False),
        ("", "smtp.office365.com", False),
    ],
)
def test_a_certificate_is_for_a_name(pattern: str, name: str, expected: bool) -> None:
    assert fits(pattern, name) is expected


@pytest.mark.parametrize(
    ("kind", "records", "found"),
    [
        ("MX", ["0 example-com.mail.protection.outlook.com"], ["mail goes to Exchange Online"]),
        ("MX", ["0 example-com.l-v1.mx.microsoft"], ["mail goes to Exchange Online"]),
        ("MX", ["10 gw.example.net"], ["mail goes elsewhere first: to a gateway, perhaps"]),
        ("MX", ["0 x.mail.protection.outlook.com", "5 gw.example.net"], ["some mail goes elsewhere first"]),
        ("MX", ["0 ."], ["has no MX: mail does not go to Exchange Online"]),
        ("MX", [], ["has no MX: mail does not go to Exchange Online"]),
        ("CNAME", ["autodiscover.outlook.com"], ["Autodiscover leads to Exchange Online"]),
        ("CNAME", ["mail.example.com"], ["Autodiscover leads elsewhere"]),
        ("A", ["10.0.0.5"], ["Autodiscover leads elsewhere"]),
        ("SRV", ["0 0 443 mail.example.com"], ["Autodiscover leads elsewhere"]),
        ("SRV", [], []),
        ("TXT", [], ["no SPF records, where there should be one (RFC 7208 4.5)"]),
        ("TXT", ["v=spf1 -all", "v=spf1 mx -all"],
         ["2 SPF records, where there should be one (RFC 7208 4.5)"]),
        ("TXT", ["v=spf1 mx -all"], ["SPF does not include Exchange Online itself",
                                     "SPF does not itself name 203.0.113.7, as which this site is seen"]),
        ("TXT", ["v=spf1 +ip4:203.0.113.0/24 INCLUDE:spf.protection.outlook.com ip4:x -all"],
         ["SPF covers Exchange Online", "SPF names 203.0.113.7, as which this site is seen"]),
    ],
)  # fmt: skip
def test_what_a_tenant_publishes_means_something(kind: str, records: list[str], found: list[str]) -> None:
    said = of_tenant(Published("example.com", kind, tuple(records)), ROLE, ["203.0.113.7"])
    assert [finding.text for finding in said] == found


def test_nothing_is_found_in_a_record_that_could_not_be_asked() -> None:
    missing = Published("example.com", "MX", fault="the resolver did not answer in time")
    assert (of_tenant(missing, ROLE, []), missing.trouble) == ((), "dns-error")


def test_a_site_is_seen_as_addresses_alone() -> None:
    said = ("203.0.113.7", "\x1b[31m", "2001:DB8:0::1", None, "203.0.113.7")
    assert seen_as([served(public_ip=ip) for ip in said]) == ("2001:db8::1", "203.0.113.7")
