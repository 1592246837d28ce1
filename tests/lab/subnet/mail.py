"""The mail servers: Dovecot, Postfix, Exim and OpenSMTPD, as their makers ship them."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from stage.servers import Running, dovecot_is_newer

from subnet.cast import ADDRESS, PASSWORD, USER
from subnet.network import overlay

DOVECOT = """
listen = {dovecot}, {strict}, {excluded}, ::
auth_verbose = yes
local {strict} {{
  {passwords_inside_tls_alone}
}}
service imap-login {{
  inet_listener swapped_imaps {{
    {at} = {swapped}
    port = 143
    ssl = yes
  }}
  inet_listener swapped_imap {{
    {at} = {swapped}
    port = 993
    ssl = no
  }}
}}
"""
_SMTPD = "inet n - n - - smtpd"
READY = "Thu, 26 Nov 2026 02:00:00 +0000"
POSTFIX = f"""
{{postfix}}:25 {_SMTPD} -o smtpd_tls_auth_only=yes
{{postfix}}:587 {_SMTPD} -o smtpd_tls_auth_only=yes
{{postfix}}:465 {_SMTPD} -o smtpd_tls_wrappermode=yes
{{old}}:25 {_SMTPD} -o smtpd_tls_security_level=none -o broken_sasl_auth_clients=yes
  -o smtpd_sasl_mechanism_filter=plain,login
{{last}}:587 {_SMTPD} -o smtpd_tls_security_level=none
  -o smtpd_discard_ehlo_keywords=enhancedstatuscodes,8bitmime,dsn,smtputf8,chunking
  -o smtpd_sasl_mechanism_filter=plain,login
{{relay}}:25 {_SMTPD} -o mynetworks=10.77.0.0/24
  -o smtpd_relay_restrictions=permit_mynetworks,reject -o smtpd_sasl_auth_enable=no
{{exchange}}:25 {_SMTPD} -o smtpd_sasl_auth_enable=no
  -o {{{{ smtpd_banner = EX01.corp.lab.test Microsoft ESMTP MAIL Service ready at {READY} }}}}
{{tls10}}:25 {_SMTPD} -o smtpd_tls_protocols=TLSv1 -o smtpd_tls_auth_only=yes
{{tls10}}:465 {_SMTPD} -o smtpd_tls_protocols=TLSv1 -o smtpd_tls_mandatory_protocols=TLSv1
  -o smtpd_tls_wrappermode=yes
"""
EXIM_SETTINGS = """
primary_hostname = exim.lab.test
local_interfaces = {address}
daemon_smtp_ports = 25 : 587 : 465
tls_on_connect_ports = 465
spool_directory = {folder}
log_file_path = {folder}/%s.log
log_selector = +smtp_connection +smtp_protocol_error +smtp_syntax_error
pid_file_path = {folder}/pid
exim_path = {path}
keep_environment =
tls_advertise_hosts = *
tls_certificate = {folder}/certificate.pem
tls_privatekey = {folder}/key.pem
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
host_lookup =
rfc1413_hosts =
acl_smtp_rcpt = deny

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = no
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = no
"""
SMTPD_SETTINGS = """
listen on {address} port 25 hostname opensmtpd.lab.test
action nowhere relay
match from local for local action nowhere
"""
"""In clear: with OpenSSL 3, that of Debian 12 finds no private keys."""
USERS = {"Debian-exim": "/nowhere", "opensmtpd": "/var/lib/opensmtpd/empty", "opensmtpq": "/nowhere"}
FIRST_ID = 300
"""Nobody's in the namespace, as Debian gives system users those below 1000 as they come."""


EXIM, SMTPD = (Path(sys.prefix, "unpacked/usr/sbin", name) for name in ("exim4", "smtpd"))
"""Those that Debian does not install beside Postfix."""


def start_dovecot(servers: Running) -> None:
    """Start it on all addresses where it plays."""
    newer = dovecot_is_newer()
    clear = "auth_allow_cleartext = no" if newer else "disable_plaintext_auth = yes"
    more = DOVECOT.format(
        **{name: ADDRESS[name] for name in ("dovecot", "swapped", "excluded")},
        strict=ADDRESS["dovecot-strict"],
        passwords_inside_tls_alone=clear,
        at="listen" if newer else "address",
    )
    servers.start_dovecot({USER: PASSWORD}, secrets.token_bytes(32), more)


def start_postfix(servers: Running) -> None:
    """Start it on all addresses where it plays."""
    where = {
        "postfix": "postfix", "old": "postfix-old", "last": "postfix-last", "relay": "relay",
        "exchange": "exchange", "tls10": "tls-1.0",
    }  # fmt: skip
    servers.start_postfix(POSTFIX.format(**{key: ADDRESS[name] for key, name in where.items()}))


def add_users(folder: Path) -> None:
    """Make those that packages would have made which are only unpacked."""
    for file, form in (("passwd", "{name}:x:{id}:{id}::{home}:/bin/false"), ("group", "{name}:x:{id}:")):
        lines = Path("/etc", file).read_text().splitlines()
        lines = [line for line in lines if line.partition(":")[0] not in USERS]
        for number, (name, home) in enumerate(USERS.items(), FIRST_ID):
            lines.append(form.format(name=name, id=number, home=home))
        overlay(folder, file, "\n".join([*lines, ""]))


def start_exim(servers: Running) -> subprocess.Popen[bytes]:
    """Start it as it was unpacked."""
    folder = servers.folder / "exim"
    folder.mkdir(mode=0o755)
    for name in ("certificate.pem", "key.pem"):
        shutil.copy(servers.folder / name, folder)
    for place in (folder, *folder.iterdir()):
        shutil.chown(place, "Debian-exim", "Debian-exim")
    settings = servers.folder / "exim.conf"
    settings.write_text(EXIM_SETTINGS.format(folder=folder, address=ADDRESS["exim"], path=EXIM))
    return servers.add(str(EXIM), "-bdf", "-C", str(settings))


def start_opensmtpd(servers: Running) -> None:
    """Start it as it was unpacked; the folders whose names it was built with are ours."""
    for place in ("/var/spool", "/var/lib"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", place], check=True)
    Path("/var/lib/opensmtpd/empty").mkdir(parents=True)
    Path("/var/spool/smtpd").mkdir(mode=0o711)
    settings = servers.folder / "smtpd.conf"
    settings.write_text(SMTPD_SETTINGS.format(folder=servers.folder, address=ADDRESS["opensmtpd"]))
    with (servers.folder / "opensmtpd.log").open("wb") as log:
        servers.add(str(SMTPD), "-dv", "-f", str(settings), stderr=log)
