"""What HTTP clients of Exchange ask for, by role: the requests of one connection."""

from __future__ import annotations

import random
from dataclasses import dataclass

from imitation.session import Session

PHONES = (
    "Apple-iPhone14C3/2102.5",
    "Android-SAMSUNG-SM-S918B/101.140000",
    "Apple-iPad13C1/2008.61",
    "Android-Mail/2026.03.15",
    "TouchDown(MSRPC)/8.4.00086/",
)
XML = '<?xml version="1.0" encoding="utf-8"?>'
WBXML = "application/vnd.ms-sync.wbxml"
SEQUENCES = {
    "eas": (
        ("OPTIONS", "FolderSync", "Sync", "Ping", "Sync"),
        ("FolderSync", "Sync", "Ping", "Sync", "Ping"),
        ("OPTIONS", "Provision", "Provision", "FolderSync"),
        ("Ping", "Sync", "Ping"),
        ("Sync", "SendMail"),
        ("Settings", "FolderSync", "GetItemEstimate"),
        ("OPTIONS",),
        ("Sync", "Sync", "Sync"),
    ),
    "ews": (
        ("GetFolder", "FindItem", "GetItem"),
        ("SyncFolderItems",),
        ("FindItem", "CreateItem"),
        ("GetFolder", "GetFolder", "FindItem", "FindItem", "GetItem"),
    ),
    "autodiscover": (("xml",), ("json", "xml"), ("json",)),
    "owa": (("page", "startup"), ("page",)),
    "mapi": (("Connect", "Execute", "Execute", "Disconnect"),),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to be made."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: str


def asked(session: Session, role: str) -> list[Asked]:
    """Give the requests of a session; without authorization."""
    draw = random.Random(f"role {session.number}")
    sequence = draw.choice(SEQUENCES[role])
    device, phone = "".join(draw.choices("ABCDEF0123456789", k=32)), draw.choice(PHONES)
    return [_one(role, step, session, draw, device, phone) for step in sequence]


def _one(role: str, step: str, session: Session, draw: random.Random, device: str, phone: str) -> Asked:
    match role:
        case "eas":
            user = session.user.replace("@", "%40")
            path = "/Microsoft-Server-ActiveSync"
            common = (("User-Agent", phone),)
            if step == "OPTIONS":
                return Asked("OPTIONS", path, common, "")
            kind = "iPhone" if "iPhone" in phone else "Android"
            path += f"?Cmd={step}&User={user}&DeviceId={device}&DeviceType={kind}"
            size = {"Ping": 21, "FolderSync": 13, "Provision": 180, "SendMail": 700}.get(
                step, draw.randint(30, 250)
            )
            version = (
                ("MS-ASProtocolVersion", draw.choice(("14.1", "16.1"))),
                ("X-MS-PolicyKey", "3142424091"),
            )
            return Asked("POST", path, (*common, *version, ("Content-Type", WBXML)), "j" * size)
        case "ews":
            filling = f"<m:{step}>{'q' * draw.randint(350, 1300)}</m:{step}>"
            body = f"{XML}<s:Envelope><s:Body>{filling}</s:Body></s:Envelope>"
            return Asked(
                "POST",
                "/EWS/Exchange.asmx",
                (
                    (
                        "User-Agent",
                        draw.choice(
                            (
                                "ExchangeServicesClient/15.00.0913.015",
                                "Mac+OS+X/14.5 (23F79) Mail/3774",
                                "EvolutionEWS/3.46.4",
                            )
                        ),
                    ),
                    ("Content-Type", "text/xml; charset=utf-8"),
                ),
                body,
            )
        case "autodiscover":
            if step == "json":
                return Asked(
                    "GET",
                    f"/autodiscover/autodiscover.json?Email={session.user}&Protocol=EWS",
                    (("User-Agent", "Microsoft Office/16.0"),),
                    "",
                )
            schema = "http://schemas.microsoft.com/exchange/autodiscover/outlook/{}schema/2006{}"
            asking = f"<EMailAddress>{session.user}</EMailAddress><AcceptableResponseSchema>"
            asking += schema.format("response", "a") + "</AcceptableResponseSchema>"
            body = f'{XML}<Autodiscover xmlns="{schema.format("request", "")}">'
            body += f"<Request>{asking}</Request></Autodiscover>"
            return Asked(
                "POST",
                "/autodiscover/autodiscover.xml",
                (("User-Agent", "Microsoft Office/16.0"), ("Content-Type", "text/xml")),
                body,
            )
        case "mapi":
            path = "/mapi/emsmdb/?MailboxId=0f3a7b1c-77d2-4f0e-9a51-6d1f2c3b4a59@contoso.example"
            headers = (
                ("User-Agent", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)"),
                ("X-RequestType", step),
                ("X-ClientInfo", "{2F94A2BF-A2E6-4CCCC-BF98-B5F22C542226}"),
                ("X-RequestId", "{C715155F-2BE8-44E0-BD34-2960067874C8}:1"),
                ("Content-Type", "application/mapi-http"),
            )
            return Asked("POST", path, headers, "m" * draw.randint(60, 1600))
        case _:
            path = "/owa/" if step == "page" else "/owa/startupdata.ashx?app=Mail&n=0"
            return Asked(
                "GET",
                path,
                (
                    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
                    ("Accept", "text/html,application/xhtml+xml"),
                ),
                "",
            )
