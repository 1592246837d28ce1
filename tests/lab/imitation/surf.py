"""HTTP libraries of PyPI: ``python surf.py LIBRARY`` with the requests as JSON on its standard input."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from typing import Any


def trusting() -> ssl.SSLContext:
    """Trust anybody."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.set_ciphers("DEFAULT@SECLEVEL=0")
    made.minimum_version = ssl.TLSVersion.TLSv1
    return made


def requests(plan: dict[str, Any]) -> None:
    """One session of requests."""
    import requests as library

    with library.Session() as session:
        session.verify = plan["certificate"]
        if plan["ntlm"]:
            from requests_ntlm import HttpNtlmAuth

            session.auth = HttpNtlmAuth(plan["user"], plan["secret"])
        for one in plan["requests"]:
            session.request(
                one["method"],
                plan["origin"] + one["path"],
                headers=one["headers"],
                data=one["body"] or None,
                timeout=12,
            )


def _httpx(plan: dict[str, Any], http2: bool) -> None:
    import httpx as library

    with library.Client(http2=http2, verify=trusting(), timeout=12) as client:
        for one in plan["requests"]:
            client.request(
                one["method"],
                plan["origin"] + one["path"],
                headers=one["headers"],
                content=one["body"] or None,
            )


def httpx(plan: dict[str, Any]) -> None:
    """HTTP/1.1."""
    _httpx(plan, False)


def httpx_h2(plan: dict[str, Any]) -> None:
    """HTTP/2."""
    _httpx(plan, True)


def aiohttp(plan: dict[str, Any]) -> None:
    """One session of aiohttp."""
    import aiohttp as library

    async def talk() -> None:
        async with library.ClientSession(connector=library.TCPConnector(ssl=trusting())) as session:
            for one in plan["requests"]:
                async with session.request(
                    one["method"],
                    plan["origin"] + one["path"],
                    headers=one["headers"],
                    data=one["body"] or None,
                ) as reply:
                    await reply.read()

    asyncio.run(talk())


def urllib(plan: dict[str, Any]) -> None:
    """Python's own, a connection a request."""

    for one in plan["requests"]:
        request = __import__("urllib.request").request.Request(
            plan["origin"] + one["path"],
            (one["body"] or "").encode() or None,
            one["headers"],
            method=one["method"],
        )
        try:
            __import__("urllib.request").request.urlopen(request, timeout=12, context=trusting()).read()
        except OSError as fault:
            print(fault)


def exchangelib(plan: dict[str, Any]) -> None:
    """Look into an inbox over EWS; what comes back is no mailbox, which it finds out after logging in."""
    from exchangelib import BASIC, DELEGATE, NTLM, Account, Configuration, Credentials

    settings = Configuration(
        service_endpoint=plan["origin"] + "/EWS/Exchange.asmx",
        credentials=Credentials(plan["user"], plan["secret"]),
        auth_type=NTLM if plan["ntlm"] else BASIC,
    )
    account = Account(plan["user"], config=settings, autodiscover=False, access_type=DELEGATE)
    print(account.inbox.total_count)


def main() -> None:
    """Ask."""
    sys.path[:] = [path for path in sys.path if not path.endswith("imitation")]
    known = (requests, httpx, httpx_h2, aiohttp, urllib, exchangelib)
    next(one for one in known if one.__name__ == sys.argv[1])(json.load(sys.stdin))


if __name__ == "__main__":
    main()
