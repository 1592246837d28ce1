"""What the lab plays: one row a connection, with its program and the record that must come of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

PORTS = {"smtp": (587, 465), "imap": (143, 993), "pop3": (110, 995)}
CLASSES = {
    "PLAIN": "basic",
    "LOGIN": "basic",
    "IMAP-LOGIN": "basic",
    "USERPASS": "basic",
    "XOAUTH2": "oauth",
    "OAUTHBEARER": "oauth",
    "EXTERNAL": "certificate",
}
"""All others are ``digest``."""
TOKENS = ("XOAUTH2", "OAUTHBEARER")
GSASL_NAME = "[127.0.0.1]"
"""What gsasl always says in its EHLO; before STARTTLS it says none."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One connection of one program, and what a record must say of it."""

    title: str
    command: tuple[str, ...]
    """With ``{host}``, ``{user}``, ``{secret}`` and ``{python}`` to be filled in."""
    protocol: str
    port: int
    mechanism: str | None = None
    outcome: str | None = None
    right: bool = True
    """The password or token is the right one."""
    client_name: str | None = None
    tls_mode: str = "clear"
    tls_version: str | None = None
    mails: int = 0
    attempts: tuple[tuple[str, str], ...] = ()
    auth_class: str = "none"
    basis: str = "seen"
    spice: str = ""
    """What the password begins with."""
    six: bool = False
    """Over IPv6."""
    names_user: bool = True
    """The user name crosses in the clear."""
    service: str | None = None
    asks_name: bool = True
    """Its ClientHello names the server."""
    server_name: str | None = None
    """With ``{name}`` to be filled in; None: as the server calls itself, or as the ClientHello says."""


def _login(seen: Dialogue, mechanism: str, right: bool) -> Dialogue:
    return replace(
        seen,
        title=f"{seen.title} {'accepted' if right else 'refused'}",
        mechanism=mechanism,
        auth_class=CLASSES.get(mechanism, "digest"),
        outcome="accepted" if right else "refused",
        right=right,
    )


def _covered(seen: Dialogue, mode: str, version: str, command: tuple[str, ...]) -> Dialogue:
    """Say what is left to see of a dialogue inside TLS."""
    port = PORTS[seen.protocol][mode == "implicit"]
    return replace(
        seen,
        title=f"{seen.title}, {mode} {version}",
        command=command,
        port=port,
        client_name=seen.client_name if mode == "starttls" else None,
        tls_mode=mode,
        tls_version=version,
        mails=0,
        basis="inferred",
        names_user=False,
    )


def _curl(protocol: str, mode: str, *options: str) -> tuple[str, ...]:
    scheme = protocol + "s" * (mode == "implicit")
    path = "{title}" if protocol == "smtp" else ""
    send = ("--mail-from", "a@example.com", "--mail-rcpt", "b@example.net", "-T", "-")
    url = f"{scheme}://{{host}}:{PORTS[protocol][mode == 'implicit']}/{path}"
    return (
        "curl", "-sSk", "--max-time", "10", *(("--ssl-reqd",) if mode == "starttls" else ()),
        *(send if protocol == "smtp" else ()), *options, url,
    )  # fmt: skip


def _python(protocol: str, tls: str, how: str, name: str = "", port: str = "") -> tuple[str, ...]:
    port = port or str(PORTS[protocol][tls.startswith("implicit")])
    return ("{python}", "{here}/client.py", protocol, "{host}", port, tls, how, "{user}", "{secret}", name)


def _curl_login(mechanism: str) -> tuple[str, ...]:
    if mechanism in TOKENS:
        return ("-u", "{user}", "--oauth2-bearer", "{secret}", "--login-options", f"AUTH={mechanism}")
    form = "+APOP" if mechanism == "APOP" else mechanism
    return ("-u", "{user}:{secret}", "--login-options", f"AUTH={form}")


def _of_curl() -> Iterator[Dialogue]:
    mechanisms = {
        "smtp": ("PLAIN", "LOGIN", "CRAM-MD5", "OAUTHBEARER"),
        "imap": ("PLAIN", "LOGIN", "CRAM-MD5", "OAUTHBEARER"),
        "pop3": ("APOP", "PLAIN", "LOGIN", "CRAM-MD5", "OAUTHBEARER"),
    }
    tls = (("starttls", "1.3"), ("implicit", "1.2"), ("starttls", "1.1"), ("implicit", "1.0"))
    for protocol, names in mechanisms.items():
        for number, mechanism in enumerate(names):
            for right in (True, False):
                sasl_ir = ("--sasl-ir",) if number % 2 else ()
                login = (*_curl_login(mechanism), *sasl_ir)
                title = f"curl {protocol} {mechanism}"
                seen = Dialogue(title, _curl(protocol, "clear", *login), protocol, PORTS[protocol][0])
                if protocol == "smtp":
                    seen = replace(seen, client_name="{title}", mails=int(right))
                seen = _login(seen, mechanism, right)
                yield replace(seen, six=mechanism in ("PLAIN", "OAUTHBEARER"))
                mode, version = tls[(number + right) % len(tls)]
                exact = ("--tls-max", version, "--ciphers", "DEFAULT@SECLEVEL=0", f"--tlsv{version}")
                command = _curl(protocol, mode, *login, *exact)
                yield _covered(seen, mode, _spelling(version), command)


def _of_python() -> Iterator[Dialogue]:
    rows = (
        ("smtp", "PLAIN", "PLAIN"),
        ("smtp", "PLAIN-later", "PLAIN"),
        ("smtp", "LOGIN", "LOGIN"),
        ("smtp", "LOGIN-later", "LOGIN"),
        ("smtp", "CRAM-MD5", "CRAM-MD5"),
        ("smtp", "XOAUTH2", "XOAUTH2"),
        ("imap", "LOGIN", "IMAP-LOGIN"),
        ("imap", "CRAM-MD5", "CRAM-MD5"),
        ("imap", "PLAIN", "PLAIN"),
        ("imap", "XOAUTH2", "XOAUTH2"),
        ("pop3", "USERPASS", "USERPASS"),
        ("pop3", "APOP", "APOP"),
        ("pop3", "XOAUTH2", "XOAUTH2"),
    )
    tls = ("starttls:1.3", "implicit:1.3", "starttls:1.2", "implicit:1.0")
    for number, (protocol, how, mechanism) in enumerate(rows):
        for right in (True, False):
            name = "copier" if protocol == "smtp" else ""
            seen = Dialogue(
                f"Python {protocol} {how}",
                _python(protocol, "clear", how, name),
                protocol,
                PORTS[protocol][0],
                client_name=name or None,
                mails=int(right and protocol == "smtp"),
            )
            seen = _login(seen, mechanism, right)
            yield seen
            covered = tls[(number + right) % len(tls)]
            mode, _, version = covered.partition(":")
            yield _covered(seen, mode, _spelling(version), _python(protocol, covered, how, name))


def _of_gsasl() -> Iterator[Dialogue]:
    for protocol in ("smtp", "imap"):
        for mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256", "DIGEST-MD5", "CRAM-MD5", "PLAIN"):
            for right in (True, False):
                base = (
                    "gsasl", f"--{protocol}", "--connect", f"{{host}}:{PORTS[protocol][0]}", "-m", mechanism,
                    "-a", "{user}", "-p", "{secret}", "--no-cb", "--hostname", "mx.lab.test", "-r", "lab",
                    "--quality-of-protection=qop-auth",
                    *(("-z", "") if mechanism == "PLAIN" else ()),
                )  # fmt: skip
                name = GSASL_NAME if protocol == "smtp" else None
                seen = Dialogue(
                    f"gsasl {protocol} {mechanism}",
                    (*base, "--no-starttls"),
                    protocol,
                    PORTS[protocol][0],
                    client_name=name,
                )
                seen = _login(seen, mechanism, right)
                yield seen
                nameless = replace(seen, client_name=None)
                command = (*base, "--starttls", "--x509-ca-file=")
                yield _covered(nameless, "starttls", "TLSv1.3", command)


def _of_swaks() -> Iterator[Dialogue]:
    base = ("swaks", "--server", "{host}:587", "--ehlo", "RNP00267391", "--from", "a@example.com",
            "--to", "b@example.net", "--timeout", "10")  # fmt: skip
    for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
        for right in (True, False):
            login = ("--auth", mechanism, "--auth-user", "{user}", "--auth-password", "{secret}")
            seen = Dialogue(
                f"swaks smtp {mechanism}",
                (*base, *login),
                "smtp",
                587,
                client_name="RNP00267391",
                mails=int(right),
            )
            seen = _login(seen, mechanism, right)
            yield seen
            nameless = replace(seen, asks_name=False)
            yield _covered(nameless, "starttls", "TLSv1.3", (*base, *login, "--tls"))


def _through_proxies() -> Iterator[Dialogue]:
    """A proxy lives at the same address as the server that is asked of it."""
    ways = (
        ("CONNECT", 8888, ("-p", "-x", "http://{proxy}:8888")),
        ("CONNECT asked twice", 8888, ("-p", "--proxy-anyauth", "-x", "http://{proxy}:8888")),
        ("SOCKS 5 to a name", 9050, ("-x", "socks5h://{proxy}:9050")),
        ("SOCKS 5 to an address", 9050, ("-x", "socks5://{proxy}:9050")),
    )
    mechanisms = {"smtp": ("PLAIN", "LOGIN"), "imap": ("PLAIN", "OAUTHBEARER"), "pop3": ("LOGIN", "APOP")}
    for title, port, way in ways:
        by_name = "address" not in title
        for protocol, names in mechanisms.items():
            for mechanism, right in zip(names, (True, False), strict=True):
                login = (*_curl_login(mechanism), *way)
                seen = Dialogue(
                    f"curl {protocol} {mechanism} by {title}",
                    _curl(protocol, "clear", *login),
                    protocol,
                    PORTS[protocol][0],
                    client_name="{title}" if protocol == "smtp" else None,
                    mails=int(right and protocol == "smtp"),
                    server_name="{name}" if by_name else None,
                )
                seen = _login(seen, mechanism, right)
                yield replace(seen, port=port)
                mode = "starttls" if right else "implicit"
                yield replace(_covered(seen, mode, "TLSv1.3", _curl(protocol, mode, *login)), port=port)


def _others() -> Iterator[Dialogue]:
    send = ("--mail-from", "a@example.com", "--mail-rcpt", "b@example.net", "-T", "-")
    direct = ("curl", "-sS", "--max-time", "10", *send, "smtp://{host}:25/ups")
    nobody = Dialogue("curl sends straight to port 25", direct, "smtp", 25, names_user=False, service="mx")
    yield replace(nobody, client_name="ups", mails=1)
    elsewhere = tuple(part.replace("b@example.net", "b@example.org") for part in direct)
    yield replace(nobody, title="curl is refused to relay", command=elsewhere, client_name="ups")
    relayed = _python("smtp", "clear", "helo", "oldscanner", "25")
    seen = replace(nobody, client_name="oldscanner")
    yield replace(seen, title="Python says HELO only", command=relayed, mails=1)
    twice = _python("smtp", "clear", "twice", "copier", "25")
    yield replace(seen, title="Python sends twice", command=twice, client_name="copier", mails=2)
    idle = _python("imap", "clear", "nothing")
    yield replace(
        nobody, title="Python asks IMAP for nothing", command=idle, protocol="imap", port=143, service=None
    )
    idle = _python("pop3", "clear", "nothing")
    yield replace(
        nobody, title="Python asks POP3 for nothing", command=idle, protocol="pop3", port=110, service=None
    )
    tries = Dialogue(
        "Python tries PLAIN, then LOGIN", _python("imap", "clear", "twice"), "imap", 143,
        attempts=(("PLAIN", "refused"), ("IMAP-LOGIN", "accepted")),
    )  # fmt: skip
    yield _login(tries, "IMAP-LOGIN", True)
    quoted = Dialogue(
        "Python quotes a password", _python("imap", "clear", "LOGIN"), "imap", 143, spice='a "b\\ c'
    )
    yield _login(quoted, "IMAP-LOGIN", True)
    digest = _curl("smtp", "clear", "-u", "{user}:{secret}", "--login-options", "AUTH=DIGEST-MD5")
    cancelled = Dialogue(
        "curl cancels DIGEST-MD5", digest, "smtp", 587, client_name="{title}", names_user=False
    )
    yield _login(cancelled, "DIGEST-MD5", False)
    for right in (True, False):
        older = (
            "curl",
            "-sS",
            "--max-time",
            "10",
            *send,
            *_curl_login("XOAUTH2"),
            "smtp://{host}:25/{title}",
        )
        token = Dialogue(
            "curl smtp XOAUTH2 to port 25", older, "smtp", 25, client_name="{title}", mails=int(right)
        )
        yield _login(token, "XOAUTH2", right)
    external = (
        "gsasl",
        "--smtp",
        "--connect",
        "{host}:587",
        "-m",
        "EXTERNAL",
        "-z",
        "{user}",
        "--no-starttls",
    )
    named = Dialogue("gsasl smtp EXTERNAL", external, "smtp", 587, client_name=GSASL_NAME)
    yield _login(named, "EXTERNAL", False)


def _spelling(version: str) -> str:
    return "TLSv1" if version == "1.0" else f"TLSv{version}"


_ACTS = (_of_curl, _of_python, _of_gsasl, _of_swaks, _through_proxies, _others)
DIALOGUES = tuple(seen for part in _ACTS for seen in part())
