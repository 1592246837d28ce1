"""Which endpoints are asked at which addresses, and that nothing else is touched."""

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from exchange_online import ISSUER, Authority, Online

from scanner.catalogue.exchange import load_catalogue
from scanner.cli.settings import now
from scanner.probe.names import NameFault, NoSuchNameError
from scanner.probe.outbound import ADDRESSES_TRIED, EXCHANGERS_ASKED, Outbound, Wanted, wanted
from scanner.session import Asker
from scanner.way_out import Endpoint, Published

CATALOGUE = load_catalogue()


class Book:
    """Names of paper."""

    def __init__(self, hosts: Mapping[str, tuple[str, ...]], records: Mapping[str, tuple[str, ...]]) -> None:
        self.hosts, self.known = hosts, records

    async def addresses(self, name: str) -> tuple[str, ...]:
        if name not in self.hosts:
            raise NoSuchNameError("there is no such name")
        return self.hosts[name]

    async def records(self, name: str, kind: str) -> tuple[str, ...]:
        if name == "broken.example":
            raise NameFault("the resolver did not answer in time")
        if f"{name} {kind}" not in self.known:
            raise NoSuchNameError("there is no such name")
        return self.known[f"{name} {kind}"]


def checked(
    places: list[Wanted],
    hosts: Mapping[str, tuple[str, ...]],
    tenant: str | None = None,
    **records: tuple[str, ...],
) -> list[Endpoint | Published]:
    async def run() -> list[Endpoint | Published]:
        book = Book(
            hosts, {key.replace("__", " ").replace("_", "."): value for key, value in records.items()}
        )
        outbound = Outbound(CATALOGUE, book, Asker(), now)  # type: ignore[arg-type]
        return await outbound.check(places, tenant, lambda: None)

    return asyncio.run(run())


def endpoint(hosts: Mapping[str, tuple[str, ...]], port: int, name: str = "smtp.office365.com") -> Endpoint:
    (found,) = checked([Wanted(name, port)], hosts)
    assert isinstance(found, Endpoint)
    return found


@contextmanager
def online(folder: Path) -> Iterator[int]:
    """Exchange Online of paper at a port of 127.0.0.3 alone."""
    server = Online(Authority(folder, ISSUER).issue(["smtp.office365.com"]))
    with socket.create_server(("127.0.0.3", 0)) as listener:
        thread = server.accept(listener)
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        pytest.param([], [Wanted(*place) for place in CATALOGUE.asked], id="nothing named: the catalogue's"),
        pytest.param([("smtp.office365.com", 25)], [("smtp.office365.com", 25)], id="a port"),
        pytest.param([("outlook.office365.com", None)],
                     [("outlook.office365.com", port) for port in (993, 995, 443)],
                     id="the ports that are checked"),
        pytest.param([("smtp.hve.mx.microsoft", None)], [("smtp.hve.mx.microsoft", 587)],
                     id="the ports of its row"),
        pytest.param([("mail.example", None)], [("mail.example", port) for port in (587, 25, 993, 995, 443)],
                     id="the usual ones"),
        pytest.param([("a.example", 1), ("a.example", 1)], [("a.example", 1)], id="once is enough"),
    ],
)  # fmt: skip
def test_what_is_asked(named: list[tuple[str, int | None]], expected: list[tuple[str, int]]) -> None:
    assert list(wanted(CATALOGUE, named)) == expected


def test_the_next_address_is_asked_where_one_refuses(tmp_path: Path) -> None:
    with online(tmp_path) as port:
        found = endpoint({"smtp.office365.com": ("127.0.0.2", "127.0.0.3")}, port)
    assert found.service is not None
    assert (found.outcome, found.service.host, found.service.offered_tls) == (
        "answered",
        "127.0.0.3",
        ("LOGIN", "XOAUTH2"),
    )
    assert (found.names_fit, found.issuer_expected, found.trusted) == (True, True, False)


def test_a_few_addresses_are_tried_and_no_more(tmp_path: Path) -> None:
    with online(tmp_path) as port:
        refusing = tuple(f"127.0.1.{number}" for number in range(ADDRESSES_TRIED))
        found = endpoint({"smtp.office365.com": (*refusing, "127.0.0.3")}, port)
    assert (found.outcome, len(found.addresses)) == ("refused", ADDRESSES_TRIED + 1)


@pytest.mark.parametrize("ip", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"])
def test_an_answer_that_is_nobody_is_not_touched(ip: str) -> None:
    found = endpoint({"smtp.office365.com": (ip,)}, 587)
    assert (found.outcome, found.service) == ("dns-error", None)
    assert found.fault == f"the resolver leads to {ip}, which is nobody: a filter's answer"


@pytest.mark.parametrize(
    ("name", "role"),
    [("smtp.office365.com", "submission"), ("mail.example", None)],
    ids=["theirs", "another's"],
)
def test_a_name_without_an_address_is_told(name: str, role: str | None) -> None:
    found = endpoint({}, 587, name)
    assert (found.outcome, found.fault, found.role) == ("dns-error", "there is no such name", role)


def test_a_tenants_exchangers_are_asked_but_not_without_end() -> None:
    records = tuple(f"{number} mx{number}.example" for number in range(EXCHANGERS_ASKED + 1))
    found = checked([], {}, "example.com", example_com__MX=records)
    exchangers = [one for one in found if isinstance(one, Endpoint)]
    assert [(one.name, one.port) for one in exchangers] == [
        (f"mx{n}.example", 25) for n in range(EXCHANGERS_ASKED)
    ]


@pytest.mark.parametrize(
    ("tenant", "records", "expected"),
    [
        pytest.param("example.com", {}, ["MX", "CNAME", "SRV", "TXT"], id="a domain that does not exist"),
        pytest.param("broken.example", {}, ["MX", "CNAME", "SRV", "TXT"],
                     id="a resolver that does not answer"),
        pytest.param("alias.com", {"autodiscover_alias_com__CNAME": ("autodiscover.outlook.com",)},
                     ["MX", "CNAME", "SRV", "TXT"], id="an alias"),
        pytest.param("own.com", {}, ["MX", "A", "SRV", "TXT"], id="an address of one's own"),
    ],
)  # fmt: skip
def test_a_tenants_records_are_asked(
    tenant: str, records: dict[str, tuple[str, ...]], expected: list[str]
) -> None:
    found = checked([], {"autodiscover.own.com": ("10.0.0.5",)}, tenant, **records)
    published = [one for one in found if isinstance(one, Published)]
    assert [one.kind for one in published] == expected
    assert published[0].trouble == "dns-error"
    assert [one.trouble for one in published[1:]] == [None, None, "dns-error" if "broken" in tenant else None]
