"""A TLS client that still speaks with old devices: it wants to know what they are, and trusts nobody."""

from __future__ import annotations

import ssl
from functools import cache

_LEGACY_SERVER_CONNECT = 0x4
"""``SSL_OP_LEGACY_SERVER_CONNECT``, for servers without RFC 5746; the module names it from Python 3.12 on."""
_CIPHERS = "ALL:!aNULL:!eNULL:@SECLEVEL=0"
"""Level 0: short keys, MD5 and SHA-1, without which nothing before TLS 1.2 goes; secrecy there must be."""


@cache
def context() -> ssl.SSLContext:
    """The context of all dialogues: SSLv3 (where OpenSSL has it) to TLS 1.3, nothing verified, no tickets.

    ``server_hostname`` is to be what ``scanner.wire.client_hello.indicated`` says.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    # To name an old version is warned of as deprecated; to ask for the oldest that there is, is not.
    made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    made.set_ciphers(_CIPHERS)
    made.options |= ssl.OP_NO_TICKET | _LEGACY_SERVER_CONNECT
    made.options &= ~ssl.OP_NO_SSLv3
    return made
