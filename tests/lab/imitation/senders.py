"""Client programs of Debian's that mostly send."""

from __future__ import annotations

import sys
from pathlib import Path

from imitation.program import MAIL, Call, Program, url
from imitation.session import Session
from imitation.spelling import GNUTLS, RECIPIENT, SENDER, WHEN, mta_auth

STAGE = Path(__file__).parent.parent / "stage"


def _curl(session: Session, folder: Path) -> Call:
    words = ["curl", "-sS", "--max-time", "12", "--cacert", "/run/lab/certificate.pem", "--ssl-reqd"]
    mechanism = session.mechanism
    ir = bool(mechanism and mechanism.endswith("-IR"))
    mechanism = mechanism and mechanism.removesuffix("-IR")
    if ir:
        words.append("--sasl-ir")
    if mechanism in ("XOAUTH2", "OAUTHBEARER"):
        words += [
            "-u",
            session.user,
            "--oauth2-bearer",
            session.secret,
            "--login-options",
            f"AUTH={mechanism}",
        ]
    elif mechanism:
        words += ["-u", f"{session.user}:{session.secret}"]
        if mechanism == "auto":
            pass
        elif mechanism == "USERPASS" or mechanism == "IMAP-LOGIN":
            words += ["--login-options", "AUTH=+LOGIN"]
        else:
            words += ["--login-options", f"AUTH={mechanism}"]
    if session.protocol == "smtp":
        words += [
            "--mail-from",
            SENDER,
            "--mail-rcpt",
            RECIPIENT,
            "-T",
            "-",
            url(session) + session.client_name.strip("[]"),
        ]
    else:
        words.append(url(session))
    if session.six:
        words += ["--resolve", f"{session.host}:{session.port}:[{session.six}]"]
    return Call(tuple(words), MAIL if session.protocol == "smtp" else "")


def _msmtp(session: Session, folder: Path) -> Call:
    words = [
        "msmtp",
        f"--host={session.host}",
        f"--port={session.port}",
        "--tls=on",
        "--tls-certcheck=off",
        f"--tls-starttls={'on' if session.tls_mode == 'starttls' else 'off'}",
        f"--from={SENDER}",
        f"--auth={mta_auth(session.mechanism)}",
        f"--user={session.user}",
        "--timeout=12",
        "--passwordeval=cat secret",
        f"--domain={session.client_name}",
        RECIPIENT,
    ]
    return Call(tuple(words), MAIL, {"secret": session.secret + "\n"})


def _swaks(session: Session, folder: Path) -> Call:
    tls = "--tls" if session.tls_mode == "starttls" else "--tls-on-connect"
    words = ["swaks", "--server", session.host, "--port", str(session.port), tls, "--timeout", "12"]
    words += ["--from", SENDER, "--to", RECIPIENT, "--helo", session.client_name]
    if session.mechanism:
        words += ["--auth", session.mechanism, "--auth-user", session.user, "--auth-password", session.secret]
    return Call(tuple(words))


def _python(session: Session, folder: Path) -> Call:
    protocol = session.protocol
    how = session.mechanism or "none"
    version = {"10-cbc": ":1.0", "11-cbc": ":1.1"}.get(session.tls, "")
    how = {"IMAP-LOGIN": "LOGIN"}.get(how, how) if protocol == "imap" else how
    words = (
        sys.executable,
        str(STAGE / "client.py"),
        protocol,
        session.host,
        str(session.port),
        session.tls_mode + version,
        how,
        session.user,
        session.secret,
        session.client_name,
    )
    return Call(words)


def _send_email(session: Session, folder: Path) -> Call:
    words = [
        "git",
        "send-email",
        "--smtp-server",
        session.host,
        "--smtp-server-port",
        str(session.port),
        "--smtp-encryption",
        "tls" if session.tls_mode == "starttls" else "ssl",
        "--from",
        SENDER,
        "--to",
        RECIPIENT,
        "--confirm=never",
        "--smtp-domain",
        session.client_name,
        "--suppress-cc=all",
        "--no-validate",
        "--smtp-ssl-cert-path",
        "/run/lab/certificate.pem",
    ]
    if session.mechanism:
        words += ["--smtp-user", session.user, "--smtp-pass", session.secret]
        if session.mechanism != "auto":
            words += ["--smtp-auth", session.mechanism]
    patch = f"From: {SENDER}\nDate: {WHEN}\nSubject: [PATCH] lab\n\n---\n a | 1 +\n"
    who = {f"GIT_{role}_{part}": SENDER for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    return Call((*words, "0001.patch"), files={"0001.patch": patch}, environment=who)


def _gsasl(session: Session, folder: Path) -> Call:
    words = [
        "gsasl",
        "--client",
        f"--{session.protocol}",
        "--connect",
        f"{session.host}:{session.port}",
        "-m",
        session.mechanism or "",
        "-a",
        session.user,
        "-p",
        session.secret,
        "-z",
        session.user,
        "--x509-ca-file=/run/lab/certificate.pem",
        "--no-cb",
        "--starttls",
    ]
    return Call(tuple(words), "")


def _sendemail(session: Session, folder: Path) -> Call:
    trust = "IO::Socket::SSL::set_defaults(SSL_verify_mode => 0); my $program = shift; do $program"
    words = [
        "perl",
        "-MIO::Socket::SSL",
        "-e",
        trust,
        "/usr/bin/sendemail",
        "-f",
        SENDER,
        "-t",
        RECIPIENT,
        "-u",
        "lab",
        "-m",
        "scan",
        "-s",
    ]
    words += [f"{session.host}:{session.port}", "-o", f"fqdn={session.client_name}", "-o", "tls=yes"]
    if session.mechanism:
        words += ["-xu", session.user, "-xp", session.secret]
    return Call(tuple(words))


PROGRAMS: tuple[Program, ...] = (
    Program(
        "curl",
        {
            "smtp": (
                "LOGIN",
                "LOGIN-IR",
                "PLAIN",
                "PLAIN-IR",
                "XOAUTH2",
                "XOAUTH2-IR",
                "OAUTHBEARER",
                "CRAM-MD5",
                "NTLM",
                "NTLM-IR",
                None,
                "auto",
            ),
            "imap": (
                "IMAP-LOGIN",
                "PLAIN",
                "PLAIN-IR",
                "LOGIN",
                "XOAUTH2",
                "XOAUTH2-IR",
                "OAUTHBEARER",
                "CRAM-MD5",
                "NTLM",
                None,
                "auto",
            ),
            "pop3": (
                "auto",
                "PLAIN",
                "PLAIN-IR",
                "LOGIN",
                "XOAUTH2",
                "XOAUTH2-IR",
                "CRAM-MD5",
                "NTLM",
                "auto",
            ),
        },
        _curl,
        ("curl",),
    ),
    Program(
        "msmtp",
        {"smtp": ("LOGIN", "PLAIN", "XOAUTH2", "OAUTHBEARER", "CRAM-MD5", None)},
        _msmtp,
        ("msmtp",),
        refuses_tls=GNUTLS,
    ),
    Program("swaks", {"smtp": ("LOGIN", "PLAIN", "CRAM-MD5", "NTLM", None)}, _swaks, ("swaks",)),
    Program(
        "smtplib",
        {"smtp": ("LOGIN", "LOGIN-later", "PLAIN", "PLAIN-later", "CRAM-MD5", "XOAUTH2", None)},
        _python,
    ),
    Program("imaplib", {"imap": ("IMAP-LOGIN", "PLAIN", "XOAUTH2", "CRAM-MD5", None)}, _python),
    Program("poplib", {"pop3": ("USERPASS", "XOAUTH2", None)}, _python),
    Program("git-send-email", {"smtp": ("LOGIN", "PLAIN", "auto", None)}, _send_email, ("git",)),
    Program(
        "gsasl",
        {
            "smtp": ("LOGIN", "PLAIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"),
            "imap": ("LOGIN", "PLAIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"),
        },
        _gsasl,
        ("gsasl",),
        skips_mode=frozenset({"implicit"}),
        refuses_tls=GNUTLS,
    ),
    Program(
        "sendemail", {"smtp": ("LOGIN", None)}, _sendemail, ("sendemail",), skips_mode=frozenset({"implicit"})
    ),
)
