"""Exchange over HTTP as sizes see it: who asks for what, with which authorization, and what comes back."""

from __future__ import annotations

import base64
import hashlib
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from imitation.program import TOOLS
from imitation.sasl import decoded, ntlm_challenge
from imitation.talk import Gone, Talk

PING_S = 1.2
"""How long a Ping waits for news; minutes in reality."""
SERVICES = {
    "/microsoft-server-activesync": "eas",
    "/ews/": "ews",
    "/autodiscover/": "autodiscover",
    "/mapi/": "mapi",
    "/owa/": "owa",
    "/powershell": "powershell",
    "/api/": "rest",
}
LOGIN_COOKIE = "OpenIdConnect.token.v1"
"""What stands for a login at the web mail's front end."""
BEARER = (
    'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", '
    'trusted_issuers="00000001-0000-0000-c000-000000000000@*", '
    'token_types="app_asserted_user_v1 service_asserted_app_v1", authorization_uri="https://login.windows.net/common/oauth2/authorize"'
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in small letters."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply as it goes."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    wait_s: float = 0.0


class Web:
    """One connection's requests; HTTP/1.1 or HTTP/2 as the client chose."""

    def __init__(self, talk: Talk, host: str, kind: str) -> None:
        """``kind``: ``exo``, or ``on-premises``, which offers passwords and NTLM too."""
        self._talk, self._host, self._kind = talk, host, kind
        self._nonce = hashlib.sha256(str(talk.session.number).encode()).digest()
        self._count = 0

    def run(self) -> None:
        """Answer until the client goes."""
        if self._talk.deed.alpn == "h2":
            Http2(self._talk, self).run()
            return
        while True:
            request = self._request()
            reply = self.answer(request)
            time.sleep(reply.wait_s)
            self._talk.send(_written(reply, request.method == "HEAD"))

    def _request(self) -> Request:
        talk = self._talk
        method, path, _ = talk.line().decode(errors="replace").split(" ", 2)
        headers = {}
        while line := talk.line():
            name, _, value = line.decode(errors="replace").partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("expect", "").lower() == "100-continue":
            talk.say("HTTP/1.1 100 Continue", "")
        body = b""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            while size := int(talk.line().split(b";")[0], 16):
                body += talk.exactly(size)
                talk.line()
            talk.line()
        else:
            body = talk.exactly(int(headers.get("content-length", "0")))
        return Request(method, path, headers, body)

    def answer(self, request: Request) -> Reply:
        """Decide one request, and note what was tried."""
        deed = self._talk.deed
        service = next(
            (name for start, name in SERVICES.items() if request.path.lower().startswith(start)), None
        )
        deed.service = deed.service or service
        allowed, challenge = self._authorize(request)
        if not allowed:
            return self._refusal(challenge)
        return self._content(request, service)

    def _note(self, mechanism: str, accepted: bool | None) -> None:
        deed = self._talk.deed
        outcome = None if accepted is None else "accepted" if accepted else "refused"
        if deed.last and deed.last.mechanism == mechanism and deed.last.outcome in (None, outcome):
            deed.last.outcome = outcome
            return
        deed.tried(mechanism).outcome = outcome

    def _authorize(self, request: Request) -> tuple[bool, str | None]:
        session = self._talk.session
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        match scheme.lower():
            case "basic":
                user, _, secret = decoded(rest.encode()).decode(errors="replace").partition(":")
                allowed = session.accepts("HTTP-Basic", user, secret)
                self._note("HTTP-Basic", allowed)
            case "bearer":
                allowed = session.accepts("HTTP-Bearer", None, rest)
                self._note("HTTP-Bearer", allowed)
            case "ntlm" | "negotiate":
                kind = decoded(rest.encode())[8:9]
                name = "HTTP-NTLM"
                if kind == b"\x01":
                    self._note(name, None)
                    return False, f"{scheme} {base64.b64encode(ntlm_challenge()).decode()}"
                allowed = session.accepts(name, None, None)
                self._note(name, allowed)
                self._talk.deed.known = allowed
            case _ if LOGIN_COOKIE in request.headers.get("cookie", ""):
                allowed = True
                self._talk.deed.cookie = True
            case _:
                allowed = self._talk.deed.known or request.path.endswith("autodiscover.json")
        return allowed, None

    def _stamped(self) -> tuple[tuple[str, str], ...]:
        self._count += 1
        code = hashlib.sha256(self._nonce + bytes([self._count % 256])).hexdigest()
        return (
            ("request-id", f"{code[:8]}-{code[8:12]}-{code[12:16]}-{code[16:20]}-{code[20:32]}"),
            ("X-CalculatedFETarget", f"{self._host[:8]}CU{code[:4]}.internal.outlook.com"),
            ("X-CalculatedBETarget", f"{self._host[:8]}MB{code[4:8]}.EURP281.PROD.OUTLOOK.COM"),
            ("X-BackEndHttpStatus", "200"),
            ("X-RUM-Validated", "1"),
            ("X-RUM-NotUpdateQueriedPath", "1"),
            ("X-DiagInfo", f"{self._host[:8]}MB{code[4:8]}"),
            ("X-BEServer", f"{self._host[:8]}MB{code[4:8]}"),
            ("X-Proxy-RoutingCorrectness", "1"),
            ("MS-CV", f"{code[:22]}.1.1"),
            ("X-FEServer", self._host[:14]),
            ("X-Powered-By", "ASP.NET"),
            ("Date", "Wed, 25 Nov 2026 09:14:12 GMT"),
        )

    def _refusal(self, challenge: str | None) -> Reply:
        offers = [("WWW-Authenticate", BEARER)]
        if self._kind != "exo":
            offers = [
                ("WWW-Authenticate", one) for one in ("Negotiate", "NTLM", f'Basic realm="{self._host}"')
            ]
        elif self._talk.session.variant % 2:
            offers.append(("WWW-Authenticate", 'Basic realm=""'))
        if challenge:
            offers = [("WWW-Authenticate", challenge)]
        elif self._talk.session.refusal:
            time.sleep(self._talk.session.delay_s / 5)
        return Reply(401, (*offers, *self._stamped()))

    def _content(self, request: Request, service: str | None) -> Reply:
        draw = hashlib.sha256(self._nonce + request.path.encode() + request.body[:64]).digest()
        stamped = self._stamped()
        if service == "eas":
            return self._sync(request, stamped, draw)
        if service == "ews":
            body = b'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            body += (draw.hex() * (8 + draw[0] % 90)).encode() + b"</s:Body></s:Envelope>"
            return Reply(
                200,
                (("Content-Type", "text/xml; charset=utf-8"), *stamped, ("X-EwsHandler", "GetFolder")),
                body,
            )
        kinds = {
            "owa": "text/html; charset=utf-8",
            "mapi": "application/mapi-http",
            "autodiscover": "text/xml; charset=utf-8",
        }
        size = {"owa": 9000, "mapi": 300, "autodiscover": 3900}.get(service or "", 1200) + draw[1] * 4
        cookies = (
            (("Set-Cookie", f"{LOGIN_COOKIE}={draw.hex()}; path=/; secure; HttpOnly"),)
            if service in ("owa", "mapi")
            else ()
        )
        return Reply(
            200,
            (("Content-Type", kinds.get(service or "", "application/json")), *cookies, *stamped),
            b"x" * size,
        )

    def _sync(self, request: Request, stamped: tuple[tuple[str, str], ...], draw: bytes) -> Reply:
        headers = (*stamped, ("MS-Server-ActiveSync", "15.20"))
        if request.method == "OPTIONS":
            versions = "2.0,2.1,2.5,12.0,12.1,14.0,14.1,16.0,16.1"
            commands = (
                "Sync,SendMail,SmartForward,SmartReply,GetAttachment,GetHierarchy,CreateCollection,DeleteCollection,MoveCollection,"
                "FolderSync,FolderCreate,FolderDelete,FolderUpdate,MoveItems,GetItemEstimate,MeetingResponse,Search,Settings,Ping,"
                "ItemOperations,Provision,ResolveRecipients,ValidateCert,Find"
            )
            return Reply(
                200,
                (
                    ("Allow", "OPTIONS,POST"),
                    ("MS-ASProtocolVersions", versions),
                    ("MS-ASProtocolCommands", commands),
                    *headers,
                ),
            )
        command = request.path.partition("Cmd=")[2].partition("&")[0]
        size = {"Ping": 10, "FolderSync": 620, "Provision": 210, "Settings": 150, "SendMail": 0}.get(
            command, 0 if draw[2] % 3 else 900
        )
        wait = PING_S if command == "Ping" else 0.0
        kind = (("Content-Type", "application/vnd.ms-sync.wbxml"),) if size else ()
        return Reply(
            200, (*kind, *headers), b"\x03\x01j\x00" + bytes(max(size - 4, 0)) if size else b"", wait
        )


def _written(reply: Reply, head_only: bool) -> bytes:
    reason = {200: "OK", 401: "Unauthorized"}.get(reply.status, "")
    lines = [
        f"HTTP/1.1 {reply.status} {reason}",
        f"Content-Length: {len(reply.body)}",
        "Server: Microsoft-IIS/10.0",
    ]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if head_only else reply.body)


class Http2:
    """The same over HTTP/2, by the ``h2`` package where it is there."""

    def __init__(self, talk: Talk, web: Web) -> None:
        """Requests are answered by ``web``."""
        self._talk, self._web = talk, web

    def run(self) -> None:
        """Answer until the client goes."""
        from h2.config import H2Configuration
        from h2.connection import H2Connection
        from h2.events import ConnectionTerminated, DataReceived, RequestReceived, StreamEnded

        link = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        link.initiate_connection()
        self._talk.send(link.data_to_send())
        heads: dict[int, dict[str, str]] = {}
        bodies: dict[int, bytes] = {}
        while True:
            for event in link.receive_data(self._talk.receive()):
                match event:
                    case RequestReceived():
                        heads[event.stream_id] = {name.lower(): value for name, value in event.headers}
                        bodies[event.stream_id] = b""
                    case DataReceived():
                        bodies[event.stream_id] += event.data
                        link.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    case StreamEnded():
                        head = heads.pop(event.stream_id)
                        request = Request(head[":method"], head[":path"], head, bodies.pop(event.stream_id))
                        self._answer(link, event.stream_id, request)
                    case ConnectionTerminated():
                        raise Gone
            self._talk.send(link.data_to_send())

    def _answer(self, link: object, stream: int, request: Request) -> None:
        reply = self._web.answer(request)
        if reply.wait_s:
            self._talk.send(link.data_to_send())  # type: ignore[attr-defined]
            time.sleep(reply.wait_s)
        head = [(":status", str(reply.status)), ("content-length", str(len(reply.body)))]
        head += [(name.lower(), value) for name, value in reply.headers]
        link.send_headers(stream, head, end_stream=not reply.body)  # type: ignore[attr-defined]
        if reply.body:
            link.send_data(stream, reply.body[:16000], end_stream=True)  # type: ignore[attr-defined]


def offers_http2() -> bool:
    """Tell whether HTTP/2 can be spoken; looks among the lab's tools too."""
    folder = TOOLS / "py" / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
    if folder.exists() and str(folder) not in sys.path:
        sys.path.append(str(folder))
    try:
        import h2  # noqa: F401
    except ImportError:
        return False
    return True
