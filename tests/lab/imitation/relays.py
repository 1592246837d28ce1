"""Small relays and monitors of Debian's: what servers and devices send their mail with."""

from __future__ import annotations

import shutil
from pathlib import Path

from imitation.program import MAIL, TOOLS, Call, Program
from imitation.session import Session
from imitation.spelling import RECIPIENT, SENDER

PLUGINS = Path("/usr/lib/nagios/plugins")
EXIM = """
primary_hostname = {name}
spool_directory = {folder}/spool
log_file_path = {folder}/spool/%s.log
exim_path = {exim}
keep_environment =
begin routers
all:
  driver = manualroute
  route_list = * {host}::{port} byname
  self = send
  transport = out
begin transports
out:
  driver = smtp
  hosts_require_tls = *
  tls_verify_hosts =
  tls_try_verify_hosts =
  protocol = {protocol}
  {auth}
begin authenticators
"""
EXIM_LOGIN = """
login:
  driver = plaintext
  public_name = LOGIN
  client_send = : {user} : {secret}
"""
EXIM_PLAIN = """
plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^{user}^{secret}
"""


def _ssmtp(session: Session, folder: Path) -> Call:
    conf = (
        f"mailhub={session.host}:{session.port}\nhostname={session.client_name}\nFromLineOverride=YES\n"
        f"{'UseSTARTTLS' if session.tls_mode == 'starttls' else 'UseTLS'}=YES\n"
    )
    if session.tls_mode == "starttls":
        conf += "UseTLS=YES\n"
    if session.mechanism:
        conf += f"AuthUser={session.user}\nAuthPass={session.secret}\nAuthMethod=LOGIN\n"
    return Call(("ssmtp", "-C", "conf", "-f", SENDER, RECIPIENT), MAIL.replace("\r", ""), {"conf": conf})


def _esmtp(session: Session, folder: Path) -> Call:
    conf = f"hostname={session.host}:{session.port}\nstarttls=required\nqualifydomain=example.com\n"
    if session.mechanism:
        conf += f'username="{session.user}"\npassword="{session.secret}"\n'
    return Call(("esmtp", "-f", SENDER, RECIPIENT), MAIL.replace("\r", ""), {".esmtprc": conf})


def _exim(session: Session, folder: Path) -> Call:
    conf = EXIM.format(
        name=session.client_name.strip("[]"),
        folder=folder,
        exim=shutil.which("exim4", path=f"{TOOLS}/tree/usr/sbin:/usr/sbin"),
        host=session.host,
        port=session.port,
        protocol="smtps" if session.tls_mode == "implicit" else "smtp",
        auth="hosts_require_auth = *" if session.mechanism else "",
    )
    forms = {"LOGIN": EXIM_LOGIN, "PLAIN": EXIM_PLAIN, "auto": EXIM_PLAIN + EXIM_LOGIN}
    secret = session.secret.replace("^", "^^").replace(":", "::").replace("$", "\\$")
    conf += forms.get(session.mechanism or "", "").format(user=session.user, secret=secret)
    script = 'chown -R Debian-exim spool && chmod a+rX . conf && exec exim4 -C "$0/conf" -odf -f "$1" "$2"'
    words = ("sh", "-c", script, str(folder), SENDER, RECIPIENT)
    return Call(words, MAIL.replace("\r", ""), {"conf": conf, "spool/x": ""})


def _monitor(session: Session, folder: Path) -> Call:
    plugin = {"smtp": "check_smtp", "imap": "check_imap", "pop3": "check_pop"}[session.protocol]
    words = [str(PLUGINS / plugin), "-H", session.host, "-p", str(session.port), "-t", "10"]
    if session.protocol == "smtp":
        words += ["-S", "-F", session.client_name]
        if session.mechanism:
            words += ["-A", "LOGIN", "-U", session.user, "-P", session.secret]
    else:
        words += ["-S"]
    return Call(tuple(words))


STARTTLS, IMPLICIT = frozenset({"implicit"}), frozenset({"starttls"})
PROGRAMS: tuple[Program, ...] = (
    Program("ssmtp", {"smtp": ("LOGIN", None)}, _ssmtp, ("ssmtp",)),
    Program("esmtp", {"smtp": ("auto", None)}, _esmtp, ("esmtp",), skips_mode=STARTTLS),
    Program("exim4", {"smtp": ("LOGIN", "PLAIN", "auto", None)}, _exim, ("exim4",)),
    Program("check-smtp", {"smtp": ("LOGIN", None)}, _monitor, (), (str(PLUGINS),), 0.7, STARTTLS),
    Program(
        "check-mailbox", {"imap": (None,), "pop3": (None,)}, _monitor, (), (str(PLUGINS),), 0.3, IMPLICIT
    ),
)
