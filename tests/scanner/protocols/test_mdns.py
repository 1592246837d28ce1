"""What machines announce of themselves by mDNS, and whose it is."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from zeroconf import DNSIncoming

from scanner.events import Answer, Label
from scanner.protocols.mdns import DIALECT, EVENTS_TOLD, RECORDS_READ, questions, read

RESPONSE, QUERY = 0x8400, 0
COPIER, SERVER_6 = "192.0.2.7", "2001:db8::7"


def name(*labels: str) -> bytes:
    raw = [label.encode() for label in labels]
    return b"".join(bytes([len(label)]) + label for label in raw) + b"\0"


def record(owner: bytes, kind: int, data: bytes, ttl: int = 120) -> bytes:
    return owner + struct.pack(">HHIH", kind, 0x8001, ttl, len(data)) + data


def address(host: str, ip: str, ttl: int = 120) -> bytes:
    packed = ip_address(ip).packed
    return record(name(host, "local"), 1 if len(packed) == 4 else 28, packed, ttl)


def pointer(instance: str, service: str = "_ipp", ttl: int = 4500) -> bytes:
    return record(name(service, "_tcp", "local"), 12, name(instance, service, "_tcp", "local"), ttl)


def srv(instance: str, host: str, service: str = "_ipp") -> bytes:
    return record(name(instance, service, "_tcp", "local"), 33, b"\0\0\0\0\2\x77" + name(host, "local"))


def txt(instance: str, service: str, *said: bytes) -> bytes:
    data = b"".join(bytes([len(one)]) + one for one in said)
    return record(name(instance, service, "_tcp", "local"), 16, data)


def packet(
    *answers: bytes, flags: int = RESPONSE, questions: Sequence[bytes] = (), proposed: Sequence[bytes] = ()
) -> bytes:
    head = struct.pack(">6H", 0, flags, len(questions), len(answers), len(proposed), 0)
    return head + b"".join([*(one + b"\0\xff\0\1" for one in questions), *answers, *proposed])


def labels(payload: bytes) -> list[tuple[str, str, str | None]]:
    return [(one.field, one.text, one.ip) for one in read(payload) if isinstance(one, Label)]


def service(instance: str, ip: str | None, kind: str = "_ipp._tcp") -> list[tuple[str, str, str | None]]:
    return [("mdns.instance", instance, ip), ("mdns.service", kind, ip)]


def host(title: str, *ips: str | None) -> list[tuple[str, str, str | None]]:
    return [("mdns.host", title, ip) for ip in ips]


COPY = address("copy", COPIER)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(packet(COPY), host("copy.local", COPIER), id="a host says its address"),
        pytest.param(
            packet(COPY, address("COPY", SERVER_6), address("copy", "192.0.2.8")),
            host("copy.local", COPIER, "192.0.2.8"),
            id="each IPv4 address is told, IPv6 is not needed, and case does not matter",
        ),
        pytest.param(packet(address("copy", SERVER_6)), host("copy.local", SERVER_6), id="IPv6 alone"),
        pytest.param(
            packet(address("copy", "127.0.1.1")),
            host("copy.local", None),
            id="who knows nothing but loopback is the sender",
        ),
        pytest.param(packet(address("Kopierer Süd", COPIER)), host("Kopierer Süd.local", COPIER), id="UTF-8"),
        pytest.param(
            packet(COPY, srv("Hall", "Copy"), pointer("Hall")),
            [*host("copy.local", COPIER), *service("Hall", COPIER)],
            id="a service is its target's",
        ),
        pytest.param(packet(pointer("Hall")), service("Hall", None), id="no address: it is the sender's"),
        pytest.param(packet(srv("Hall", "copy")), service("Hall", None), id="a target without an address"),
        pytest.param(
            packet(COPY, pointer("Hall")),
            [*host("copy.local", COPIER), *service("Hall", COPIER)],
            id="without SRV the service is the one machine's",
        ),
        pytest.param(
            packet(address("proxy", "192.0.2.9"), srv("Hall", "copy")),
            host("proxy.local", "192.0.2.9"),
            id="a sleep proxy is not credited with what it announces for others",
        ),
        pytest.param(
            packet(address("proxy", "192.0.2.9"), COPY, pointer("Hall")),
            [*host("proxy.local", "192.0.2.9"), *host("copy.local", COPIER)],
            id="of two machines nobody knows whose the service is",
        ),
        pytest.param(
            packet(address("proxy", "192.0.2.9"), COPY, srv("Hall", "copy"), srv("Cellar", "proxy")),
            [
                *host("proxy.local", "192.0.2.9"),
                *host("copy.local", COPIER),
                *service("Hall", COPIER),
                *service("Cellar", "192.0.2.9"),
            ],
            id="of two machines each has its own services",
        ),
        pytest.param(
            packet(COPY, address("alias", COPIER), pointer("Hall")),
            [*host("copy.local", COPIER), *host("alias.local", COPIER), *service("Hall", COPIER)],
            id="two names of one address are one machine",
        ),
        pytest.param(
            packet(record(name("7", "2", "0", "192", "in-addr", "arpa"), 12, name("copy", "local"))),
            host("copy.local", COPIER),
            id="an address says its name",
        ),
        pytest.param(
            packet(record(name(*"7", *"0" * 23, *"8bd01002", "ip6", "arpa"), 12, name("copy", "local"))),
            host("copy.local", SERVER_6),
            id="an address of IPv6 says its name",
        ),
        pytest.param(
            packet(
                *(
                    record(owner, 12, name("copy", "local"))
                    for owner in (
                        name("7", "2", "999", "192", "in-addr", "arpa"),
                        name("7", "2", "in-addr", "arpa"),
                        name(*"g" * 32, "ip6", "arpa"),
                        name("arpa"),
                    )
                ),
                record(name("7", "2", "0", "192", "in-addr", "arpa"), 12, name("copy", "example")),
                record(name("7", "2", "0", "192", "in-addr", "arpa"), 12, b""),
                record(name("7", "2", "0", "192", "in-addr", "arpa"), 16, name("copy", "local")),
            ),
            [],
            id="what is no address, and what is no name of the link",
        ),
        pytest.param(
            packet(record(name("_services", "_dns-sd", "_udp", "local"), 12, name("_IPP", "_tcp", "local"))),
            [("mdns.service", "_ipp._tcp", None)],
            id="the kinds of services that there are",
        ),
        pytest.param(
            packet(
                record(
                    name("_color", "_sub", "_ipp", "_tcp", "local"), 12, name("Hall", "_ipp", "_tcp", "local")
                )
            ),
            service("Hall", None),
            id="a kind of a kind",
        ),
        pytest.param(
            packet(pointer("A. B\\C")),
            service("A. B\\C", None),
            id="dots and backslashes are part of an instance",
        ),
        pytest.param(
            packet(pointer("\x1b[2J")), service("\x1b[2J", None), id="escaping is done by who shows it"
        ),
        pytest.param(
            packet(pointer("\0")), [("mdns.service", "_ipp._tcp", None)], id="a name of nothing is not told"
        ),
        pytest.param(
            packet(record(name("_services", "_dns-sd", "_udp", "local"), 12, name("ipp", "_tcp", "local"))),
            [],
            id="no kind of a service",
        ),
        pytest.param(packet(address("\0", COPIER)), [], id="a host of no name"),
        pytest.param(
            packet(record(name("_ipp", "_tcp", "local"), 12, name("Hall", "local"))),
            [],
            id="no service is pointed at",
        ),
        pytest.param(packet(pointer("Hall", ttl=0)), [], id="a goodbye"),
        pytest.param(
            packet(address("copy", COPIER, ttl=0), pointer("Hall")),
            service("Hall", None),
            id="an address that is taken back is no address",
        ),
        pytest.param(
            packet(COPY, questions=[name("copy", "local")] * 2),
            host("copy.local", COPIER),
            id="a legacy answer repeats its questions",
        ),
        pytest.param(
            packet(questions=[name("copy", "local")], proposed=[COPY], flags=QUERY),
            host("copy.local", COPIER),
            id="a probe proposes its records",
        ),
        pytest.param(
            packet(pointer("Hall"), questions=[name("copy", "local")], proposed=[COPY], flags=QUERY),
            host("copy.local", COPIER),
            id="known answers are not the prober's",
        ),
        pytest.param(
            packet(pointer("Hall"), questions=[name("_ipp", "_tcp", "local")], flags=QUERY),
            [],
            id="known answers of a query tell nothing",
        ),
        pytest.param(
            packet(questions=[name("_ipp", "_tcp", "local")], proposed=[pointer("Hall")], flags=QUERY),
            [],
            id="a probe without an address may be reflected",
        ),
        pytest.param(
            packet(questions=[name("copy", "local")], proposed=[COPY, srv("Hall", "copy")], flags=QUERY),
            [*host("copy.local", COPIER), *service("Hall", COPIER)],
            id="a probe with an address tells whose its service is",
        ),
        pytest.param(packet(COPY, flags=0x8403), [], id="a response that failed (RFC 6762 18.11)"),
        pytest.param(packet(COPY, flags=0xAC00), [], id="another operation (RFC 6762 18.3)"),
        pytest.param(
            packet(
                record(name("copy", "example", "com"), 1, b"\xc0\0\2\7"), record(name("x"), 1, b"\xc0\0\2\7")
            ),
            [],
            id="another domain",
        ),
        pytest.param(
            packet(record(name("copy", "_tcp", "local"), 33, b"\0" * 6 + name("copy", "local"))),
            [],
            id="no service has this form",
        ),
        pytest.param(
            packet(record(name("h", "_ipp", "_tcp", "local"), 33, b"\0")),
            service("h", None),
            id="half an SRV",
        ),
        pytest.param(packet(COPY, b"\xc0\x0c\0\1")[:-2], host("copy.local", COPIER), id="a record is cut"),
        pytest.param(packet(record(b"\xc0\x0c", 1, b"\xc0\0\2\7")), [], id="a name that points at itself"),
        pytest.param(packet(COPY, questions=[b"\xc0\x0c"]), [], id="a question that points at itself"),
        pytest.param(
            packet(record(name("_ipp", "_tcp", "local"), 12, b"\x04Hall\xc0\x28")),
            [],
            id="an instance that loops",
        ),
        pytest.param(b"\0" * 11, [], id="half a header"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_what_a_datagram_says(payload: bytes, expected: Sequence[tuple[str, str, str | None]]) -> None:
    assert labels(payload) == list(expected)


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        pytest.param(
            "_ipp",
            [
                b"txtvers=1",
                b"TY=Copier 12",
                b"Product=(Copier PS)",
                b"usb_MFG=Maker",
                b"usb_MDL=C12",
                b"note=Hall",
            ],
            ["ty Copier 12", "product Copier PS", "usb_mfg Maker", "usb_mdl C12", "note Hall"],
            id="a printer, its keys in any case",
        ),
        pytest.param(
            "_scanner", [b"mfg=Maker", b"mdl=C12"], ["usb_mfg Maker", "usb_mdl C12"], id="a scanner"
        ),
        pytest.param("_ipp", [b"ty=One", b"TY=Two"], ["ty One"], id="the first of a key counts"),
        pytest.param("_ipp", [b"ty", b"ty=Two"], [], id="a key without a value is the first all the same"),
        pytest.param("_ipp", [b"note=", b"=x", b"", b"ty=a=b"], ["ty a=b"], id="empty values and empty keys"),
        pytest.param("_ipp", ["ty=Süd".encode("latin-1")], ["ty Süd"], id="Latin-1"),
        pytest.param("_ipp", [b"product=(Half"], ["product (Half"], id="one parenthesis"),
        pytest.param("_device-info", [b"model=RackMac"], ["model RackMac"], id="a computer's model"),
        pytest.param("_http", [b"vendor=Maker", b"model=N1"], ["vendor Maker", "model N1"], id="a NAS"),
        pytest.param(
            "_ssh", [b"ty=Copier", b"model=x", b"note=y"], [], id="another service says nothing of it"
        ),
    ],
)
def test_what_texts_say(kind: str, said: Sequence[bytes], expected: Sequence[str]) -> None:
    found = labels(packet(txt("Hall", kind, *said)))
    assert found[:2] == service("Hall", None, f"{kind}._tcp")
    assert [f"{field.removeprefix('mdns.')} {text}" for field, text, _ in found[2:]] == list(expected)


def test_a_text_that_is_cut_tells_what_is_there() -> None:
    cut = record(name("Hall", "_ipp", "_tcp", "local"), 16, b"\x05ty=C1\xffnote=Ha")
    assert ("mdns.ty", "C1", None) in labels(packet(cut))


def test_a_host_of_no_name_names_nobody() -> None:
    assert read(packet(address("\0", COPIER))) == ()


def test_addresses_give_names_to_servers() -> None:
    told = read(packet(address("Copy", COPIER), address("copy", SERVER_6), COPY))
    assert [one for one in told if isinstance(one, Answer)] == [
        Answer("copy.local", COPIER),
        Answer("copy.local", SERVER_6),
    ]


def test_a_name_is_read_where_it_points() -> None:
    said = packet(record(name("_ipp", "_tcp", "local"), 12, b"\x04Hall\xc0\x0c"))
    assert labels(said) == service("Hall", None)


def test_a_flood_of_records_is_bounded() -> None:
    said = [pointer(f"{number}") for number in range(600)]
    assert sum(field == "mdns.instance" for field, _, _ in labels(packet(*said))) == RECORDS_READ


def test_a_flood_of_labels_is_bounded() -> None:
    owners = [address("copy", f"192.0.2.{last}") for last in range(1, 9)]
    assert len(read(packet(*owners, *(pointer(f"{number}") for number in range(240))))) <= EVENTS_TOLD


def test_every_cut_of_an_announcement_is_read_without_a_stir() -> None:
    whole = DIALECT.examples[0].lines[0][1]
    known = set(read(whole))
    for size in range(len(whole)):
        fields = {(one.field, one.text) for one in read(whole[:size]) if isinstance(one, Label)}
        assert fields <= {(one.field, one.text) for one in known if isinstance(one, Label)}


@pytest.mark.parametrize(
    ("address", "reverse"),
    [("192.0.2.7", "7.2.0.192.in-addr.arpa."), ("2001:db8::7", f"7.{'0.' * 23}8.b.d.0.1.0.0.2.ip6.arpa.")],
)
def test_what_a_machine_is_asked_directly(address: str, reverse: str) -> None:
    asked = [DNSIncoming(one) for one in questions(ip_address(address), 0x1234)]
    assert all(one.valid and one.id == 0x1234 and one.is_query() for one in asked)
    wanted = [question for one in asked for question in one.questions]
    assert all(question.unicast and question.type == 12 for question in wanted)
    assert [question.name for question in wanted] == [
        reverse,
        "_services._dns-sd._udp.local.",
        *(f"{name}._tcp.local." for name in ("_ipp", "_printer", "_pdl-datastream", "_http", "_device-info")),
    ]
