"""Through proxies to the server that was asked for, and what is overheard of machines on the way."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from packets import C, Connection, S, batch, hear

from scanner.account import Account, Usernames
from scanner.catalogue.exchange import Catalogue, load_catalogue
from scanner.conversation import Conversation, Ending, Side
from scanner.draft import Draft
from scanner.events import Certificate, Label, Outcome, TlsMode
from scanner.labels import SERVER
from scanner.listener import Listener, Overheard
from scanner.model import Observation, ServerKind
from scanner.pipeline import Pipeline
from scanner.protocols.tls import DIALECT as TLS
from scanner.wire.flows import FlowTable
from scanner.wire.interest import Interest

CATALOGUE = load_catalogue()
Tunnel = Callable[[str, int], list[tuple[Side, bytes]]]
Said = list[tuple[Side, bytes]]
NAME = "smtp.office365.com"
PROXY = "10.0.0.9"
NAMELESS = b"\x16\x03\x01\0\x2d\x01\0\0\x29\x03\x03" + bytes(32) + b"\0\0\x02\xc0\x2f\x01\0"
NAMED = TLS.examples[0].lines[0][1]
"""A hello for smtp.example.com."""
PROXY_SECRET = b"secret-2"
DONE, DONE4 = b"\5\0\0\1\0\0\0\0\0\0", b"\0\x5a" + bytes(6)


def b64(message: bytes) -> bytes:
    return base64.b64encode(message)


def host_of(target: str) -> str:
    return f"[{target}]" if ":" in target else target


def connect(target: str, port: int) -> Said:
    ask = f"CONNECT {host_of(target)}:{port} HTTP/1.1\r\nHost: {host_of(target)}:{port}\r\n\r\n"
    return [(C, ask.encode()), (S, b"HTTP/1.1 200 Connection established\r\nServer: proxy\r\n\r\n")]


def connect_again(target: str, port: int) -> Said:
    """A proxy wants a password first."""
    (_, ask), answer = connect(target, port)
    denied = b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="p"\r\nContent-Length: 2\r\n\r\nno'
    secret = b"Proxy-Authorization: Basic " + b64(b"ann:" + PROXY_SECRET) + b"\r\n\r\n"
    return [(C, ask), (S, denied), (C, ask[:-2] + secret), answer]


def request5(target: str, port: int) -> bytes:
    try:
        address = ip_address(target).packed
        kind = b"\1" if len(address) == 4 else b"\4"
    except ValueError:
        kind, address = b"\3", bytes([len(target)]) + target.encode()
    return b"\5\1\0" + kind + address + port.to_bytes(2, "big")


def socks5(target: str, port: int) -> Said:
    return [(C, b"\5\1\0"), (S, b"\5\0"), (C, request5(target, port)), (S, DONE)]


def socks5_login(target: str, port: int) -> Said:
    login = b"\1\3ann" + bytes([len(PROXY_SECRET)]) + PROXY_SECRET
    start: Said = [(C, b"\5\2\0\2"), (S, b"\5\2"), (C, login), (S, b"\1\0")]
    return [*start, (C, request5(target, port)), (S, DONE)]


def socks4(target: str, port: int) -> Said:
    return [(C, b"\4\1" + port.to_bytes(2, "big") + ip_address(target).packed + b"ann\0"), (S, DONE4)]


def socks4a(target: str, port: int) -> Said:
    head = b"\4\1" + port.to_bytes(2, "big") + b"\0\0\0\1ann\0"
    return [(C, head + target.encode() + b"\0"), (S, DONE4)]


GREETING: Said = [(S, b"220 mx7.example.net ESMTP\r\n"), (C, b"EHLO copier\r\n")]
PLAIN = b64(b"\0ann\0secret-1")
SUBMISSION: Said = [
    *GREETING,
    (S, b"250-mx7.example.net\r\n250 AUTH PLAIN\r\n"),
    (C, b"AUTH PLAIN " + PLAIN + b"\r\n"),
    (S, b"235 ok\r\n"),
    (C, b"QUIT\r\n"),
    (S, b"221 bye\r\n"),
]
STARTTLS: Said = [
    *GREETING,
    (S, b"250-mx7.example.net\r\n250 STARTTLS\r\n"),
    (C, b"STARTTLS\r\n"),
    (S, b"220 go\r\n"),
    (C, NAMELESS),
]
IMAP: Said = [(S, b"* OK ready\r\n"), (C, b"a LOGIN ann secret-1\r\n"), (S, b"a NO no\r\n")]
POP3: Said = [
    (S, b"+OK ready\r\n"),
    (C, b"USER ann\r\n"),
    (S, b"+OK\r\n"),
    (C, b"PASS secret-1\r\n"),
    (S, b"+OK\r\n"),
]
EWS: Said = [
    (
        C,
        b"POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: outlook.office365.com\r\nContent-Length: 0\r\n"
        b"Authorization: Basic " + b64(b"ann:secret-1") + b"\r\n\r\n",
    ),
    (S, b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
]
CLEAR, IN_TLS = TlsMode.CLEAR, TlsMode.IMPLICIT
DIALOGUES = [
    pytest.param(587, SUBMISSION, ("smtp", CLEAR, "PLAIN", Outcome.ACCEPTED), id="SMTP"),
    pytest.param(587, STARTTLS, ("smtp", TlsMode.STARTTLS, None, None), id="STARTTLS"),
    pytest.param(465, [(C, NAMELESS)], ("smtp", IN_TLS, None, None), id="SMTP in TLS"),
    pytest.param(465, [(C, NAMED)], ("smtp", IN_TLS, None, None), id="SMTP in TLS for another name"),
    pytest.param(993, [(C, NAMELESS)], ("imap", IN_TLS, None, None), id="IMAP in TLS"),
    pytest.param(995, [(C, NAMELESS)], ("pop3", IN_TLS, None, None), id="POP3 in TLS"),
    pytest.param(443, [(C, NAMELESS)], ("http", IN_TLS, None, None), id="HTTP in TLS"),
    pytest.param(143, IMAP, ("imap", CLEAR, "IMAP-LOGIN", Outcome.REFUSED), id="IMAP"),
    pytest.param(110, POP3, ("pop3", CLEAR, "USERPASS", Outcome.ACCEPTED), id="POP3"),
    pytest.param(80, EWS, ("http", CLEAR, "HTTP-Basic", Outcome.REFUSED), id="HTTP"),
]
BY_NAME = [connect, connect_again, socks5, socks5_login, socks4a]
PROXY_PORTS = [3128, 8080, 1080, 9050, 8888]


def conversation(said: Said, port: int = 3128, server: str = PROXY, client: str = "10.0.0.1") -> Conversation:
    """Packets on a wire, followed as in a run."""
    packets = Connection((client, 50000), (server, port)).open().say(*said).close().packets
    table = FlowTable(Interest(CATALOGUE.mail_ports, CATALOGUE.prefixes), "x.pcap")
    (heard,) = [*hear(table, packets), *table.flush()]
    return heard


def listened(
    said: Said, port: int = 3128, server: str = PROXY, catalogue: Catalogue = CATALOGUE
) -> Draft | Overheard | None:
    return Listener(catalogue, "here", Usernames.KEEP).listen(conversation(said, port, server), "proxy.lan")


def observed(
    said: Said, port: int = 3128, catalogue: Catalogue = CATALOGUE, server: str = PROXY
) -> Observation:
    heard = conversation(said, port, server)
    seen = Listener(catalogue, "here", Usernames.KEEP).observe(heard, "proxy.lan")
    assert seen is not None
    return seen


@pytest.mark.parametrize(("port", "dialogue", "expected"), DIALOGUES)
@pytest.mark.parametrize("tunnel", BY_NAME, ids=lambda tunnel: tunnel.__name__)
def test_whatever_is_said_through_a_proxy_is_read(
    tunnel: Tunnel, port: int, dialogue: Said, expected: tuple[object, ...]
) -> None:
    seen = observed([*tunnel(NAME, port), *dialogue])
    assert (seen.protocol, seen.tls_mode, seen.mechanism, seen.outcome) == expected
    assert (seen.server_name, seen.server_kind) == (NAME, ServerKind.EXCHANGE_ONLINE)
    assert (seen.server_ip, seen.gaps, seen.weird) == (PROXY, 0, ())
    assert seen.username in (None, "ann")
    assert len(seen.attempts) == 0
    assert not [
        secret for secret in (b"secret", b64(b"ann:" + PROXY_SECRET)) if secret in repr(seen).encode()
    ]


@pytest.mark.parametrize(("port", "dialogue", "expected"), DIALOGUES)
@pytest.mark.parametrize("proxy_port", PROXY_PORTS)
def test_a_proxy_may_live_on_any_port(
    proxy_port: int, port: int, dialogue: Said, expected: tuple[object, ...]
) -> None:
    for tunnel in (*BY_NAME, socks4):
        said = [*tunnel("52.96.0.1" if tunnel is socks4 else NAME, port), *dialogue]
        packets = Connection(server=(PROXY, proxy_port)).open().say(*said).close().packets
        ((seen,),) = Pipeline(CATALOGUE, "here").read([batch(packets)], "x.pcap")
        assert (seen.protocol, seen.tls_mode, seen.mechanism, seen.outcome) == expected, tunnel
        assert (seen.server_kind, seen.server_port) == (ServerKind.EXCHANGE_ONLINE, proxy_port)


VANITY, LOCAL = "mail.example.org", "192.168.7.7"
MICROSOFTS: Said = [(S, b"220 AM0PR01CA0001.outlook.office365.com ESMTP\r\n"), *SUBMISSION[1:]]
UNKNOWN: Said = [(S, b"220 mx7 ESMTP\r\n"), *SUBMISSION[1:]]
MINE, THEIRS, OTHER = ServerKind.INTERNAL, ServerKind.EXCHANGE_ONLINE, ServerKind.OTHER


@pytest.mark.parametrize(
    ("said", "name", "kind"),
    [
        pytest.param(
            [*connect(VANITY, 587), *SUBMISSION], VANITY, OTHER, id="a name, whatever it greets with"
        ),
        pytest.param([*connect(VANITY.upper() + ".", 25), *UNKNOWN], VANITY, OTHER, id="a name in any form"),
        pytest.param([*connect(VANITY, 587), *MICROSOFTS], VANITY, THEIRS, id="an alias of Microsoft's"),
        pytest.param([*connect("relay", 25), *UNKNOWN], "relay", MINE, id="a name without a domain"),
        pytest.param([*connect("mx.corp.local", 25), *UNKNOWN], "mx.corp.local", MINE, id="a local name"),
        pytest.param([*socks4("52.96.0.1", 587), *UNKNOWN], None, THEIRS, id="an address of Microsoft's"),
        pytest.param(
            [*socks5("2603:1006::1", 587), *UNKNOWN], None, THEIRS, id="a long address of Microsoft's"
        ),
        pytest.param([*connect("2603:1006::1", 587), *UNKNOWN], None, THEIRS, id="one in brackets"),
        pytest.param([*socks5(LOCAL, 25), *UNKNOWN], None, MINE, id="an address of the site"),
        pytest.param(
            [*socks5("192.0.2.7", 25), *SUBMISSION], "mx7.example.net", OTHER, id="an address that greets"
        ),
        pytest.param([*socks4("192.0.2.7", 465), (C, NAMED)], "smtp.example.com", OTHER, id="one with SNI"),
        pytest.param(
            [*socks4("192.0.2.7", 80), *EWS], "outlook.office365.com", THEIRS, id="one with a Host line"
        ),
        pytest.param(
            [*socks5("192.0.2.7", 80), *connect(NAME, 587), *UNKNOWN], NAME, THEIRS, id="two proxies"
        ),
    ],
)
def test_the_name_asked_for_is_the_servers(said: Said, name: str | None, kind: ServerKind) -> None:
    seen = observed(said)
    assert (seen.server_name, seen.server_kind, seen.server_used) == (name, kind, name)


def test_a_proxy_that_is_named_as_an_endpoint_is_one() -> None:
    catalogue = load_catalogue(extra=[PROXY])
    seen = observed([*connect(VANITY, 587), *SUBMISSION], catalogue=catalogue)
    assert (seen.server_name, seen.server_kind) == (VANITY, THEIRS)


CERTIFIED = Account(Usernames.KEEP, protocol="smtp", tunnel_host="192.0.2.7", tunnel_port=465)
CERTIFIED.hear(Certificate("smtp.example.com", (), None))


def test_a_certificate_names_what_an_address_does_not() -> None:
    heard = conversation([(C, b"CONNECT 192.0.2.7:465 HTTP/1.1\r\n\r\n")])
    seen = Listener(CATALOGUE, "here", Usernames.KEEP).conclude(heard, CERTIFIED, None)
    assert seen is not None
    assert seen.name == "smtp.example.com"
    assert seen.account.labels == []


@pytest.mark.parametrize(
    "said",
    [
        pytest.param([connect(NAME, 587)[0], (S, b"HTTP/1.1 403 No\r\n\r\n")], id="CONNECT is refused"),
        pytest.param(connect_again(NAME, 587)[:2], id="a password is wanted, and there is none"),
        pytest.param([*connect_again(NAME, 587)[:3], connect_again(NAME, 587)[1]], id="a wrong one"),
        pytest.param([*socks5(NAME, 587)[:3], (S, b"\5\2" + DONE[2:])], id="SOCKS 5 is refused"),
        pytest.param([*socks5_login(NAME, 587)[:3], (S, b"\1\1")], id="its password is refused"),
        pytest.param([socks4a(NAME, 587)[0], (S, b"\0\x5b" + bytes(6))], id="SOCKS 4 is refused"),
        pytest.param([*socks5(NAME, 587)[:2], (C, b"\5\3\0\1" + bytes(6)), (S, DONE)], id="UDP"),
        pytest.param(socks5(NAME, 587), id="nobody says anything"),
    ],
)
def test_a_tunnel_that_is_not_opened_is_no_mail(said: Said) -> None:
    assert listened(said) is None
    assert listened(said, catalogue=load_catalogue(extra=[PROXY])) is None


def test_what_a_server_behind_a_proxy_says_of_itself_is_not_the_proxys() -> None:
    agent = b"Host: a\r\nUser-Agent: Scan/3\r\n"
    (_, ask), answer = connect(NAME, 587)
    page: Said = [(S, b"HTTP/1.1 200 OK\r\nServer: Embedded/2\r\nContent-Length: 0\r\n\r\n")]
    fetch: Said = [(C, b"GET / HTTP/1.1\r\n" + agent + b"\r\n"), *page]
    seen = observed([(C, ask[:-2] + agent + b"\r\n"), answer, *SUBMISSION])
    assert [label.field for label in seen.labels if label.field in SERVER] == []
    assert Label("http.user_agent", "Scan/3") in seen.labels
    overheard = listened([*connect("mfp.example.com", 80), *fetch])
    assert isinstance(overheard, Overheard)
    assert (overheard.of_client, overheard.of_server) == ((Label("http.user_agent", "Scan/3"),), ())


PAGE: Said = [
    (C, b"GET / HTTP/1.1\r\nHost: mfp\r\nUser-Agent: Browser/1\r\n\r\n"),
    (
        S,
        b"HTTP/1.1 200 OK\r\nServer: Embedded/2\r\nContent-Type: text/html\r\nContent-Length: 22\r\n\r\n"
        b"<title>MFP 300</title>",
    ),
]
AGENT = (Label("http.user_agent", "Browser/1"),)
ABOUT = (Label("http.server", "Embedded/2"), Label("http.title", "MFP 300"))


@pytest.mark.parametrize(
    ("client", "server", "of_client", "of_server"),
    [
        pytest.param("10.0.0.1", "10.0.0.7", AGENT, ABOUT, id="a device's page"),
        pytest.param("10.0.0.1", "198.51.100.7", AGENT, (), id="a page on the Internet"),
        pytest.param("198.51.100.7", "10.0.0.7", (), ABOUT, id="a page asked for from the Internet"),
    ],
)
def test_web_traffic_tells_what_machines_are(
    client: str, server: str, of_client: tuple[Label, ...], of_server: tuple[Label, ...]
) -> None:
    heard = conversation(PAGE, 80, server, client)
    macs = "02:00:00:00:00:01", "02:00:00:00:00:02"
    listener = Listener(CATALOGUE, "here", Usernames.KEEP)
    assert listener.listen(heard) == Overheard(
        client, macs[0], server, macs[1], heard.first_seen, heard.last_seen, of_client, of_server
    )
    assert listener.observe(heard) is None


def test_web_traffic_that_tells_nothing_is_left_alone() -> None:
    bare: Said = [(C, b"GET / HTTP/1.1\r\nHost: www\r\n\r\n"), (S, b"HTTP/1.1 204 No\r\n\r\n")]
    assert listened(bare, 80) is None
    assert listened(PAGE[1:], 80, "198.51.100.7") is None


def labels(said: Said, server: str = "10.0.0.7", port: int = 25) -> tuple[Label, ...]:
    return observed(said, port, server=server).labels


@pytest.mark.parametrize(
    ("said", "port", "expected"),
    [
        pytest.param(SUBMISSION[:2], 25, Label("smtp.banner", "mx7.example.net ESMTP"), id="SMTP"),
        pytest.param(IMAP, 143, Label("imap.banner", "ready"), id="IMAP"),
        pytest.param(POP3, 110, Label("pop3.banner", "ready"), id="POP3"),
    ],
)
def test_a_servers_greeting_tells_its_program(said: Said, port: int, expected: Label) -> None:
    assert [label for label in labels(said, port=port) if label.field.endswith(".banner")] == [expected]
    assert expected not in labels(said, "52.96.0.1", port)


def test_exchanges_clock_is_told_where_ours_does_not_agree() -> None:
    first = observed(SUBMISSION, 25).first_seen // 1_000_000_000
    for ahead, host, expected in (
        (0, "a.outlook.office365.com", None),
        (300, "a.outlook.office365.com", "300"),
        (300, "mx7.example.net", None),
    ):
        when = datetime.fromtimestamp(first + ahead, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
        found = labels([(S, f"220 {host} ready at {when}\r\n".encode()), *SUBMISSION[1:]])
        assert {label.field: label.text for label in found}.get("clock.ahead") == expected


@pytest.mark.parametrize(
    ("said", "ending", "expected"),
    [
        pytest.param(SUBMISSION, Ending.CLOSED, "ehlo=bare auth=PLAIN+initial", id="it takes its leave"),
        pytest.param(
            SUBMISSION[:5], Ending.CLOSED, "ehlo=bare auth=PLAIN+initial quit=none", id="it does not"
        ),
        pytest.param(SUBMISSION[:5], Ending.CUT, "ehlo=bare auth=PLAIN+initial", id="its end was not heard"),
        pytest.param(STARTTLS, Ending.CLOSED, "ehlo=bare", id="its end is in TLS"),
        pytest.param(
            [*STARTTLS[:5], (C, b"EHLO a.b\r\n"), (S, b"250 x\r\n"), (C, b"QUIT\r\n")],
            Ending.CLOSED,
            "ehlo=fqdn",
            id="what was in TLS is heard",
        ),
        pytest.param(
            [*STARTTLS[:5], (C, b"MAIL FROM:<a>\r\n"), (S, b"250 x\r\n"), (C, b"QUIT\r\n")],
            Ending.CLOSED,
            "starttls-then-no-ehlo",
            id="no name in TLS",
        ),
        pytest.param([(S, b"220 x\r\n"), (C, b"EHLO\r\n")], Ending.CUT, None, id="nothing to tell"),
    ],
)
def test_a_clients_manner_is_told_once(said: Said, ending: Ending, expected: str | None) -> None:
    heard = replace(conversation(said, 25, "10.0.0.7"), ending=ending)
    seen = Listener(CATALOGUE, "here", Usernames.KEEP).observe(heard)
    assert seen is not None
    manners = [label.text for label in seen.labels if label.field == "smtp.manner"]
    assert manners == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("host", "name"),
    [
        pytest.param(b"outlook.office365.com", "outlook.office365.com", id="a name"),
        pytest.param(b"Outlook.office365.com:8080", "outlook.office365.com", id="a name and a port"),
        pytest.param(b"52.96.0.1", "proxy.lan", id="an address: then what DNS says"),
        pytest.param(b"[2603:1006::1]:80", "proxy.lan", id="a long address and a port"),
        pytest.param(b"relay1", "relay1", id="a name that ends with a digit"),
    ],
)
def test_a_request_names_its_server(host: bytes, name: str) -> None:
    (_, ask), answer = EWS
    said: Said = [(C, ask.replace(b"outlook.office365.com", host)), answer]
    assert observed(said).server_name == name
