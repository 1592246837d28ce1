"""Make ``lan.pcapng``: the LAN of ``tests/lab/lan``, played once. Run as ``python3 make_lan.py OUTPUT``.

Needs what ``tests/install-system-packages.sh`` installs, and zeroconf. Nothing leaves the namespaces.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from make_office import to_pcapng

LAB = Path(__file__).resolve().parents[1] / "tests" / "lab"
sys.path.insert(0, str(LAB))

from stage.namespace import run_inside  # noqa: E402  # it is in another folder

LIMIT_S = 90


def main() -> None:
    """Make the capture."""
    output = Path(sys.argv[1]).resolve()
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(LAB), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        done = run_inside([sys.executable, "-m", "lan", folder], LAB, environment, LIMIT_S)
        if done.returncode:
            sys.exit(done.stderr.decode(errors="replace"))
        output.write_bytes(to_pcapng((Path(folder) / "lan.pcap").read_bytes()))


if __name__ == "__main__":
    main()
