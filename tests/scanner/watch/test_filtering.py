"""The kernel's filter is the best that is allowed, and it is said why it is not a better one."""

from __future__ import annotations

import pytest
from filters import may_load, ours, through
from packets import C, Connection

from scanner.capture.extended_filter import ExtendedFilter
from scanner.capture.kernel_bpf import FilterRefused
from scanner.watch.filtering import Filtering, Kind, attach_plain
from scanner.wire.batch import LinkType

ETHERNET = {LinkType.ETHERNET}
MAIL, OTHER = (
    Connection(server=("192.0.2.1", port)).send(C, bytes(40)).packets[0].data for port in (587, 443)
)


def passes(filtering: Filtering, link: LinkType = LinkType.ETHERNET) -> list[bool]:
    cut = 14 if link is LinkType.RAW else 0
    return through(lambda sock: filtering.attach(sock, link), [MAIL[cut:], OTHER[cut:]])


def refused(*_: object) -> ExtendedFilter:
    raise FilterRefused("no map: Operation not permitted")


def test_what_is_asked_for_is_attached() -> None:
    assert passes(Filtering(ours(), ETHERNET, Kind.CLASSIC)) == [True, False]
    assert passes(Filtering(ours(), ETHERNET, Kind.NONE)) == [True, True]
    assert Filtering(ours(), ETHERNET, Kind.NONE).note is None


def test_where_the_best_is_refused_the_next_is_taken_and_that_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ExtendedFilter, "load", refused)
    filtering = Filtering(ours(), ETHERNET, None)
    assert (filtering.kind, passes(filtering)) == (Kind.CLASSIC, [True, False])
    assert filtering.note == (
        "the kernel cuts no connections off (no map: Operation not permitted): "
        "more is looked at, nothing is lost"
    )
    with pytest.raises(FilterRefused, match="not permitted"):
        Filtering(ours(), ETHERNET, Kind.EXTENDED)


@pytest.mark.skipif(not may_load(), reason="this kernel lets us load nothing")
def test_the_best_is_taken_and_an_interface_that_comes_back_as_another_kind_has_the_next() -> None:
    filtering = Filtering(ours(), ETHERNET, None)
    assert (filtering.kind, filtering.note) == (Kind.EXTENDED, None)
    assert passes(filtering) == [True, False]
    assert passes(filtering, LinkType.RAW) == [True, False]


def test_after_a_reload_the_plain_one_is_attached_whatever_was() -> None:
    found = through(lambda sock: attach_plain(ours(), sock, LinkType.ETHERNET), [MAIL, OTHER])
    assert found == [True, False]
