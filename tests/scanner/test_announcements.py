"""Who is meant by what is announced, and who has an address when."""

import pytest
from packets import datagram, decoded

from scanner import announcements, net
from scanner.announcements import Announcements, Leases, Told
from scanner.conversation import Transport
from scanner.events import Answer, Event, Label, Leased
from scanner.model import LEASE, Sighting
from scanner.wire.datagrams import Datagram

MAC, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02"
SECOND = 1_000_000_000
ANSWER = Answer("x.example", "192.0.2.1")


def sent(ip: str, payload: bytes, at: int, port: int = 5353) -> Datagram:
    sender = net.number(ip)
    mac = bytes.fromhex(MAC.replace(":", ""))
    return Datagram(at * SECOND, sender >> 64, sender & (1 << 64) - 1, port, port, payload, mac)


def tells(monkeypatch: pytest.MonkeyPatch, port: int, *events: Event) -> None:
    """Let the payloads of a port's datagrams be the numbers of these events, behind a number of theirs."""
    readers = {(Transport.UDP, port): lambda payload: [events[payload[2]]]}
    monkeypatch.setattr(announcements, "_readers", lambda: readers)
    monkeypatch.setattr(announcements, "ports", lambda: frozenset({port}))


def heard(monkeypatch: pytest.MonkeyPatch, *said: tuple[str, Event, int]) -> Told:
    """What is taken after datagrams from addresses that tell one event each, at so many seconds."""
    tells(monkeypatch, 5353, *(event for _, event, _ in said))
    ear = Announcements()
    for place, (ip, _, at) in enumerate(said):
        ear._hear(sent(ip, b"id" + bytes([place]), at))
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
def test_who_is_believed_on_names(
    monkeypatch: pytest.MonkeyPatch, port: int, address: str, believed: bool
) -> None:
    tells(monkeypatch, port, Answer("x.example", address))
    ear = Announcements()
    ear._hear(sent("10.0.0.53", b"id\0", 5, port))
    assert len(ear.take().answers) == believed


def test_what_is_repeated_is_told_once_with_from_when_to_when(monkeypatch: pytest.MonkeyPatch) -> None:
    label = Label("mdns.host", "x")
    told = heard(monkeypatch, ("10.0.0.1", label, 5), ("10.0.0.1", label, 9), ("10.0.0.1", label, 7))
    assert told.sightings == (Sighting("10.0.0.1", MAC, "mdns.host", "x", 5 * SECOND, 9 * SECOND),)


def span(first: int, last: int, text: str = "x") -> Sighting:
    return Sighting("10.0.0.1", MAC, "mdns.host", text, first * SECOND, last * SECOND)


def test_what_was_taken_is_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tells(monkeypatch, 53, ANSWER)
    ear = Announcements()
    ear._hear(sent("10.0.0.53", b"id\0", 0, 53))
    assert ear.take() == Told((ANSWER,), ())
    ear._hear(sent("10.0.0.53", b"no\0", 1, 53))
    assert ear.take() == Told()


def test_an_address_that_is_asked_for_by_another_name_is_news(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Answer("y.example", ANSWER.address)
    told = heard(monkeypatch, *(("10.0.0.1", one, 5) for one in (ANSWER, ANSWER, other, ANSWER)))
    assert told.answers == ()
    monkeypatch.setattr(announcements, "is_internal", lambda _: True)
    told = heard(monkeypatch, *(("10.0.0.1", one, 5) for one in (ANSWER, ANSWER, other, ANSWER)))
    assert told.answers == (ANSWER, other, ANSWER)


def test_that_it_was_heard_again_is_told_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    tells(monkeypatch, 5353, Label("mdns.host", "x"), Label("mdns.host", "y"))
    ear = Announcements()
    ear._hear(sent("10.0.0.1", b"id\0", 5))
    ear._hear(sent("10.0.0.1", b"id\1", 5))
    assert ear.take() == Told((), (span(5, 5), span(5, 5, "y")))
    for at in (7, 3):
        ear._hear(sent("10.0.0.1", b"no\0", at))
    assert ear.take() == Told()
    assert ear.take(last=True) == Told((), (span(3, 7),))
    assert ear.take(last=True) == Told()


def test_that_it_was_heard_again_is_told_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcements, "STRETCHED_NS", 10 * SECOND)
    tells(monkeypatch, 1900, Label("mdns.host", "x"))
    ear, found = Announcements(), []
    for at in (5, 9, 14, 15, 16, 24, 26, 3):
        packet = datagram(("10.0.0.1", 1900), ("239.255.255.250", 1900), b"id\0", at * SECOND)
        ear.hear(decoded([packet], frozenset({1900})))
        due = ear.due
        found += [
            (at, due, one.first_seen // SECOND, one.last_seen // SECOND) for one in ear.take().sightings
        ]
    assert found == [(5, False, 5, 5), (15, True, 5, 15), (26, True, 5, 26), (3, True, 3, 26)]


def test_what_is_known_again_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcements, "SIGHTINGS_KEPT", 3)
    tells(monkeypatch, 5353, *(Label("mdns.host", str(number)) for number in range(5)))
    ear = Announcements()
    ear._hear(sent("10.0.0.1", b"id\0", 5))
    assert not ear.due
    assert ear.take().sightings == (span(5, 5, "0"),)
    for place in range(5):
        ear._hear(sent("10.0.0.1", b"id" + bytes([place]), 6))
    assert ear.due
    assert ear.take().sightings == (span(5, 6, "0"), *(span(6, 6, str(number)) for number in range(1, 5)))
    ear._hear(sent("10.0.0.1", b"id\0", 9))
    assert not ear.due
    assert ear.take().sightings == (span(9, 9, "0"),)


@pytest.mark.parametrize("kept", ["HEARD_KEPT", "NAMES_KEPT"])
def test_what_is_let_go_is_read_anew(monkeypatch: pytest.MonkeyPatch, kept: str) -> None:
    monkeypatch.setattr(announcements, kept, 1)
    answers = [Answer("x.example", "192.0.2.1"), Answer("y.example", "192.0.2.2")]
    tells(monkeypatch, 53, *answers)
    ear = Announcements()
    for place in (0, 1, 0):
        ear._hear(sent("10.0.0.53", b"id" + bytes([place]), 5, 53))
    again = answers[:1] if kept == "NAMES_KEPT" else []
    assert ear.take().answers == (*answers, *again)


def test_one_payload_of_two_senders_is_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    tells(monkeypatch, 5353, Label("mdns.host", "x"))
    ear = Announcements()
    for ip in ("10.0.0.1", "10.0.0.2", "10.0.0.1"):
        ear._hear(sent(ip, b"id\0", 5))
    assert [one.ip for one in ear.take().sightings] == ["10.0.0.1", "10.0.0.2"]


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
