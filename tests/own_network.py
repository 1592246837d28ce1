"""Scripts that are root of a network of their own, with a cable there: whoever runs the tests may do that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CABLE = """
import json, select, socket, subprocess, sys, time
from scanner.capture.live import TapError
said = []
def ip(*command):
    return subprocess.run(["ip", *command], check=True, capture_output=True, text=True).stdout
def told(**what):
    print(json.dumps(what), flush=True)
def link(name):
    return json.loads(ip("-d", "-j", "link", "show", name))[0]
def up(*names):
    for name in names:
        ip("link", "set", name, "up")
    while any(link(name)["operstate"] != "UP" for name in names):
        time.sleep(0.01)
def cable(mtu="9000"):
    ip("link", "add", "name", "v0", "mtu", mtu, "type", "veth", "peer", "name", "v1", "mtu", mtu)
    up("v0", "v1")
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.bind(("v0", 0))
    return sender
def send(*frames):
    for frame in frames:
        sender.send(frame)
def received(count):
    found = []
    end = time.time() + 10
    while len(found) < count and time.time() < end:
        select.select([tap], [], [], 0.1)
        for batch in tap.batches():
            for start, size, length, at in zip(batch.start, batch.captured, batch.length, batch.at):
                data = batch.buffer[start : start + size].tobytes()
                if data[6:12] == OWN:  # not what the kernel says when a card goes up
                    found.append([data.hex(), int(length), int(at), batch.link, batch.capture])
    return found
OWN = bytes.fromhex("020000000001")
sender = cable()
"""


def inside(
    script: str, *arguments: str, before: str = CABLE, unshare: str = "-Urn", timeout_s: float = 60
) -> list[dict[str, Any]]:
    """What a script tells that has two cards of its own, as root of them; it warns of nothing."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        ["unshare", unshare, sys.executable, "-W", "error", "-c", before + script, *arguments], text=True,
        capture_output=True, check=False, env={**os.environ, "PYTHONPATH": paths}, timeout=timeout_s,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
