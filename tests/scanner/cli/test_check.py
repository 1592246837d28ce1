"""The way out, checked against Exchange Online of paper in a namespace that has its names and addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from own_network import inside

from scanner.catalogue.exchange import load_catalogue
from scanner.cli import root

PLACES = [f"{name}:{port}" for name, port in load_catalogue().asked]
TENANT = ["contoso.com MX", "contoso-com.mail.protection.outlook.com:25", "autodiscover.contoso.com CNAME",
          "_autodiscover._tcp.contoso.com SRV", "contoso.com TXT"]  # fmt: skip
STAGE = r"""
import json, os, subprocess, sys
from pathlib import Path
from exchange_online import *
folder = Path(sys.argv[1])
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
NET = {"online": "52.96.0.10", "mx": "40.107.0.5", "login": "20.190.128.1", "proxy": "52.96.0.66",
       "stripping": "52.96.0.67", "closed": "52.96.0.68", "gateway": "203.0.113.9", "late": "52.96.0.69",
       "other": "52.96.0.70", "expired": "52.96.0.71", "hostile": "52.96.0.72"}
for ip in [*NET.values(), "2603:1006::10"]:
    subprocess.run(["ip", "addr", "add", ip, "dev", "lo"], check=True)
microsoft, corporate = Authority(folder, ISSUER), Authority(folder, PROXY)
genuine = microsoft.issue(NAMES)
Online(genuine).listen(NET["online"])
Online(genuine).listen("2603:1006::10", [443])
Online(genuine, "DB5PEPF00014B01.mail.protection.outlook.com", offers="").listen(NET["mx"], [25])
Online(genuine).listen(NET["login"], [443])
Online(corporate.issue(NAMES)).listen(NET["proxy"])
Online(genuine, starttls=False).listen(NET["stripping"], [25, 587])
Online(genuine, clock_ahead_s=3600).listen(NET["late"], [587])
Online(microsoft.issue(["mail.contoso.com"]), "mail.contoso.com").listen(NET["other"], [587])
Online(microsoft.issue(NAMES, -1)).listen(NET["expired"], [587])
Online(genuine, "evil\x1b[2J.example", public="\x1b[31m10.0.0.1").listen(NET["hostile"], [587])
Online(genuine, "gw.contoso.com", offers="").listen(NET["gateway"], [25])
everything = {f"{name}.office365.com": NET["online"]
    for name in ("smtp", "outlook", "smtp-legacy", "pop-legacy", "imap-legacy")} | {
    "autodiscover-s.outlook.com": NET["online"], "autodiscover.outlook.com": NET["online"],
    "login.microsoftonline.com": NET["login"], "contoso-com.mail.protection.outlook.com": NET["mx"]}
resolver(53, everything, "--mx-host=contoso.com,contoso-com.mail.protection.outlook.com,0",
    "--cname=autodiscover.contoso.com,autodiscover.outlook.com",
    "--txt-record=contoso.com,v=spf1 ip4:203.0.113.64/26 include:spf.protection.outlook.com -all",
    "--txt-record=contoso.com,MS=ms12345678",
    "--srv-host=_autodiscover._tcp.contoso.com,autodiscover.outlook.com,443",
    "--host-record=gw.fabrikam.com," + NET["gateway"], "--mx-host=fabrikam.com,gw.fabrikam.com,10",
    "--host-record=autodiscover.fabrikam.com,10.0.0.5", "--txt-record=fabrikam.com,v=spf1 mx -all")
ports = {}
for number, (title, ip) in enumerate({**NET, "blocked": "0.0.0.0", "inside": "127.0.0.1"}.items(), 5353):
    ports[title] = number
    resolver(number, {"smtp.office365.com": ip, "outlook.office365.com": ip})
resolver(5399, {"outlook.office365.com": "52.96.0.68,2603:1006::10"})
ports["six"] = 5399
def check(*words, trusts=(microsoft,)):
    store = folder / "trusted.pem"
    store.write_bytes(b"".join(one.own for one in trusts))
    environment = {**os.environ, "SSL_CERT_FILE": str(store), "SSL_CERT_DIR": "/nowhere", "HOME": str(folder)}
    program = [sys.executable, "-W", "error", "-c", "from scanner.cli import main; main()", "check"]
    done = subprocess.run([*program, *words], capture_output=True, text=True, env=environment, timeout=100)
    return done.returncode, done.stdout, done.stderr
def tell(*words, **how):
    code, out, err = check("--format", "ndjson", *words, **how)
    assert "Traceback" not in err, err
    found = [json.loads(line) for line in out.splitlines()]
    print(json.dumps({"code": code, "found": found, "said": err}), flush=True)
SMTP, IMAP = ("--endpoint", "smtp.office365.com:587"), ("--endpoint", "imap.office365.com:993")
def at(title):
    return "--resolver", f"127.0.0.1:{ports[title]}"
"""


def staged(folder: Path, script: str) -> list[dict[str, Any]]:
    return inside(script, str(folder), before=STAGE, timeout_s=170)


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a check tells where nothing is in the way."""
    script = 'tell("--tenant", "contoso.com", "--resolver", "127.0.0.1")'
    return staged(tmp_path_factory.mktemp("free"), script)[0]


def of(told: dict[str, Any], place: str) -> dict[str, Any]:
    name, _, last = place.replace(" ", ":").rpartition(":")
    return next(
        one for one in told["found"] if one["endpoint"] == name and last in (str(one["port"]), one["record"])
    )


def texts(record: dict[str, Any]) -> list[str]:
    return [finding["text"] for finding in record["findings"]]


def test_all_of_the_catalogue_is_asked_and_the_tenant(free: dict[str, Any]) -> None:
    places = [
        f"{one['endpoint']}{':' if one['port'] else ' '}{one['port'] or one['record']}"
        for one in free["found"]
    ]
    assert places == [*PLACES, *TENANT]
    assert {one["outcome"] for one in free["found"]} == {"answered"}
    assert (free["code"], free["said"]) == (0, "this site is seen as 203.0.113.77\n")


@pytest.mark.parametrize("place", PLACES)
def test_who_answers_is_believed_to_be_microsoft(free: dict[str, Any], place: str) -> None:
    record = of(free, place)
    believed = ("intercepted", "issuer_expected", "names_fit", "trusted")
    assert [record[key] for key in believed] == [False, True, True, True]
    assert record["addresses"][0]["prefix"] is not None


@pytest.mark.parametrize(
    ("place", "passwords", "found"),
    [
        pytest.param("smtp.office365.com:587", ["LOGIN"], ["offers passwords: LOGIN"],
                     id="submission still takes them"),
        pytest.param("outlook.office365.com:993", [], [], id="IMAP says LOGINDISABLED"),
        pytest.param("outlook.office365.com:995", ["PLAIN", "USERPASS"],
                     ["offers passwords: PLAIN USERPASS, which Exchange Online refuses since 2023"],
                     id="POP3 offers and refuses them"),
        pytest.param("outlook.office365.com:443", [], [], id="the web wants tokens"),
        pytest.param("contoso-com.mail.protection.outlook.com:25", [], [], id="nobody logs in at the MX"),
    ],
)  # fmt: skip
def test_it_tells_whether_passwords_are_offered(
    free: dict[str, Any], place: str, passwords: list[str], found: list[str]
) -> None:
    record = of(free, place)
    assert (record["passwords"], texts(record)) == (passwords, found)


def test_it_tells_what_is_offered(free: dict[str, Any]) -> None:
    smtp, web = of(free, "smtp.office365.com:587"), of(free, "outlook.office365.com:443")
    assert (smtp["starttls"], smtp["offered"], smtp["offered_tls"]) == (True, [], ["LOGIN", "XOAUTH2"])
    assert (smtp["tls_oldest"], smtp["tls_newest"], smtp["public_ip"]) == (
        "TLSv1.2",
        "TLSv1.3",
        "203.0.113.77",
    )
    assert abs(smtp["clock_ahead_s"]) <= 2
    assert {path["service"]: path["offered"] for path in web["paths"]}["eas"] == ["HTTP-Bearer"]


@pytest.mark.parametrize(
    ("place", "records", "found"),
    [
        ("contoso.com MX", ["0 contoso-com.mail.protection.outlook.com"], ["mail goes to Exchange Online"]),
        ("autodiscover.contoso.com CNAME", ["autodiscover.outlook.com"],
         ["Autodiscover leads to Exchange Online"]),
        ("_autodiscover._tcp.contoso.com SRV", ["0 0 443 autodiscover.outlook.com"],
         ["Autodiscover leads to Exchange Online"]),
        ("contoso.com TXT", ["v=spf1 ip4:203.0.113.64/26 include:spf.protection.outlook.com -all"],
         ["SPF covers Exchange Online", "SPF names 203.0.113.77, as which this site is seen"]),
    ],
)  # fmt: skip
def test_it_tells_what_a_tenant_publishes(
    free: dict[str, Any], place: str, records: list[str], found: list[str]
) -> None:
    record = of(free, place)
    assert (record["records"], texts(record)) == (records, found)


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What a check tells of each trouble."""
    scripts = {
        "a proxy": 'tell("--endpoint", "outlook.office365.com:443", *at("proxy"))',
        "a trusted proxy": 'tell(*SMTP, *at("proxy"), trusts=(microsoft, corporate))',
        "a strange store": "tell(*SMTP, '--resolver', '127.0.0.1', trusts=(corporate,))",
        "stripped": 'tell(*SMTP, *at("stripping"))',
        "closed": 'tell("--endpoint", "smtp.office365.com:25", *at("closed"))',
        "late": 'tell(*SMTP, *at("late"))',
        "another's": 'tell(*SMTP, *at("other"))',
        "expired": 'tell(*SMTP, *at("expired"))',
        "hostile": 'tell(*SMTP, *at("hostile"))',
        "blocked": 'tell(*SMTP, *at("blocked"))',
        "inside": 'tell(*SMTP, *at("inside"))',
        "no name": 'tell("--endpoint", "pop-legacy.office365.com:995", *IMAP, *at("six"))',
        "IPv6 alone": 'tell("--endpoint", "outlook.office365.com:443", *at("six"))',
        "an address": 'tell("--endpoint", "203.0.113.9:25")',
        "a gateway": 'tell(*SMTP, "--tenant", "fabrikam.com", "--resolver", "127.0.0.1")',
        "no tenant": 'tell(*SMTP, "--tenant", "nobody.example", "--resolver", "127.0.0.1")',
    }
    told = staged(tmp_path_factory.mktemp("troubled"), "\n".join(scripts.values()))
    return dict(zip(scripts, told, strict=True))


@pytest.mark.parametrize(
    ("title", "code", "outcome", "intercepted", "found"),
    [
        ("a proxy", 1, "answered", True,
         ["its certificate is by Contoso Web Gateway CA, who issues none of Microsoft's: a proxy opens TLS",
          "this machine does not trust its certificate: unable to get local issuer certificate"]),
        ("a trusted proxy", 1, "answered", True,
         ["its certificate is by Contoso Web Gateway CA, who issues none of Microsoft's: a proxy opens TLS; "
          "this machine trusts him, a device may not", "offers passwords: LOGIN"]),
        ("a strange store", 1, "answered", True,
         ["this machine does not trust its certificate: unable to get local issuer certificate",
          "offers passwords: LOGIN"]),
        ("stripped", 1, "answered", True, ["offers no STARTTLS: somebody on the way takes it away"]),
        ("closed", 1, "refused", None, ["port 25 seems to be closed on the way"]),
        ("late", 0, "answered", False,
         ["this machine's clock is 3,600 s behind its own", "offers passwords: LOGIN"]),
        ("another's", 1, "answered", True,
         ["its certificate is for mail.contoso.com", "offers passwords: LOGIN",
          "greets as mail.contoso.com, a name that is not Microsoft's"]),
        ("expired", 0, "answered", False,
         ["this machine does not trust its certificate: certificate has expired", "offers passwords: LOGIN"]),
        ("blocked", 1, "dns-error", None, ["not in the catalogue's prefixes: 0.0.0.0"]),
        ("inside", 1, "refused", None, ["its name leads to 127.0.0.1, an address of this site"]),
        ("IPv6 alone", 0, "answered", False, []),
        ("an address", 0, "answered", None, []),
    ],
)  # fmt: skip
def test_trouble_is_told(
    troubled: dict[str, dict[str, Any]],
    title: str,
    code: int,
    outcome: str,
    intercepted: bool | None,
    found: list[str],
) -> None:
    told = troubled[title]
    (record,) = told["found"]
    assert (told["code"], record["outcome"], record["intercepted"]) == (code, outcome, intercepted)
    seconds = [text.replace("3,599", "3,600") for text in texts(record)]
    assert seconds == found
    assert ("not free: " in told["said"]) == (code == 1)


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("a proxy", "not free: outlook.office365.com:443 (intercepted)"),
        ("closed", "not free: smtp.office365.com:25 (refused)"),
        ("no name", "not free: imap.office365.com:993 (dns-error)"),
        ("no tenant", "not free: nobody.example MX (dns-error)"),
    ],
)
def test_one_line_says_what_is_not_free(troubled: dict[str, dict[str, Any]], title: str, line: str) -> None:
    """An endpoint that Microsoft is closing is no trouble."""
    assert troubled[title]["said"].splitlines()[-1] == line


def test_a_gateway_in_front_of_a_tenant_is_told(troubled: dict[str, dict[str, Any]]) -> None:
    told = troubled["a gateway"]
    assert texts(of(told, "fabrikam.com MX")) == ["mail goes elsewhere first: to a gateway, perhaps"]
    assert (of(told, "gw.fabrikam.com:25")["outcome"], of(told, "gw.fabrikam.com:25")["intercepted"]) == (
        "answered",
        None,
    )
    assert of(told, "autodiscover.fabrikam.com A")["records"] == ["10.0.0.5"]
    assert texts(of(told, "fabrikam.com TXT")) == [
        "SPF does not include Exchange Online itself",
        "SPF does not itself name 203.0.113.77, as which this site is seen",
    ]  # fmt: skip


def test_a_hostile_server_says_nothing_to_a_terminal(tmp_path: Path) -> None:
    """Its name, its greeting and the address it greets us by; in all forms."""
    script = """
for form in ("table", "csv", "json", "ndjson"):
    code, out, err = check("--format", form, *SMTP, *at("hostile"))
    print(json.dumps({"code": code, "out": out, "err": err}), flush=True)
"""
    for told in staged(tmp_path, script):
        assert "evil" in told["out"]
        assert "\x1b" not in told["out"] + told["err"]
        assert "is seen as" not in told["err"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--endpoint", "mail.example:0"], "is not like mail.example.com:587 or 192.0.2.1"),
        (["--endpoint", "-x y"], "is not like mail.example.com:587 or 192.0.2.1"),
        (["--endpoint", "192.0.2.0/24"], "is not like mail.example.com:587 or 192.0.2.1"),
        (["--tenant", "com"], "is not a domain like example.com"),
        (["--tenant", "192.0.2.1"], "is not a domain like example.com"),
        (["--resolver", "dns.example"], "is not an address like 192.0.2.53 or [2001:db8::53]:53"),
        (["--name", "a b"], "is not a host name like audit.example.com"),
    ],
)
def test_wrong_usage_is_told(words: list[str], said: str) -> None:
    done = CliRunner().invoke(root, ["check", *words])
    assert done.exit_code == 2
    assert said in done.output


def test_a_catalogue_that_names_nothing_to_ask_is_told(tmp_path: Path) -> None:
    (file := tmp_path / "mine.toml").write_text(
        '[[endpoint]]\nnames = ["mail.example"]\nkind = "exchange-online"\n'
    )
    done = CliRunner().invoke(root, ["check", "--catalogue", str(file)])
    assert (done.exit_code, done.output) == (
        2,
        "Error: the catalogue has nothing to be asked; see --endpoint\n",
    )
