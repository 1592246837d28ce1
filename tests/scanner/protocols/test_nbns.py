"""Names belong to the addresses they are registered for; questions and refusals tell nothing."""

import struct

import pytest

from scanner.events import Label
from scanner.protocols.nbns import ADDRESSES_READ, NAMES_READ, Name, half_ascii, question, read

HERE, THERE = b"\x0a\0\0\7", b"\x0a\0\0\x08"
MAC = b"\x02\0\0\0\0\7"
NB, STATUS = 0x20, 0x21
REGISTER, MULTIHOMED, RELEASE, WAIT, REFRESH, REFRESH_TOO = 5, 15, 6, 7, 8, 9
GROUP, ACTIVE, CONFLICT, LEAVING = 0x8000, 0x0400, 0x0800, 0x1000
POINTER = b"\xc0\x0c"


def encoded(text: str, suffix: int = 0, scope: bytes = b"") -> bytes:
    raw = text.encode().ljust(15) + bytes([suffix])
    return b"\x20" + b"".join(bytes([0x41 + (one >> 4), 0x41 + (one & 15)]) for one in raw) + scope + b"\0"


def record(name: bytes, data: bytes, kind: int = NB, size: int | None = None) -> bytes:
    return name + struct.pack(">HHIH", kind, 1, 300, len(data) if size is None else size) + data


def owner(ip: bytes = HERE, flags: int = 0) -> bytes:
    return struct.pack(">H", flags) + ip


def request(operation: int, name: bytes, data: bytes) -> bytes:
    head = struct.pack(">HHHHHH", 7, operation << 11 | 0x0110, 1, 0, 0, 1)
    return head + name + struct.pack(">HH", NB, 1) + record(POINTER, data)


def response(operation: int, *records: bytes, refused: int = 0, count: int | None = None) -> bytes:
    flags = 0x8580 | operation << 11 | refused
    return struct.pack(">HHHHHH", 7, flags, 0, len(records) if count is None else count, 0, 0) + b"".join(
        records
    )


def named(ip: str | None = "10.0.0.7", field: str = "nbns.name") -> list[Label]:
    return [Label(field, "COPIER", ip)]


def entry(text: bytes, suffix: int, flags: int = ACTIVE) -> bytes:
    return text.ljust(15) + bytes([suffix]) + struct.pack(">H", flags)


def status(*entries: bytes, card: bytes = MAC, count: int | None = None) -> bytes:
    told = bytes([len(entries) if count is None else count]) + b"".join(entries) + card + bytes(40)
    return response(0, record(encoded("*"), told, STATUS))


COPIER = encoded("COPIER")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        *(
            pytest.param(request(operation, COPIER, owner()), named(), id=f"a claim of kind {operation}")
            for operation in (REGISTER, MULTIHOMED, REFRESH, REFRESH_TOO)
        ),
        pytest.param(
            request(REGISTER, encoded("COPIER", 0, b"\5scope\3net"), owner()), named(), id="a name in a scope"
        ),
        pytest.param(request(RELEASE, COPIER, owner()), [], id="a name is given up"),
        pytest.param(request(WAIT, COPIER, owner()), [], id="one is asked to wait"),
        pytest.param(request(0, COPIER, owner()), [], id="a question is about somebody else"),
        pytest.param(response(REGISTER, record(COPIER, owner())), named(), id="a claim is granted"),
        pytest.param(response(REGISTER, record(COPIER, owner()), refused=6), [], id="a claim is refused"),
        pytest.param(response(0, record(COPIER, owner())), named(), id="a question is answered"),
        pytest.param(response(0, record(COPIER, owner()), refused=3), [], id="there is no such name"),
        pytest.param(
            response(0, record(COPIER, owner() + owner(THERE))),
            [*named(), *named("10.0.0.8")],
            id="a machine with two addresses",
        ),
        pytest.param(
            response(0, record(COPIER, owner() * 99)), named() * ADDRESSES_READ, id="addresses without end"
        ),
        pytest.param(request(REGISTER, COPIER, owner(bytes(4))), [], id="a name without an address"),
        pytest.param(request(REGISTER, COPIER, owner(b"\xff" * 4)), [], id="everybody is no machine"),
        pytest.param(request(REGISTER, COPIER, owner())[:-1], [], id="an address that is cut"),
        pytest.param(response(0, record(COPIER, owner(), 1)), [], id="another kind of record"),
        pytest.param(response(0, record(b"\5COPIE\0", owner())), [], id="a name that is not encoded"),
        pytest.param(response(0, record(POINTER, owner())), [], id="a name that points at itself"),
        pytest.param(response(0, b"\xc0"), [], id="a pointer that is cut"),
        pytest.param(response(0, b"\1a" * 40 + record(b"", owner())), [], id="labels without end"),
        pytest.param(
            response(0, record(COPIER, b"", 10), record(COPIER, owner())), named(), id="behind another record"
        ),
        pytest.param(
            response(0, *[record(b"\0", b"", 10)] * 99, record(COPIER, owner())), [], id="behind a flood"
        ),
        pytest.param(b"\0" * 11, [], id="a head that is cut"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_who_owns_a_name(payload: bytes, expected: list[Label]) -> None:
    assert list(read(payload)) == expected


@pytest.mark.parametrize(
    ("suffix", "flags", "field"),
    [
        pytest.param(0x00, 0, "nbns.name", id="a machine"),
        pytest.param(0x20, 0, "nbns.name", id="a file server"),
        pytest.param(0x00, GROUP, "nbns.group", id="a workgroup or domain"),
        pytest.param(0x1B, 0, "nbns.group", id="the master of a domain"),
        pytest.param(0x1C, GROUP, "nbns.group", id="the controllers of a domain"),
        pytest.param(0x1D, 0, "nbns.group", id="the master of a segment"),
        pytest.param(0x1E, GROUP, "nbns.group", id="who elects a master"),
        pytest.param(0x03, 0, None, id="who gets messages may be a user"),
        pytest.param(0x20, GROUP, None, id="a group of file servers"),
        pytest.param(0x42, 0, None, id="some service"),
    ],
)
def test_what_the_byte_behind_a_name_means(suffix: int, flags: int, field: str | None) -> None:
    payload = request(REGISTER, encoded("COPIER", suffix), owner(HERE, flags))
    assert list(read(payload)) == ([] if field is None else named(field=field))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(
            request(REGISTER, encoded("\x01\x02__MSBROWSE__\x02", 1), owner(HERE, GROUP)), id="browsers"
        ),
        pytest.param(request(REGISTER, encoded("INet~Services", 0x1C), owner(HERE, GROUP)), id="web servers"),
        pytest.param(request(REGISTER, encoded("IS~COPIER"), owner()), id="a web server's second name"),
        pytest.param(request(REGISTER, encoded(""), owner()), id="blanks"),
    ],
)
def test_names_that_name_nobody(payload: bytes) -> None:
    assert list(read(payload)) == []


CARD = Label("nbns.mac", "02:00:00:00:00:07")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(
            status(entry(b"COPIER", 0), entry(b"ACME", 0, GROUP | ACTIVE), entry(b"COPIER", 0x20)),
            [*named(None), Label("nbns.group", "ACME"), CARD],
            id="a name, a group, and the name once more",
        ),
        pytest.param(status(entry(b"COPIER", 0), card=bytes(6)), named(None), id="Samba tells no card"),
        pytest.param(status(entry(b"ANN", 3), entry(b"X", 0x42)), [CARD], id="a user and a service"),
        pytest.param(status(entry(b"COPIER", 0, ACTIVE | CONFLICT)), [CARD], id="a name that two have"),
        pytest.param(status(entry(b"COPIER", 0, ACTIVE | LEAVING)), [CARD], id="a name that is given up"),
        pytest.param(status(), [CARD], id="no name"),
        pytest.param(status(entry(b"COPIER", 0), count=9), named(None), id="fewer names than were promised"),
        pytest.param(
            status(*[entry(b"X%d" % number, 0) for number in range(200)]),
            [*[Label("nbns.name", f"X{number}") for number in range(NAMES_READ)], CARD],
            id="names without end",
        ),
        pytest.param(response(0, record(encoded("*"), b"", STATUS)), [], id="an empty answer"),
        pytest.param(b"\0\0\0" + status(entry(b"COPIER", 0))[3:], [], id="a question cannot tell"),
    ],
)
def test_a_machine_tells_all_of_its_names(payload: bytes, expected: list[Label]) -> None:
    assert list(read(payload)) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(encoded("COPIER", 0x20)[1:33], Name("COPIER", 0x20), id="a name"),
        pytest.param(b"Q" + encoded("COPIER")[2:33], None, id="a letter behind P"),
        pytest.param(encoded("COPIER")[1:32], None, id="half a letter is missing"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_a_letter_is_written_in_two_halves(raw: bytes, expected: Name | None) -> None:
    assert half_ascii(raw) == expected


def test_a_cut_anywhere_tells_no_more_than_the_whole() -> None:
    whole = response(0, record(COPIER, owner() + owner(THERE)))
    for size in range(len(whole)):
        assert list(read(whole[:size])) in ([], named())


def test_a_cut_anywhere_in_a_status_names_nobody_else() -> None:
    whole = status(entry(b"COPIER", 0), entry(b"ACME", 0, GROUP | ACTIVE))
    for size in range(len(whole)):
        assert list(read(whole[:size])) == []


def test_a_machine_is_asked_for_all_its_names() -> None:
    asked = question(0x1234)
    assert asked[:12] == b"\x12\x34\0\0\0\1\0\0\0\0\0\0"
    assert asked[12:] == encoded("*").replace(b"CA" * 14, b"AA" * 14) + b"\0\x21\0\1"
