"""Which filter the kernel applies: the best that is allowed, and a word about why it is not a better one."""

from __future__ import annotations

from contextlib import ExitStack
from enum import StrEnum
from functools import partial
from socket import AF_UNIX, SOCK_DGRAM, socket, socketpair

from scanner.capture.classic_filter import attach_classic, classic
from scanner.capture.extended_filter import ExtendedFilter
from scanner.capture.kernel_bpf import FilterRefused
from scanner.capture.live import Filter
from scanner.capture.passing import Passing
from scanner.wire.batch import LinkType


class Kind(StrEnum):
    """Filters, the best first."""

    EXTENDED = "extended"
    """Also cuts each connection off after its first kilobytes; needs CAP_BPF."""
    CLASSIC = "classic"
    NONE = "none"
    """Everything is looked at here; for finding out whether a filter is at fault."""


def attach_plain(passing: Passing, sock: socket, link: LinkType) -> None:
    """Attach a classic filter, which everybody may."""
    attach_classic(sock, classic(passing, link))


def _attach_nothing(sock: socket, link: LinkType) -> None:
    pass


class Filtering:
    """Filters for sockets of several link types, loaded while there are privileges."""

    def __init__(self, passing: Passing, links: set[LinkType], kind: Kind | None) -> None:
        """Load; ``kind`` None: the best there is. Raises FilterRefused where one was asked for and is not."""
        self.kind = kind or Kind.EXTENDED
        self._passing = passing
        self.note: str | None = None
        """What to tell of it."""
        self._loaded: dict[LinkType, ExtendedFilter] = {}
        self.attach: Filter = _attach_nothing
        if self.kind is Kind.EXTENDED:
            try:
                self._loaded = {link: ExtendedFilter.load(passing, link) for link in links}
                self._try()
                self.attach = self._attach_extended
            except FilterRefused as fault:
                if kind is Kind.EXTENDED:
                    raise
                self.kind = Kind.CLASSIC
                self.note = (
                    f"the kernel cuts no connections off ({fault}): more is looked at, nothing is lost"
                )
        if self.kind is Kind.CLASSIC:
            self.attach = partial(attach_plain, passing)

    def _try(self) -> None:
        """See that it can be attached, too: later there is nobody to tell, and no way to load another."""
        for loaded in self._loaded.values():
            with ExitStack() as stack:
                for end in socketpair(AF_UNIX, SOCK_DGRAM):
                    stack.enter_context(end)
                loaded.attach(end)

    def _attach_extended(self, sock: socket, link: LinkType) -> None:
        if link in self._loaded:
            self._loaded[link].attach(sock)
        else:  # an interface has come back as another kind, and nothing can be loaded any more
            attach_plain(self._passing, sock, link)
