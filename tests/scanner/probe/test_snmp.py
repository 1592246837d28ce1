"""What is asked by SNMP, and that only an answer to it is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.snmp import SNMP, SNMPget

from scanner.events import Label
from scanner.probe.snmp import ANSWER_READ, FIELDS, question, reader

DESCRIPTION, NAME, DEVICE, PRINTER = FIELDS
NUMBER = 0x1234567
NOTHING = b"\x80\0"
"""noSuchObject (RFC 3416 3)."""


def long(tag: int, value: bytes) -> bytes:
    return bytes([tag, 0x82]) + len(value).to_bytes(2, "big") + value


def text(value: bytes) -> bytes:
    return long(4, value)


def oid(dotted: str) -> bytes:
    first, second, *others = map(int, dotted.split("."))
    return bytes([6, len(others) + 1, 40 * first + second, *others])


def answer(
    *said: tuple[str, bytes],
    number: int = NUMBER,
    community: bytes = b"public",
    error: int = 0,
    pdu: int = 0xA2,
) -> bytes:
    """An answer as RFC 1157 4 has it, put together without scapy."""
    binds = b"".join(long(0x30, oid(which) + value) for which, value in said)
    head = b"\2\4" + number.to_bytes(4, "big") + bytes([2, 1, error, 2, 1, 0])
    return long(0x30, b"\2\1\1" + text(community) + long(pdu, head + long(0x30, binds)))


SAID = answer((DESCRIPTION, text(b"Copier 12")), (NAME, text(b"copier-3")))
TOLD = (Label("snmp.description", "Copier 12"), Label("snmp.name", "copier-3"))


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        pytest.param(SAID, TOLD, id="a description and a name"),
        pytest.param(
            answer((DEVICE, text(b" Copier\0\0")), (PRINTER, text(b"Third floor"))),
            (Label("snmp.device", "Copier"), Label("snmp.printer", "Third floor")),
            id="a printer's own tables",
        ),
        pytest.param(
            answer((DESCRIPTION, text(b"Copier 12")), (DEVICE, NOTHING), (PRINTER, b"\x81\0")),
            TOLD[:1],
            id="what is not there is passed over",
        ),
        pytest.param(answer((NAME, text(b""))), (), id="an empty name"),
        pytest.param(answer((NAME, b"\2\1\7")), (), id="a number for a name"),
        pytest.param(answer(("1.3.6.1.2.1.1.6.0", text(b"x"))), (), id="what nobody asked"),
        pytest.param(answer((NAME, text(b"x")), error=2), (), id="an error (RFC 1157 4.1.3)"),
        pytest.param(answer((NAME, text(b"x")), number=NUMBER + 1), (), id="the number of another question"),
        pytest.param(answer((NAME, text(b"x")), community=b"other"), (), id="another community"),
        pytest.param(answer((NAME, text(b"x")), pdu=0xA0), (), id="a question"),
        pytest.param(SAID[:-3], (), id="an answer that is cut"),
        pytest.param(answer((NAME, text(b"x" * ANSWER_READ))), (), id="an overlong answer"),
        pytest.param(b"", (), id="nothing"),
    ],
)
def test_what_an_answer_tells(payload: bytes, told: tuple[Label, ...]) -> None:
    assert reader("public", NUMBER)(payload) == told


@pytest.mark.parametrize("version", [1, 2])
def test_a_question_is_a_get_for_what_is_wanted(version: int) -> None:
    asked = SNMP(question(version, "public", NUMBER, (DESCRIPTION, NAME)))
    assert isinstance(asked.PDU, SNMPget)
    assert (asked.version.val, asked.community.val, asked.PDU.id.val) == (version - 1, b"public", NUMBER)
    assert [bind.oid.val for bind in asked.PDU.varbindlist] == [DESCRIPTION, NAME]


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_never_raise(payload: bytes) -> None:
    assert reader("public", NUMBER)(payload) == ()


@given(st.integers(0, len(SAID) - 1), st.binary(min_size=1, max_size=4))
def test_a_garbled_answer_never_raises(at: int, other: bytes) -> None:
    reader("public", NUMBER)(SAID[:at] + other + SAID[at + len(other) :])


def test_no_community_is_told() -> None:
    assert "s3cret" not in repr(reader("s3cret", NUMBER)(answer((NAME, text(b"x")), community=b"s3cret")))
