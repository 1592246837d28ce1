"""Real servers of several makes in a network of their own: ``python -m imitation.products FOLDER``.

What users may log in comes by standard input, as JSON; a line ``ready`` says that all listen.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from stage.servers import Servers

NAMESPACE = "products"
HERE, THERE = "10.99.0.1", "10.99.0.2"
PLACES: dict[str, dict[int, int]] = {
    "dovecot": {143: 143, 993: 993, 110: 110, 995: 995},
    "postfix": {587: 587, 465: 465},
    "exim": {587: 2587, 465: 2465},
    "aiosmtpd": {587: 3587, 465: 3465},
}
"""Product: the port that clients see, and the one where it really listens."""
EXIM = """
primary_hostname = exim.lab.test
daemon_smtp_ports = 2587 : 2465
tls_on_connect_ports = 2465
local_interfaces = 0.0.0.0
spool_directory = {folder}/exim
log_file_path = {folder}/exim/%s.log
keep_environment =
pid_file_path = {folder}/exim/pid
tls_advertise_hosts = *
tls_certificate = {folder}/exim/certificate.pem
tls_privatekey = {folder}/exim/key.pem
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
host_lookup =
rfc1413_hosts =
acl_smtp_rcpt = rcpt
acl_smtp_data = data
queue_only = true
message_size_limit = 50M

begin acl
rcpt:
  accept authenticated = *
  deny message = relay not permitted
data:
  discard

begin routers
all:
  driver = redirect
  data = :blackhole:

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{${{lookup{{$auth2}}lsearch{{{folder}/exim.users}}{{$value}}fail}}}}{{$auth3}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if eq{{${{lookup{{$auth1}}lsearch{{{folder}/exim.users}}{{$value}}fail}}}}{{$auth2}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${{lookup{{$auth1}}lsearch{{{folder}/exim.users}}{{$value}}fail}}
  server_set_id = $auth1
"""
AIOSMTPD = """
import json, ssl, sys, time
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP, LoginPassword
users = json.load(open(sys.argv[1]))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
class Handler:
    async def handle_DATA(self, server, session, envelope):
        return "250 2.6.0 Thank you, kept as 77b1"
def check(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and users.get(data.login.decode()) == data.password.decode()
    return AuthResult(success=right, handled=False)
words = dict(server_hostname="mail.odd-texts.lab.test", ident="Quite ordinary mail service, v0.9")
more = dict(hostname="0.0.0.0", authenticator=check, auth_required=True, **words)
Controller(Handler(), port=3587, tls_context=context, require_starttls=True, **more).start()
Controller(Handler(), port=3465, ssl_context=context, auth_require_tls=False, **more).start()
time.sleep(3600)
"""
START_S = 20


def plug_in() -> None:
    """Lay the cable to them."""
    for line in (
        f"ip netns add {NAMESPACE}",
        f"ip link add {NAMESPACE} type veth peer name eth0 netns {NAMESPACE}",
        f"ip address add {HERE}/24 dev {NAMESPACE}",
        f"ip link set {NAMESPACE} up",
        f"ip -n {NAMESPACE} link set lo up",
        f"ip -n {NAMESPACE} address add {THERE}/24 dev eth0",
        f"ip -n {NAMESPACE} link set eth0 up",
    ):
        subprocess.run(line.split(), check=True)


def missing(tools: Path) -> dict[str, list[str]]:
    """Tell which products are not there, and what they would need."""
    absent = {}
    if not exim(tools):
        absent["exim"] = ["exim4"]
    if not any(tools.glob("py/lib/python3*/site-packages/aiosmtpd")):
        absent["aiosmtpd"] = ["aiosmtpd"]
    return absent


def exim(tools: Path) -> str | None:
    """Give the path of Exim, unpacked or installed."""
    return shutil.which("exim4", path=f"{tools}/tree/usr/sbin:/usr/sbin")


def start(folder: Path, tools: Path, users: dict[str, str], key: bytes) -> Servers:
    """Start all that are there."""
    servers = Servers(folder, users, key, "proxy")
    (folder / "exim.users").write_text("".join(f'"{user}": {word}\n' for user, word in users.items()))
    (folder / "users.json").write_text(json.dumps(users))
    if path := exim(tools):
        (folder / "exim").mkdir()
        for name in ("certificate.pem", "key.pem"):
            shutil.copy(folder / name, folder / "exim" / name)
        for place in (folder / "exim", *(folder / "exim").iterdir()):
            shutil.chown(place, "Debian-exim", "Debian-exim")
        (folder / "exim.conf").write_text(EXIM.format(folder=folder))
        servers.add(path, "-bdf", "-C", str(folder / "exim.conf"))
    if "aiosmtpd" not in missing(tools):
        python = tools / "py" / "bin" / "python"
        (folder / "odd.py").write_text(AIOSMTPD)
        files = [str(folder / name) for name in ("users.json", "certificate.pem", "key.pem")]
        servers.add(str(python), str(folder / "odd.py"), *files)
    return servers


def listening(products: Iterable[str]) -> list[str]:
    """Tell which products answer, once they had time to start."""
    end = time.monotonic() + START_S
    found = []
    for product in products:
        while True:
            try:
                for port in PLACES[product].values():
                    socket.create_connection(("127.0.0.1", port), 1).close()
                found.append(product)
                break
            except OSError:
                if time.monotonic() > end:
                    break
                time.sleep(0.1)
    return found


def main() -> None:
    """Run until standard input ends."""
    folder, tools = Path(sys.argv[1]), Path(sys.argv[2])
    told = json.loads(sys.stdin.readline())
    servers = start(folder, tools, told["users"], bytes.fromhex(told["key"]))
    try:
        print(json.dumps(listening(told["products"])), flush=True)
        sys.stdin.read()
    finally:
        (folder / "said.txt").write_text(servers.said())
        servers.stop()


if __name__ == "__main__":
    main()
