"""Client programs of Debian's."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote

from imitation.program import MAIL, Call, Program, url
from imitation.session import Session

STAGE = Path(__file__).parent.parent / "stage"
WHEN = "Wed, 25 Nov 2026 09:00:00 +0000"
SENDER, RECIPIENT = "a@example.com", "b@example.net"


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


def _mta_auth(mechanism: str | None) -> str:
    return (mechanism or "off").lower()


def _msmtp(session: Session, folder: Path) -> Call:
    words = [
        "msmtp", f"--host={session.host}", f"--port={session.port}", "--tls=on", "--tls-certcheck=off",
        f"--tls-starttls={'on' if session.tls_mode == 'starttls' else 'off'}", f"--from={SENDER}",
        f"--auth={_mta_auth(session.mechanism)}", f"--user={session.user}", "--timeout=12",
        "--passwordeval=cat secret", f"--domain={session.client_name}", RECIPIENT,
    ]  # fmt: skip
    return Call(tuple(words), MAIL, {"secret": session.secret + "\n"})


def _mpop(session: Session, folder: Path) -> Call:
    auth = "user" if session.mechanism == "USERPASS" else _mta_auth(session.mechanism)
    rc = (
        f"account lab\nhost {session.host}\nport {session.port}\ntls on\ntls_certcheck off\n"
        f"tls_starttls {'on' if session.tls_mode == 'starttls' else 'off'}\nauth {auth}\nuser {session.user}\n"
        "passwordeval cat secret\ndelivery mbox box\nuidls_file uidls\naccount default : lab\n"
    )
    return Call(("mpop", "-C", "rc"), files={"secret": session.secret + "\n", "rc": rc, "box": ""})


def _fetchmail(session: Session, folder: Path) -> Call:
    auth = {"USERPASS": "password", "IMAP-LOGIN": "password", "auto": "any", None: "any"}.get(
        session.mechanism, (session.mechanism or "").lower()
    )
    ssl = "ssl" if session.tls_mode == "implicit" else "sslproto TLS1+"
    rc = (
        f"set no bouncemail\npoll {session.host} protocol {session.protocol.upper()} port {session.port} "
        f'auth {auth} user "{session.user}" password "{session.secret}" {ssl} no sslcertck '
        'mda "cat >/dev/null"\n'
    )
    return Call(("fetchmail", "-f", "rc", "-v", "--timeout", "12", "--idfile", "ids"), files={"rc": rc})


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
        sys.executable, str(STAGE / "client.py"), protocol, session.host, str(session.port),
        session.tls_mode + version, how, session.user, session.secret, session.client_name,
    )  # fmt: skip
    return Call(words)


def _mbsync(session: Session, folder: Path) -> Call:
    mechanism = {"IMAP-LOGIN": "LOGIN"}.get(session.mechanism or "*", session.mechanism or "*")
    mechanism = "*" if mechanism == "auto" else mechanism
    rc = (
        f"IMAPAccount lab\nHost {session.host}\nPort {session.port}\nUser {session.user}\n"
        f'PassCmd "cat secret"\nSSLType {"IMAPS" if session.tls_mode == "implicit" else "STARTTLS"}\n'
        f"AuthMechs {mechanism}\nCertificateFile /run/lab/certificate.pem\n\nIMAPStore far\nAccount lab\n\n"
        "MaildirStore near\nPath ./mail/\nInbox ./mail/INBOX\n\nChannel c\nFar :far:\nNear :near:\n"
        "Create Near\nSyncState *\n"
    )
    return Call(("mbsync", "-V", "-c", "rc", "c"), files={"rc": rc, "secret": session.secret, "mail/x": ""})


def _mutt(program: str) -> object:
    def call(session: Session, folder: Path) -> Call:
        head = (
            f'set ssl_force_tls=yes\nset ssl_starttls=yes\nset certificate_file="/run/lab/certificate.pem"\n'
            f'set from="{SENDER}"\nset use_from=yes\nset hostname="{session.client_name}"\nset copy=no\n'
            f'set imap_user="{session.user}"\nset imap_pass="{session.secret}"\nset pop_user="{session.user}"\n'
            f'set pop_pass="{session.secret}"\nset smtp_pass="{session.secret}"\nset folder="."\n'
            'set record=""\nset sleep_time=0\nset imap_keepalive=60\nset quit=yes\nset move=no\n'
            'set ssl_use_tlsv1=yes\nset ssl_use_tlsv1_1=yes\nset header_cache=""\nset send_charset="utf-8"\n'
        )
        oauth = f'set {session.protocol.replace("pop3", "pop")}_oauth_refresh_command="cat secret"\n'
        if session.mechanism in ("XOAUTH2", "OAUTHBEARER"):
            head += oauth
        mechanism = {"IMAP-LOGIN": "login", "USERPASS": "user"}.get(
            session.mechanism or "", session.mechanism
        )
        kind = session.protocol.replace("pop3", "pop")
        if mechanism and mechanism != "auto":
            head += f'set {kind}_authenticators="{mechanism.lower()}"\n'
        user = session.user.replace("@", "%40")
        s = "s" * (session.tls_mode == "implicit")
        where = f"{kind}{s}://{user}@{session.host}:{session.port}/"
        if session.protocol == "smtp":
            head += f'set smtp_url="{where if session.mechanism else where.replace(user + "@", "")}"\n'
            words = (program, "-n", "-F", "rc", "-s", "lab", RECIPIENT)
            return Call(words, "scan\n", {"rc": head, "secret": session.secret})
        place = where + ("INBOX" if kind == "imap" else "")
        run = f"{program} -n -F rc -f '{place}' -e 'push <quit>y'"
        words = ("script", "-qec", f"stty cols 80 rows 24; TERM=vt100 {run}", "/dev/null")
        return Call(words, "q", {"rc": head, "secret": session.secret})

    return call


def _snail(session: Session, folder: Path) -> Call:
    rc = (
        f"set v15-compat\nset tls-verify=ignore\nset from={SENDER}\nset DEAD=/dev/null\nset hostname={session.client_name}\n"
        f"set tls-ca-file=/run/lab/certificate.pem\nset folder=.\nset inbox=./in\nset MAIL=./in\n"
    )
    user = session.user.replace("@", "%40")
    code = quote(session.secret, safe="")
    s = "s" * (session.tls_mode == "implicit")
    kind = session.protocol
    login = f"{user}:{code}@" if session.mechanism else ""
    mechanism = {"IMAP-LOGIN": "login", "USERPASS": "plain", None: "none"}.get(
        session.mechanism, (session.mechanism or "").lower()
    )
    rc += (
        f"set {kind}-auth={mechanism}\nset {kind}-use-starttls\n"
        if kind != "pop3"
        else "set pop3-use-starttls\n"
    )
    if kind == "pop3" and session.mechanism == "OAUTHBEARER":
        rc += "set pop3-auth=oauthbearer\n"
    where = f"{kind}{s}://{login}{session.host}:{session.port}"
    if kind == "smtp":
        rc += f"set mta={where}\n"
        return Call(
            ("s-nail", "-:u", "-s", "lab", RECIPIENT), "scan\n", {".mailrc": rc}, {"MAILRC": ".mailrc"}
        )
    return Call(
        ("s-nail", "-:u", "-R", "-H", "-f", where), "", {".mailrc": rc, "in": ""}, {"MAILRC": ".mailrc"}
    )


def _getmail(session: Session, folder: Path) -> Call:
    kind = {"imap": "SimpleIMAPSSLRetriever", "pop3": "SimplePOP3SSLRetriever"}[session.protocol]
    rc = (
        f"[retriever]\ntype = {kind}\nserver = {session.host}\nport = {session.port}\n"
        f"username = {session.user}\npassword_command = ('cat', 'secret')\n"
        f"use_xoauth2 = {session.mechanism == 'XOAUTH2'}\n"
        f"[destination]\ntype = Mboxrd\npath = {folder}/box\n[options]\nread_all = false\ndelivered_to = false\n"
    )
    return Call(
        ("getmail", "--getmaildir", str(folder), "-r", str(folder / "rc")),
        files={"rc": rc, "secret": session.secret, "box": ""},
    )


def _offlineimap(session: Session, folder: Path) -> Call:
    mechanism = {"IMAP-LOGIN": "LOGIN", "auto": "PLAIN, LOGIN"}.get(
        session.mechanism or "", session.mechanism
    )
    secret = (
        f"oauth2_access_token = {session.secret}"
        if session.mechanism == "XOAUTH2"
        else f"remotepass = {session.secret}"
    )
    rc = (
        f"[general]\naccounts = a\nmetadata = {folder}/meta\n[Account a]\nlocalrepository = l\n"
        f"remoterepository = r\n[Repository l]\ntype = Maildir\nlocalfolders = {folder}/mail\n[Repository r]\n"
        f"type = IMAP\nremotehost = {session.host}\nremoteport = {session.port}\nremoteuser = {session.user}\n"
        f"{secret.replace('%', '%%')}\nauth_mechanisms = {mechanism}\nreadonly = True\n"
        f"ssl = {'yes' if session.tls_mode == 'implicit' else 'no'}\n"
        f"starttls = {'yes' if session.tls_mode == 'starttls' else 'no'}\nsslcacertfile = /run/lab/certificate.pem\n"
    )
    return Call(("offlineimap", "-o", "-c", "rc", "-u", "quiet"), files={"rc": rc, "mail/x": ""})


def _send_email(session: Session, folder: Path) -> Call:
    words = [
        "git", "send-email", "--smtp-server", session.host, "--smtp-server-port", str(session.port),
        "--smtp-encryption", "tls" if session.tls_mode == "starttls" else "ssl", "--from", SENDER, "--to",
        RECIPIENT, "--confirm=never", "--smtp-domain", session.client_name, "--suppress-cc=all", "--no-validate",
        "--smtp-ssl-cert-path", "/run/lab/certificate.pem",
    ]  # fmt: skip
    if session.mechanism:
        words += ["--smtp-user", session.user, "--smtp-pass", session.secret]
        if session.mechanism != "auto":
            words += ["--smtp-auth", session.mechanism]
    patch = f"From: {SENDER}\nDate: {WHEN}\nSubject: [PATCH] lab\n\n---\n a | 1 +\n"
    who = {f"GIT_{role}_{part}": SENDER for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    return Call((*words, "0001.patch"), files={"0001.patch": patch}, environment=who)


def _imap_send(session: Session, folder: Path) -> Call:
    words = ["git"]
    for key, value in {
        "host": f"imap{'s' * (session.tls_mode == 'implicit')}://{session.host}",
        "port": str(session.port), "user": session.user, "pass": session.secret, "folder": "Drafts",
    }.items():  # fmt: skip
        words += ["-c", f"imap.{key}={value}"]
    return Call(
        (*words, "imap-send"),
        f"From 1 Mon Sep 17 00:00:00 2001\nFrom: {SENDER}\nDate: {WHEN}\nSubject: x\n\nx\n",
    )


def _gsasl(session: Session, folder: Path) -> Call:
    words = [
        "gsasl", "--client", f"--{session.protocol}", "--connect", f"{session.host}:{session.port}",
        "-m", session.mechanism or "", "-a", session.user, "-p", session.secret, "-z", session.user,
        "--x509-ca-file=/run/lab/certificate.pem", "--no-cb", "--starttls",
    ]  # fmt: skip
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


GNUTLS = frozenset({"12-cbc-sha256"})
PROGRAMS: tuple[Program, ...] = (
    Program("curl", {
        "smtp": ("LOGIN", "LOGIN-IR", "PLAIN", "PLAIN-IR", "XOAUTH2", "XOAUTH2-IR", "OAUTHBEARER", "CRAM-MD5", "NTLM", "NTLM-IR", None, "auto"),
        "imap": ("IMAP-LOGIN", "PLAIN", "PLAIN-IR", "LOGIN", "XOAUTH2", "XOAUTH2-IR", "OAUTHBEARER", "CRAM-MD5", "NTLM", None, "auto"),
        "pop3": ("auto", "PLAIN", "PLAIN-IR", "LOGIN", "XOAUTH2", "XOAUTH2-IR", "CRAM-MD5", "NTLM", "auto"),
    }, _curl, ("curl",)),
    Program("msmtp", {"smtp": ("LOGIN", "PLAIN", "XOAUTH2", "OAUTHBEARER", "CRAM-MD5", None)}, _msmtp, ("msmtp",), refuses_tls=GNUTLS),
    Program("mpop", {"pop3": ("USERPASS", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", "CRAM-MD5")}, _mpop, ("mpop",), refuses_tls=GNUTLS),
    Program("fetchmail", {"imap": ("IMAP-LOGIN", "auto", "CRAM-MD5"), "pop3": ("USERPASS", "auto")}, _fetchmail, ("fetchmail",)),
    Program("swaks", {"smtp": ("LOGIN", "PLAIN", "CRAM-MD5", "NTLM", None)}, _swaks, ("swaks",)),
    Program("smtplib", {"smtp": ("LOGIN", "LOGIN-later", "PLAIN", "PLAIN-later", "CRAM-MD5", "XOAUTH2", None)}, _python),
    Program("imaplib", {"imap": ("IMAP-LOGIN", "PLAIN", "XOAUTH2", "CRAM-MD5", None)}, _python),
    Program("poplib", {"pop3": ("USERPASS", "XOAUTH2", None)}, _python),
    Program("mbsync", {"imap": ("IMAP-LOGIN", "auto", "PLAIN", "CRAM-MD5")}, _mbsync, ("mbsync",)),
    Program("neomutt", {"smtp": ("LOGIN", "PLAIN", "XOAUTH2", "OAUTHBEARER", None), "imap": ("IMAP-LOGIN", "PLAIN", "XOAUTH2", "auto"), "pop3": ("USERPASS", "XOAUTH2", "auto")}, _mutt("neomutt"), ("neomutt", "script"), refuses_tls=GNUTLS),  # type: ignore[arg-type]
    Program("mutt", {"smtp": ("LOGIN", "PLAIN", "XOAUTH2", "OAUTHBEARER", None), "imap": ("IMAP-LOGIN", "PLAIN", "XOAUTH2", "auto"), "pop3": ("USERPASS", "XOAUTH2", "auto")}, _mutt("mutt"), ("mutt", "script"), refuses_tls=GNUTLS),  # type: ignore[arg-type]
    Program("s-nail", {"smtp": ("LOGIN", "PLAIN", "OAUTHBEARER", "CRAM-MD5", None), "imap": ("IMAP-LOGIN", "OAUTHBEARER", "CRAM-MD5"), "pop3": ("USERPASS", "OAUTHBEARER")}, _snail, ("s-nail",)),
    Program("getmail6", {"imap": ("IMAP-LOGIN", "XOAUTH2"), "pop3": ("USERPASS",)}, _getmail, ("getmail",), skips_mode=frozenset({"starttls"})),
    Program("offlineimap3", {"imap": ("IMAP-LOGIN", "PLAIN", "XOAUTH2", "auto")}, _offlineimap, ("offlineimap",)),
    Program("git-send-email", {"smtp": ("LOGIN", "PLAIN", "auto", None)}, _send_email, ("git",)),
    Program("git-imap-send", {"imap": ("auto",)}, _imap_send, ("git",), refuses_tls=GNUTLS),
    Program("gsasl", {"smtp": ("LOGIN", "PLAIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"), "imap": ("LOGIN", "PLAIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256")}, _gsasl, ("gsasl",), skips_mode=frozenset({"implicit"}), refuses_tls=GNUTLS),
    Program("sendemail", {"smtp": ("LOGIN", None)}, _sendemail, ("sendemail",), skips_mode=frozenset({"implicit"})),
)  # fmt: skip
