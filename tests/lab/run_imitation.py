"""Make labelled captures: ``python tests/lab/run_imitation.py [OUTPUT] [--part PART] [OPTIONS]``.

Without a part all are played, each into a folder of its name; without an output a temporary folder is made.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from stage.namespace import LabFault, run_inside

HERE = Path(__file__).parent
PARTS = ("exchange", "foreign", "products")
LONGEST_S = 1800
"""Longest that a part may take: 600 flows are played in about three minutes."""


def main() -> None:
    """Run the parts in namespaces of their own, and pass on what they say."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("output", nargs="?", type=Path)
    words.add_argument("--part", action="append", choices=(*PARTS, "live"))
    given, rest = words.parse_known_args()
    output = (given.output or Path(tempfile.mkdtemp(prefix="mailsunset-lab-"))).resolve()
    environment = {**os.environ, "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    for part in given.part or PARTS:
        folder = output / part
        command = [sys.executable, "-m", "imitation", str(folder), part, *rest]
        try:
            done = run_inside(command, HERE, environment, LONGEST_S)
        except LabFault as fault:
            sys.exit(str(fault))
        sys.stderr.write(done.stderr.decode(errors="replace"))
        if done.returncode:
            sys.exit(done.returncode)
        print(folder)


if __name__ == "__main__":
    main()
