"""From a capture's packets to observations: layers inside layers, names, and what is nobody's business."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from packets import BEGAN, Connection, batch

from scanner.account import Account, Usernames
from scanner.capture import UnreadableCapture
from scanner.capture.file import CaptureFile
from scanner.catalogue.exchange import load_catalogue
from scanner.conversation import Chunk, Conversation, Ending, Endpoint, Flow, Side
from scanner.events import Certificate, Outcome, TlsMode
from scanner.labels import FORWARDS
from scanner.listener import Listener
from scanner.model import LEASE, AuthClass, Basis, Observation, ServerKind, Sighting
from scanner.pipeline import Pipeline
from scanner.wire.batch import Batch, LinkType

OFFICE = Path(__file__).parents[2] / "captures" / "office.pcapng"
CATALOGUE = load_catalogue()
C, S = Side.CLIENT, Side.SERVER
HELLO = b"\x16\x03\x01\0\x2d\x01\0\0\x29\x03\x03" + bytes(32) + b"\0\0\x02\xc0\x2f\x01\0"


def observe(*parts: tuple[Side, bytes], port: int = 25, server: str = "52.96.0.1") -> Observation | None:
    flow = Flow(Endpoint("10.0.0.1", 50000), Endpoint(server, port))
    chunks = tuple(Chunk(side, number, data) for number, (side, data) in enumerate(parts))
    heard = Conversation(flow, chunks, 0, 9, Ending.ENDED, True, True, capture="x.pcap")
    return Listener(CATALOGUE, "here", Usernames.KEEP).observe(heard)


def segment(payload: bytes, source: int, target: int, sequence: int, acknowledged: int, flags: int) -> bytes:
    """An IPv4 packet between two addresses; the lower port serves."""
    tcp = struct.pack(">HHIIBBHHH", source, target, sequence, acknowledged, 0x50, flags, 0, 0, 0) + payload
    ends = (b"\xc0\0\2\1", b"\xc6\x33\x64\1") if source > target else (b"\xc6\x33\x64\1", b"\xc0\0\2\1")
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, *ends) + tcp


def captured(*packets: bytes) -> Batch:
    sizes = np.array([len(packet) for packet in packets])
    starts, at = np.cumsum(sizes) - sizes, np.arange(len(packets))
    return Batch(np.frombuffer(b"".join(packets), np.uint8), starts, sizes, sizes, at, LinkType.RAW, None)


def test_starttls_goes_on_as_tls() -> None:
    seen = observe(
        (S, b"220 mail.example.com ESMTP\r\n"),
        (C, b"EHLO copier\r\n"),
        (S, b"250-mail.example.com\r\n250 STARTTLS\r\n"),
        (C, b"STARTTLS\r\n"),
        (S, b"220 go\r\n"),
        (C, HELLO),
    )
    assert seen is not None
    assert (seen.protocol, seen.tls_mode, seen.client_name) == ("smtp", TlsMode.STARTTLS, "copier")
    assert seen.ja4 is not None
    assert (seen.auth_class, seen.basis) == (AuthClass.INCOMPLETE, Basis.ENDPOINT)


def test_what_a_tap_decrypted_is_read_on() -> None:
    seen = observe(
        (S, b"220 mail.example.com ESMTP\r\n"),
        (C, b"EHLO copier\r\n"),
        (S, b"250-mail.example.com\r\n250 STARTTLS\r\n"),
        (C, b"STARTTLS\r\n"),
        (S, b"220 go\r\n"),
        (C, b"EHLO copier\r\n"),
        (S, b"250-mail.example.com\r\n250 AUTH LOGIN\r\n"),
        (C, b"MAIL FROM:<a@example.com>\r\n"),
        (S, b"250 ok\r\n"),
    )
    assert seen is not None
    assert (seen.protocol, seen.tls_mode, seen.offered) == ("smtp", TlsMode.STARTTLS, ("LOGIN",))
    assert (seen.auth_class, seen.basis) == (AuthClass.NONE, Basis.SEEN)


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        pytest.param(993, TlsMode.IMPLICIT, id="TLS from the start"),
        pytest.param(587, TlsMode.STARTTLS, id="talk in clear came before"),
    ],
)
def test_a_capture_may_begin_with_a_hello(port: int, expected: TlsMode) -> None:
    packets = segment(HELLO, 50000, port, 7, 9, 0x18)
    ((seen,),) = (
        found for found in Pipeline(CATALOGUE, sensor="here").read([captured(packets)], "x") if found
    )
    assert (seen.tls_mode, seen.auth_class) == (expected, AuthClass.UNKNOWN)
    assert seen.ja4 is not None


def test_nobody_is_said_not_to_have_logged_in_before_the_capture() -> None:
    batch = captured(
        segment(b"+OK 1 2\r\n", 110, 50000, 500, 100, 0x18),
        segment(b"RETR 1\r\n", 50000, 110, 100, 509, 0x18),
        segment(b"+OK 2 octets\r\nab\r\n.\r\n", 110, 50000, 509, 108, 0x18),
    )
    ((seen,),) = (found for found in Pipeline(CATALOGUE, sensor="here").read([batch], "x") if found)
    assert (seen.protocol, seen.auth_class) == ("pop3", AuthClass.UNKNOWN)


def test_a_connection_is_heard_whose_first_syn_was_reset() -> None:
    batch = captured(
        segment(b"", 50000, 25, 99, 0, 0x02),
        segment(b"", 25, 50000, 5, 7777, 0x10),
        segment(b"", 50000, 25, 7777, 0, 0x04),
        segment(b"", 50000, 25, 99, 0, 0x02),
        segment(b"", 25, 50000, 499, 100, 0x12),
        segment(b"220 mx.example.com ESMTP\r\n", 25, 50000, 500, 100, 0x18),
        segment(b"EHLO copier\r\n", 50000, 25, 100, 526, 0x18),
    )
    ((seen,),) = (found for found in Pipeline(CATALOGUE, sensor="here").read([batch], "x") if found)
    assert (seen.client_name, seen.server_name, seen.gaps) == ("copier", "mx.example.com", 0)


def test_a_proxys_tunnel_is_looked_into() -> None:
    seen = observe(
        (C, b"CONNECT smtp.example.com:587 HTTP/1.1\r\n\r\n"),
        (S, b"HTTP/1.1 200 OK\r\n\r\n"),
        (S, b"220 smtp.example.com ESMTP\r\n"),
        (C, b"EHLO copier\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\n"),
        (S, b"250-smtp.example.com\r\n250 AUTH PLAIN\r\n235 ok\r\n"),
        port=8080,
        server="10.0.0.9",
    )
    assert seen is not None
    assert (seen.protocol, seen.mechanism, seen.outcome) == ("smtp", "PLAIN", Outcome.ACCEPTED)
    assert seen.username == "ann"


def test_tls_in_a_tunnel_is_what_its_port_says() -> None:
    seen = observe(
        (C, b"CONNECT smtp.example.com:465 HTTP/1.1\r\n\r\n"),
        (S, b"HTTP/1.1 200 OK\r\n\r\n"),
        (C, HELLO),
        port=8080,
        server="10.0.0.9",
    )
    assert seen is not None
    assert (seen.protocol, seen.service, seen.tls_mode) == ("smtp", "submission", TlsMode.IMPLICIT)
    assert seen.auth_class is AuthClass.INCOMPLETE


def test_a_proxys_answer_is_no_service_of_mail() -> None:
    seen = observe(
        (C, b"CONNECT mx.example.com:25 HTTP/1.1\r\n\r\n"),
        (S, b"HTTP/1.1 200 OK\r\n\r\n"),
        (S, b"220 mx.example.com ESMTP\r\n"),
        (C, b"EHLO copier\r\n"),
        port=3128,
        server="10.0.0.9",
    )
    assert seen is not None
    assert (seen.protocol, seen.service) == ("smtp", "mx")


def test_a_socks_tunnel_is_looked_into() -> None:
    seen = observe(
        (C, b"\5\1\0"),
        (S, b"\5\0"),
        (C, b"\5\1\0\1\xc0\0\2\7\0\x19"),
        (S, b"\5\0\0\1\xc0\0\2\1\0\x19"),
        (S, b"220 mx.example.com ESMTP\r\n"),
        (C, b"EHLO copier\r\nAUTH LOGIN\r\n"),
        (S, b"250 mx.example.com\r\n503 not offered\r\n"),
        port=1080,
        server="10.0.0.9",
    )
    assert seen is not None
    assert (seen.protocol, seen.tls_mode, seen.client_name) == ("smtp", TlsMode.CLEAR, "copier")
    assert (seen.mechanism, seen.outcome) == ("LOGIN", Outcome.REFUSED)


def test_a_tunnel_of_something_else_is_left_alone() -> None:
    seen = observe(
        (C, b"CONNECT db.example.com:5432 HTTP/1.1\r\nProxy-Connection: keep-alive\r\n\r\n"),
        (S, b"HTTP/1.1 200 OK\r\n\r\n"),
        (C, b"\0\1\2\3"),
        port=8080,
        server="10.0.0.9",
    )
    assert seen is None


def test_web_pages_are_nobodys_business() -> None:
    page = (C, b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"), (S, b"HTTP/1.1 200 OK\r\n\r\n")
    assert observe(*page, port=80, server="198.51.100.1") is None


def test_web_pages_of_exchange_online_are() -> None:
    page = (
        (C, b"GET /owa/ HTTP/1.1\r\nHost: outlook.office365.com\r\n\r\n"),
        (S, b"HTTP/1.1 302 Found\r\n\r\n"),
    )
    seen = observe(*page, port=80)
    assert seen is not None
    assert (seen.service, seen.server_kind) == ("owa", ServerKind.EXCHANGE_ONLINE)


def test_noise_is_no_session() -> None:
    assert observe((C, b"\0\1\2\3"), port=443) is None


@pytest.mark.parametrize(
    ("parts", "port", "service"),
    [
        pytest.param([(S, b"220 x ESMTP\r\n"), (C, b"EHLO a\r\n")], 25, "mx", id="port 25 without a login"),
        pytest.param([(S, b"220 x ESMTP\r\n"), (C, b"EHLO a\r\n")], 587, "submission", id="port 587"),
        pytest.param(
            [(S, b"220 x ESMTP\r\n"), (C, b"EHLO a\r\nAUTH LOGIN\r\n")],
            25,
            "submission",
            id="a login on port 25",
        ),
        pytest.param([(S, b"+OK x\r\n"), (C, b"CAPA\r\n")], 110, None, id="POP3 has no such services"),
    ],
)
def test_smtp_is_submission_or_exchange_of_mail(
    parts: list[tuple[Side, bytes]], port: int, service: str | None
) -> None:
    seen = observe(*parts, port=port)
    assert seen is not None
    assert seen.service == service


def read(pipeline: Pipeline) -> list[Observation]:
    with CaptureFile(str(OFFICE)) as capture:
        return [seen for batch in pipeline.read(capture, "office") for seen in batch]


def test_the_sample_is_told_whole() -> None:
    pipeline = Pipeline(CATALOGUE, sensor="here")
    seen = read(pipeline)
    totals = pipeline.totals()
    assert (totals.packets, totals.observations, totals.gaps) == (226, 8, 0)
    names = {one.server_name for one in seen if one.server_port == 110}
    assert names == {"outlook.office365.com"}


def test_what_was_heard_before_a_file_breaks_off_is_told() -> None:
    def breaking() -> Iterator[Batch]:
        with CaptureFile(str(OFFICE)) as capture:
            yield from capture
        raise UnreadableCapture("office", 7, "cut off")

    pipeline = Pipeline(CATALOGUE, sensor="here")
    found: list[Observation] = []
    with pytest.raises(UnreadableCapture):
        for batch in pipeline.read(breaking(), "office"):
            found += batch
    assert len(found) == 8
    assert pipeline.totals().packets == 226


@pytest.mark.parametrize(
    ("dns_name", "used"),
    [
        pytest.param("smtp.office365.com", "smtp.office365.com", id="the name that was asked for"),
        pytest.param(
            "cdn.example.com", "*.outlook.office365.com", id="not one that is nothing of Microsoft's"
        ),
        pytest.param(None, "*.outlook.office365.com", id="what all front ends are called"),
    ],
)
def test_a_front_end_is_used_by_the_name_of_its_service(dns_name: str | None, used: str) -> None:
    flow = Flow(Endpoint("10.0.0.1", 50000), Endpoint("52.96.0.1", 587))
    greeting = b"220 AM0PR01CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready\r\n"
    chunks = (Chunk(S, 0, greeting), Chunk(C, 1, b"EHLO copier\r\n"))
    heard = Conversation(flow, chunks, 0, 9, Ending.ENDED, True, True)
    seen = Listener(CATALOGUE, "here", Usernames.KEEP).observe(heard, dns_name)
    assert seen is not None
    assert (seen.server_name, seen.server_used) == ("AM0PR01CA0001.outlook.office365.com", used)


@pytest.mark.parametrize(
    ("certificate", "name"),
    [
        pytest.param(
            Certificate("x", ("y.example.com",), None), "y.example.com", id="the first that is a name"
        ),
        pytest.param(
            Certificate("outlook.com", ("a.example.com", "OUTLOOK.office365.com"), "DigiCert"),
            "outlook.office365.com",
            id="the one that is Microsoft's",
        ),
        pytest.param(Certificate("copier", (), None), None, id="no host name at all"),
    ],
)
def test_a_certificate_names_a_server_that_nothing_else_names(
    certificate: Certificate, name: str | None
) -> None:
    flow = Flow(Endpoint("10.0.0.1", 50000), Endpoint("192.0.2.1", 993))
    heard = Conversation(flow, (Chunk(C, 0, HELLO),), 0, 9, Ending.ENDED, True, True)
    account = Account(Usernames.KEEP, tls_mode=TlsMode.IMPLICIT)
    account.hear(certificate)
    seen = Listener(CATALOGUE, "here", Usernames.KEEP).conclude(heard, account, None)
    assert seen is not None
    assert seen.name == name


@pytest.mark.parametrize(
    ("holder", "forwards"),
    [
        pytest.param("02:00:00:00:00:07", ["192.0.2.9"], id="lent to another, so a router stands between"),
        pytest.param("02:00:00:00:00:01", [], id="lent to whom the packets came from"),
        pytest.param(None, [], id="not lent to anybody"),
    ],
)
def test_who_carries_packets_of_a_lent_address_is_seen_to_forward(
    holder: str | None, forwards: list[str]
) -> None:
    talk = Connection(client=("192.0.2.9", 50000), server=("198.51.100.1", 25)).open()
    talk.say((S, b"220 mx ESMTP\r\n"), (C, b"EHLO a\r\n"), (S, b"250 mx\r\n")).close()
    leases = [Sighting("192.0.2.9", holder, LEASE, "", 0, 2 * BEGAN)] if holder else []
    pipeline = Pipeline(CATALOGUE, sensor="here", leases=leases)
    found = list(pipeline.run([batch(talk.packets)], pipeline.bench("x", lambda seen, told: (seen, told))))
    (seen,) = (one for some, _ in found for one in some)
    assert seen.client_mac == (holder or "02:00:00:00:00:01")
    told = [one for _, some in found for one in some]
    assert [one.text for one in told if one.field == FORWARDS] == forwards
    assert {one.mac for one in told} <= {"02:00:00:00:00:01"}
