"""Signals wake who waits, are told once each, and given back."""

from __future__ import annotations

import os
import select
import signal

import pytest

from scanner.watch.wishes import Wishes, ignore


def sent(number: int, wishes: Wishes) -> bool:
    """Send a signal; tells whether who waits was woken."""
    os.kill(os.getpid(), number)
    ready = bool(select.select([wishes], [], [], 5)[0])
    wishes.calm()
    return ready and not select.select([wishes], [], [], 0)[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_is_told_to_stop(number: int) -> None:
    before = signal.getsignal(number)
    with Wishes() as wishes:
        assert not wishes.stop
        assert sent(number, wishes)
        assert wishes.stop
        assert (wishes.reload(), wishes.tell()) == (False, False)
    assert signal.getsignal(number) is before


def test_other_wishes_are_told_once() -> None:
    with Wishes() as wishes:
        wishes.calm()
        assert sent(signal.SIGHUP, wishes)
        assert sent(signal.SIGHUP, wishes)
        assert (wishes.reload(), wishes.reload(), wishes.tell()) == (True, False, False)
        assert sent(signal.SIGUSR1, wishes)
        assert (wishes.tell(), wishes.tell(), wishes.reload(), wishes.stop) == (True, False, False, False)


def test_a_storm_of_signals_blocks_nobody() -> None:
    with Wishes() as wishes:
        for _ in range(5000):
            signal.raise_signal(signal.SIGUSR1)
        assert wishes.tell()
        wishes.calm()
        assert not select.select([wishes], [], [], 0)[0]


def test_another_process_is_to_ignore_them() -> None:
    child = os.fork()
    if child == 0:
        ignore()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            os.kill(os.getpid(), number)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
