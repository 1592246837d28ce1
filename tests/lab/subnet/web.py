"""Web servers: nginx before Exchange's paths and with old TLS, one that does NTLM, and devices' pages."""

from __future__ import annotations

import base64
import struct
import sys
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from stage.servers import Running

from subnet.cast import ADDRESS, NTLM_DOMAIN, NTLM_HOST

EXPIRED = datetime(2024, 2, 29, tzinfo=UTC)
NGINX = """
daemon off;
user nobody nogroup;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{}}
http {{
  log_format asked '$server_addr "$request" $status "$http_authorization"';
  access_log {folder}/nginx.log asked;
  client_body_temp_path {folder}/nginx;
  proxy_temp_path {folder}/nginx;
  fastcgi_temp_path {folder}/nginx;
  uwsgi_temp_path {folder}/nginx;
  scgi_temp_path {folder}/nginx;
  server {{
    listen {exchange}:443 ssl;
    ssl_certificate {folder}/certificate.pem;
    ssl_certificate_key {folder}/key.pem;
    add_header WWW-Authenticate 'Basic realm="mail.lab.test"' always;
    location = / {{ return 302 /owa/; }}
    location /owa/ {{ add_header X-OWA-Version 15.2.1544.4 always; return 200; }}
    location ~* ^/(EWS/Exchange.asmx|autodiscover/) {{
      add_header WWW-Authenticate Negotiate always;
      add_header WWW-Authenticate 'Basic realm="mail.lab.test"' always;
      return 401;
    }}
    location /Microsoft-Server-ActiveSync {{ return 401; }}
    location / {{ return 404; }}
  }}
  server {{
    listen {exchange}:80;
    return 301 http://{excluded}/owa/;
  }}
  server {{
    listen {old}:443 ssl;
    ssl_certificate {folder}/expired.pem;
    ssl_certificate_key {folder}/expired.key;
    ssl_protocols TLSv1.1;
    ssl_ciphers DEFAULT:@SECLEVEL=0;
    return 200 "<title>Old and tired</title>";
  }}
}}
"""
WEAK_ENOUGH = """
openssl_conf = lab
[lab]
ssl_conf = modules
[modules]
system_default = all
[all]
CipherString = DEFAULT:@SECLEVEL=0
MinProtocol = TLSv1
"""
"""For the key of the old one, which is too short for a library of today."""


def start_nginx(servers: Running) -> None:
    """Start it for two machines."""
    folder = servers.folder
    make_expired_certificate(folder)
    addresses = {"exchange": "web-exchange", "excluded": "excluded", "old": "tls-1.1"}
    settings = folder / "nginx.conf"
    settings.write_text(
        NGINX.format(folder=folder, **{key: ADDRESS[name] for key, name in addresses.items()})
    )
    (folder / "openssl.cnf").write_text(WEAK_ENOUGH)
    environment = {"OPENSSL_CONF": str(folder / "openssl.cnf")}
    log = ("-e", str(folder / "nginx-error.log"))
    servers.add("/usr/sbin/nginx", "-c", str(settings), *log, env=environment)


def make_expired_certificate(folder: Path) -> None:
    """Make one that ran out, with a key of 1024 bits; openssl(1) makes none."""
    key = rsa.generate_private_key(65537, 1024)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "old.lab.test")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(EXPIRED - timedelta(365)).not_valid_after(EXPIRED)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "expired.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "expired.key").write_bytes(key.private_bytes(*form))


class Page(BaseHTTPRequestHandler):
    """Any web server."""

    protocol_version = "HTTP/1.1"
    sys_version = ""

    def do_OPTIONS(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self._answer(404)

    def _answer(self, status: int, body: bytes = b"", wanted: str = "") -> None:
        self.send_response(status)
        if wanted:
            self.send_header("WWW-Authenticate", wanted)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, form: str, *values: object) -> None:
        login = self.headers.get("Authorization", "") if hasattr(self, "headers") else ""
        print(self.server.server_address[0], form % values, login, flush=True)


class Ntlm(Page):
    """Exchange as it is on premises: NTLM on EWS, whose challenge tells the names."""

    server_version = "Microsoft-IIS/10.0"

    def do_GET(self) -> None:
        login = self.headers.get("Authorization", "")
        if self.path == "/":
            self._answer(200, b"<title>IIS Windows Server</title>")
        elif self.path.startswith(("/EWS/", "/Microsoft-Server-ActiveSync")):
            begun = login.startswith("NTLM ") and base64.b64decode(login[5:])[8] == 1
            self._answer(401, wanted=f"NTLM {challenge()}" if begun else "NTLM")
        else:
            self._answer(404)


class Copier(Page):
    """Ricoh's."""

    server_version = "Web-Server/3.0"

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(200, b"<html><head><title>Web Image Monitor</title></head></html>")
        else:
            self._answer(404)


class Camera(Page):
    """Bosch's, which wants a login for everything."""

    server_version = "VCS-VideoJet-Webserver"

    def do_GET(self) -> None:
        self._answer(401, wanted="Basic realm=\"Use 'live' as User Name\"")


def challenge() -> str:
    """NTLM's second message ([MS-NLMP] 2.2.1.2), base64."""
    names = ((2, "CORP"), (1, "MAIL01"), (4, NTLM_DOMAIN), (3, NTLM_HOST))
    told = b"".join(_pair(kind, text.encode("utf-16-le")) for kind, text in names) + bytes(4)
    head = b"NTLMSSP\0" + struct.pack("<IHHIIQQ", 2, 0, 0, 56, 0x0281_0201, 0x1122_3344_5566_7788, 0)
    version = b"\x0a\0\x63\x45\0\0\0\x0f"
    return base64.b64encode(head + struct.pack("<HHI", len(told), len(told), 56) + version + told).decode()


def _pair(kind: int, value: bytes) -> bytes:
    return struct.pack("<HH", kind, len(value)) + value


PAGES: dict[str, type[Page]] = {"web-ntlm": Ntlm, "copier": Copier, "camera": Camera}


def main() -> None:
    """Serve the pages until stopped."""
    servers = [ThreadingHTTPServer((ADDRESS[name], 80), page) for name, page in PAGES.items()]
    threads = [Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()


def start_pages(servers: Running) -> None:
    """Start them."""
    with (servers.folder / "pages.log").open("wb") as log:
        servers.add(sys.executable, "-m", "subnet.web", stdout=log)


if __name__ == "__main__":
    main()
