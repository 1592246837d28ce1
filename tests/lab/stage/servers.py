"""Dovecot, Postfix and two proxies as their makers ship them, with settings and folders of our own."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

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
MASTER = """
smtp inet n - n - - smtpd -o smtpd_sasl_mechanism_filter=!oauthbearer,static:rest
submission inet n - n - - smtpd -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
smtps inet n - n - - smtpd -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
  -o smtpd_tls_wrappermode=yes
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


class Servers:
    """All servers, running until they are stopped."""

    def __init__(self, folder: Path, users: dict[str, str], key: bytes, proxy_password: str) -> None:
        """Start all with these passwords and this key of tokens."""
        self.folder = folder
        make_certificate(folder)
        self._running = [self._start_dovecot(users, key), self._start_postfix()]
        self._running += self._start_proxies(proxy_password)

    def _start_proxies(self, password: str) -> list[subprocess.Popen[bytes]]:
        settings = self.folder / "tinyproxy.conf"
        settings.write_text(TINYPROXY.format(port=CONNECT_PORT, password=password))
        login = ("-u", "proxy", "-P", password)
        return [
            self._start("tinyproxy", "-d", "-c", str(settings)),
            self._start("microsocks", "-i", "0.0.0.0", "-p", str(SOCKS_PORT), *login),
        ]

    def _start_dovecot(self, users: dict[str, str], key: bytes) -> subprocess.Popen[bytes]:
        folder = self.folder
        others = " ".join(set(MECHANISMS.split()) - {"xoauth2", "oauthbearer"})
        version = subprocess.run(["dovecot", "--version"], capture_output=True, check=True, text=True).stdout
        newer = [int(part) for part in version.split(".")[:2]] >= [2, 4]
        form = DOVECOT_2_4_HEAD + DOVECOT + DOVECOT_2_4 if newer else DOVECOT + DOVECOT_2_3
        settings = form.format(folder=folder, mechanisms=MECHANISMS, password_mechanisms=others)
        (folder / "dovecot.conf").write_text(settings)
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
        return self._start("/usr/sbin/dovecot", "-F", "-c", str(folder / "dovecot.conf"))

    def _start_postfix(self) -> subprocess.Popen[bytes]:
        folder, settings = self.folder, self.folder / "postfix"
        settings.mkdir()
        (settings / "main.cf").write_text(POSTFIX.format(folder=folder))
        (settings / "master.cf").write_text(MASTER)
        (folder / "data").mkdir()
        shutil.chown(folder / "data", "postfix")
        (folder / "queue").mkdir()
        for name in QUEUES:
            (folder / "queue" / name).mkdir(mode=0o755)
            if name != "pid":
                shutil.chown(folder / "queue" / name, "postfix")
        return self._start("/usr/lib/postfix/sbin/master", "-c", str(settings), "-d")

    def add(self, *command: str) -> None:
        """Start one more server, which ends with the others."""
        self._running.append(self._start(*command))

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / "out.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def wait_for(self, address: str) -> None:
        """Wait until all ports answer. Raises TimeoutError with what the servers said."""
        end = time.monotonic() + START_S
        for port in PORTS:
            while True:
                try:
                    socket.create_connection((address, port), 1).close()
                    break
                except OSError:
                    if time.monotonic() > end:
                        raise TimeoutError(f"nobody listens on {port}:\n{self.said()}") from None
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


def make_certificate(folder: Path) -> None:
    """Make a certificate of our own for every name of the lab."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=lab.test",
         "-addext", "subjectAltName=DNS:*.lab.test",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
