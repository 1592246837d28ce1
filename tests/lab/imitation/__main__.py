"""The lab itself: ``python -m imitation OUTPUT PART [OPTIONS]``, as root of its own namespaces."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from imitation import network
from imitation.parts import Part, part
from imitation.program import TOOLS, Program
from imitation.serving import Serving
from imitation.session import Session
from imitation.split import split
from imitation.truth import Deed

CLIENT_S = 30
"""Longest that one program may run."""
LINGER_S = 0.6
"""For the last FINs to be captured."""


def environment(session: Session, folder: Path) -> dict[str, str]:
    """Give what a client finds around it: a home of its own, our tools, and whom to trust."""
    settings = network.FOLDER / f"openssl{session.tls if session.tls in network.CIPHERS else ''}.cnf"
    certificate = str(network.FOLDER / "certificate.pem")
    tree = TOOLS / "tree"
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin:{tree}/usr/bin:{tree}/usr/sbin"
    return {
        "PATH": path, "HOME": str(folder), "OPENSSL_CONF": str(settings), "SSL_CERT_FILE": certificate,
        "NODE_EXTRA_CA_CERTS": certificate, "REQUESTS_CA_BUNDLE": certificate, "LANG": "C.UTF-8", "TERM": "vt100",
        "NODE_PATH": str(TOOLS / "node" / "node_modules"), "LD_LIBRARY_PATH": f"{tree}/usr/lib/x86_64-linux-gnu",
        "PYTHONDONTWRITEBYTECODE": "1", "LOGNAME": "root", "USER": "root", "LAB_TOOLS": str(TOOLS),
    }  # fmt: skip


def play(session: Session, program: Program, slot: int, number: int, serving: Serving, folder: Path) -> tuple[list[Deed], int, str]:
    """Let one program run, and give what its connections did, as the server knows it."""
    home = folder / f"home{session.number}"
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
    try:
        done = subprocess.run(
            words, input=call.stdin.encode(), capture_output=True, check=False, timeout=CLIENT_S, cwd=home, env=variables
        )
        status, said = done.returncode, (done.stdout[-1500:] + done.stderr[-1500:]).decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        status, said = -1, f"did not end: {((late.stdout or b'')[-1000:] + (late.stderr or b'')[-1000:]).decode(errors='replace')}"
    deeds = serving.finish(clients)
    shutil.rmtree(home, ignore_errors=True)
    return deeds, status, said


def label(session: Session, deed: Deed) -> dict[str, object]:
    """Say what a record has to say of one connection."""
    last = deed.last
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
        "mechanism": last and last.mechanism,
        "sasl_ir": last and last.sasl_ir,
        "auth_class": deed.auth_class,
        "outcome": last and last.outcome,
        "attempts": [
            {"mechanism": one.mechanism, "sasl_ir": one.sasl_ir, "outcome": one.outcome} for one in deed.attempts
        ],
        "program": session.program,
        "program_version": "",
        "server": session.server,
        "note": f"session {session.number}: told {session.mechanism} over {session.tls}"
        + (f", refused {session.refusal}" if session.refusal else ""),
        "client_name": deed.client_name,
    }


def perform(played: Part, output: Path) -> list[dict[str, object]]:
    """Start the servers, let every program run its sessions, and leave captures, keys and labels."""
    order = {program.name: number for number, program in enumerate(played.programs)}
    slots: list[list[Session]] = [[] for _ in range(network.SLOTS)]
    for session in played.sessions:
        slots[order[session.program] % network.SLOTS].append(session)
    names = {name: persona.address for persona in played.personas for name in (*persona.names, persona.host)}
    names |= {name: str(persona.six) for persona in played.personas for name in persona.names if persona.six and 0}
    network.build(len(played.programs), names, list(names))
    serving = Serving(played.personas, network.FOLDER, output)
    whole = network.FOLDER / "whole.pcapng"
    tap = subprocess.Popen(
        ["dumpcap", "-q", "-n", "-i", "mirror", "-B", "64", "-f", "tcp", "-w", str(whole)], stderr=subprocess.PIPE
    )
    assert tap.stderr
    while b"File:" not in (line := tap.stderr.readline()):
        if not line:
            raise RuntimeError("dumpcap did not start")
    runs: list[dict[str, object]] = []
    labels: list[dict[str, object]] = []

    def work(slot: int) -> None:
        for session in slots[slot]:
            program = next(one for one in played.programs if one.name == session.program)
            deeds, status, said = play(session, program, slot, order[program.name], serving, network.FOLDER)
            labels.extend(label(session, deed) for deed in deeds)
            runs.append({
                "session": session.number, "program": session.program, "server": session.server, "status": status,
                "told": session.mechanism, "protocol": session.protocol, "mode": session.tls_mode, "tls": session.tls,
                "refusal": session.refusal, "connections": len(deeds),
                "did": [[one.mechanism, one.sasl_ir, one.outcome] for deed in deeds for one in deed.attempts],
                "broken": [deed.broken for deed in deeds if deed.broken], "said": said,
            })  # fmt: skip

    try:
        with ThreadPoolExecutor(network.SLOTS) as pool:
            list(pool.map(work, range(network.SLOTS)))
        time.sleep(LINGER_S)
    finally:
        tap.terminate()
        (output / "dumpcap.log").write_bytes(tap.communicate()[1])
        serving.stop()
    split(whole, {persona.address: persona.name for persona in played.personas}
          | {persona.six: persona.name for persona in played.personas if persona.six}, output)  # fmt: skip
    labels.sort(key=lambda one: (str(one["capture"]), str(one["note"])))
    (output / "labels.json").write_text(json.dumps(labels, indent=1))
    (output / "runs.json").write_text(json.dumps(sorted(runs, key=lambda run: int(str(run["session"]))), indent=1))
    (output / "read.args").write_text(f"--endpoint {network.SERVERS} --endpoint {network.SIX_SERVERS}\n")
    (output / "faults.log").write_text("\n".join(serving.faults))
    return labels


def main() -> None:
    """Play one part."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("output", type=Path)
    words.add_argument("part", choices=("exchange", "foreign", "live"))
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--flows", type=int, default=200)
    words.add_argument("--delay", type=float, default=1.0, help="seconds that a refused client waits")
    given = words.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    chosen = part(given.part, given.seed, given.flows, given.delay)
    for name, absent in chosen.missing.items():
        print(f"left out: {name}, which needs {' '.join(absent)}", file=sys.stderr)
    labels = perform(chosen, given.output)
    print(f"{len(labels)} connections of {len(chosen.sessions)} sessions", file=sys.stderr)


if __name__ == "__main__":
    main()
