"""The least that a client does: ``python -m benchmarks.bare_client COUNT PORT [tls]``, for comparison.

The same dialogue with the same servers, over asyncio's streams: nothing is understood and nothing is kept.
"""

from __future__ import annotations

import asyncio
import sys

from scanner.probe.old_tls import context

AT_ONCE = 256


async def ask(address: str, port: int, tls: bool) -> None:
    """Hold one dialogue."""
    reader, writer = await asyncio.open_connection(address, port, ssl=context() if tls else None)
    await reader.readuntil(b"\r\n")
    writer.write(b"EHLO mailsunset\r\n")
    while not (await reader.readuntil(b"\r\n")).startswith(b"250 "):
        pass
    writer.write(b"QUIT\r\n")
    await reader.readuntil(b"\r\n")
    writer.close()
    await writer.wait_closed()


async def main(count: int, port: int, tls: bool) -> None:
    """Hold as many as were asked for."""
    addresses = iter([f"127.0.{number // 256}.{number % 256}" for number in range(1, count + 1)])

    async def lane() -> None:
        for address in addresses:
            await ask(address, port, tls)

    await asyncio.gather(*(lane() for _ in range(AT_ONCE)))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), "tls" in sys.argv))
