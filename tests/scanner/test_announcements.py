"""Who is meant by what is announced, and who has an address when."""

import pytest

from scanner import announcements
from scanner.announcements import Announcements, Leases, Told
from scanner.conversation import Endpoint, Transport
from scanner.events import Answer, Event, Label, Leased
from scanner.model import LEASE, Sighting
from scanner.wire.datagrams import Datagram

MAC, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02"
SECOND = 1_000_000_000
ANSWER = Answer("x.example", "192.0.2.1")


def heard(monkeypatch: pytest.MonkeyPatch, *said: tuple[str, Event, int]) -> Told:
    """What is taken after datagrams from addresses that tell one event each, at so many seconds."""
    told = {b"id" + bytes([number]): event for number, (_, event, _) in enumerate(said)}
    monkeypatch.setattr(
        announcements, "_readers", lambda: {(Transport.UDP, 5353): lambda payload: [told[payload]]}
    )
    ear = Announcements()
    for number, (ip, _, at) in enumerate(said):
        target = Endpoint("224.0.0.251", 5353)
        heard = Datagram(at * SECOND, Endpoint(ip, 5353), target, b"id" + bytes([number]), True, MAC)
        ear._hear(Transport.UDP, 5353, heard)
    return ear.take()


@pytest.mark.parametrize(
    ("sender", "label", "ip", "mac"),
    [
        pytest.param("10.0.0.1", Label("mdns.host", "x"), "10.0.0.1", MAC, id="who speaks is meant"),
        pytest.param(
            "10.0.0.1", Label("mdns.host", "x", "10.0.0.1"), "10.0.0.1", MAC, id="its own address is its own"
        ),
        pytest.param(
            "10.0.0.1", Label("mdns.host", "x", "10.0.0.9"), "10.0.0.9", "",
            id="who speaks for another does not lend it its MAC",
        ),
        pytest.param(
            "10.0.0.1", Label("mdns.host", "x", "52.96.0.1"), None, None,
            id="nobody on the link speaks for the Internet",
        ),
        pytest.param(
            "0.0.0.0", Label("dhcp.host_name", "x", None, OTHER), "", OTHER, id="a MAC in the text counts"
        ),
        pytest.param(
            "10.0.0.1", Label("dhcp.host_name", "x", "10.0.0.7", OTHER), "10.0.0.7", OTHER,
            id="what a relay hands on is about the client",
        ),
        pytest.param("fe80::1", Label("mdns.host", "x"), "", MAC, id="an address of the link names nobody"),
        pytest.param("0.0.0.0", Label("mdns.host", "x"), "", MAC, id="no address yet"),
    ],
)  # fmt: skip
def test_a_label_is_about_somebody(
    monkeypatch: pytest.MonkeyPatch, sender: str, label: Label, ip: str | None, mac: str | None
) -> None:
    told = heard(monkeypatch, (sender, label, 5))
    expected = (Sighting(ip, mac or "", label.field, "x", 5 * SECOND, 5 * SECOND),) if ip is not None else ()
    assert told.sightings == expected


@pytest.mark.parametrize(
    ("port", "address", "believed"),
    [
        pytest.param(53, "52.96.0.1", True, id="a name server is believed"),
        pytest.param(5353, "10.0.0.9", True, id="a machine on the link may name one on the link"),
        pytest.param(5353, "52.96.0.1", False, id="but nobody in the Internet"),
    ],
)
def test_who_is_believed_on_names(port: int, address: str, believed: bool) -> None:
    ear = Announcements()
    ear._answer(Answer("x.example", address), port)
    assert len(ear.take().answers) == believed


def test_what_is_repeated_is_told_once_with_from_when_to_when(monkeypatch: pytest.MonkeyPatch) -> None:
    label = Label("mdns.host", "x")
    told = heard(monkeypatch, ("10.0.0.1", label, 5), ("10.0.0.1", label, 9), ("10.0.0.1", label, 7))
    assert told.sightings == (Sighting("10.0.0.1", MAC, "mdns.host", "x", 5 * SECOND, 9 * SECOND),)


def test_what_was_taken_is_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcements, "_readers", lambda: {(Transport.UDP, 53): lambda _: [ANSWER]})
    ear = Announcements()
    ear._hear(
        Transport.UDP, 53, Datagram(0, Endpoint("10.0.0.53", 53), Endpoint("10.0.0.1", 4000), b"", True)
    )
    assert ear.take() == Told((ANSWER,), ())
    assert ear.take() == Told()


def test_a_new_lease_begins_now_and_a_renewed_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    new, renewed = Leased("10.0.0.7", OTHER, 100), Leased("10.0.0.8", OTHER, 100, renewed=True)
    told = heard(monkeypatch, ("10.0.0.1", new, 1000), ("10.0.0.1", renewed, 1000))
    assert told.sightings == (
        Sighting("10.0.0.7", OTHER, LEASE, "", 1000 * SECOND, 1100 * SECOND),
        Sighting("10.0.0.8", OTHER, LEASE, "", 950 * SECOND, 1100 * SECOND),
    )


def lease(mac: str, first: int, last: int, ip: str = "10.0.0.7") -> Sighting:
    return Sighting(ip, mac, LEASE, "", first, last)


@pytest.mark.parametrize(
    ("at", "mac"),
    [
        pytest.param(99, None, id="before the first lease"),
        pytest.param(100, MAC, id="from its beginning"),
        pytest.param(199, MAC, id="until it runs out"),
        pytest.param(250, None, id="nobody's in between"),
        pytest.param(300, OTHER, id="the next one's"),
    ],
)
def test_an_address_is_somebodys_for_a_time(at: int, mac: str | None) -> None:
    assert Leases([lease(MAC, 100, 200), lease(OTHER, 300, 400)]).holder("10.0.0.7", at) == mac


def test_a_lease_that_is_renewed_is_one() -> None:
    known = Leases([lease(MAC, 100, 200)])
    for number in range(announcements.LEASES_KEPT * 2):
        known.learn(lease(MAC, 150 + number * 50, 250 + number * 50))
    assert known.holder("10.0.0.7", 110) == MAC


def test_a_released_address_is_nobodys() -> None:
    known = Leases([lease(MAC, 100, 900)])
    known.learn(lease(MAC, 500, 500))
    assert known.holder("10.0.0.7", 400) == MAC
    assert known.holder("10.0.0.7", 600) is None


def test_only_so_many_addresses_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcements, "ADDRESSES_KEPT", 2)
    known = Leases(lease(MAC, 0, 9, ip) for ip in ("10.0.0.1", "10.0.0.2", "10.0.0.3"))
    assert [known.holder(ip, 5) for ip in ("10.0.0.1", "10.0.0.2", "10.0.0.3")] == [None, MAC, MAC]
