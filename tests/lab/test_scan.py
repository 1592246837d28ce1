"""A subnet of real servers comes out as they are, however it is scanned; and nobody is logged in."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from subnet.cast import (
    ADDRESS,
    BROTHER,
    DOVECOT_SIX,
    HOST,
    MAC,
    MODEL,
    NTLM_DOMAIN,
    NTLM_HOST,
    SCANNER,
)
from subnet.mail import EXIM, SMTPD
from subnet.network import SWITCH_MAC

from .conftest import mailsunset, play, tshark

PROGRAMS = [
    *("unshare", "nsenter", "ip", "mount", "setpriv", "newuidmap", "openssl", "tcpdump", "tshark", "dovecot"),
    *("postconf", "nginx", "snmpd", "ippeveprinter", "dbus-daemon", "avahi-daemon"),
]
SUBNET_S = 240
"""Longest that all scans may last; 35 s on two cores."""
Record = dict[str, Any]
DIGESTS = {"CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"}
PASSWORDS = {"PLAIN", "LOGIN"}
EVERY_TIME = ("at", "banner", "device")
"""What is another each time, or is better known to root."""


@dataclass(frozen=True, slots=True)
class Subnet:
    """What scans of it came to."""

    folder: Path
    scans: dict[str, dict[str, Any]]
    found: dict[tuple[str, int], Record]
    """By name and port, as root found it."""

    def out(self, name: str) -> str:
        return (self.folder / f"{name}.out").read_text()

    def told(self, name: str) -> str:
        return (self.folder / f"{name}.err").read_text()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def records(self, name: str) -> list[Record]:
        return [json.loads(line) for line in self.out(name).splitlines()]

    def ask(self, *words: str) -> str:
        done = mailsunset(self.folder, "--db", str(self.folder / "all.db"), *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    def sent(self, name: str, *fields: str, only: str = "frame") -> list[list[str]]:
        """Fields of frames that the scanner sent."""
        return tshark(self.folder / f"{name}.pcap", *fields, only=f"eth.src == {SWITCH_MAC} && ({only})")

    def begun(self, name: str) -> list[tuple[float, str, int]]:
        """Connections that the scanner began: when and whither."""
        fields = ("frame.time_epoch", "ip.dst", "tcp.dstport")
        begun = self.sent(name, *fields, only="tcp.flags.syn == 1 && tcp.flags.ack == 0")
        return [(float(at), address, int(port)) for at, address, port in begun]


@pytest.fixture(scope="module")
def subnet(tmp_path_factory: pytest.TempPathFactory) -> Subnet:
    """Let it be scanned."""
    if missing := [path for path in (EXIM, SMTPD) if not path.exists()]:
        pytest.fail(f"the lab needs {missing}: see Makefile, test", pytrace=False)
    folder = play("subnet", PROGRAMS, SUBNET_S, tmp_path_factory)
    made = Subnet(folder, json.loads((folder / "scans.json").read_text()), {})
    names = {address: name for name, address in ADDRESS.items()}
    for record in made.records("all") + made.records("swapped"):
        made.found[names.get(record["host"], record["host"]), record["port"]] = record
    return made


def steady(records: list[Record]) -> dict[tuple[str, int], Record]:
    """Records by place, without what is another each time."""
    return {
        (one["host"], one["port"]): {key: one[key] for key in one if key not in EVERY_TIME} for one in records
    }


def rules(record: Record) -> set[str]:
    return {finding["rule"] for finding in record["findings"]}


def test_every_scan_ended_as_it_should(subnet: Subnet) -> None:
    """Without this a test could be right about a scan that was none."""
    statuses = {name: scan["status"] for name, scan in subnet.scans.items()}
    assert statuses == dict.fromkeys(statuses, 0) | {"part": 1}
    for name in statuses:
        assert "Traceback" not in subnet.told(name)
        assert "0 packets dropped by kernel" in (subnet.folder / f"{name}.tap").read_text()


def test_a_server_that_takes_passwords_in_clear_is_found(subnet: Subnet) -> None:
    for port in (110, 143):
        record = subnet.found["dovecot", port]
        assert set(record["offered"]) > PASSWORDS | DIGESTS
        assert record["offered"] == record["offered_tls"]
        assert (record["tls_mode"], record["starttls"]) == ("starttls", True)
        assert "password-in-clear" in rules(record)
    assert "login-not-disabled" in rules(subnet.found["dovecot", 143])


def test_a_server_that_takes_passwords_inside_tls_alone_is_told_from_it(subnet: Subnet) -> None:
    for port in (110, 143):
        record = subnet.found["dovecot-strict", port]
        assert set(record["offered"]) & PASSWORDS == set()
        assert set(record["offered"]) > DIGESTS
        assert set(record["offered_tls"]) > PASSWORDS
        assert not {"password-in-clear", "login-not-disabled", "no-starttls"} & rules(record)
    assert subnet.found["dovecot-strict", 143]["login_disabled"]


@pytest.mark.parametrize("port", [993, 995])
def test_inside_tls_that_comes_first_nothing_is_offered_in_clear(port: int, subnet: Subnet) -> None:
    record = subnet.found["dovecot", port]
    assert (record["offered"], record["starttls"], record["tls_mode"]) == ([], None, "implicit")
    assert set(record["offered_tls"]) > PASSWORDS
    assert (record["tls_oldest"], record["tls_newest"]) == ("TLSv1", "TLSv1.3")


@pytest.mark.parametrize("name", ["postfix", "exim"])
def test_what_is_offered_after_starttls_is_found(name: str, subnet: Subnet) -> None:
    for port, mode in ((25, "starttls"), (587, "starttls"), (465, "implicit")):
        record = subnet.found[name, port]
        assert record["offered"] == []
        assert set(record["offered_tls"]) >= PASSWORDS
        assert record["tls_mode"] == mode
        assert record["service"] == "submission"
        assert record["certificate"]["subject"] == "lab.test"
        assert record["certificate"]["names"] == ["*.lab.test"]
        assert not {"password-in-clear", "no-starttls", "lan-relay"} & rules(record)


@pytest.mark.parametrize("name, port", [("postfix-old", 25), ("postfix-last", 587)])
def test_auth_is_found_however_it_is_written(name: str, port: int, subnet: Subnet) -> None:
    """As ``250-AUTH=LOGIN PLAIN`` too, and as the last line of all."""
    record = subnet.found[name, port]
    assert set(record["offered"]) == PASSWORDS
    assert record["starttls"] is False
    assert {"password-in-clear", "no-starttls", "lan-relay"} <= rules(record)
    lines = tshark(
        subnet.folder / "all.pcap", "tcp.payload", only=f"ip.src == {ADDRESS[name]} && tcp.len > 0"
    )
    said = b"".join(bytes.fromhex(payload) for (payload,) in lines)
    assert (b"250-AUTH=PLAIN LOGIN\r\n" in said) == (name == "postfix-old")
    assert (b"\r\n250 AUTH PLAIN LOGIN\r\n" in said) == (name == "postfix-last")


def test_only_the_open_relay_takes_mail_for_outside(subnet: Subnet) -> None:
    asked = {place: one["relaying"] for place, one in subnet.found.items() if one["protocol"] == "smtp"}
    assert len(asked) == 13
    assert asked == dict.fromkeys(asked, "refuses") | {("relay", 25): "takes"}
    assert {"open-relay", "lan-relay"} <= rules(subnet.found["relay", 25])


@pytest.mark.parametrize(
    "name, port, software",
    [
        ("dovecot", 143, "Dovecot"),
        ("postfix", 25, "Postfix"),
        ("exim", 25, "Exim"),
        ("opensmtpd", 25, "OpenSMTPD"),
        ("exchange", 25, "Exchange Server"),
        ("web-exchange", 443, "Exchange Server 15.2.1544.4"),
    ],
)
def test_a_mail_server_is_known_by_what_it_says(name: str, port: int, software: str, subnet: Subnet) -> None:
    device = subnet.found[name, port]["device"]
    assert device["kind"] == "mail server"
    assert device["software"].startswith(software)


def test_an_exchange_server_on_the_lan_may_be_a_relay(subnet: Subnet) -> None:
    texts = {finding["text"] for finding in subnet.found["exchange", 25]["findings"]}
    assert "may be a relay: Exchange Server" in texts


def test_exchanges_paths_say_what_each_offers(subnet: Subnet) -> None:
    record = subnet.found["web-exchange", 443]
    both = ["HTTP-Basic", "HTTP-Negotiate"]
    assert record["service"] == "eas"
    assert record["offered_tls"] == both
    assert {path["service"]: path["offered"] for path in record["paths"]} == {
        "eas": ["HTTP-Basic"], "ews": both, "autodiscover": both,
    }  # fmt: skip


def test_a_login_that_is_begun_tells_the_servers_names(subnet: Subnet) -> None:
    record = subnet.found["web-ntlm", 80]
    assert record["ntlm"] == {"host": NTLM_HOST, "domain": NTLM_DOMAIN}
    assert record["offered"] == ["HTTP-NTLM"]
    assert "names-disclosed" in rules(record)


@pytest.mark.parametrize("name, port", [("camera", 80), ("tls-1.1", 443), ("copier", 80)])
def test_a_device_that_answers_all_paths_alike_is_not_exchange(name: str, port: int, subnet: Subnet) -> None:
    record = subnet.found[name, port]
    assert record["outcome"] == "answered"
    assert (record["service"], record["paths"]) == (None, [])


@pytest.mark.parametrize(
    "name, vendor, model, kind",
    [
        ("copier", "Ricoh", MODEL.removeprefix("RICOH "), "multifunction printer"),
        ("printer", *BROTHER, "multifunction printer"),
        ("camera", "Bosch", None, "camera"),
    ],
)
def test_a_device_is_known_by_what_it_answers(
    name: str, vendor: str, model: str, kind: str, subnet: Subnet
) -> None:
    """By SNMP and its page; by mDNS; by its realm."""
    device = subnet.found[name, 25]["device"]
    assert (device["vendor"], device["model"], device["kind"]) == (vendor, model, kind)


@pytest.mark.parametrize(
    "name, sources",
    [
        ("copier", {"snmp.description", "snmp.name", "http.title", "oui"}),
        ("printer", {"ipp.make_and_model", "ipp.device_id", "mdns.host", "mdns.instance", "mdns.ty"}),
    ],
)
def test_every_answer_of_a_device_is_evidence(name: str, sources: set[str], subnet: Subnet) -> None:
    told = subnet.ask("explain", ADDRESS[name])
    assert set(re.findall(r"^  (\S+) '.*' says ", told, re.MULTILINE)) >= sources


@pytest.mark.parametrize("port", [25, 465])
def test_a_server_that_ends_at_tls_1_0_is_spoken_with_all_the_same(port: int, subnet: Subnet) -> None:
    record = subnet.found["tls-1.0", port]
    assert (record["tls_oldest"], record["tls_newest"]) == ("TLSv1", "TLSv1")
    assert set(record["offered_tls"]) > PASSWORDS
    assert "ends-below-tls-1-2" in rules(record)


def test_an_old_web_page_with_an_old_certificate_is_found(subnet: Subnet) -> None:
    record = subnet.found["tls-1.1", 443]
    assert (record["tls_oldest"], record["tls_newest"]) == ("TLSv1.1", "TLSv1.1")
    assert record["certificate"]["not_after"].startswith("2024-02-29")
    assert record["certificate"]["key"] == "RSA 1024"
    wanted = {"ends-below-tls-1-2", "certificate-expired", "short-key", "old-web-page"}
    assert rules(record) == wanted


def test_tls_is_found_where_none_comes_first_and_none_where_it_does(subnet: Subnet) -> None:
    first, none = subnet.found["swapped", 143], subnet.found["swapped", 993]
    assert (first["protocol"], first["tls_mode"], first["offered"]) == ("imap", "implicit", [])
    assert set(first["offered_tls"]) > PASSWORDS
    assert (none["protocol"], none["tls_mode"], none["starttls"]) == ("imap", "starttls", True)
    assert "password-in-clear" in rules(none)


def test_who_refuses_all_is_there(subnet: Subnet) -> None:
    refused = {port: one["outcome"] for (name, port), one in subnet.found.items() if name == "quiet"}
    assert len(refused) == 12
    assert set(refused.values()) == {"refused"}


def test_nobody_else_is_found(subnet: Subnet) -> None:
    """Of 253 addresses: those of the cast, and our own."""
    assert {name for name, _ in subnet.found} == set(ADDRESS) - {"excluded"} | {SCANNER}


def test_without_roots_rights_the_same_is_found_and_what_is_lost_is_said(subnet: Subnet) -> None:
    asked = [f"10.77.0.{number}" for number in range(256)]
    root = steady([one for one in subnet.records("all") if one["host"] in asked])
    assert steady(json.loads(subnet.out("plain"))) == root
    assert "without root: no ARP and no ICMP" in subnet.told("plain")
    assert "without root" not in subnet.told("all")


def test_root_asks_the_link_who_is_there(subnet: Subnet) -> None:
    """And then knocks at nobody else: a machine that is not there costs one ARP request, twice at most."""
    there = {address for name, address in ADDRESS.items() if name not in ("excluded", "swapped")}
    assert {address for _, address, _ in subnet.begun("all")} == there
    asked = subnet.sent(
        "all", "arp.dst.proto_ipv4", only="arp.opcode == 1 && arp.dst.hw_mac == 00:00:00:00:00:00"
    )
    nobody = [address for (address,) in asked if address not in there and address.startswith("10.77.0.")]
    assert 252 - len(there) <= len(set(nobody)) <= 254 - len(there)
    assert max(map(nobody.count, set(nobody))) <= 3


def test_a_dry_run_sends_nothing(subnet: Subnet) -> None:
    assert subnet.sent("dry", "frame.number") == []
    assert "10.77.0.0/24: 253 addresses" in subnet.told("dry")
    assert not (subnet.folder / "dry.db").exists()


def test_whoever_is_excluded_is_not_touched_though_somebody_redirects_there(subnet: Subnet) -> None:
    excluded = ADDRESS["excluded"]
    for name in subnet.scans:
        touched = f"ip.addr == {excluded} || arp.dst.proto_ipv4 == {excluded}"
        assert subnet.sent(name, "frame.number", only=touched) == []
    redirected = f'{ADDRESS["web-exchange"]} "GET / HTTP/1.1" 301'
    assert redirected in subnet.log("nginx"), "nobody was redirected"


def test_what_may_print_or_wants_a_community_is_asked_only_if_the_user_says_so(subnet: Subnet) -> None:
    only = "udp.dstport == 161 || tcp.dstport in {9100..9107}"
    assert {port for (port,) in subnet.sent("all", "udp.dstport", only=only)} == {"161"}
    assert subnet.sent("swapped", "udp.dstport", only=only) == []


def test_after_an_interruption_no_port_is_asked_twice_and_nothing_is_missing(subnet: Subnet) -> None:
    whole, part, rest = (steady(subnet.records(name)) for name in ("whole", "part", "rest"))
    assert 8 <= len(part) < len(whole)
    assert not part.keys() & rest.keys()
    assert part | rest == whole
    assert {(address, port) for _, address, port in subnet.begun("rest")} == rest.keys()
    assert f"4 hosts answered; {len(whole)} ports" in subnet.told("rest")


def test_no_second_sees_more_connections_than_were_allowed(subnet: Subnet) -> None:
    """At most 20, and 4 to one host."""
    begun = subnet.begun("part")
    for at, _, _ in begun:
        within = [address for when, address, _ in begun if at <= when < at + 1]
        assert len(within) <= 20
        assert max(map(within.count, within)) <= 4


def test_only_what_changed_is_told(subnet: Subnet) -> None:
    """One server was stopped, and one learned TLS; greetings with the time in them are the same."""
    found = {(one["host"], one["port"]): one for one in subnet.records("later")}
    old = (ADDRESS["postfix-old"], 25)
    kinds = {place: one["change"] for place, one in found.items()}
    assert kinds == {(ADDRESS["exim"], port): "gone" for port in (25, 465, 587)} | {old: "changed"}
    assert {"offered", "offered_tls", "starttls", "tls_newest", "certificate"} <= set(found[old]["changed"])
    assert set(found[old]["before"]["offered"]) == PASSWORDS
    assert found[old]["after"]["offered"] == []


def test_the_inventory_has_what_was_found(subnet: Subnet) -> None:
    listed = map(json.loads, subnet.ask("hosts", "--all", "--format", "ndjson").splitlines())
    hosts = {record["host"]: record for record in listed}
    for name in ("dovecot-strict", "postfix", "exchange", "web-ntlm", "copier"):
        assert hosts[MAC[name]]["addresses"] == [ADDRESS[name]]
        found = [one for (at, _), one in subnet.found.items() if (at, one["outcome"]) == (name, "answered")]
        assert steady(hosts[MAC[name]]["offers"]) == steady(found)
    assert hosts[MAC["copier"]]["vendor"].startswith("RICOH")
    assert f"{HOST}.local" in {name["name"] for name in hosts[MAC["printer"]]["names"]}


def test_who_is_found_by_ipv6_is_the_machine_that_was_known_by_its_other_address(subnet: Subnet) -> None:
    """Nobody walks a /64: who answers an echo request to all nodes is there."""
    found = {one["port"]: one for one in subnet.records("six")}
    assert {one["host"] for one in found.values()} == {DOVECOT_SIX}
    for port in (143, 993):
        assert found[port]["offered_tls"] == subnet.found["dovecot", port]["offered_tls"]
    told = subnet.ask("hosts", "--all", "--format", "ndjson").splitlines()
    (record,) = [one for one in map(json.loads, told) if one["host"] == MAC["dovecot"]]
    assert set(record["addresses"]) == {ADDRESS["dovecot"], DOVECOT_SIX}


def test_a_server_that_was_named_is_asked_for_by_its_name(subnet: Subnet) -> None:
    only = f"tls.handshake.type == 1 && ip.dst == {ADDRESS['dovecot-strict']}"  # others are asked meanwhile
    names = tshark(subnet.folder / "csv.pcap", "tls.handshake.extensions_server_name", only=only)
    assert {name for (name,) in names} == {"dovecot-strict"}


def test_an_explanation_says_what_a_host_offers_and_what_is_wrong_with_it(subnet: Subnet) -> None:
    told = subnet.ask("explain", ADDRESS["dovecot"])
    assert f"{ADDRESS['dovecot']}:143  imap, TLSv1 to v1.3" in told
    assert "warn: takes LOGIN in clear [login-not-disabled]" in told
    assert "certificate: lab.test, by lab.test, until" in told


def test_all_formats_say_the_same(subnet: Subnet) -> None:
    (row,) = csv.DictReader(io.StringIO(subnet.out("csv")))
    record = subnet.found["dovecot-strict", 143]
    assert (row["host"], row["port"], row["protocol"]) == (record["host"], "143", "imap")
    assert json.loads(row["offered_tls"]) == record["offered_tls"]
    table = subnet.out("table")
    assert f"{record['host']}:143" in table
    assert "LOGIN" in table


def test_nobody_is_logged_in_no_mail_is_sent_and_no_page_is_printed(subnet: Subnet) -> None:
    """By what the servers say of it: also inside TLS."""
    ended = re.findall(r"-login: Info: (.*)", subnet.log("dovecot"))
    assert len(ended) > 50
    unasked = ("no auth attempts", "disconnected before auth was ready")
    assert [line for line in ended if not any(text in line for text in unasked)] == []
    commands = re.findall(rf"disconnect from unknown\[{SCANNER}\] (.*) commands=", subnet.log("postfix"))
    verbs = {word.partition("=")[0] for line in commands for word in line.split()}
    assert verbs == {"ehlo", "starttls", "mail", "rcpt", "rset", "quit"}
    assert not re.search(r"authenticator|<= ", subnet.log("main"))
    begun = re.findall(r"(?:NTLM|Negotiate) (\S+)", subnet.log("nginx") + subnet.log("pages"))
    assert begun
    assert all(message.startswith("TlRMTVNTUAAB") for message in begun), "more than NTLM's first message"
    assert "Basic" not in subnet.log("nginx") + subnet.log("pages")
    operations = re.findall(rf"^{SCANNER} ([A-Z]\w+-\S+) ", subnet.log("out"), re.MULTILINE)
    assert set(operations) == {"Get-Printer-Attributes"}


def test_nothing_in_clear_is_a_login_or_a_mail(subnet: Subnet) -> None:
    forbidden = re.compile(rb"^(?:\S+ )?(?:AUTH|AUTHENTICATE|LOGIN|USER|PASS|APOP|DATA|BDAT)(?: |$)", re.I)
    for name in subnet.scans:
        payloads = subnet.sent(name, "tcp.payload", only="tcp.len > 0")
        lines = [line for (payload,) in payloads for line in bytes.fromhex(payload).split(b"\r\n")]
        assert [line for line in lines if forbidden.match(line)] == []
        assert {line for line in lines if line.startswith(b"EHLO")} <= {b"EHLO mailsunset"}
        mails = [line for line in lines if line.startswith((b"MAIL ", b"RCPT "))]
        assert not mails or name not in ("part", "rest"), "only a relay test speaks of mail"
