"""How much plaintext is in a record: exact under AEAD, a block's width under CBC."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.wire.ciphers import WEAKNESSES, Kind, Protection, name, plaintext, protection, weak, weakness

GCM, CBC = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"


@pytest.mark.parametrize(
    ("suite", "told"),
    [
        (0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
        (0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA"),
        (0x1301, "TLS_AES_128_GCM_SHA256"),
        (0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
        (0x0A0A, "0x0A0A"),
    ],
)
def test_suites_have_ianas_names(suite: int, told: str) -> None:
    assert name(suite) == told


@pytest.mark.parametrize(
    ("cipher", "version", "overhead"),
    [
        pytest.param("TLS_AES_128_GCM_SHA256", "TLSv1.3", 16 + 1, id="TLS 1.3: tag and content type"),
        pytest.param("TLS_CHACHA20_POLY1305_SHA256", "TLSv1.3", 16 + 1, id="TLS 1.3 with ChaCha20"),
        pytest.param("TLS_AES_128_CCM_8_SHA256", "TLSv1.3", 8 + 1, id="TLS 1.3 with a short tag"),
        pytest.param(GCM, "TLSv1.2", 8 + 16, id="GCM: explicit nonce and tag"),
        pytest.param("TLS_RSA_WITH_AES_256_CCM", "TLSv1.2", 8 + 16, id="CCM"),
        pytest.param("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", "TLSv1.2", 8 + 8, id="CCM with a short tag"),
        pytest.param(
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "TLSv1.2", 16, id="ChaCha20: no explicit nonce"
        ),
    ],
)
def test_aead_is_exact(cipher: str, version: str, overhead: int) -> None:
    shield = protection(cipher, version)
    assert (shield.kind, shield.overhead) == (Kind.AEAD, overhead)
    assert plaintext(100 + overhead, shield) == (100, 100)


@pytest.mark.parametrize(
    ("cipher", "mac"),
    [("TLS_RSA_WITH_RC4_128_MD5", 16), ("TLS_RSA_WITH_RC4_128_SHA", 20), ("TLS_RSA_WITH_NULL_SHA256", 32)],
)
def test_stream_ciphers_add_a_mac_alone(cipher: str, mac: int) -> None:
    assert protection(cipher, "TLSv1.2") == Protection(Kind.STREAM, mac)
    assert plaintext(50 + mac, protection(cipher, "TLSv1")) == (50, 50)


SUITES = [
    ("TLS_RSA_WITH_AES_128_CBC_SHA", 20, 16),
    ("TLS_RSA_WITH_AES_256_CBC_SHA256", 32, 16),
    ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", 48, 16),
    ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", 20, 8),
    ("TLS_RSA_WITH_CAMELLIA_128_CBC_SHA", 20, 16),
    ("TLS_RSA_WITH_SEED_CBC_SHA", 20, 16),
    ("TLS_RSA_WITH_IDEA_CBC_SHA", 20, 8),
    ("TLS_DHE_DSS_WITH_DES_CBC_SHA", 20, 8),
    ("TLS_KRB5_WITH_3DES_EDE_CBC_MD5", 16, 8),
]


@given(
    st.sampled_from(SUITES),
    st.sampled_from(["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2"]),
    st.booleans(),
    st.integers(0, 16384),
)
def test_cbc_gives_a_range_that_holds_the_truth(
    suite: tuple[str, int, int], version: str, encrypt_then_mac: bool, size: int
) -> None:
    """RFC 5246 6.2.3.2 with as little padding as may be, RFC 7366 3, RFC 2246 6.2.3.2 without the IV."""
    cipher, mac, block = suite
    explicit = block if version in ("TLSv1.1", "TLSv1.2") else 0
    if encrypt_then_mac:
        length = explicit + (size // block + 1) * block + mac
    else:
        length = explicit + ((size + mac) // block + 1) * block
    low, high = plaintext(length, protection(cipher, version, encrypt_then_mac))
    assert low <= size <= high
    assert high - low <= block - 1


def test_a_record_too_short_for_its_cipher_holds_nothing() -> None:
    assert plaintext(3, protection(GCM, "TLSv1.2")) == (0, 0)
    assert plaintext(3, protection(CBC, "TLSv1.2")) == (0, 0)


@pytest.mark.parametrize(
    ("cipher", "weak_by"),
    [
        (GCM, None),
        (CBC, None),
        ("TLS_RSA_WITH_NULL_SHA256", "NULL"),
        ("TLS_DH_anon_EXPORT_WITH_RC4_40_MD5", "anon"),
        ("TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA", "EXPORT"),
        ("TLS_RSA_WITH_DES_CBC_SHA", "_DES_"),
        ("TLS_ECDHE_RSA_WITH_RC4_128_SHA", "RC4"),
        ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", "3DES"),
    ],
)
def test_the_worst_of_a_cipher_makes_it_weak(cipher: str, weak_by: str | None) -> None:
    assert weakness(cipher) == weak_by


def test_weak_ciphers_are_those_that_anybody_can_ask_for_worst_first() -> None:
    names = [name(suite) for suite in weak()]
    kinds = [weakness(cipher) for cipher in names]
    assert kinds == sorted(kinds, key=WEAKNESSES.index)
    assert set(kinds) == set(WEAKNESSES)
    assert not [
        cipher for cipher in names if "PSK" in cipher or "KRB5" in cipher or cipher.endswith("NULL_NULL")
    ]
