"""Who is known to be there before anybody is called: by raw packets where we may, and by the inventory."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import NoReturn, TextIO

from scanner.capture.card import hardware_address
from scanner.probe import neighbourhood
from scanner.probe.pace import Pace
from scanner.probe.scope import Scope

FAILED = "asking by raw packets failed: only TCP connections tell who is there"
NONE, STRANGERS, END = "-", "strangers", ".\n"
"""What stands for no MAC, before a number of strangers, and at the end, where one process tells the other."""


class Presence:
    """What is known of who is there."""

    def __init__(self, scope: Scope) -> None:
        """Make ready the process that asks by raw packets, where we may: it alone keeps the right to."""
        self.lost = neighbourhood.may_sweep()
        """Why raw packets cannot tell, and what that costs; None: they can."""
        self.strangers = 0
        """Answers to a multicast from outside the scope, which were dropped."""
        self._scope = scope
        self._there: dict[str, str | None] = {}
        """Those who answered, with their MACs where they are on our links."""
        self._known: list[str] = []
        self._neighbours: dict[str, str] = {}
        self._asking = None if self.lost else _Asking(scope)

    def sweep(
        self, pace: tuple[int, int], seed: int, span: tuple[int, int], known: Iterable[str] = ()
    ) -> None:
        """Ask the addresses of a span, and those ``known`` otherwise; does nothing where we may not.

        ``pace``: packets a second, to all and to one host; ``span``: from the so-manyth on, how many.
        """
        more = [ip for ip in known if ip in self._scope]
        self._known += more
        if self._asking is None or self.lost:
            return
        for ip, mac in self._asking.answers((*pace, seed, *span, more)):
            if ip == STRANGERS:
                self.strangers += int(mac)
            else:
                self._there[ip] = None if mac == NONE else mac
        if self._asking.failed and not self._asking.stopped:
            self.lost = FAILED

    def stop(self) -> None:
        """Have a sweep end now that goes on in another thread."""
        if self._asking:
            self._asking.stop()

    def close(self) -> None:
        """Nobody is to be asked any more."""
        if self._asking:
            self._asking.close()

    def __call__(self, host: str) -> bool | None:
        """Whether a host is there; None: only calling it tells."""
        if host in self._there:
            return True
        if self.lost:
            return None
        way = neighbourhood.way(host)
        asked = way and way.direct and not way.own and hardware_address(way.interface)
        return False if asked else None  # elsewhere than on Ethernet it was an echo, which many do not answer

    def beside(self) -> Iterator[str]:
        """Whom to visit beside those that are asked one by one: who was found or known otherwise."""
        more = dict.fromkeys((*self._known, *self._there))
        yield from (ip for ip in more if not self._scope.walks(ip))

    def mac(self, host: str) -> str | None:
        """The MAC of a machine on our links, as far as it was looked up."""
        return self._there.get(host) or self._neighbours.get(host)

    def look(self) -> None:
        """Look MACs up: the kernel knows those of machines that were called just now."""
        self._neighbours = neighbourhood.neighbours()


class _Asking:
    """A process that sends raw packets when it is told to; made early, while this one is small."""

    def __init__(self, scope: Scope) -> None:
        self.failed = self.stopped = False
        asked, ask = os.pipe()
        told, tell = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            os.close(ask)
            os.close(told)
            _be_asked(scope, asked, tell)
        os.close(asked)
        os.close(tell)
        self._ask = os.fdopen(ask, "w", encoding="ascii", buffering=1)
        self._told = os.fdopen(told, encoding="ascii")

    def answers(self, wish: Sequence[object]) -> Iterator[tuple[str, str]]:
        """Have it ask; gives addresses and MACs as they answer."""
        with suppress(BrokenPipeError, ValueError):  # it is gone, or was let go of
            self._ask.write(json.dumps(wish) + "\n")
            for line in self._told:
                if line == END:
                    return
                ip, mac = line.split()
                yield ip, mac
        self.failed = True

    def stop(self) -> None:
        """Have it end, whatever it does."""
        self.stopped = True
        if self._child and not self.failed:  # else it says why, and ends by itself
            os.kill(self._child, signal.SIGKILL)

    def close(self) -> None:
        """End it, and let go of it."""
        self.stop()
        if self._child:
            os.waitpid(self._child, 0)
            self._child = 0
        for pipe in (self._ask, self._told):
            with suppress(BrokenPipeError):
                pipe.close()


def _be_asked(scope: Scope, asked: int, tell: int) -> NoReturn:
    """Wait to be told whom to ask, ask, write a line for each who answers; end with whoever told."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who was told ends this
    try:
        with open(asked, encoding="ascii") as ask, open(tell, "w", encoding="ascii", buffering=1) as told:
            for wish in ask:
                asyncio.run(_sweep(scope, told, *json.loads(wish)))
    except BrokenPipeError:
        pass
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(0)


async def _sweep(
    scope: Scope, told: TextIO, rate: int, per_host: int, seed: int, start: int, count: int, known: list[str]
) -> None:
    from scanner.probe.sweep import Sweep  # 250 ms and 40 MB for scapy's layers

    sweep = Sweep(scope, Pace(rate, per_host))
    async for found in sweep.over((*known, *islice(scope.addresses(seed, start), count))):
        told.write(f"{found.ip} {found.mac or NONE}\n")
    told.write(f"{STRANGERS} {sweep.strangers}\n{END}")
