"""The table of half-open connections does what a plain dict would, in little memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.wire.embryos import CLIENT_IS_LOW, CLIENT_STARTED, ROOM, ROW, SERVER_STARTED, Embryo, Embryos

NOBODY: npt.NDArray[np.intp] = np.empty(0, np.intp)
CLIENT, SERVER = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02"


def keys_of(keys: list[int]) -> npt.NDArray[np.uint64]:
    return np.array(keys, np.uint64)


def rows(keys: list[int], at: int = 0, step: int = 1) -> npt.NDArray[np.void]:
    """One row a key, each born ``step`` after the one before."""
    new = np.zeros(len(keys), ROW)
    new["key"] = keys_of(keys)
    new["at"] = at + step * np.arange(len(keys))
    new["client_first"] = new["key"] & np.uint64(0xFFFFFFFF)
    new["flags"] = CLIENT_STARTED | CLIENT_IS_LOW
    new["client_mac"] = CLIENT
    return new


def table(keys: list[int], at: int = 0, step: int = 1) -> Embryos:
    embryos = Embryos()
    embryos.replace(NOBODY, rows(keys, at, step))
    return embryos


def left(embryos: Embryos, keys: list[int]) -> list[int]:
    found = embryos.find(keys_of(keys)).tolist()
    return [key for key, position in zip(keys, found, strict=True) if position >= 0]


def test_an_empty_table_finds_nothing() -> None:
    assert Embryos().find(keys_of([0, 1, 2**64 - 1])).tolist() == [-1, -1, -1]
    assert Embryos().find(keys_of([])).tolist() == []
    assert len(Embryos()) == 0


def test_what_was_put_in_is_found() -> None:
    embryos = table([7, 2**64 - 1, 0], at=100)
    (position,) = embryos.find(keys_of([2**64 - 1])).tolist()
    assert embryos.get(position) == Embryo(101, 2**32 - 1, 0, CLIENT_STARTED | CLIENT_IS_LOW, CLIENT, b"")
    assert embryos.find(keys_of([8])).tolist() == [-1]


def test_a_server_that_answers_is_noted() -> None:
    embryos = table([5, 6])
    macs = np.array([SERVER], "S6")
    embryos.update(embryos.find(keys_of([6])), np.array([99], np.uint32), macs)
    answered, silent = (embryos.get(int(embryos.find(keys_of([key]))[0])) for key in (6, 5))
    assert (answered.server_first, answered.server_mac) == (99, SERVER)
    assert answered.flags == CLIENT_STARTED | CLIENT_IS_LOW | SERVER_STARTED
    assert (silent.server_first, silent.server_mac) == (0, b"")


def test_one_row_gives_way_to_another() -> None:
    embryos = table([1, 2, 3])
    embryos.replace(embryos.find(keys_of([1, 3])), rows([4, 3], at=50))
    assert left(embryos, [1, 2, 3, 4]) == [2, 3, 4]
    assert embryos.get(int(embryos.find(keys_of([3]))[0])).at == 51


def test_a_key_comes_back_after_it_was_dropped() -> None:
    embryos = table([1])
    for number in range(5 * ROOM):
        embryos.replace(embryos.find(keys_of([1])), rows([1], at=number))
    assert len(embryos) == 1
    assert embryos.get(int(embryos.find(keys_of([1]))[0])).at == 5 * ROOM - 1


def test_the_oldest_go_first_wherever_they_stand() -> None:
    embryos = table([10, 11, 12], at=200)
    embryos.replace(NOBODY, rows([1, 2, 3], at=100))
    embryos.drop_oldest(2)
    assert left(embryos, [1, 2, 3, 10, 11, 12]) == [3, 10, 11, 12]
    embryos.drop_oldest(0)
    embryos.drop_oldest(-3)
    assert len(embryos) == 4
    embryos.drop_oldest(4)
    assert len(embryos) == 0


def test_of_as_old_ones_no_more_go_than_asked() -> None:
    embryos = table([1, 2, 3, 4], at=7, step=0)
    embryos.drop_oldest(3)
    assert len(embryos) == 1


def test_who_never_spoke_is_forgotten_in_time() -> None:
    embryos = table([1, 2, 3], at=100)
    assert embryos.drop_before(100) == 0
    assert embryos.drop_before(102) == 2
    assert left(embryos, [1, 2, 3]) == [3]


def test_all_may_have_begun_later() -> None:
    embryos = table([1, 2, 3], at=100)
    embryos.shift(-50)
    embryos.replace(NOBODY, rows([4], at=100))
    assert [embryos.get(int(place)).at for place in embryos.find(keys_of([1, 2, 3, 4]))] == [50, 51, 52, 100]
    assert embryos.drop_before(52) == 2
    Embryos().shift(7)


@pytest.mark.parametrize("stride", [1, 1 << 20, 1 << 44, 0x9E3779B97F4A7C15], ids=hex)
def test_no_pattern_of_keys_is_slow_or_lost(stride: int) -> None:
    keys = [number * stride % 2**64 for number in range(1, 70_000)]
    embryos = table(keys)
    assert (embryos.find(keys_of(keys)) >= 0).all()
    assert (embryos.find(keys_of(keys) ^ np.uint64(1 << 63)) < 0).all()


def test_a_row_costs_few_bytes_and_an_emptied_table_gives_them_back() -> None:
    count, batch = 400_000, 20_000
    tracemalloc.start()
    embryos = Embryos()
    for first in range(0, count, batch):
        embryos.replace(NOBODY, rows(list(range(first, first + batch)), at=first))
    full, peak = tracemalloc.get_traced_memory()
    embryos.drop_before(count)
    emptied = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert full < count * 60
    assert peak < count * 75
    assert emptied < full / 10
    assert len(embryos) == 0


STEPS = st.lists(
    st.tuples(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)), st.integers(0, 6), st.integers(0, 9)),
    max_size=12,
)


@settings(deadline=None, max_examples=150)
@given(STEPS, st.sampled_from([1, 2**58, 0x9E3779B97F4A7C15]))
def test_a_table_does_what_a_dict_does(steps: list[tuple[set[int], set[int], int, int]], stride: int) -> None:
    embryos, model, at = Embryos(), dict[int, int](), 0
    everybody = [number * stride % 2**64 for number in range(41)]
    for gone, new, oldest, age in steps:
        leaving = sorted({everybody[number] for number in gone} & set(model))
        for key in leaving:
            del model[key]
        coming = [everybody[number] for number in sorted(new) if everybody[number] not in model]
        embryos.replace(embryos.find(keys_of(leaving)), rows(coming, at))
        for key in coming:
            model[key] = at
            at += 1
        count = min(oldest, len(model))
        embryos.drop_oldest(count)
        model = dict(sorted(model.items(), key=lambda item: item[1])[count:])
        dropped = sum(born < at - 10 * age for born in model.values())
        assert embryos.drop_before(at - 10 * age) == dropped
        model = {key: born for key, born in model.items() if born >= at - 10 * age}
        assert len(embryos) == len(model)
        found = dict(zip(everybody, embryos.find(keys_of(everybody)).tolist(), strict=True))
        assert {key: embryos.get(place).at for key, place in found.items() if place >= 0} == model
