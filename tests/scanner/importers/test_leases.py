"""Leases become what a sniffer would have heard: who had which address from when to when, and a name."""

from datetime import UTC, datetime

import pytest

from scanner.importers.family import Cells, Terms, UnreadableRowError
from scanner.importers.leases import FOREVER_NS, LEASES
from scanner.model import LEASE, Sighting

SECOND = 1_000_000_000
NOW = 1_800_000_000
TERMS = Terms(NOW * SECOND)
MAC = "00:1e:8c:0a:0b:0c"


def read(cells: Cells, terms: Terms = TERMS) -> list[object]:
    return list(LEASES.read(cells, terms))


KEA = {"address": "10.0.0.1", "hwaddr": MAC, "clientid": "ff:00", "validlifetime": "3600", "state": "0"}


def test_a_lease_of_kea_began_its_lifetime_before_its_end() -> None:
    begin, end = NOW - 600, NOW + 3000
    assert read({**KEA, "expire": str(end), "hostname": "copier&#x2c3.example."}) == [
        Sighting("10.0.0.1", MAC, LEASE, "", begin * SECOND, end * SECOND),
        Sighting("10.0.0.1", MAC, "dhcp.host_name", "copier,3.example", begin * SECOND, NOW * SECOND),
    ]


def test_a_lease_of_windows_tells_its_end_alone() -> None:
    cells = {
        "ipaddress": "10.0.0.1", "clientid": "00-1e-8c-0a-0b-0c", "hostname": "PC", "addressstate": "Active",
        "leaseexpirytime": "1/20/2027 8:00:00 AM",
    }  # fmt: skip
    end = int(datetime(2027, 1, 20, 8, tzinfo=UTC).timestamp()) * SECOND
    assert read(cells) == [
        Sighting("10.0.0.1", MAC, LEASE, "", NOW * SECOND, end),
        Sighting("10.0.0.1", MAC, "dhcp.host_name", "PC", NOW * SECOND, NOW * SECOND),
    ]


@pytest.mark.parametrize("end", ["", "0", "never", "Reservation (active)"])
def test_a_lease_may_have_no_end(end: str) -> None:
    (lease,) = read({"address": "10.0.0.1", "hwaddr": MAC, "expire": end})
    assert lease == Sighting("10.0.0.1", MAC, LEASE, "", NOW * SECOND, NOW * SECOND + FOREVER_NS)


def test_a_lease_that_ran_out_never_ends_before_it_begins() -> None:
    for cells in ({"expire": "5"}, {"expire": "5", "starts": "9"}):
        for one in read({"address": "10.0.0.1", "hwaddr": MAC, "hostname": "x", **cells}):
            assert isinstance(one, Sighting) and one.first_seen <= one.last_seen <= 5 * SECOND


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param({"state": "1"}, id="declined, by Kea"),
        pytest.param({"state": "abandoned"}, id="abandoned, by ISC"),
        pytest.param({"addressstate": "InactiveReservation"}, id="reserved and not used, by Windows"),
        pytest.param({"hwaddr": "", "clientid": "ff:12:34"}, id="no card"),
    ],
)
def test_what_nobody_has_is_no_lease(cells: Cells) -> None:
    assert read({**KEA, "expire": "0", **cells}) == []


@pytest.mark.parametrize("cells", [{"address": "x"}, {"expire": "soon"}, {"expire": "99999999999"}])
def test_a_lease_without_address_or_time_is_unreadable(cells: Cells) -> None:
    with pytest.raises(UnreadableRowError):
        read({**KEA, "expire": "0", **cells})


@pytest.mark.parametrize("name", ["", "*", "BAD_ADDRESS"])
def test_nobody_is_called_so(name: str) -> None:
    assert len(read({**KEA, "expire": "0", "hostname": name})) == 1
