"""A part of the lab, performed: servers up, programs let loose, captures and labels left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from imitation import network
from imitation.hosts import Products
from imitation.parts import Part
from imitation.program import TOOLS, Program
from imitation.serving import Serving
from imitation.session import Session
from imitation.sides import CALIBRATION
from imitation.split import split
from imitation.truth import Deed

CLIENT_S = 30
"""Longest that one program may run."""
LINGER_S = 0.6
"""For the last FINs to be captured."""
SAID = 1500
"""Characters of what a program said that are kept, of each stream."""


@dataclass(frozen=True, slots=True)
class Played:
    """One session as it was."""

    session: Session
    deeds: list[Deed]
    status: int
    said: str


def perform(part: Part, output: Path) -> int:
    """Perform a part; give how many connections there were. Raises RuntimeError if ours failed."""
    names = {name: one.address for one in part.personas for name in (*one.names, one.host)}
    network.build(len(part.programs), names, list(names))
    real = any(persona.product for persona in part.personas)
    products = Products(part.personas, part.sessions) if real else None
    serving = Serving(part.personas, network.FOLDER, output)
    whole = network.FOLDER / "whole.pcap"
    tap = _tap(whole)
    try:
        with ThreadPoolExecutor(network.SLOTS) as pool:
            turns = pool.map(lambda slot: _slot(slot, part, serving), range(network.SLOTS))
            played = sorted((one for turn in turns for one in turn), key=lambda one: one.session.number)
        time.sleep(LINGER_S)
    finally:
        tap.terminate()
        (output / "tcpdump.log").write_bytes(tap.communicate()[1])
        serving.stop()
        if products:
            (output / "products.log").write_text(products.stop())
    four = {persona.address: persona.name for persona in part.personas}
    split(whole, four | {one.six: one.name for one in part.personas if one.six}, output)
    _leave(played, output)
    if serving.faults:
        raise RuntimeError("\n".join(serving.faults))
    return sum(len(one.deeds) for one in played)


def _tap(whole: Path) -> subprocess.Popen[bytes]:
    """Start capturing; all that passes the bridge from here on is in it."""
    words = [
        "tcpdump",
        "-Z",
        "root",
        "-U",
        "--immediate-mode",
        "-B",
        "65536",
        "-i",
        "mirror",
        "-w",
        "-",
        "tcp",
    ]
    with whole.open("wb") as file:
        tap = subprocess.Popen(words, stdout=file, stderr=subprocess.PIPE)
    assert tap.stderr
    if b"listening" not in (line := tap.stderr.readline()):
        raise RuntimeError(line.decode(errors="replace"))
    return tap


def _slot(slot: int, part: Part, serving: Serving) -> list[Played]:
    """Let the programs of one namespace play, one after the other; a program always plays in the same."""
    played = []
    for number, program in enumerate(part.programs):
        if number % network.SLOTS == slot:
            sessions = [session for session in part.sessions if session.program == program.name]
            played += [_play(session, program, (slot, number), serving) for session in sessions]
    return played


def _play(session: Session, program: Program, place: tuple[int, int], serving: Serving) -> Played:
    """Let one program run; what its connections did is what the servers say."""
    slot, number = place
    home = network.FOLDER / f"home{session.number}"
    home.mkdir(parents=True)
    call = program.call(session, home)
    for name, text in call.files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
        (home / name).chmod(0o600)
    network.become(slot, number)
    clients = (network.four(number), network.six(number))
    serving.expect(clients, session)
    words = network.inside(slot, session.client_name.strip("[]").replace(":", "-"), list(call.words))
    variables = environment(session, home) | dict(call.environment)
    status, said = _run(words, call.stdin, home, variables)
    deeds = serving.finish(clients)
    shutil.rmtree(home, ignore_errors=True)
    return Played(session, deeds, status, said)


def _run(words: list[str], stdin: str, home: Path, variables: Mapping[str, str]) -> tuple[int, str]:
    try:
        done = subprocess.run(
            words,
            input=stdin.encode(),
            capture_output=True,
            check=False,
            timeout=CLIENT_S,
            cwd=home,
            env=variables,
        )
    except subprocess.TimeoutExpired as late:
        heard = (late.stdout or b"")[-SAID:] + (late.stderr or b"")[-SAID:]
        return -1, "did not end: " + heard.decode(errors="replace")
    return done.returncode, (done.stdout[-SAID:] + done.stderr[-SAID:]).decode(errors="replace")


def environment(session: Session, home: Path) -> dict[str, str]:
    """Give what a client finds around it: a home of its own, our tools, and whom to trust."""
    settings = network.FOLDER / f"openssl{session.tls if session.tls in network.CIPHERS else ''}.cnf"
    certificate = str(network.FOLDER / "certificate.pem")
    tree = TOOLS / "tree"
    return {
        "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin:{tree}/usr/bin:{tree}/usr/sbin",
        "HOME": str(home),
        "LOGNAME": "root",
        "USER": "root",
        "LANG": "C.UTF-8",
        "TERM": "vt100",
        "OPENSSL_CONF": str(settings),
        "SSL_CERT_FILE": certificate,
        "REQUESTS_CA_BUNDLE": certificate,
        "NODE_EXTRA_CA_CERTS": certificate,
        "NODE_PATH": str(TOOLS / "node" / "node_modules"),
        "LAB_TOOLS": str(TOOLS),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }


def _leave(played: list[Played], output: Path) -> None:
    """Write labels, how the program that is judged has to be called, and a diary of the runs."""
    labels = [label(one.session, deed) for one in played for deed in one.deeds]
    labels.sort(key=lambda row: str(row["capture"]))
    (output / "labels.json").write_text(json.dumps(labels, indent=1))
    (output / "runs.json").write_text(json.dumps([_diary(one) for one in played], indent=1))
    (output / "read.args").write_text(f"--endpoint {network.SERVERS} --endpoint {network.SIX_SERVERS}\n")


def label(session: Session, deed: Deed) -> dict[str, object]:
    """Say what a record has to say of one connection, and where it came from."""
    last = deed.last
    refusal = f", refused: {session.refusal}" if session.refusal else ""
    return {
        "capture": f"{session.server}.pcapng",
        "client_ip": deed.client[0],
        "client_port": deed.client[1],
        "server_ip": deed.server[0],
        "server_port": deed.server[1],
        "protocol": deed.protocol,
        "service": deed.service,
        "tls_mode": deed.tls_mode,
        "tls_version": deed.tls_version,
        "tls_cipher": deed.tls_cipher,
        "server_name": deed.server_name,
        "alpn": deed.alpn,
        "resumed": deed.resumed,
        "mechanism": deed.mechanism,
        "sasl_ir": last and last.sasl_ir,
        "auth_class": deed.auth_class,
        "outcome": last and last.outcome,
        "attempts": [
            {"mechanism": one.mechanism, "sasl_ir": one.sasl_ir, "outcome": one.outcome}
            for one in deed.attempts
        ],
        "program": session.program,
        "program_version": "",
        "side": "calibration" if session.program in CALIBRATION else "judge",
        "server": session.server,
        "note": f"session {session.number}: told {session.mechanism} over {session.tls}{refusal}",
        "client_name": deed.client_name,
    }


def _diary(one: Played) -> dict[str, object]:
    session = one.session
    return {
        "session": session.number,
        "program": session.program,
        "server": session.server,
        "status": one.status,
        "told": session.mechanism,
        "protocol": session.protocol,
        "mode": session.tls_mode,
        "tls": session.tls,
        "refusal": session.refusal,
        "connections": len(one.deeds),
        "did": [
            [tried.mechanism, tried.sasl_ir, tried.outcome] for deed in one.deeds for tried in deed.attempts
        ],
        "broken": [deed.broken for deed in one.deeds if deed.broken],
        "said": one.said,
    }
