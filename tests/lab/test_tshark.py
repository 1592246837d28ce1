"""What tshark reads of the same captures is what we read of them."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from stage.servers import CONNECT_PORT, SOCKS_PORT

from scanner.account import Usernames
from scanner.capture.file import CaptureFile
from scanner.catalogue.exchange import load_catalogue
from scanner.conversation import Conversation, Side
from scanner.listener import Listener
from scanner.pipeline import Pipeline

from .conftest import ENDPOINTS, ROOT, Lab, mailsunset, tshark

OFFICE = ROOT / "captures" / "office.pcapng"
FIELDS = """
tcp.stream communityid tcp.len smtp.req.command smtp.req.parameter smtp.response.code imap.request
pop.request.command pop.request.parameter pop.response.indicator tls.handshake.type
tls.handshake.extensions_server_name tls.handshake.ja3 tls.handshake.version
tls.handshake.extensions.supported_version tls.handshake.ciphersuite tls.handshake.extension.type
tls.handshake.sig_hash_alg tls.handshake.extensions_alpn_str
""".split()  # noqa: SIM905
JA4 = "tls.handshake.ja4"
"""Wireshark 4.2 and newer have it; for older ones JA4 is put together here, and so it is for those, too."""
BETWEEN = "\x1f"
"""Between the values of one field in one packet."""
VERSIONS = {"0304": "TLSv1.3", "0303": "TLSv1.2", "0302": "TLSv1.1", "0301": "TLSv1"}
DIRECT = f"not tcp.port in {{{CONNECT_PORT}, {SOCKS_PORT}}}"
"""What does not go through a proxy: tshark looks into few tunnels."""
Packet = dict[str, list[str]]


@dataclass(slots=True)
class Oracle:
    """What tshark says of one connection."""

    packets: list[Packet] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """Every value of a field, in order."""
        return [value for packet in self.packets for value in packet[name]]

    def hello(self, kind: str) -> Packet | None:
        """The packet of the first ClientHello (1) or ServerHello (2)."""
        return next((packet for packet in self.packets if kind in packet["tls.handshake.type"]), None)


@dataclass(frozen=True, slots=True)
class Both:
    """One capture read by both programs."""

    capture: Path
    records: list[dict[str, Any]]
    oracles: dict[str, Oracle]
    """By community id."""
    connections: int
    """As our program counts them."""

    def pairs(self) -> Iterator[tuple[dict[str, Any], Oracle]]:
        """Records with what tshark says of the same connection."""
        for record in self.records:
            yield record, self.oracles[record["community_id"]]


@pytest.fixture(scope="module", params=["office", "lab"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    if request.param == "lab":
        lab: Lab = request.getfixturevalue("lab")
        capture = tmp_path_factory.mktemp("direct") / "direct.pcap"
        command = ["tshark", "-r", str(lab.capture), "-Y", DIRECT, "-F", "pcap", "-w", str(capture)]
        subprocess.run(command, capture_output=True, check=True, timeout=60)
    else:
        capture = OFFICE
    home = tmp_path_factory.mktemp("home")
    done = mailsunset(home, "read", "--no-db", "--format", "ndjson", *ENDPOINTS, capture)
    assert done.returncode == 0, done.stderr
    counted = re.search(rb"(\d+) connections", done.stderr)
    assert counted
    oracles: dict[str, Oracle] = {}
    options = ("--enable-protocol", "communityid", "-E", f"aggregator={BETWEEN}")
    for row in tshark(capture, *FIELDS, only="tcp", also=options):
        packet = {
            name: value.split(BETWEEN) if value else [] for name, value in zip(FIELDS, row, strict=True)
        }
        oracles.setdefault(packet["communityid"][0], Oracle()).packets.append(packet)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return Both(capture, records, oracles, int(counted[1]))


def test_both_see_the_same_connections(both: Both) -> None:
    streams = {packet["tcp.stream"][0] for oracle in both.oracles.values() for packet in oracle.packets}
    assert len(streams) == len(both.oracles)
    speaking = {key for key, oracle in both.oracles.items() if set(oracle.all("tcp.len")) != {"0"}}
    assert both.connections == len(speaking)
    assert {record["community_id"] for record in both.records} == speaking
    assert len(both.records) == len(speaking)


def test_smtp_is_heard_alike(both: Both) -> None:
    heard = 0
    for record, oracle in both.pairs():
        if record["protocol"] != "smtp" or record["tls_mode"] == "implicit":
            continue
        heard += 1
        commands = list(zip(*_smtp_commands(oracle), strict=True))
        names = [rest for verb, rest in commands if verb in ("EHLO", "HELO")]
        assert record["client_name"] == (names[-1] if names else None)
        if record["tls_mode"] == "starttls":
            assert ("STAR", "TLS") in commands
        if record["basis"] == "inferred":
            continue
        ways = [rest.split()[0] for verb, rest in commands if verb == "AUTH"]
        assert record["mechanism"] == (ways[-1].upper() if ways else None)
        codes = oracle.all("smtp.response.code")
        assert record["mails"] == codes.count("354")
        if ways and record["outcome"]:
            assert (record["outcome"] == "accepted") == ("235" in codes)
        if "535" in codes or "501" in codes:
            assert record["outcome"] == "refused"
    assert heard


def _smtp_commands(oracle: Oracle) -> tuple[list[str], list[str]]:
    """Verbs as tshark cuts them, four letters each, and what stands behind them."""
    verbs, rests = [], []
    for packet in oracle.packets:
        parameters = iter(packet["smtp.req.parameter"])
        for verb in packet["smtp.req.command"]:
            verbs.append(verb.upper())
            rests.append("" if verb.upper() in ("DATA", "QUIT", "RSET", "*") else next(parameters, ""))
    return verbs, rests


def test_imap_is_heard_alike(both: Both) -> None:
    heard = 0
    for record, oracle in both.pairs():
        if record["protocol"] != "imap" or record["tls_mode"] != "clear":
            continue
        heard += 1
        requests = [line.split(None, 3)[1:3] for line in oracle.all("imap.request") if " " in line]
        ways = [
            "IMAP-LOGIN" if verb.upper() == "LOGIN" else rest[0].upper()
            for verb, *rest in requests
            if verb.upper() in ("LOGIN", "AUTHENTICATE")
        ]
        assert record["mechanism"] == (ways[-1] if ways else None)
        tried = [attempt["mechanism"] for attempt in record["attempts"]]
        assert tried == (ways if len(ways) > 1 else [])
    assert heard or both.capture == OFFICE


def test_pop3_is_heard_alike(both: Both) -> None:
    heard = 0
    for record, oracle in both.pairs():
        if record["protocol"] != "pop3" or record["tls_mode"] != "clear":
            continue
        heard += 1
        commands = oracle.all("pop.request.command")
        parameters = oracle.all("pop.request.parameter")
        if "PASS" in commands:
            assert record["mechanism"] == "USERPASS"
        elif "APOP" in commands:
            assert record["mechanism"] == "APOP"
        elif "AUTH" in commands:
            assert record["mechanism"] in [word for line in parameters for word in line.split()]
        else:
            assert record["mechanism"] is None
        indicators = oracle.all("pop.response.indicator")
        if record["outcome"]:
            assert (record["outcome"] == "refused") == ("-ERR" in indicators)
    assert heard


def test_tls_is_heard_alike(both: Both) -> None:
    suites = suite_names()
    heard = 0
    for record, oracle in both.pairs():
        client, server = oracle.hello("1"), oracle.hello("2")
        assert (client is None) == (record["ja3"] is None)
        if client is None or server is None:
            continue
        heard += 1
        asked = client["tls.handshake.extensions_server_name"]
        if asked:
            assert record["server_name"] == asked[0]
        version = (server["tls.handshake.extensions.supported_version"] or server["tls.handshake.version"])[0]
        assert record["tls_version"] == VERSIONS[version[2:]]
        assert record["tls_cipher"] == suites[server["tls.handshake.ciphersuite"][0]]
        assert record["ja3"] == client["tls.handshake.ja3"][0]
        assert record["ja4"] == ja4_of(client) == client.get(JA4, [record["ja4"]])[0]
    assert heard


def suite_names() -> dict[str, str]:
    """IANA's names of cipher suites, by OpenSSL."""
    command = ["openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    told = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    rows = re.findall(r"0x(..),0x(..) - (\S+)", told)
    return {f"0x{high}{low}".lower(): name for high, low, name in rows}


def ja4_of(client: Packet) -> str:
    """Put JA4 together by its authors' text, from what tshark dissected; the lab's clients send no GREASE."""
    suites = [int(value, 16) for value in client["tls.handshake.ciphersuite"]]
    kinds = [int(value) for value in client["tls.handshake.extension.type"]]
    offered = client["tls.handshake.extensions.supported_version"] or client["tls.handshake.version"]
    newest = {"0304": "13", "0303": "12", "0302": "11", "0301": "10"}[max(offered)[2:]]
    alpn = (client["tls.handshake.extensions_alpn_str"] or ["00"])[0]
    name = "d" if client["tls.handshake.extensions_server_name"] else "i"
    first = f"t{newest}{name}{len(suites):02}{len(kinds):02}{alpn[0]}{alpn[-1]}"
    second = ",".join(f"{suite:04x}" for suite in sorted(suites))
    third = ",".join(f"{kind:04x}" for kind in sorted(kinds) if kind not in (0, 16))
    signatures = ",".join(value[2:] for value in client["tls.handshake.sig_hash_alg"])
    hashes = [second, f"{third}_{signatures}" if signatures else third]
    return "_".join((first, *(hashlib.sha256(text.encode()).hexdigest()[:12] for text in hashes)))


def test_the_bytes_of_both_sides_come_in_the_same_order(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Conversation] = []

    def overhear(_: Listener, conversation: Conversation, *known: object) -> None:
        heard.append(conversation)

    monkeypatch.setattr(Listener, "listen", overhear)
    pipeline = Pipeline(load_catalogue(), sensor="here", usernames=Usernames.DROP)
    with CaptureFile(str(both.capture)) as capture:
        assert not any(pipeline.read(capture, "x"))
    expected = follow(both.capture, len(both.oracles))
    assert len(heard) == both.connections
    for conversation in heard:
        client = conversation.flow.client
        turns = _turns((int(chunk.side), chunk.data) for chunk in conversation.chunks)
        wanted = expected[f"{client.ip}:{client.port}", f"{conversation.flow.server.ip}"]
        assert [chunk.missing for chunk in conversation.chunks if chunk.missing] == []
        assert turns == wanted[: len(turns)] if conversation.ending == "cut" else turns == wanted


def follow(capture: Path, count: int) -> dict[tuple[str, str], list[tuple[int, bytes]]]:
    """Let tshark put all connections together; by client and server's address."""
    taps = [part for number in range(count) for part in ("-z", f"follow,tcp,raw,{number}")]
    command = ["tshark", "-n", "-q", "-r", str(capture), *taps]
    told = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout
    found = {}
    for block in re.split(r"={10,}\n", told):
        ends = re.findall(r"^Node [01]: (.*)$", block, re.M)
        if len(ends) == 2:
            lines = block.partition(f"Node 1: {ends[1]}\n")[2].splitlines()
            parts = ((int(line.startswith("\t")), bytes.fromhex(line.strip())) for line in lines)
            found[_end(ends[0]), _end(ends[1]).rpartition(":")[0]] = _turns(parts)
    return found


def _end(node: str) -> str:
    """Tshark writes IPv6 addresses with brackets."""
    return node.replace("[", "").replace("]", "")


def _turns(parts: Iterator[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Put together what one side said at a stretch."""
    turns: list[tuple[int, bytes]] = []
    for side, data in parts:
        if turns and turns[-1][0] == side:
            turns[-1] = side, turns[-1][1] + data
        elif data:
            turns.append((side, data))
    return turns


def test_sides_have_the_numbers_that_tshark_gives_them() -> None:
    assert (int(Side.CLIENT), int(Side.SERVER)) == (0, 1)
