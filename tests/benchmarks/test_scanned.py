"""What is measured of scanners is told apart rightly; that they can be measured at all, a run shows."""

import pytest

from benchmarks.devices import COUNT, Kind, imap, machines, offered, pop3, smtp
from benchmarks.scanned import by_nmap, by_us, missed

NMAP = """<nmaprun><host><address addr="10.99.0.2" addrtype="ipv4"/><address addr="02:00:00:00:00:01"
addrtype="mac"/><ports><port protocol="tcp" portid="25"><script id="smtp-commands"
output="mx.example.net, SIZE 1000, AUTH LOGIN PLAIN"/></port><port protocol="tcp" portid="143"><script
id="imap-capabilities" output="IMAP4rev1 LOGINDISABLED AUTH=CRAM-MD5"/></port></ports></host></nmaprun>"""


def test_machines_are_in_the_net_and_no_two_at_one_place() -> None:
    assert len(machines()) == COUNT
    assert {ip.rpartition(".")[0] for ip in machines()} == {f"10.99.{third}" for third in range(4)}
    assert {port for _, port in offered()} == {25, 110, 143, 465, 587, 993, 995}


def test_mechanisms_are_read_from_what_nmap_prints() -> None:
    assert by_nmap(NMAP) == {
        ("10.99.0.2", 25): frozenset({"LOGIN", "PLAIN"}), ("10.99.0.2", 143): frozenset({"CRAM-MD5"})
    }  # fmt: skip


def test_mechanisms_are_read_from_our_records() -> None:
    said = '{"host": "10.99.0.2", "port": 25, "offered": ["PLAIN"], "offered_tls": ["LOGIN"]}\n'
    assert by_us(said) == {("10.99.0.2", 25): frozenset({"LOGIN", "PLAIN"})}


def test_what_is_missed_is_counted() -> None:
    every = sum(map(len, offered().values()))
    assert missed(offered()) == (every, 0)
    assert missed({}) == (0, every)
    assert missed({("10.99.0.2", 25): frozenset({"LOGIN", "KERBEROS_V4"})}) == (1, every - 1)


@pytest.mark.parametrize(
    ("kind", "said", "inside", "answer"),
    [
        (Kind(25, ("LOGIN",)), b"EHLO x\r\n", False,
         b"250-mx.example.net\r\n250-SIZE 1000\r\n250 AUTH LOGIN\r\n"),
        (Kind(25, ("LOGIN",), odd="250-AUTH="), b"EHLO x\r\n", False,
         b"250-mx.example.net\r\n250-SIZE 1000\r\n250-AUTH=LOGIN\r\n250 HELP\r\n"),
        (Kind(25, (), ("PLAIN",)), b"EHLO x\r\n", False,
         b"250-mx.example.net\r\n250-SIZE 1000\r\n250-STARTTLS\r\n250 HELP\r\n"),
    ],
)  # fmt: skip
def test_a_mail_server_offers(kind: Kind, said: bytes, inside: bool, answer: bytes) -> None:
    assert smtp(kind, said, inside) == answer


def test_mailboxes_offer_inside_tls_alone() -> None:
    kind = Kind(143, (), ("PLAIN",))
    assert b"AUTH=PLAIN" not in imap(kind, b"a1 CAPABILITY\r\n", False)
    assert b"AUTH=PLAIN" in imap(kind, b"a1 CAPABILITY\r\n", True)
    assert b"STLS" in pop3(kind, b"CAPA\r\n", False)
    assert b"SASL PLAIN" in pop3(kind, b"CAPA\r\n", True)
