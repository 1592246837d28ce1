"""Play a part of the lab: ``python tests/lab/run_imitation.py OUTPUT PART [OPTIONS]``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from stage.namespace import run_inside

HERE = Path(__file__).parent
LONGEST_S = 1800


def main() -> None:
    """Run it in namespaces of its own, and pass on what it says."""
    output, *rest = sys.argv[1:]
    environment = {**os.environ, "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "imitation", str(Path(output).resolve()), *rest]
    done = run_inside(command, HERE, environment, LONGEST_S)
    sys.stderr.write(done.stderr.decode(errors="replace"))
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
