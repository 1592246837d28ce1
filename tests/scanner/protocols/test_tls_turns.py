"""What belongs to TLS itself is no turn, and padding is taken off where the client shows it."""

import pytest

from scanner.conversation import Side
from scanner.events import ServerHello
from scanner.protocols.tls_turns import REMEMBERED_RECORDS, SIZES_KEPT, Turns

C, S = Side.CLIENT, Side.SERVER
GCM13, GCM13_384 = "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"
CBC = "TLS_RSA_WITH_AES_128_CBC_SHA"


def turns(version: str, cipher: str, *records: tuple[Side, int]) -> list[tuple[Side, int, int, int]]:
    """Of records by their lengths on the wire."""
    found = Turns(ServerHello(version, cipher))
    for at, (side, length) in enumerate(records):
        found.push(side, length, at)
    return [(turn.side, turn.low, turn.high, turn.records) for turn in found.end()]


@pytest.mark.parametrize(
    ("cipher", "flight", "said", "expected"),
    [
        pytest.param(GCM13, [53], 27, (10, 10), id="Finished of SHA-256"),
        pytest.param(GCM13_384, [69], 27, (10, 10), id="Finished of SHA-384"),
        pytest.param(GCM13, [69], 43, (10, 10), id="Java pads every record by sixteen bytes"),
        pytest.param(GCM13_384, [85], 43, (10, 10), id="Java with SHA-384"),
        pytest.param(GCM13, [25, 53], 27, (10, 10), id="an empty certificate goes before Finished"),
        pytest.param(GCM13, [61], 27, (10, 10), id="or with it in one record"),
        pytest.param(GCM13, [1500, 281, 53], 27, (10, 10), id="a certificate and its proof go before"),
        pytest.param(GCM13, [128 + 16], 128 + 16, (0, 127), id="blocks of 128 leave a range"),
        pytest.param(GCM13, [1040], 1040, (0, 1023), id="blocks of 1024 say nearly nothing"),
    ],
)
def test_the_last_flight_of_the_client(
    cipher: str, flight: list[int], said: int, expected: tuple[int, int]
) -> None:
    records = [(S, 900), *((C, length) for length in flight), (C, said)]
    (turn,) = turns("TLSv1.3", cipher, *records)
    assert turn == (C, *expected, 1)


def test_what_the_server_says_is_not_padded_as_the_client_is() -> None:
    assert turns("TLSv1.3", GCM13, (C, 69), (S, 37), (C, 43)) == [(S, 20, 20, 1), (C, 10, 10, 1)]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        pytest.param([(C, 32), (C, 48)], [(C, 12, 28, 1)], id="a byte of its own goes before the rest"),
        pytest.param([(C, 32), (C, 32)], [(C, 0, 12, 1)], id="and before a short message"),
        pytest.param(
            [(C, 32), (S, 48)], [(C, 0, 11, 1), (S, 12, 27, 1)], id="or it is a short message alone"
        ),
        pytest.param([(C, 48)], [(C, 12, 27, 1)], id="who does not split says all at once"),
        pytest.param([(C, 32), (C, 48), (C, 32), (C, 48)], [(C, 24, 56, 2)], id="each write is split"),
    ],
)
def test_below_tls_1_1_messages_are_split(
    records: list[tuple[Side, int]], expected: list[tuple[Side, int, int, int]]
) -> None:
    assert turns("TLSv1", CBC, *records) == expected


def test_sizes_of_the_first_records_are_told() -> None:
    found = Turns(ServerHello("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"))
    for length in range(30, 50):
        found.push(S, length, 0)
    (turn,) = found.end()
    assert turn.sizes == tuple(range(6, 6 + SIZES_KEPT))
    assert turn.records == 20


def test_the_same_records_at_another_time_are_the_same_turns_at_that_time() -> None:
    said = [(C, 69), (S, 37), (S, 38), (C, 43)]
    found = [Turns(ServerHello("TLSv1.3", GCM13)) for _ in range(2)]
    for began, one in enumerate(found):
        for at, record in enumerate(said, 100 * began):
            one.push(*record, at)
    assert [[turn.at for turn in one.end()] for one in found] == [[1, 3], [101, 103]]


def test_a_connection_of_more_records_than_are_remembered_is_told_all_the_same() -> None:
    said = [((C, S)[number % 2], 53 if number == 0 else 30) for number in range(REMEMBERED_RECORDS + 2)]
    assert len(turns("TLSv1.3", GCM13, *said)) == REMEMBERED_RECORDS + 1
