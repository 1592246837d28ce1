"""Client programs of Debian's that read mail, or do both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from imitation.program import Call, Program
from imitation.session import Session
from imitation.spelling import GNUTLS, RECIPIENT, SENDER, WHEN, mta_auth, on


def _mpop(session: Session, folder: Path) -> Call:
    auth = "user" if session.mechanism == "USERPASS" else mta_auth(session.mechanism)
    rc = (
        f"account lab\nhost {session.host}\nport {session.port}\ntls on\ntls_certcheck off\n"
        f"tls_starttls {on(session)}\nauth {auth}\nuser {session.user}\n"
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


def _mutt(program: str) -> Callable[[Session, Path], Call]:
    def call(session: Session, folder: Path) -> Call:
        head = (
            f'set ssl_force_tls=yes\nset ssl_starttls=yes\nset certificate_file="/run/lab/certificate.pem"\n'
            f'set from="{SENDER}"\nset use_from=yes\nset hostname="{session.client_name}"\nset copy=no\n'
            f'set imap_user="{session.user}"\nset imap_pass="{session.secret}"\n'
            f'set pop_user="{session.user}"\n'
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
        f"set v15-compat\nset tls-verify=ignore\nset from={SENDER}\nset DEAD=/dev/null\n"
        f"set hostname={session.client_name}\n"
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
        f"[destination]\ntype = Mboxrd\npath = {folder}/box\n"
        "[options]\nread_all = false\ndelivered_to = false\n"
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
        f"remoterepository = r\n[Repository l]\ntype = Maildir\nlocalfolders = {folder}/mail\n"
        f"[Repository r]\ntype = IMAP\nremotehost = {session.host}\nremoteport = {session.port}\n"
        f"remoteuser = {session.user}\n"
        f"{secret.replace('%', '%%')}\nauth_mechanisms = {mechanism}\nreadonly = True\n"
        f"ssl = {'yes' if session.tls_mode == 'implicit' else 'no'}\n"
        f"starttls = {'yes' if session.tls_mode == 'starttls' else 'no'}\n"
        "sslcacertfile = /run/lab/certificate.pem\n"
    )
    return Call(("offlineimap", "-o", "-c", "rc", "-u", "quiet"), files={"rc": rc, "mail/x": ""})


def _fdm(session: Session, folder: Path) -> Call:
    conf = (
        'action "drop" drop\n'
        f'account "a" {session.protocol}s server "{session.host}" port {session.port} user "{session.user}" '
        f'pass "{session.secret}" no-verify\nmatch all action "drop"\n'
    )
    return Call(("fdm", "-f", "conf", "-k", "fetch"), files={"conf": conf})


def _imap_send(session: Session, folder: Path) -> Call:
    words = ["git"]
    for key, value in {
        "host": f"imap{'s' * (session.tls_mode == 'implicit')}://{session.host}",
        "port": str(session.port),
        "user": session.user,
        "pass": session.secret,
        "folder": "Drafts",
    }.items():
        words += ["-c", f"imap.{key}={value}"]
    return Call(
        (*words, "imap-send"),
        f"From 1 Mon Sep 17 00:00:00 2001\nFrom: {SENDER}\nDate: {WHEN}\nSubject: x\n\nx\n",
    )


_MUTTS_WAYS = {
    "smtp": ("LOGIN", "PLAIN", "XOAUTH2", "OAUTHBEARER", None),
    "imap": ("IMAP-LOGIN", "PLAIN", "XOAUTH2", "auto"),
    "pop3": ("USERPASS", "XOAUTH2", "auto"),
}
PROGRAMS: tuple[Program, ...] = (
    Program(
        "mpop",
        {"pop3": ("USERPASS", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", "CRAM-MD5")},
        _mpop,
        ("mpop",),
        refuses_tls=GNUTLS,
    ),
    Program(
        "fetchmail",
        {"imap": ("IMAP-LOGIN", "auto", "CRAM-MD5"), "pop3": ("USERPASS", "auto")},
        _fetchmail,
        ("fetchmail",),
    ),
    Program("mbsync", {"imap": ("IMAP-LOGIN", "auto", "PLAIN", "CRAM-MD5")}, _mbsync, ("mbsync",)),
    Program(
        "neomutt",
        _MUTTS_WAYS,
        _mutt("neomutt"),
        ("neomutt", "script"),
        refuses_tls=GNUTLS,
    ),
    Program(
        "mutt",
        _MUTTS_WAYS,
        _mutt("mutt"),
        ("mutt", "script"),
        refuses_tls=GNUTLS,
    ),
    Program(
        "s-nail",
        {
            "smtp": ("LOGIN", "PLAIN", "OAUTHBEARER", "CRAM-MD5", None),
            "imap": ("IMAP-LOGIN", "OAUTHBEARER", "CRAM-MD5"),
            "pop3": ("USERPASS", "OAUTHBEARER"),
        },
        _snail,
        ("s-nail",),
    ),
    Program(
        "getmail6",
        {"imap": ("IMAP-LOGIN", "XOAUTH2"), "pop3": ("USERPASS",)},
        _getmail,
        ("getmail",),
        skips_mode=frozenset({"starttls"}),
    ),
    Program(
        "offlineimap3", {"imap": ("IMAP-LOGIN", "PLAIN", "XOAUTH2", "auto")}, _offlineimap, ("offlineimap",)
    ),
    Program("git-imap-send", {"imap": ("auto",)}, _imap_send, ("git",), refuses_tls=GNUTLS),
    Program(
        "fdm", {"imap": ("auto",), "pop3": ("auto",)}, _fdm, ("fdm",), skips_mode=frozenset({"starttls"})
    ),
)
