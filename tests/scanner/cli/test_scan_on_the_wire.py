"""What a scan sends, seen on the wire: never more in a second than was allowed, and all of it is ours."""

from collections import Counter, defaultdict
from typing import Any

import pytest
from own_network import inside

from scanner.cli.scanning import SWEPT

RATE, PER_HOST = 200, 4
WIRE = '''
import ctypes, json, os, socket, struct, subprocess, sys, tempfile, threading, time
from pathlib import Path

def ip(*words):
    subprocess.run(["ip", *words], check=True)

def serve(port, said):
    """Greet, and answer the same to whatever is said but a leave."""
    listener = socket.create_server(("0.0.0.0", port), backlog=512)
    def talk(line):
        with line:
            try:
                line.sendall(said[0])
                while (heard := line.recv(4096)) and not heard.endswith((b"QUIT\\r\\n", b"LOGOUT\\r\\n")):
                    line.sendall(said[1])
            except OSError:
                pass
    def accept():
        while True:
            threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()

SENT = []
def listen():
    """Note what goes out, with the kernel's times: to whom, by which protocol, and what makes it the same."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    tap.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    def hear():
        while True:
            data, extra, _, where = tap.recvmsg(2048, 64)
            seconds, ns = struct.unpack("qq", extra[0][2])
            at = seconds + ns / 1e9
            kind, packet = where[1], data[14:]
            if where[2] != 4:  # PACKET_OUTGOING
                continue
            if kind == 0x0806:
                SENT.append([at, "arp", socket.inet_ntoa(packet[24:28]), 0, ""])
            if kind != 0x0800 or not packet[12:16] == OWN_IP:
                continue
            there, payload = socket.inet_ntoa(packet[16:20]), packet[(packet[0] & 15) * 4:]
            if packet[9] == 6 and payload[13] & 0x12 == 2:
                SENT.append([at, "syn", there, int.from_bytes(payload[2:4], "big"), payload[:8].hex()])
            elif packet[9] == 17:
                SENT.append([at, "udp", there, int.from_bytes(payload[2:4], "big"), ""])
            elif packet[9] == 1 and payload[0] == 8:
                SENT.append([at, "icmp", there, 0, ""])
    threading.Thread(target=hear, daemon=True).start()

def plain():
    """Have no raw packets, as somebody who is not root."""
    ctypes.CDLL(None).prctl(24, 13, 0, 0, 0)  # PR_CAPBSET_DROP, CAP_NET_RAW

def scan(*words, raw):
    folder = Path(tempfile.mkdtemp())
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "from scanner.cli import main; main()", "--db", folder / "i.db",
         "scan", *words, "--format", "ndjson"],
        capture_output=True, text=True, timeout=200, env={**os.environ, "HOME": str(folder)},
        preexec_fn=None if raw else plain,
    )
    time.sleep(0.2)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    told = {"status": done.returncode, "said": done.stderr, "found": found, "sent": SENT}
    print(json.dumps(told), flush=True)
    os._exit(0)  # what still listens is nobody's to close

ip("link", "set", "lo", "up")
OWN_IP = socket.inet_aton("10.9.0.1")
'''
SILENT = """
# Nobody is at the cable's other end, and no ARP is needed to call there; whoever answers is at home.
ip("link", "add", "name", "v0", "type", "veth", "peer", "name", "v1")
ip("addr", "add", "10.9.0.1/24", "dev", "v0")
ip("link", "set", "v0", "arp", "off")
ip("link", "set", "v0", "up")
ip("link", "set", "v1", "up")
for number in range(20, 32):
    ip("addr", "add", f"10.9.0.{number}/32", "dev", "lo")
    subprocess.run(["ip", "route", "change", "local", f"10.9.0.{number}", "dev", "lo", "src", "10.9.0.1",
                    "table", "local"], check=True)
"""
SERVERS = r"""
for port, said in {
    25: (b"220 mx ESMTP\r\n", b"250-mx\r\n250 AUTH LOGIN\r\n"),
    587: (b"220 mx ESMTP\r\n", b"250-mx\r\n250 AUTH LOGIN\r\n"),
    143: (b"* OK IMAP4rev1 ready\r\n", b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na1 OK done\r\n"),
    80: (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    443: (b"", b"\x15\x03\x01\x00\x02\x02\x46"),
}.items():
    serve(port, said)
listen()
"""


def most(times: list[float], window: float = 1.0) -> int:
    """The most of them in any second."""
    begin = best = 0
    for end, at in enumerate(times):
        while at - times[begin] >= window:
            begin += 1
        best = max(best, end + 1 - begin)
    return best


@pytest.fixture(scope="module")
def wire(request: pytest.FixtureRequest) -> dict[str, Any]:
    scan = f"scan('10.9.0.0/24', {request.param})"
    for _ in range(2):  # a busy machine may stop us between clock and wire: a fault shows both times
        (told,) = inside(SILENT + SERVERS + scan, before=WIRE, timeout_s=240)
        if most(sorted(at for at, kind, *_ in told["sent"] if kind in ("syn", "udp"))) <= RATE:
            break
    assert told["status"] == 0, told["said"]
    assert "Traceback" not in told["said"]
    return told


@pytest.mark.parametrize(
    "wire",
    ["raw=False", "'--quick', raw=True"],
    indirect=True,
    ids=["by connections alone", "with raw packets"],
)
def test_no_second_holds_more_than_was_allowed(wire: dict[str, Any]) -> None:
    sent = sorted(map(tuple, wire["sent"]))
    called = [one for one in sent if one[1] in ("syn", "udp")]
    assert most([at for at, *_ in called]) <= RATE
    assert most([at for at, kind, *_ in sent if kind in ("arp", "icmp")]) <= SWEPT * RATE
    hosts: dict[str, list[float]] = defaultdict(list)
    for at, _, host, _, _ in called:
        hosts[host].append(at)
    assert {host: most(times) for host, times in hosts.items() if most(times) > PER_HOST} == {}
    syns = Counter(same for _, kind, _, _, same in sent if kind == "syn")
    assert [same for same, times in syns.items() if times > 1] == [], "the kernel repeats none"
    answered = {one["host"] for one in wire["found"] if one["outcome"] == "answered"}
    assert answered == {f"10.9.0.{number}" for number in (1, *range(20, 32))}
    assert len({host for _, _, host, _, _ in sent}) >= 254
    assert most([at for at, *_ in sent]) > RATE / 2, "it is as fast as it may be"
