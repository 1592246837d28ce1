"""HTTP clients in the roles of phones and programs that speak to Exchange."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path

from imitation.program import TOOLS, Call, Program
from imitation.roles import Asked, asked
from imitation.session import Session

HERE = Path(__file__).parent
PYTHON = TOOLS / "py" / "bin" / "python"
CERTIFICATE = "/run/lab/certificate.pem"
Make = Callable[[Session, Path], Call]


def _role(session: Session) -> tuple[str, str | None]:
    """Give role and authorization; they are told together, as ``eas HTTP-Basic``."""
    role, _, how = (session.mechanism or "").partition(" ")
    return role, how if how != "none" else None


def authorization(session: Session, how: str | None) -> dict[str, str]:
    """Give the header that says it, if one alone does."""
    if how == "HTTP-Basic":
        return {
            "Authorization": "Basic " + base64.b64encode(f"{session.user}:{session.secret}".encode()).decode()
        }
    if how == "HTTP-Bearer":
        return {"Authorization": f"Bearer {session.secret}"}
    if how == "HTTP-Cookie":
        login = "OpenIdConnect.token.v1=" + base64.b64encode(session.secret.encode() * 3).decode()
        return {"Cookie": f"ClientId=6B1F4C1E9A7D4F0C; OIDC=1; {login}; X-OWA-CANARY=wNr5cQ0Zx0mVb8k3T1yJ"}
    return {}


def _plan(session: Session) -> str:
    role, how = _role(session)
    first_bare = how == "HTTP-Basic" and session.variant % 4 == 0
    rows = []
    for place, one in enumerate(asked(session, role)):
        bare = first_bare and place == 0
        headers = dict(one.headers) | ({} if bare else authorization(session, how))
        rows.append({"method": one.method, "path": one.path, "headers": headers, "body": one.body})
    return json.dumps(
        {
            "origin": f"https://{session.host}",
            "certificate": CERTIFICATE,
            "ntlm": how == "HTTP-NTLM",
            "user": session.user,
            "secret": session.secret,
            "requests": rows,
        }
    )


def _script(*words: str) -> Make:
    def call(session: Session, folder: Path) -> Call:
        return Call(words, _plan(session))

    return call


def _curl(*options: str) -> Make:
    def call(session: Session, folder: Path) -> Call:
        role, how = _role(session)
        words, files = ["curl", "-sS"], {}
        for place, one in enumerate(asked(session, role)):
            files[f"body{place}"] = one.body
            words += ["--next"] * bool(place) + [*options, *_curl_one(session, how, one, place)]
        return Call(tuple(words), files=files)

    return call


def _curl_one(session: Session, how: str | None, one: Asked, place: int) -> list[str]:
    words = ["--max-time", "12", "--cacert", CERTIFICATE, "-o", "/dev/null", "-X", one.method]
    for name, value in one.headers:
        words += ["-H", f"{name}: {value}"]
    if one.body:
        words += ["--data-binary", f"@body{place}"]
    if how == "HTTP-NTLM":
        words += ["--ntlm", "-u", f"{session.user}:{session.secret}"]
    elif how == "HTTP-Basic" and session.variant % 3 == 0:
        words += ["--anyauth", "-u", f"{session.user}:{session.secret}"]
    else:
        for name, value in authorization(session, how).items():
            words += ["-H", f"{name}: {value}"]
    return [*words, f"https://{session.host}{one.path}"]


def _wget(session: Session, folder: Path) -> Call:
    role, how = _role(session)
    (one, *_) = asked(session, role)
    words = [
        "wget",
        "-q",
        "-O",
        "/dev/null",
        "--tries=1",
        "--timeout=12",
        f"--ca-certificate={CERTIFICATE}",
        f"--method={one.method}",
    ]
    words += [
        f"--header={name}: {value}" for name, value in (*one.headers, *authorization(session, how).items())
    ]
    if one.body:
        words.append("--body-file=body")
    return Call((*words, f"https://{session.host}{one.path}"), files={"body": one.body})


def _ways(*roles: str, ntlm: bool = False) -> dict[str, tuple[str | None, ...]]:
    hows = (*("HTTP-Basic", "HTTP-Bearer") * 3, "none", *(("HTTP-NTLM",) if ntlm else ()))
    return {
        "http": tuple(
            f"{role} {how}" for role in roles for how in hows if (role, how) != ("owa", "HTTP-Basic")
        )
    }


SITE = f"py/lib/python3.{sys.version_info[1]}/site-packages"
EVERY = ("eas", "eas", "ews", "autodiscover", "owa")
OLD = {
    "refuses_tls": frozenset({"10-cbc", "11-cbc", "12-cbc-sha", "12-cbc-mte", "12-rsa-cbc", "12-cbc-sha256"})
}
PROGRAMS: tuple[Program, ...] = (
    Program("curl-eas", _ways("eas", ntlm=True), _curl("--http1.1"), ("curl",)),
    Program("curl-ews", _ways("ews", "autodiscover", "mapi", ntlm=True), _curl("--http1.1"), ("curl",)),
    Program(
        "curl-owa",
        {"http": ("owa HTTP-Cookie", "owa none", "mapi HTTP-Cookie")},
        _curl("--http1.1"),
        ("curl",),
    ),
    Program("curl-h2", _ways("eas", "ews"), _curl("--http2"), ("curl",), **OLD),
    Program(
        "wget",
        _ways("eas", "ews", "autodiscover"),
        _wget,
        ("wget",),
        refuses_tls=frozenset({"12-cbc-sha256", "10-cbc", "11-cbc"}),
    ),
    *(
        Program(
            name.replace("_", "-"),
            _ways(*EVERY, ntlm=name == "requests"),
            _script(str(PYTHON), str(HERE / "surf.py"), name),
            modules=("py/bin/python", *((f"{SITE}/{name[:5]}",) if name == "httpx" else ())),
            **OLD,
        )
        for name in ("requests", "httpx", "httpx_h2", "aiohttp", "urllib")
    ),
    Program(
        "exchangelib",
        {"http": ("ews HTTP-Basic", "ews HTTP-NTLM")},
        _script(str(PYTHON), str(HERE / "surf.py"), "exchangelib"),
        modules=("py/bin/python", f"{SITE}/exchangelib"),
        **OLD,
    ),
    *(
        Program(
            name,
            _ways(*EVERY),
            _script("node", str(HERE / "surf.mjs"), name),
            ("node",),
            ("node/node_modules/axios",) if name == "axios" else (),
            **OLD,
        )
        for name in ("node-fetch", "node-https", "axios", "node-http2")
    ),
)
