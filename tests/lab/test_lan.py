"""A LAN of real programs comes out right: names, devices, addresses over time, routers and relays."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lan.cast import EXCHANGE, MACHINES, OTHERS, SECRET, Machine
from stage.needles import Search

from .conftest import mailsunset, mailsunset_each, play

PROGRAMS = [
    *("unshare", "nsenter", "ip", "ss", "mount", "hostname", "openssl", "tcpdump", "tshark", "postconf"),
    *("dnsmasq", "dhclient", "udhcpc", "swaks", "msmtp", "curl"),
]
LAN_S = 90
"""Longest that playing may last; 6 s on two cores."""
MAC = {machine.name: machine.mac for machine in MACHINES}
LEASED = "10.32.8.100"
"""Above it are the leases of the annex."""


@dataclass(frozen=True, slots=True)
class Lan:
    """What the LAN left behind, and what the program says of it."""

    folder: Path
    days: dict[str, dict[str, Any]]
    hosts: dict[str, dict[str, Any]]
    """By their names in the inventory."""
    database: Path

    @property
    def capture(self) -> Path:
        return self.folder / "lan.pcap"

    def host(self, name: str) -> dict[str, Any]:
        return self.hosts[MAC[name]]

    def ask(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return mailsunset(self.folder, "--db", str(self.database), *words)


@pytest.fixture(scope="module")
def lan(tmp_path_factory: pytest.TempPathFactory) -> Lan:
    """Play it, and read it into an inventory."""
    folder = play("lan", PROGRAMS, LAN_S, tmp_path_factory)
    days = {day["name"]: day for day in json.loads((folder / "played.json").read_text())}
    database = folder / "kept.db"
    done = mailsunset(folder, "--db", str(database), "read", folder / "lan.pcap")
    assert done.returncode == 0, done.stderr
    made = Lan(folder, days, {}, database)
    for line in made.ask("hosts", "--format", "ndjson").stdout.splitlines():
        record = json.loads(line)
        made.hosts[record["host"]] = record
    return made


def names(record: dict[str, Any]) -> set[tuple[str, str]]:
    return {(name["source"], name["name"]) for name in record["names"]}


def expected(machine: Machine) -> Iterator[tuple[str, str]]:
    """What a machine told of its name, in whatever it said."""
    if machine.lease:
        yield "dhcp.host_name", machine.lease.host_name
        if machine.lease.fqdn:
            yield "dhcp.fqdn", machine.lease.fqdn
            yield "dhcp6.fqdn", machine.lease.fqdn
    if machine.printer:
        yield "mdns.host", f"{machine.printer.host}.local"
        yield "mdns.instance", machine.printer.instance
    if machine.called:
        yield "smtp.client_name", machine.called


def test_every_program_did_its_part(lan: Lan) -> None:
    """Without this the LAN could go wrong, and the inventory be right about it."""
    assert "0 packets dropped by kernel" in (lan.folder / "tcpdump.log").read_text()
    for machine in OTHERS:
        day = lan.days[machine.name]
        wanted = len(machine.lease.wishes) if machine.lease else len(machine.addresses)
        assert day["statuses"] == [0] * wanted, day
    assert lan.days["brother"]["addresses"] == ["10.32.0.201", "10.32.0.202"]
    assert lan.days["epson"]["addresses"] == ["10.32.0.201"]
    assert lan.days["bizhub"]["addresses"] >= [LEASED]


@pytest.mark.parametrize("machine", [one for one in OTHERS if not one.in_annex], ids=lambda one: one.name)
def test_a_host_goes_by_the_names_that_it_told_and_no_others(machine: Machine, lan: Lan) -> None:
    record = lan.host(machine.name)
    assert names(record) == set(expected(machine))
    assert record["mac"] == machine.mac


def test_nobody_else_is_a_host(lan: Lan) -> None:
    """Not the servers on the internet, nor the addresses that stand for none or for many."""
    ours = set(MAC.values()) | set(lan.days["tills"]["addresses"]) | set(lan.days["bizhub"]["addresses"])
    assert set(lan.hosts) <= ours
    addresses = {address for host in lan.hosts.values() for address in host["addresses"]}
    assert not addresses & {"0.0.0.0", "::", "255.255.255.255", "224.0.0.251", *EXCHANGE.values()}


@pytest.mark.parametrize(
    "name, vendor, model",
    [
        ("copier", "Ricoh", "MP C3004"),
        ("laserjet", "HP", "LaserJet MFP M428fdw"),
        ("kyocera", "Kyocera", "ECOSYS M5526cdw"),
    ],
)
def test_a_printer_is_known_by_what_it_announces(name: str, vendor: str, model: str, lan: Lan) -> None:
    device = lan.host(name)["device"]
    assert device["vendor"] == vendor
    assert device["model"] == model
    assert device["kind"] == "multifunction printer"
    assert device["confidence"] >= 0.9


@pytest.mark.parametrize("name", ["relay", "depot"])
def test_a_relay_is_known_by_how_it_speaks(name: str, lan: Lan) -> None:
    device = lan.host(name)["device"]
    assert (device["kind"], device["software"]) == ("mail server", "Postfix")


def test_a_changed_address_is_the_same_device(lan: Lan) -> None:
    """Its first address is another printer's afterwards, and neither is mistaken for the other."""
    brother, epson = lan.host("brother"), lan.host("epson")
    assert brother["addresses"] == ["10.32.0.201", "10.32.0.202"]
    assert epson["addresses"] == ["10.32.0.201"]
    assert sum(usage["sessions"] for usage in brother["usage"]) == 2
    assert sum(usage["sessions"] for usage in epson["usage"]) == 1


def test_a_router_is_flagged_and_names_nobody(lan: Lan) -> None:
    router = lan.host("router")
    assert router["router"]
    assert router["names"] == []
    assert router["device"]["model"] is None
    assert router["usage"] == []
    (address,) = lan.days["bizhub"]["addresses"]
    told = lan.ask("explain", MAC["router"]).stdout.decode()
    assert f"forwards what DHCP lent to other cards: {address}\n" in told


def test_a_relayed_lease_ties_a_host_behind_the_router_to_its_own_card(lan: Lan) -> None:
    """Its frames carry the router's MAC, its lease does not."""
    (address,) = lan.days["bizhub"]["addresses"]
    (record,) = [one for one in lan.hosts.values() if address in one["addresses"] and not one["router"]]
    assert record["mac"] == MAC["bizhub"]
    assert names(record) == {
        ("dhcp.host_name", "KMBT0A0C18"),
        ("smtp.client_name", "KMBT0A0C18"),
    }
    assert record["device"]["vendor"] == "Konica Minolta"
    assert record["verdict"] == "breaks"


def test_what_is_behind_a_router_without_a_lease_is_an_address(lan: Lan) -> None:
    for address in lan.days["tills"]["addresses"]:
        assert lan.hosts[address]["mac"] is None
        assert names(lan.hosts[address]) == {("smtp.client_name", "till")}


@pytest.mark.parametrize(
    "machine", [one for one in OTHERS if one.mails_through and not one.in_annex], ids=lambda one: one.name
)
def test_the_chain_of_relays_is_the_one_that_mail_took(machine: Machine, lan: Lan) -> None:
    record = lan.host(machine.name)
    assert record["behind"] == [MAC[name] for name in machine.mails_through]
    assert record["verdict"] == lan.host("relay")["verdict"] == "breaks"


def test_what_is_behind_a_router_is_behind_its_relay_too(lan: Lan) -> None:
    for address in lan.days["tills"]["addresses"]:
        assert lan.hosts[address]["behind"] == [MAC["relay"]]
        assert lan.hosts[address]["verdict"] == "breaks"


def test_who_goes_directly_is_behind_nobody(lan: Lan) -> None:
    for name in ("kyocera", "phone", "relay"):
        assert lan.host(name)["behind"] == []
    assert lan.host("depot")["behind"] == [MAC["relay"]]


@pytest.mark.parametrize("asked", ["relay.example.com", "10.32.0.25", MAC["relay"]])
def test_all_that_hide_behind_a_relay_are_listed(asked: str, lan: Lan) -> None:
    done = lan.ask("hosts", "--behind", asked, "--format", "ndjson")
    found = {json.loads(line)["host"] for line in done.stdout.splitlines()}
    through = {MAC[one.name] for one in OTHERS if "relay" in one.mails_through and not one.in_annex}
    assert found == through | {MAC["depot"]} | set(lan.days["tills"]["addresses"])


def test_an_explanation_shows_the_chain(lan: Lan) -> None:
    told = lan.ask("explain", "RNP0026730A0C11").stdout.decode()
    assert "RICOH MP C3004" in told
    assert "Third floor, by the stairs" in told
    chain = " -> ".join([MAC["copier"], *(f"{one}.example.com ({MAC[one]})" for one in ("depot", "relay"))])
    assert f"its mail passes: {chain}\n" in told
    assert f"goes through depot.example.com ({MAC['depot']}), " in told


def test_a_randomised_mac_is_told_from_a_makers(lan: Lan) -> None:
    phone = lan.host("phone")
    assert phone["vendor"] is None
    assert [host["mac"] for host in lan.hosts.values() if host["mac_randomised"]] == [phone["mac"]]


def test_no_password_is_anywhere_afterwards(lan: Lan) -> None:
    search = Search({f"{SECRET}{name}".encode() for name in ("relay", "kyocera", "phone", "bizhub")})
    assert len(search.found(lan.capture.read_bytes())) == 4, "the search itself is blind"
    keeping = ("read", "--no-db", "--usernames", "keep", "--format", "json", str(lan.capture))
    at = ("--db", str(lan.database))
    listings = [(*at, listing, "--format", "json") for listing in ("hosts", "sessions")]
    told, statuses = mailsunset_each(lan.folder, keeping, *listings, (*at, "explain", "KM0A0C13"))
    assert set(statuses) <= {"0", "None"}
    assert b"kyocera@example.com" in told
    kept = b"".join(file.read_bytes() for file in lan.folder.glob("kept.db*"))
    assert search.found(told + kept) == set()
