"""A handshake with servers of all ages, without a word of warning."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from tls_servers import connected, openssl

from scanner.probe.old_tls import context


@pytest.mark.parametrize(
    ("options", "version"),
    [
        (("-tls1",), "TLSv1"),
        (("-tls1_1",), "TLSv1.1"),
        (("-tls1_2",), "TLSv1.2"),
        (("-tls1_3",), "TLSv1.3"),
        (("-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"), "TLSv1.2"),
    ],
)
@pytest.mark.parametrize("host", ["printer.example", "127.0.0.1", None])
def test_servers_of_all_ages_are_spoken_with(
    tmp_path: Path, options: tuple[str, ...], version: str, host: str | None
) -> None:
    cipher = () if "-cipher" in options else ("-cipher", "ALL:@SECLEVEL=0")
    with (
        openssl(tmp_path, *cipher, *options) as port,
        connected(port) as line,
        context().wrap_socket(line, server_hostname=host) as tls,
    ):
        assert tls.version() == version
        assert tls.getpeercert(binary_form=True)


@pytest.mark.parametrize("cipher", ["eNULL:@SECLEVEL=0", "aNULL:@SECLEVEL=0"])
def test_nothing_is_said_where_there_is_no_secrecy(tmp_path: Path, cipher: str) -> None:
    with (
        openssl(tmp_path, "-tls1_2", "-cipher", cipher) as port,
        connected(port) as line,
        pytest.raises(ssl.SSLError),
    ):
        context().wrap_socket(line)


def test_one_context_is_made() -> None:
    assert context() is context()
    assert context().options & 0x4, "servers without RFC 5746"
