"""Dovecot, Postfix and two proxies as their makers ship them, with settings and folders of our own."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

MECHANISMS = (
    "plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 apop anonymous external xoauth2 oauthbearer"
)
CONNECT_PORT, SOCKS_PORT = 8888, 9050
PORTS = (25, 110, 143, 465, 587, 993, 995, CONNECT_PORT, SOCKS_PORT)
START_S = 20
"""Longest wait for a server to listen; a slow machine takes two seconds."""

DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap pop3
listen = *, ::
ssl = yes
ssl_min_protocol = TLSv1
ssl_cipher_list = DEFAULT@SECLEVEL=0
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {folder}/auth {{
    mode = 0666
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""
DOVECOT_2_3 = """
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_username_format = %u
mail_location = maildir:{folder}/mail/%u
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = {password_mechanisms}
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%u allow_all_users=yes
}}
"""
DOVECOT_2_4 = """
ssl_server_cert_file = {folder}/certificate.pem
ssl_server_key_file = {folder}/key.pem
auth_allow_cleartext = yes
auth_username_format = %{{user}}
mail_driver = maildir
mail_path = {folder}/mail/%{{user}}
oauth2 {{
  introspection_mode = local
  username_attribute = email
  oauth2_local_validation {{
    dict fs {{
      fs posix {{
        prefix = {folder}/keys/
      }}
    }}
  }}
}}
passdb oauth2 {{
  mechanisms_filter = xoauth2 oauthbearer
}}
passdb passwd-file {{
  mechanisms_filter = {password_mechanisms}
  default_password_scheme = PLAIN
  passwd_file_path = {folder}/users
}}
userdb static {{
  fields {{
    uid = nobody
    gid = nogroup
    home = {folder}/mail/%{{user}}
  }}
  userdb_static_allow_all_users = yes
}}
"""
DOVECOT_2_4_HEAD = "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n"
OAUTH2 = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/keys/
username_attribute = email
"""
POSTFIX = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = mx.lab.test
mydestination =
mynetworks = 127.0.0.1/32
inet_interfaces = all
inet_protocols = all
alias_maps =
relay_domains = example.net
default_transport = discard:
relay_transport = discard:
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {folder}/auth
smtpd_tls_security_level = may
smtpd_tls_cert_file = {folder}/certificate.pem
smtpd_tls_key_file = {folder}/key.pem
smtpd_tls_protocols = >=TLSv1
smtpd_tls_mandatory_protocols = >=TLSv1
smtpd_tls_ciphers = low
tls_low_cipherlist = DEFAULT@SECLEVEL=0
tls_medium_cipherlist = DEFAULT@SECLEVEL=0
smtpd_error_sleep_time = 0
line_length_limit = 12288
smtpd_soft_error_limit = 1001
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
"""
SERVES = """
smtp inet n - n - - smtpd -o smtpd_sasl_mechanism_filter=!oauthbearer,static:rest
submission inet n - n - - smtpd -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
smtps inet n - n - - smtpd -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
  -o smtpd_tls_wrappermode=yes
"""
MASTER = """
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
"""
TINYPROXY = """
User nobody
Group nogroup
Port {port}
LogLevel Critical
BasicAuth proxy {password}
"""
QUEUES = [
    "active",
    "bounce",
    "corrupt",
    "defer",
    "deferred",
    "flush",
    "hold",
    "incoming",
    "maildrop",
    "pid",
    "private",
    "public",
    "saved",
    "trace",
]


class Running:
    """Servers that run until they are stopped, with all that they keep in one folder."""

    def __init__(self, folder: Path) -> None:
        """None runs yet."""
        self.folder = folder
        make_certificate(folder)
        self._running: list[subprocess.Popen[bytes]] = []

    def start_dovecot(self, users: dict[str, str], key: bytes, more: str = "") -> None:
        """Serve IMAP and POP3 with these passwords and this key of tokens, and ``more`` settings."""
        folder = self.folder
        others = " ".join(set(MECHANISMS.split()) - {"xoauth2", "oauthbearer"})
        form = DOVECOT_2_4_HEAD + DOVECOT + DOVECOT_2_4 if dovecot_is_newer() else DOVECOT + DOVECOT_2_3
        settings = form.format(folder=folder, mechanisms=MECHANISMS, password_mechanisms=others)
        (folder / "dovecot.conf").write_text(settings + more)
        (folder / "oauth2.conf").write_text(OAUTH2.format(folder=folder))
        (folder / "users").write_text(
            "".join(f"{user}:{{PLAIN}}{word}::::::\n" for user, word in users.items())
        )
        store = folder / "keys" / "default" / "HS256"
        store.mkdir(parents=True)
        (store / "default").write_bytes(base64.b64encode(key))
        mail = folder / "mail"
        mail.mkdir()
        shutil.chown(mail, "nobody", "nogroup")
        self.add("/usr/sbin/dovecot", "-F", "-c", str(folder / "dovecot.conf"))

    def start_postfix(self, serves: str = SERVES) -> None:
        """Serve SMTP; Dovecot knows the passwords. ``serves``: where, as lines of master.cf."""
        folder, settings = self.folder, self.folder / "postfix"
        settings.mkdir()
        (settings / "main.cf").write_text(POSTFIX.format(folder=folder))
        (settings / "master.cf").write_text(serves + MASTER)
        (folder / "data").mkdir()
        shutil.chown(folder / "data", "postfix")
        (folder / "queue").mkdir()
        for name in QUEUES:
            (folder / "queue" / name).mkdir(mode=0o755)
            if name != "pid":
                shutil.chown(folder / "queue" / name, "postfix")
        self.add("/usr/lib/postfix/sbin/master", "-c", str(settings), "-d")

    def add(self, *command: str, **how: Any) -> subprocess.Popen[bytes]:
        """Start one more server, which ends with the others; ``how``: what Popen is told besides."""
        with (self.folder / "out.log").open("ab") as log:
            where = {"stdout": log, "stderr": log, **how}
            started = subprocess.Popen(command, start_new_session=True, **where)
        self._running.append(started)
        return started

    def wait_for(self, *ends: tuple[str, int]) -> None:
        """Wait until all ports answer. Raises TimeoutError with what the servers said."""
        end = time.monotonic() + START_S
        for address, port in ends:
            while True:
                try:
                    socket.create_connection((address, port), 1).close()
                    break
                except OSError:
                    if time.monotonic() > end:
                        raise TimeoutError(f"nobody listens on {address}:{port}:\n{self.said()}") from None
                    time.sleep(0.05)

    def said(self) -> str:
        """Give the servers' logs."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{log.name}:\n{log.read_text(errors='replace')}" for log in logs)

    def stop(self) -> None:
        """Stop all and their children."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()


class Servers(Running):
    """Dovecot, Postfix and two proxies, on all addresses."""

    def __init__(self, folder: Path, users: dict[str, str], key: bytes, proxy_password: str) -> None:
        """Start all with these passwords and this key of tokens."""
        super().__init__(folder)
        self.start_dovecot(users, key)
        self.start_postfix()
        settings = folder / "tinyproxy.conf"
        settings.write_text(TINYPROXY.format(port=CONNECT_PORT, password=proxy_password))
        self.add("tinyproxy", "-d", "-c", str(settings))
        login = ("-u", "proxy", "-P", proxy_password)
        self.add("microsocks", "-i", "0.0.0.0", "-p", str(SOCKS_PORT), *login)

    def wait(self) -> None:
        """Wait until all ports answer. Raises TimeoutError with what the servers said."""
        self.wait_for(*(("127.0.0.1", port) for port in PORTS))


def dovecot_is_newer() -> bool:
    """Whether it is of 2.4, which calls many settings otherwise."""
    version = subprocess.run(["dovecot", "--version"], capture_output=True, check=True, text=True).stdout
    return [int(part) for part in version.split(".")[:2]] >= [2, 4]


def make_certificate(folder: Path) -> None:
    """Make a certificate of our own for every name of the lab."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=lab.test",
         "-addext", "subjectAltName=DNS:*.lab.test",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
