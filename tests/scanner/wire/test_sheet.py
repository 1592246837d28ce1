"""One number a connection, and MACs as text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packets import ACK, C, Connection, S, decoded

from scanner.wire.sheet import flow_keys, mac_text, macs

ENDS = st.tuples(st.integers(1, 250).map("10.0.0.{}".format), st.integers(1, 65535))


@settings(deadline=None)
@given(ENDS, ENDS)
def test_both_directions_are_one_connection(client: tuple[str, int], server: tuple[str, int]) -> None:
    columns = decoded(Connection(client, server).send(C).send(S).packets)
    keys, low = flow_keys(columns, np.arange(2))
    assert keys[0] == keys[1]
    assert client == server or low[0] != low[1]


def test_what_differs_in_any_end_is_another_connection() -> None:
    ends = [
        (("10.0.0.1", 50000), ("10.0.0.2", 25)),
        (("10.0.0.1", 50001), ("10.0.0.2", 25)),
        (("10.0.0.1", 25), ("10.0.0.2", 50000)),
        (("10.0.0.3", 50000), ("10.0.0.2", 25)),
        (("10.0.0.1", 50000), ("10.0.0.2", 26)),
        (("2001:db8::1", 50000), ("2001:db8::2", 25)),
        (("2001:db8:0:1::1", 50000), ("2001:db8::2", 25)),
    ]
    columns = decoded([packet for pair in ends for packet in Connection(*pair).send(C, flags=ACK).packets])
    keys, _ = flow_keys(columns, np.arange(len(ends)))
    assert len(set(keys.tolist())) == len(ends)


def test_many_connections_have_as_many_numbers() -> None:
    packets = [
        Connection((f"10.0.{number // 250}.{number % 250}", 40000 + number), ("192.0.2.1", 587))
        .send(C)
        .packets[0]
        for number in range(20_000)
    ]
    keys, _ = flow_keys(decoded(packets), np.arange(len(packets)))
    assert len(np.unique(keys)) == len(packets)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x02\0\0\0\0\x01", "02:00:00:00:00:01"),
        (b"\xaa\xbb\xcc\xdd", "aa:bb:cc:dd:00:00"),
        (b"", None),
        (bytes(6), None),
    ],
)
def test_macs_are_written_with_colons(raw: bytes, text: str | None) -> None:
    assert mac_text(raw) == text


def test_macs_are_gathered_where_there_are_any() -> None:
    columns = decoded(Connection().send(C).packets)
    found = macs(columns, np.array([columns.source_mac[0], -1]))
    assert [mac_text(raw) for raw in found.tolist()] == ["02:00:00:00:00:01", None]
