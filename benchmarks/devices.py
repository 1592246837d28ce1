"""Thirty machines of an office, as a scan meets them: ``python -m benchmarks.devices``."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from benchmarks.mail_server import READY, context

PORTS = (25, 80, 110, 143, 443, 465, 587, 993, 995, 2525, 8080, 8443)
"""Asked by all scanners: those that ours asks unless told otherwise."""
SPAN = 1022
"""Addresses of a /22."""
COUNT = 30


@dataclass(frozen=True, slots=True)
class Kind:
    """What a machine offers at a port."""

    port: int
    clear: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    """Behind STARTTLS, or in TLS that came first."""
    first: bool = False
    """TLS comes first."""
    odd: str = "250 AUTH "
    """How SMTP writes what it offers, and where: ``250-AUTH=`` is what Outlook Express read."""


KINDS = (
    (Kind(25, ("LOGIN", "PLAIN")), Kind(80)),
    (Kind(25, (), ("LOGIN", "PLAIN")), Kind(587, (), ("LOGIN", "PLAIN")), Kind(443, first=True)),
    (Kind(25, ("LOGIN",), odd="250-AUTH="), Kind(80)),
    (Kind(143, (), ("PLAIN",)), Kind(993, (), ("PLAIN", "LOGIN"), True), Kind(443, first=True)),
    (Kind(110, (), ("PLAIN", "LOGIN")), Kind(995, (), ("PLAIN",), True), Kind(80)),
    (Kind(465, (), ("CRAM-MD5", "LOGIN"), True), Kind(587, ("CRAM-MD5",), ("LOGIN",)), Kind(8080)),
)
"""Five machines are of each kind."""


def machines() -> dict[str, tuple[Kind, ...]]:
    """What listens where, spread over a /22."""
    places = [number * SPAN // COUNT + 2 for number in range(COUNT)]
    return {f"10.99.{at // 256}.{at % 256}": KINDS[n % len(KINDS)] for n, at in enumerate(places)}


def offered() -> dict[tuple[str, int], frozenset[str]]:
    """All mechanisms of all mail ports, clear or inside."""
    every = ((ip, kind) for ip, kinds in machines().items() for kind in kinds)
    return {
        (ip, kind.port): frozenset(kind.clear + kind.inside) for ip, kind in every if kind.clear + kind.inside
    }


def smtp(kind: Kind, said: bytes, inside: bool) -> bytes:
    """What is answered."""
    if said.startswith(b"EHLO"):
        mechanisms = " ".join(kind.inside if inside else kind.clear)
        line = f"{kind.odd}{mechanisms}\r\n" if mechanisms else "250 HELP\r\n"
        tls = "250-STARTTLS\r\n" if kind.inside and not inside else ""
        last = "" if line.startswith("250 ") else "250 HELP\r\n"
        return f"250-mx.example.net\r\n250-SIZE 1000\r\n{tls}{line}{last}".encode()
    return {b"STAR": b"220 go\r\n", b"QUIT": b"221 bye\r\n"}.get(said[:4].upper(), b"250 fine\r\n")


def imap(kind: Kind, said: bytes, inside: bool) -> bytes:
    """What is answered."""
    tag, _, verb = said.strip().partition(b" ")
    if verb.upper().startswith(b"CAPABILITY"):
        able = " ".join(f"AUTH={name}" for name in (kind.inside if inside else kind.clear))
        state = "" if inside else " STARTTLS LOGINDISABLED"
        return f"* CAPABILITY IMAP4rev1{state} {able}\r\n".encode() + tag + b" OK done\r\n"
    return tag + b" OK done\r\n"


def pop3(kind: Kind, said: bytes, inside: bool) -> bytes:
    """What is answered."""
    if said[:4].upper() == b"CAPA":
        names = " ".join(kind.inside if inside else kind.clear)
        sasl = f"SASL {names}\r\n" if names else ""
        return f"+OK list\r\nTOP\r\n{'' if inside else 'STLS' + chr(13) + chr(10)}{sasl}.\r\n".encode()
    return b"+OK\r\n"


PAGE = b"<html><title>Copier 12</title></html>"
HEAD = b"HTTP/1.1 200 OK\r\nServer: Boa/0.94.14rc21\r\nContent-Length: %d\r\n\r\n" % len(PAGE)
GREETINGS = {
    smtp: b"220 mx.example.net ESMTP Postfix\r\n",
    imap: b"* OK Dovecot ready.\r\n",
    pop3: b"+OK Dovecot ready.\r\n",
}
SPEAKS = {25: smtp, 587: smtp, 465: smtp, 143: imap, 993: imap, 110: pop3, 995: pop3}
LEAVES = (b"QUIT", b"LOGOUT")
BEGINS = (b"STARTTLS", b"STLS")


async def talk(kind: Kind, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hold a dialogue."""
    speaks, inside = SPEAKS[kind.port], kind.first
    writer.write(GREETINGS[speaks])
    while said := await reader.readline():
        writer.write(speaks(kind, said, inside))
        words = said.upper().split()
        if any(word in LEAVES for word in words[:2]):
            return
        if any(word in BEGINS for word in words[:2]) and not inside:
            await writer.start_tls(TLS)
            inside = True


async def show(_kind: Kind, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Show a page to whoever asks."""
    while (await reader.readuntil(b"\r\n\r\n")).strip():
        writer.write(HEAD + PAGE)


async def main() -> None:
    """Serve until killed."""
    for ip, kinds in machines().items():
        for kind in kinds:

            async def line(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: Kind = kind
            ) -> None:
                try:
                    await (talk if kind.port in SPEAKS else show)(kind, reader, writer)
                except (OSError, asyncio.IncompleteReadError, ValueError, asyncio.LimitOverrunError):
                    pass
                finally:
                    writer.close()

            await asyncio.start_server(line, ip, kind.port, ssl=TLS if kind.first else None)
    print(READY, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.disable()  # asyncio tells of each client that hangs up in its own way
    TLS = context()
    asyncio.run(main())
