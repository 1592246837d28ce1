"""Which fields are read, and what of each: what may be a secret is cut before anybody else sees it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scanner.dissection import Field

TEXT_LENGTH = 512
"""Characters of a field kept, as of a line of the wire (RFC 5321 4.5.3.1.5)."""


def _kept(pattern: str) -> re.Pattern[str]:
    """What is kept of a text is the first group; of one that does not fit, nothing."""
    return re.compile(pattern, re.DOTALL | re.IGNORECASE)


_WHOLE, _WORD = _kept("(.*)"), _kept(r"\s*(\S*)")
_SMTP_VERB = _kept(
    "(EHLO|HELO|LHLO|MAIL|RCPT|DATA|BDAT|RSET|NOOP|QUIT|VRFY|EXPN|HELP|AUTH|STAR|ETRN|TURN|SEND|SOML|SAML)$"
)
"""Four letters each, as tshark cuts them; another "verb" is an answer in base64, or part of a body."""
_POP_VERB = _kept(
    "(USER|PASS|APOP|AUTH|CAPA|STLS|STAT|LIST|RETR|DELE|NOOP|RSET|QUIT|TOP|UIDL|LAST|UTF8|LANG|XTND)$"
)
_UNTAGGED = _kept(r"(\* .*)")
"""A server's line; the client's hold passwords."""
_MECHANISM = _kept(r'\s*\S+\s+AUTHENTICATE\s+"*([^\s"]*)')
"""Of a client's line only which way to log in it names."""
_IMAP_NAME = _kept(r'(?!.*\{\d+\+?\}$)"*(.*?)"*$')
"""A literal's length is no name, and quotes are none of its letters."""
_BEFORE_COLON, _COOKIE_NAME = _kept("([^:]*)"), _kept(r"\s*([^=\s]*)")
_EAS_VERSION = _kept(r"ms-asprotocolversion:\s*(.*?)\s*$")
_COMMON_NAME = _kept(r".*?\(id-at-commonName=(.*?)\)*$")
_NTLM = dict.fromkeys(("ntlmssp.messagetype", "ntlmssp.auth.domain", "ntlmssp.auth.username"), _WHOLE)
WANTED: dict[str, dict[str, re.Pattern[str]]] = {
    "smtp": {
        "smtp.req.command": _SMTP_VERB, "smtp.req.parameter": _WORD, "smtp.auth.username": _WHOLE,
        "smtp.response.code": _WHOLE, "smtp.rsp.parameter": _WHOLE, **_NTLM,
    },
    "imap": {
        "imap.line": _UNTAGGED, "imap.request_tag": _WHOLE, "imap.request.command": _WHOLE,
        "imap.request": _MECHANISM, "imap.request.username": _IMAP_NAME, "imap.response_tag": _WHOLE,
        "imap.response.status": _WHOLE, "imap.response": _WHOLE,
    },
    "pop": {
        "pop.request.command": _POP_VERB, "pop.request.parameter": _WORD,
        "pop.response.indicator": _WHOLE, "pop.response.description": _WHOLE, "pop.response.data": _WHOLE,
    },
    "http": {
        "http.request.method": _WHOLE, "http.request.uri": _WHOLE, "http.host": _WHOLE,
        "http.user_agent": _WHOLE, "http.authorization": _WORD, "http.authbasic": _BEFORE_COLON,
        "http.cookie_pair": _COOKIE_NAME, "http.request.line": _EAS_VERSION, "http.response.code": _WHOLE,
        "http.response.phrase": _WHOLE, "http.www_authenticate": _WHOLE, **_NTLM,
    },
    "socks": {
        "socks.version": _WHOLE, "socks.command": _WHOLE, "socks.remote_name": _WHOLE,
        "socks.v4a_dns_name": _WHOLE, "socks.dst": _WHOLE, "socks.dstV6": _WHOLE, "socks.port": _WHOLE,
        "socks.dstport": _WHOLE, "socks.results": _WHOLE,
    },
    "tls": {
        "tls.handshake.type": _WHOLE, "tls.handshake.version": _WHOLE,
        "tls.handshake.extensions.supported_version": _WHOLE, "tls.handshake.ciphersuite": _WHOLE,
        "tls.handshake.extensions_server_name": _WHOLE, "tls.handshake.extensions_alpn_str": _WHOLE,
        "tls.handshake.ja3": _WHOLE, "tls.handshake.ja4": _WHOLE, "x509ce.dNSName": _WHOLE,
        "x509af.subject": _WHOLE, "x509if.RDNSequence_item": _COMMON_NAME,
        "tls.handshake.extension.type": _WHOLE, "tls.record.content_type": _WHOLE,
        "tls.record.opaque_type": _WHOLE, "tls.record.length": _WHOLE,
    },
    "dns": {"dns.flags.response": _WHOLE, "dns.qry.name": _WHOLE, "dns.a": _WHOLE, "dns.aaaa": _WHOLE},
}  # fmt: skip
"""By layer; within a layer what stands at the same place comes in this order."""
SHOWN = frozenset({"x509if.RDNSequence_item"})
"""Fields whose text is what tshark shows of them; they have none of their own."""
_VERBS = frozenset({"smtp.req.command", "pop.request.command", "imap.request.command"})
_PARAMETERS = frozenset({"smtp.req.parameter", "pop.request.parameter"})
_NAMED = frozenset({"EHLO", "HELO", "LHLO", "AUTH", "STAR", "USER", "APOP"})
"""Verbs whose first word is wanted: a name or a mechanism. What follows it may be a secret."""


def cut(layer: str, fields: Iterable[tuple[str, str]]) -> Iterator[Field]:
    """Let through what is wanted of a layer's fields (name, text), in their order, cut."""
    wanted, verb, tag = WANTED[layer], "", ""
    for name, text in fields:
        if name == "imap.request_tag":
            tag = text  # told with its command only: a line without one is an answer, and may be a password
            continue
        if name == "imap.request.command" and tag:
            yield Field("imap.request_tag", tag)
            tag = ""
        found = wanted[name].match(text)
        kept = found[1][:TEXT_LENGTH] if found else ""
        if name in _VERBS:
            verb = kept = kept.upper()
        if kept and not (name in _PARAMETERS and verb not in _NAMED):
            yield Field(name, kept)
