"""Run ``mailsunset doctor`` on a mirror port: ``mirror_port.py FRAMES LATE [OPTION...]`` in a namespace.

FRAMES is a file of pickled frames, sent once the program listens; dates in them become the time of then, less
so many seconds. Prints what the program prints, and ends as it does.
"""

from __future__ import annotations

import pickle
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

MAC = "02:00:00:00:0a:01"
DATE = re.compile(rb"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d (?=\+0000)")
LINKS = f"""
ip link set lo up
ip link add mirror0 address {MAC} mtu 9000 type veth peer name sender0 mtu 9000
ip link set mirror0 addrgenmode none up
ip link set sender0 addrgenmode none up
"""
"""Without addresses, so that nothing but what is sent is seen."""
PROGRAM = "from scanner.cli import main; main()"


def main() -> int:
    """Lay the cable, listen at one end, send at the other."""
    for line in LINKS.strip().splitlines():
        subprocess.run(line.split(), check=True)
    frames, late_s, *options = sys.argv[1:]
    command = [sys.executable, "-c", PROGRAM, "doctor", "-i", "mirror0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as doctor:
        assert doctor.stderr
        for said in doctor.stderr:
            sys.stderr.buffer.write(said)
            if said.startswith(b"listening"):
                send(pickle.loads(Path(frames).read_bytes()), int(late_s))
        return doctor.wait()


def send(frames: list[bytes], late_s: int) -> None:
    now = time.strftime("%a, %d %b %Y %H:%M:%S ", time.gmtime(time.time() - late_s)).encode()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as port:
        port.bind(("sender0", 0))
        for frame in frames:
            port.send(DATE.sub(now, frame))


if __name__ == "__main__":
    sys.exit(main())
