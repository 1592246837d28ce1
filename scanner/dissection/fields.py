"""Which fields are read, and what of each: what may be a secret is cut before anybody else sees it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from scanner.dissection import Field

TEXT_LENGTH = 512
"""Characters of a field kept, as of a line of the wire (RFC 5321 4.5.3.1.5)."""
SMTP_VERBS = frozenset({
    "EHLO", "HELO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP", "QUIT", "VRFY", "EXPN",
    "HELP", "AUTH", "STAR", "ETRN", "TURN", "SEND", "SOML", "SAML",
})  # fmt: skip
"""Four letters each, as tshark cuts them; another "verb" is an answer in base64, or part of a body."""
POP_VERBS = frozenset({
    "USER", "PASS", "APOP", "AUTH", "CAPA", "STLS", "STAT", "LIST", "RETR", "DELE", "NOOP", "RSET",
    "QUIT", "TOP", "UIDL", "LAST", "UTF8", "LANG", "XTND",
})  # fmt: skip
_NAMED = frozenset({"EHLO", "HELO", "LHLO", "AUTH", "STAR", "USER", "APOP"})
"""Verbs whose first word is wanted: a name or a mechanism. What follows it may be a secret."""
_LITERAL = re.compile(r"\{\d+\+?\}$")
_VERSION = "ms-asprotocolversion:"
_COMMON_NAME = "(id-at-commonName="
_FIRST_WORDS = 3
Cut = Callable[[str, str], str]
"""From a field's text, and the verb it belongs to, to what may be kept; empty: nothing."""


def _whole(text: str, verb: str) -> str:
    return text[:TEXT_LENGTH]


def _smtp_verb(text: str, verb: str) -> str:
    return text.upper() if text.upper() in SMTP_VERBS else ""


def _pop_verb(text: str, verb: str) -> str:
    return text.upper() if text.upper() in POP_VERBS else ""


def _parameter(text: str, verb: str) -> str:
    return text.split(None, 1)[0][:TEXT_LENGTH] if verb in _NAMED and text.split() else ""


def _upper(text: str, verb: str) -> str:
    return text.upper()[:TEXT_LENGTH]


def _untagged(text: str, verb: str) -> str:
    """A server's line; the client's hold passwords."""
    return text[:TEXT_LENGTH] if text.startswith("* ") else ""


def _mechanism(text: str, verb: str) -> str:
    """Of a client's line only which way to log in it names."""
    words = text.split(None, _FIRST_WORDS)
    return words[2].strip('"') if len(words) >= _FIRST_WORDS and words[1].upper() == "AUTHENTICATE" else ""


def _imap_name(text: str, verb: str) -> str:
    """A literal's length is no name, and quotes are none of its letters."""
    return "" if _LITERAL.search(text) else text.strip('"')[:TEXT_LENGTH]


def _scheme(text: str, verb: str) -> str:
    return text.strip().partition(" ")[0][:TEXT_LENGTH]


def _before_colon(text: str, verb: str) -> str:
    return text.partition(":")[0][:TEXT_LENGTH]


def _cookie_name(text: str, verb: str) -> str:
    return text.partition("=")[0].strip()[:TEXT_LENGTH]


def _eas_version(text: str, verb: str) -> str:
    return text[len(_VERSION) :].strip()[:TEXT_LENGTH] if text.lower().startswith(_VERSION) else ""


def _common_name(text: str, verb: str) -> str:
    return text.partition(_COMMON_NAME)[2].rstrip(")")[:TEXT_LENGTH]


_NTLM: dict[str, Cut] = {
    "ntlmssp.messagetype": _whole, "ntlmssp.auth.domain": _whole, "ntlmssp.auth.username": _whole
}  # fmt: skip
WANTED: dict[str, dict[str, Cut]] = {
    "smtp": {
        "smtp.req.command": _smtp_verb, "smtp.req.parameter": _parameter, "smtp.auth.username": _whole,
        "smtp.response.code": _whole, "smtp.rsp.parameter": _whole, **_NTLM,
    },
    "imap": {
        "imap.line": _untagged, "imap.request_tag": _whole, "imap.request.command": _upper,
        "imap.request": _mechanism, "imap.request.username": _imap_name, "imap.response_tag": _whole,
        "imap.response.status": _whole, "imap.response": _whole,
    },
    "pop": {
        "pop.request.command": _pop_verb, "pop.request.parameter": _parameter,
        "pop.response.indicator": _whole, "pop.response.description": _whole, "pop.response.data": _whole,
    },
    "http": {
        "http.request.method": _whole, "http.request.uri": _whole, "http.host": _whole,
        "http.user_agent": _whole, "http.authorization": _scheme, "http.authbasic": _before_colon,
        "http.cookie_pair": _cookie_name, "http.request.line": _eas_version, "http.response.code": _whole,
        "http.response.phrase": _whole, "http.www_authenticate": _whole, **_NTLM,
    },
    "socks": {
        "socks.version": _whole, "socks.command": _whole, "socks.remote_name": _whole,
        "socks.v4a_dns_name": _whole, "socks.dst": _whole, "socks.dstV6": _whole, "socks.port": _whole,
        "socks.dstport": _whole, "socks.results": _whole,
    },
    "tls": {
        "tls.handshake.type": _whole, "tls.handshake.version": _whole,
        "tls.handshake.extensions.supported_version": _whole, "tls.handshake.ciphersuite": _whole,
        "tls.handshake.extensions_server_name": _whole, "tls.handshake.extensions_alpn_str": _whole,
        "tls.handshake.ja3": _whole, "tls.handshake.ja4": _whole, "x509ce.dNSName": _whole,
        "x509af.subject": _whole, "x509if.RDNSequence_item": _common_name,
    },
    "dns": {"dns.flags.response": _whole, "dns.qry.name": _whole, "dns.a": _whole, "dns.aaaa": _whole},
}  # fmt: skip
"""By layer; within a layer what stands at the same place comes in this order."""
SHOWN = frozenset({"x509if.RDNSequence_item"})
"""Fields whose text is what tshark shows of them; they have none of their own."""
_VERBS = frozenset({"smtp.req.command", "pop.request.command", "imap.request.command"})


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
        kept = wanted[name](text, verb)
        if name in _VERBS:
            verb = kept
        if kept:
            yield Field(name, kept)
