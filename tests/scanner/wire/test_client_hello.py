"""A hello is what it says it is: read back by the sniffer's own session."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.conversation import CLIENT
from scanner.events import ClientHello
from scanner.protocols.tls import TlsSession
from scanner.wire.ciphers import weak
from scanner.wire.client_hello import VERSIONS, client_hello, indicated

NEWEST_FIRST = tuple(reversed(VERSIONS))


def read(record: bytes) -> ClientHello:
    session = TlsSession()
    (event,) = session.feed(CLIENT, record, 0)
    assert isinstance(event, ClientHello)
    return event


@pytest.mark.parametrize(
    ("newest", "versions", "record_version", "hello_version"),
    [
        ("SSLv3", ("SSLv3",), b"\3\0", b"\3\0"),
        ("TLSv1", ("TLSv1",), b"\3\1", b"\3\1"),
        ("TLSv1.1", ("TLSv1.1",), b"\3\1", b"\3\2"),
        ("TLSv1.2", ("TLSv1.2",), b"\3\1", b"\3\3"),
        ("TLSv1.3", ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"), b"\3\1", b"\3\3"),
    ],
)
def test_the_version_stands_where_its_age_looks_for_it(
    newest: str, versions: tuple[str, ...], record_version: bytes, hello_version: bytes
) -> None:
    record = client_hello(newest, "mail.example.com")
    assert (record[1:3], record[9:11]) == (record_version, hello_version)
    assert read(record).versions == versions


@pytest.mark.parametrize("newest", VERSIONS)
def test_the_record_is_whole_and_always_the_same(newest: str) -> None:
    record = client_hello(newest, "mail.example.com")
    assert int.from_bytes(record[3:5], "big") == len(record) - 5
    assert record == client_hello(newest, "mail.example.com")
    assert record.replace(record[11:43], b"r" * 32) == client_hello(newest, "mail.example.com", (), b"r" * 32)


@pytest.mark.parametrize("newest", VERSIONS)
def test_the_name_is_indicated_where_there_are_extensions(newest: str) -> None:
    name = read(client_hello(newest, "mail.example.com")).server_name
    assert name == (None if newest == "SSLv3" else "mail.example.com")
    assert read(client_hello(newest, "192.0.2.1")).server_name is None


def test_what_is_offered_can_be_chosen() -> None:
    record = client_hello("TLSv1.2", None, weak())
    offered = b"".join(suite.to_bytes(2, "big") for suite in (*weak(), 0x00FF))
    assert len(offered).to_bytes(2, "big") + offered in record


@pytest.mark.parametrize("newest", VERSIONS)
def test_falling_back_is_not_confessed(newest: str) -> None:
    """A server that reads 0x5600 refuses what is not its newest (RFC 7507 3)."""
    suites = client_hello(newest)[44:]
    count = int.from_bytes(suites[:2], "big")
    assert b"\x56\0" not in [suites[at : at + 2] for at in range(2, 2 + count, 2)]
    assert suites[count : count + 2] == b"\0\xff"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("mail.example.com", "mail.example.com"),
        ("mail.example.com.", "mail.example.com"),
        ("printer_1", "printer_1"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("192.0.2.1", None),
        ("2001:db8::1", None),
        ("fe80::1%eth0", None),
        ("", None),
        (None, None),
        ("a..b", None),
        (".", None),
        ("a" * 64, None),
        (".".join(["a" * 60] * 5), None),
        ("a b", None),
        ("a\0b", None),
    ],
)
def test_names_are_indicated_and_nothing_else(host: str | None, name: str | None) -> None:
    assert indicated(host) == name


@given(st.text(max_size=300))
def test_any_host_gives_a_hello(host: str) -> None:
    assert read(client_hello("TLSv1.2", host)).server_name == ((indicated(host) or "").lower() or None)
