"""A resolver is asked, and whatever it answers, an answer or a fault comes of it, in time."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest

from scanner.conversation import Endpoint
from scanner.probe import names
from scanner.probe.names import NameFault, Names, NoSuchNameError, as_server, split_port

Reply = Callable[[dns.message.Message], bytes]
NAME = "mail.example"


def rows(kind: str, *texts: str) -> Reply:
    """Answer questions of this kind with these records, others with none."""

    def reply(query: dns.message.Message) -> bytes:
        answer = dns.message.make_response(query)
        name, asked = query.question[0].name, query.question[0].rdtype
        if texts and asked == dns.rdatatype.from_text(kind):
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *texts))
        return answer.to_wire()

    return reply


def status(code: int, flags: int = 0) -> Reply:
    def reply(query: dns.message.Message) -> bytes:
        answer = dns.message.make_response(query)
        answer.set_rcode(code)
        answer.flags |= flags
        return answer.to_wire()

    return reply


def anothers(query: dns.message.Message) -> bytes:
    """The answer to a question that nobody asked."""
    return dns.message.make_response(dns.message.make_query("other.example", "A")).to_wire()


@contextmanager
def server(reply: Reply) -> Iterator[Endpoint]:
    """A DNS server on loopback that says what it is told to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                data, sender = sock.recvfrom(4096)
                if not data:
                    return
                if said := reply(dns.message.from_wire(data)):
                    sock.sendto(said, sender)

        (thread := Thread(target=serve)).start()
        try:
            yield Endpoint(*sock.getsockname())
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", sock.getsockname())
            thread.join()


def asked(reply: Reply, kind: str | None) -> tuple[str, ...]:
    """The records of a kind, or without one the addresses."""
    with server(reply) as place:
        resolver = Names(place)
        return asyncio.run(resolver.records(NAME, kind) if kind else resolver.addresses(NAME))


@pytest.mark.parametrize(
    ("reply", "kind", "expected"),
    [
        pytest.param(rows("MX", "20 b.example.", "5 a.example."), "MX", ("5 a.example", "20 b.example"),
                     id="mail exchangers in their order"),
        pytest.param(rows("MX", "0 ."), "MX", ("0 .",), id="a null MX"),
        pytest.param(rows("CNAME", "autodiscover.outlook.com."), "CNAME", ("autodiscover.outlook.com",),
                     id="an alias"),
        pytest.param(rows("SRV", "0 1 443 a.example."), "SRV", ("0 1 443 a.example",), id="a service"),
        pytest.param(rows("TXT", '"v=spf1 " "-all"'), "TXT", ("v=spf1 -all",), id="a text in two pieces"),
        pytest.param(rows("TXT", '"\\027\\255"'), "TXT", ("\x1b\ufffd",), id="a text that is none"),
        pytest.param(rows("TXT", *(f'"{n}"' for n in range(99))), "TXT", None, id="more than are kept"),
        pytest.param(rows("A"), "MX", (), id="no such record"),
        pytest.param(rows("A", "192.0.2.1"), None, ("192.0.2.1",), id="an address"),
        pytest.param(rows("AAAA", "2001:db8:0::1"), None, ("2001:db8::1",),
                     id="an IPv6 address, as all write it"),
    ],
)  # fmt: skip
def test_answers_are_read(reply: Reply, kind: str | None, expected: tuple[str, ...] | None) -> None:
    found = asked(reply, kind)
    if expected is None:
        assert len(found) == names.RECORDS_KEPT
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("reply", "kind", "fault"),
    [
        pytest.param(status(dns.rcode.NXDOMAIN), "MX", "there is no such name", id="no such name"),
        pytest.param(status(dns.rcode.NXDOMAIN), None, "there is no such name",
                     id="no such name to connect to"),
        pytest.param(status(dns.rcode.SERVFAIL), "MX", "the resolver failed, or refused to answer",
                     id="a failure"),
        pytest.param(status(dns.rcode.REFUSED), "MX", "the resolver failed, or refused to answer",
                     id="a refusal"),
        pytest.param(rows("A"), None, "it has no address", id="a name without addresses"),
        pytest.param(lambda _: b"", "MX", "the resolver did not answer in time", id="silence"),
        pytest.param(lambda _: b"\xff" * 40, "MX", "the resolver did not answer in time", id="noise"),
        pytest.param(anothers, "MX", "the resolver did not answer in time", id="another's answer"),
        pytest.param(status(0, dns.flags.TC), "MX", "the resolver failed, or refused to answer",
                     id="a cut answer, and nobody at TCP"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_a_fault(
    reply: Reply, kind: str | None, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "TRY_S", 0.1)
    monkeypatch.setattr(names, "LONGEST_S", 0.3)
    with pytest.raises(NameFault) as told:
        asked(reply, kind)
    assert str(told.value) == fault
    assert isinstance(told.value, NoSuchNameError) == (fault == "there is no such name")


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".example", "\ud800.example", "é" * 300])
def test_what_is_no_name_is_a_fault(name: str) -> None:
    with pytest.raises(NameFault):
        asyncio.run(Names(Endpoint("127.0.0.1", 9)).records(name, "A"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail.example", ("mail.example", None)),
        ("mail.example:587", ("mail.example", 587)),
        ("192.0.2.1:25", ("192.0.2.1", 25)),
        ("2001:db8::1", ("2001:db8::1", None)),
        ("[2001:db8::1]", ("2001:db8::1", None)),
        ("[2001:db8::1]:993", ("2001:db8::1", 993)),
    ],
)
def test_a_port_may_stand_behind_a_name_or_an_address(text: str, expected: tuple[str, int | None]) -> None:
    assert split_port(text) == expected


@pytest.mark.parametrize(
    "text", ["mail.example:", "mail.example:0", "mail.example:65536", "a:x", "[::1]x", "a:٣"]
)
def test_a_port_is_a_number(text: str) -> None:
    with pytest.raises(ValueError, match="no port"):
        split_port(text)


def test_a_resolver_is_an_address_and_its_port_53() -> None:
    assert (as_server("192.0.2.53"), as_server("[::1]:5353")) == (
        Endpoint("192.0.2.53", 53),
        Endpoint("::1", 5353),
    )
    with pytest.raises(ValueError, match="does not appear"):
        as_server("dns.example")
