"""TLS hellos: what is offered and chosen, and the names that JA3 and JA4 give a client."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.events import ClientHello, ServerHello
from scanner.wire.hellos import GREASE, Cursor, ShortMessageError, client_hello, server_hello, ssl2_hello

Extension = tuple[int, bytes]
RETRY = hashlib.sha256(b"HelloRetryRequest").digest()
"""RFC 8446 4.1.3."""


def vector(size: int, body: bytes) -> bytes:
    return len(body).to_bytes(size, "big") + body


def numbers(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


def sni(name: bytes) -> Extension:
    return 0, vector(2, b"\0" + vector(2, name))


def alpn(*protocols: bytes) -> Extension:
    return 16, vector(2, b"".join(vector(1, protocol) for protocol in protocols))


def block(extensions: Sequence[Extension]) -> bytes:
    return vector(2, b"".join(numbers(kind) + vector(2, body) for kind, body in extensions))


def hello(suites: Sequence[int], extensions: Sequence[Extension] | None, legacy: int = 0x0303) -> bytes:
    """A ClientHello's body; None: without an extension block."""
    body = (
        numbers(legacy) + bytes(32) + vector(1, b"session") + vector(2, numbers(*suites)) + vector(1, b"\0")
    )
    return body if extensions is None else body + block(extensions)


def answer(
    suite: int, extensions: Sequence[Extension] = (), version: int = 0x0303, random: bytes = b""
) -> bytes:
    head = numbers(version) + (random or bytes(32)) + vector(1, b"") + numbers(suite) + b"\0"
    return head + block(extensions) if extensions else head


def read(body: bytes) -> ClientHello:
    found = client_hello(body)
    assert found is not None
    return found


CHROME = hello(
    [0x0A0A, 0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013, 0xC014, 0x009C,
     0x009D, 0x002F, 0x0035],
    [
        (0xBABA, b""), (0x001B, b"\x02\0\x02"), sni(b"outlook.office365.com"), (0x0033, b"\0\0"),
        alpn(b"h2", b"http/1.1"), (0x4469, b"\0\x03\x02h2"), (0x0017, b""), (0x002D, b"\x01\x01"),
        (0x000D, vector(2, numbers(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601))),
        (0x0005, b"\x01\0\0\0\0"), (0x0023, b""), (0x0012, b""),
        (0x002B, vector(1, numbers(0x3A3A, 0x0304, 0x0303))), (0xFF01, b"\0"), (0x000B, b"\x01\0"),
        (0x000A, vector(2, numbers(0xDADA, 0x001D, 0x0017, 0x0018))), (0x5A5A, b"\0"), (0x0015, bytes(9)),
    ],
)  # fmt: skip
"""The ciphers, extensions and algorithms of the example in JA4's technical details."""


def test_ja4_of_its_authors_example() -> None:
    assert read(CHROME).ja4 == "t13d1516h2_8daaf6152771_e5627efa2ab1"


def test_what_a_browser_offers() -> None:
    found = read(CHROME)
    assert found.server_name == "outlook.office365.com"
    assert found.alpn == ("h2", "http/1.1")
    assert found.versions == ("TLSv1.3", "TLSv1.2")


@pytest.mark.parametrize(
    ("suites", "extensions", "digest"),
    [
        pytest.param(
            [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
            [sni(b"a"), (10, vector(2, numbers(23, 24, 25))), (11, b"\x01\0")],
            "ada70206e40642a3e4461f35503241d5",
            id="with extensions",
        ),
        pytest.param(
            [4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], None, "de350869b8c85de67a350c8d186f11e6", id="without"
        ),
    ],
)
def test_ja3_of_its_authors_examples(
    suites: list[int], extensions: list[Extension] | None, digest: str
) -> None:
    assert read(hello(suites, extensions, 0x0301)).ja3 == digest


def test_grease_changes_no_name() -> None:
    plain = [(10, vector(2, numbers(23))), (13, vector(2, numbers(0x0403))), (43, vector(1, numbers(0x0304)))]
    greased = [
        (0x1A1A, b""),
        (10, vector(2, numbers(0x2A2A, 23))),
        (13, vector(2, numbers(0x0403))),
        (43, vector(1, numbers(0xFAFA, 0x0304))),
        (0xEAEA, b"\0"),
    ]
    without, with_it = read(hello([0x1301], plain)), read(hello([0x4A4A, 0x1301], greased))
    assert without == with_it


@pytest.mark.parametrize("value", [0x0A0A, 0x1A1A, 0x8A8A, 0xFAFA])
def test_grease_is_known(value: int) -> None:
    assert value in GREASE


@pytest.mark.parametrize("value", [0x0A1A, 0x1301, 0xAAAB, 0x0A0B, 0xA0A0, 0x1A0A])
def test_what_only_looks_like_grease_is_none(value: int) -> None:
    assert value not in GREASE


def greased(value: int) -> bytes:
    """A hello with GREASE wherever browsers put it, and names that look like it."""
    extensions = [
        (value, b""),
        sni(b"jj.zz.example"),
        (10, vector(2, numbers(value, 23))),
        alpn(b"zz"),
        (43, vector(1, numbers(value, 0x0304))),
        (value ^ 0xF0F0, b"\0"),
    ]
    return hello([value, 0x1301], extensions)


@pytest.mark.parametrize("value", sorted(GREASE))
def test_a_hello_is_read_alike_whatever_grease_is_drawn(value: int) -> None:
    found = read(greased(value))
    assert (found.server_name, found.alpn, found.versions) == ("jj.zz.example", ("zz",), ("TLSv1.3",))
    assert found is read(greased(0x2A2A))


@pytest.mark.parametrize(
    ("extensions", "first"),
    [
        pytest.param(None, "t12i010000", id="no extensions"),
        pytest.param([], "t12i010000", id="an empty extension block"),
        pytest.param([sni(b"x.example")], "t12d010100", id="a name"),
        pytest.param([alpn(b"http/1.1")], "t12i0101h1", id="first and last of the protocol"),
        pytest.param([alpn(b"x")], "t12i0101xx", id="a protocol of one letter"),
        pytest.param([alpn(b"\xab")], "t12i0101ab", id="a protocol of one byte that is no letter"),
        pytest.param([alpn(b"\x30\x31\xab\xcd")], "t12i01013d", id="hexadecimal where an end is no letter"),
        pytest.param([(43, vector(1, numbers(0x0302, 0x0304)))], "t13i010100", id="the highest version"),
        pytest.param([(43, vector(1, numbers(0x7F17)))], "t00i010100", id="a draft of TLS 1.3"),
        pytest.param([(1000 + n, b"") for n in range(120)], "t12i019900", id="no more than 99"),
    ],
)
def test_first_part_of_ja4(extensions: list[Extension] | None, first: str) -> None:
    assert str(read(hello([0x1301], extensions)).ja4).split("_")[0] == first


@pytest.mark.parametrize(
    ("legacy", "version", "letters"),
    [(0x0302, "TLSv1.1", "11"), (0x0301, "TLSv1", "10"), (0x0300, "SSLv3", "s3"), (0x0399, "0x0399", "00")],
)
def test_old_versions_have_their_names(legacy: int, version: str, letters: str) -> None:
    found = read(hello([5], None, legacy))
    assert found.versions == (version,)
    assert str(found.ja4).startswith(f"t{letters}i")


def test_ja4_without_extensions_or_ciphers_has_zeros_for_hashes() -> None:
    assert str(read(hello([], None)).ja4) == "t12i000000_000000000000_000000000000"


def test_ja4_without_signature_algorithms_ends_with_the_extensions() -> None:
    expected = hashlib.sha256(b"000a,0017").hexdigest()[:12]
    found = read(hello([0x1301], [(0x17, b""), (0x0A, vector(2, numbers(29)))]))
    assert str(found.ja4).endswith(f"_{expected}")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param(b"SMTP.Office365.com.", "smtp.office365.com", id="in lower case without the last dot"),
        pytest.param(b"", None, id="an empty name"),
        pytest.param(b"a" * 300, "a" * 255, id="a name too long"),
        pytest.param(b"m\xfcller.example", "m\ufffdller.example", id="no ASCII"),
    ],
)
def test_a_server_name_is_told_as_others_write_it(name: bytes, told: str | None) -> None:
    assert read(hello([1], [sni(name)])).server_name == told


def test_a_name_of_another_kind_is_no_host() -> None:
    other = (0, vector(2, b"\x07" + vector(2, b"x") + b"\0" + vector(2, b"host.example")))
    assert read(hello([1], [other])).server_name == "host.example"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            answer(0xC02F, [(22, b"")]),
            ServerHello("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", encrypt_then_mac=True),
            id="TLS 1.2 with encrypt-then-MAC",
        ),
        pytest.param(
            answer(0x1301, [(43, numbers(0x0304)), (51, b"\0\x1d")]),
            ServerHello("TLSv1.3", "TLS_AES_128_GCM_SHA256"),
            id="TLS 1.3 by its extension",
        ),
        pytest.param(
            answer(0x002F, version=0x0301), ServerHello("TLSv1", "TLS_RSA_WITH_AES_128_CBC_SHA"), id="TLS 1.0"
        ),
        pytest.param(
            answer(0xC02F, [alpn(b"imap")]),
            ServerHello("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "imap"),
            id="ALPN",
        ),
        pytest.param(answer(0xABCD), ServerHello("TLSv1.2", "0xABCD"), id="a cipher without a name"),
        pytest.param(answer(0x1301, [(43, numbers(0x0304))], random=RETRY), None, id="a HelloRetryRequest"),
        pytest.param(answer(0x1301, [alpn()])[:-1], None, id="cut"),
    ],
)
def test_what_a_server_chooses(body: bytes, expected: ServerHello | None) -> None:
    assert server_hello(body) == expected


def test_a_hello_in_the_form_of_sslv2() -> None:
    specs = bytes.fromhex("010080 000004 00000a 0700c0".replace(" ", ""))
    body = b"\x01" + numbers(0x0301, len(specs), 0, 16) + specs + bytes(16)
    found = ssl2_hello(body)
    assert found is not None
    assert (found.versions, found.server_name) == (("TLSv1",), None)
    assert found.ja3 == hashlib.md5(b"769,4-10,,,", usedforsecurity=False).hexdigest()
    assert str(found.ja4).startswith("t10i020000_")
    old = ssl2_hello(b"\x01" + numbers(2, 3, 0, 16) + specs[:3] + bytes(16))
    assert old is not None
    assert old.versions == ("SSLv2",)
    assert all(ssl2_hello(body[:size]) is None for size in range(9 + len(specs)))


def test_a_hello_cut_anywhere_is_none_or_lacks_its_extensions() -> None:
    for size in range(len(CHROME)):
        found = client_hello(CHROME[:size])
        assert found is None or found.server_name is None


def test_extensions_that_end_early_make_no_hello() -> None:
    for body in (b"\0", b"\0\x05\0\0\x09abc", b"\0\x04\0\0\0"):
        assert client_hello(hello([1], [(0, body)])) is None


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=80), st.integers(0, len(CHROME)), st.integers(0, 40))
def test_bytes_of_any_kind_raise_nothing(noise: bytes, at: int, gone: int) -> None:
    garbled = CHROME[:at] + noise + CHROME[at + gone :]
    for body in (garbled, noise):
        assert isinstance(client_hello(body), ClientHello | None)
        assert isinstance(server_hello(body), ServerHello | None)
        assert isinstance(ssl2_hello(body), ClientHello | None)


def test_a_cursor_reads_no_further_than_there_is() -> None:
    cursor = Cursor(b"\0\x02ab\x01")
    assert (cursor.vector(2), cursor.left) == (b"ab", 1)
    with pytest.raises(ShortMessageError):
        cursor.number(2)
    assert (cursor.number(1), cursor.left, cursor.take(0)) == (1, 0, b"")
