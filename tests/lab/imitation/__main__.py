"""The lab itself: ``python -m imitation OUTPUT [PART] [OPTIONS]``, as root of its own namespaces."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from imitation.parts import PARTS, part
from imitation.performance import perform


def main() -> None:
    """Perform one part."""
    words = argparse.ArgumentParser(prog="imitation", description=__doc__)
    words.add_argument("output", type=Path)
    words.add_argument("part", nargs="?", choices=PARTS, default="live")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--flows", type=int, default=600, help="sessions to play")
    words.add_argument("--delay", type=float, default=5.0, help="seconds that a refused client waits")
    given = words.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    chosen = part(given.part, given.seed, given.flows, given.delay)
    for name, absent in chosen.missing.items():
        print(f"left out: {name}, which needs {' '.join(absent)}", file=sys.stderr)
    count = perform(chosen, given.output)
    print(f"{given.part}: {count} connections of {len(chosen.sessions)} sessions", file=sys.stderr)


if __name__ == "__main__":
    main()
