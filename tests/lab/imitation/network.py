"""The cables: clients' namespaces on a bridge, which is captured; behind it all servers' addresses."""

from __future__ import annotations

import subprocess
from pathlib import Path

FOLDER = Path("/run/lab")
SLOTS = 8
"""Clients at a time: they mostly wait."""
GATEWAY, SIX_GATEWAY = "198.51.100.254", "2001:db8:c::fe"
USERS = ("Debian-exim",)
"""Whom unpacked programs want to run as that no package has added."""
SERVERS, SIX_SERVERS = "203.0.113.0/24", "2001:db8:5::/64"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
OPENSSL = """
openssl_conf = lab
[lab]
ssl_conf = modules
[modules]
system_default = everything
[everything]
MinProtocol = None
CipherString = DEFAULT@SECLEVEL=0
{more}
"""
CIPHERS = {
    "13-chacha": "Ciphersuites = TLS_CHACHA20_POLY1305_SHA256",
    "13-aes128": "Ciphersuites = TLS_AES_128_GCM_SHA256",
}


def run(*command: str) -> None:
    """Run a program to its end."""
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")


def build(clients: int, names: dict[str, str], certified: list[str]) -> None:
    """Lay the cables for so many clients; tell everybody the names, and whom to trust."""
    run("mount", "-t", "tmpfs", "none", "/run")
    FOLDER.mkdir(mode=0o755)
    run("ip", "link", "set", "lo", "up")
    run("ip", "route", "add", "local", SERVERS, "dev", "lo")
    run("ip", "route", "add", "local", SIX_SERVERS, "dev", "lo")
    Path("/proc/sys/net/ipv6/ip_nonlocal_bind").write_text("1\n")
    run("ip", "link", "add", "mirror", "type", "bridge", "mcast_snooping", "0")
    run("ip", "link", "set", "mirror", "gso_max_segs", "1", "up")
    run("ip", "address", "add", f"{GATEWAY}/24", "dev", "mirror")
    run("ip", "address", "add", f"{SIX_GATEWAY}/64", "dev", "mirror", "nodad")
    for slot in range(SLOTS):
        name = slot_name(slot)
        run("ip", "netns", "add", name)
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", name, "gso_max_segs", "1", "master", "mirror", "up")
        inside = ("ip", "-n", name)
        run(*inside, "link", "set", "lo", "up")
        run(*inside, "link", "set", "eth0", "gso_max_segs", "1", "up")
        for number in range(slot, clients, SLOTS):
            run(*inside, "address", "add", f"{four(number)}/24", "dev", "eth0")
            run(*inside, "address", "add", f"{six(number)}/64", "dev", "eth0", "nodad")
    _settings(names, certified)
    _add_users()


def _settings(names: dict[str, str], certified: list[str]) -> None:
    hosts = "".join(f"{address} {name}\n" for name, address in names.items())
    (FOLDER / "hosts").write_text(f"127.0.0.1 localhost\n{hosts}")
    run("mount", "--bind", str(FOLDER / "hosts"), "/etc/hosts")
    (FOLDER / "resolv").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    run("mount", "--bind", str(FOLDER / "resolv"), str(Path("/etc/resolv.conf").resolve()))
    certify(certified)
    run("mount", "--bind", str(FOLDER / "certificate.pem"), CERTIFICATES)
    for name in ("", *CIPHERS):
        (FOLDER / f"openssl{name}.cnf").write_text(OPENSSL.format(more=CIPHERS.get(name, "")))


def _add_users() -> None:
    for name in ("passwd", "group"):
        text = Path(f"/etc/{name}").read_text()
        for number, user in enumerate(USERS, 30000):
            if f"{user}:" not in text:
                tail = f"{number}::/var/empty:/usr/sbin/nologin" if name == "passwd" else ""
                text += f"{user}:x:{number}:{tail}\n"
        (FOLDER / name).write_text(text)
        run("mount", "--bind", str(FOLDER / name), f"/etc/{name}")


def certify(names: list[str]) -> None:
    """Make a certificate for these names; who trusts it trusts them all."""
    (FOLDER / "request.cnf").write_text(
        "[req]\ndistinguished_name=d\nx509_extensions=v\nprompt=no\n[d]\nCN=lab.test\n[v]\n"
        "basicConstraints=critical,CA:TRUE\nsubjectAltName=" + ",".join(f"DNS:{name}" for name in names)
    )
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
        "-config", str(FOLDER / "request.cnf"),
        "-keyout", str(FOLDER / "key.pem"), "-out", str(FOLDER / "certificate.pem"))  # fmt: skip


def slot_name(slot: int) -> str:
    """Name of a namespace of clients."""
    return f"slot{slot}"


def four(number: int) -> str:
    """IPv4 address of a client."""
    return f"198.51.100.{number + 10}"


def six(number: int) -> str:
    """IPv6 address of a client."""
    return f"2001:db8:c::{number + 10:x}"


def become(slot: int, number: int) -> None:
    """Let a namespace's connections to the servers come from this client's addresses."""
    inside = ("ip", "-n", slot_name(slot))
    run(*inside, "route", "replace", SERVERS, "via", GATEWAY, "src", four(number))
    run(*inside, "route", "replace", SIX_SERVERS, "via", SIX_GATEWAY, "src", six(number))


def inside(slot: int, host_name: str, command: list[str]) -> list[str]:
    """Say how to run a program there, on a machine of this name."""
    there = ["nsenter", f"--net=/run/netns/{slot_name(slot)}", "--", "unshare", "--uts", "--"]
    return [*there, "sh", "-c", 'hostname "$0"; exec "$@"', host_name, *command]
