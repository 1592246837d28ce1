"""Servers that mean no good, on loopback: each is what it does with a connection."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache

from tls_servers import pem

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
Server = Callable[[Reader, Writer], Awaitable[None]]
TICK_S = 0.05
"""A second, to a server that is slow on purpose."""
PLENTY = 100 * 2**20
NOISE = bytes(range(255, -1, -1)) * 256


def says(*turns: bytes, then: Server | None = None, at_once: bool = False) -> Server:
    """Says something each time that it was told something, the first before; then is another server.

    ``at_once``: that does not wait until it is told something.
    """

    async def server(reader: Reader, writer: Writer) -> None:
        for number, turn in enumerate(turns):
            if number:
                await reader.read(4096)
            writer.write(turn)
            await writer.drain()
        if then and not at_once:
            await reader.read(4096)
        await (then or waits)(reader, writer)

    return server


async def waits(reader: Reader, writer: Writer) -> None:
    """Says nothing, for ever."""
    while await reader.read(4096):
        pass


async def closes(reader: Reader, writer: Writer) -> None:
    """Hangs up."""


async def resets(reader: Reader, writer: Writer) -> None:
    """Hangs up as one who crashed."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def floods(piece: bytes, first: bytes = b"", size: int = PLENTY) -> Server:
    """Says the same over and over, as fast as it goes."""

    async def server(reader: Reader, writer: Writer) -> None:
        writer.write(first)
        block = piece * (65536 // len(piece))
        for _ in range(0, size, len(block)):
            writer.write(block)
            await writer.drain()

    return server


def drips(piece: bytes, first: bytes = b"") -> Server:
    """Says a little every second, for ever."""

    async def server(reader: Reader, writer: Writer) -> None:
        writer.write(first)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(TICK_S)

    return server


def inside(server: Server) -> Server:
    """Begins TLS as servers do, and is another server inside."""

    async def begun(reader: Reader, writer: Writer) -> None:
        await writer.start_tls(tls())
        await server(reader, writer)

    return begun


@cache
def tls() -> ssl.SSLContext:
    """What a server's end of TLS needs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(pem())
        file.flush()
        context.load_cert_chain(file.name)
    return context


@asynccontextmanager
async def listening(server: Server, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Have a server listen; gives its port. Connections that are open at the end are closed."""
    lines: set[asyncio.Task[None]] = set()

    async def line(reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task
        lines.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await server(reader, writer)
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    listener = await asyncio.start_server(line, host, 0)
    async with listener:
        yield listener.sockets[0].getsockname()[1]
    await asyncio.sleep(0.01)  # who has just called is let in
    for task in lines:
        task.cancel()
    await asyncio.gather(*lines, return_exceptions=True)
