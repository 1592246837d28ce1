"""Read captures, then tell which secrets this process still holds: ``python -m stage.recall WAY CAPTURE...``.

Way ``command`` is the command line itself; ``objects`` reads through the pipeline and keeps whatever a
longer program would keep: the pipeline, closed captures, observations; ``workers`` likewise, in several
processes, and with the memory that they share. The secrets come by stdin, in hexadecimal lines, and only
when all strings have been gathered; what is found goes to stdout, with who holds it.
"""

from __future__ import annotations

import gc
import io
import mmap
import sys
from bisect import bisect_right
from contextlib import redirect_stderr, redirect_stdout, suppress
from itertools import accumulate
from typing import Any

import numpy as np

from stage.needles import Search

CANARY = "canary-" + "".join(chr(97 + number * 7 % 26) for number in range(20))
"""Held on purpose: a search that misses it finds nothing."""
APART = bytes(16)
"""Between two strings, so that nothing is found across both."""


def by_command(captures: list[str]) -> object:
    """Read as a user does; only what the modules remember is left."""
    from scanner.cli import main

    sys.argv = ["mailsunset", "read", "--no-db", "--format", "ndjson", "--usernames", "keep", *captures]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), suppress(SystemExit):
        main()
    return None


def by_objects(captures: list[str]) -> object:
    """Read, and hold on to everything."""
    from scanner.account import Usernames
    from scanner.capture import UnreadableCapture
    from scanner.capture.file import CaptureFile
    from scanner.catalogue.exchange import load_catalogue
    from scanner.pipeline import Pipeline

    pipeline = Pipeline(load_catalogue(), sensor="here", usernames=Usernames.KEEP)
    kept: list[object] = [pipeline]
    for path in captures:
        with CaptureFile(path) as capture, suppress(UnreadableCapture):
            kept.append(capture)
            kept.extend(pipeline.read(capture, path))
    return kept


def by_workers(captures: list[str]) -> object:
    """Read in several processes, and hold on to what they shared."""
    from scanner.account import Usernames
    from scanner.capture import UnreadableCapture
    from scanner.capture.file import CaptureFile
    from scanner.catalogue.exchange import load_catalogue
    from scanner.crew import Crew
    from scanner.pipeline import Pipeline

    pipeline = Pipeline(load_catalogue(), sensor="here", usernames=Usernames.KEEP)
    crew = Crew(pipeline, lambda seen, told: [*seen, *told], 2)
    kept: list[object] = [pipeline, crew]
    with crew:
        for path in captures:
            with CaptureFile(path) as capture, suppress(UnreadableCapture):
                kept.append(capture)
                kept.extend(pipeline.run(capture, crew.hearing(path)))
    return kept


def everything() -> list[Any]:
    """Gather all objects that the collector knows, and all that those refer to."""
    gc.collect()
    todo = gc.get_objects()
    seen = {id(todo)}
    found: list[Any] = []
    while todo:
        here = todo.pop()
        if id(here) not in seen and not isinstance(here, Search):
            seen.add(id(here))
            found.append(here)
            todo += gc.get_referents(here)
    return found


def text_of(thing: Any) -> bytes:
    """Give what an object holds as bytes; nothing if it holds none."""
    match thing:
        case str():
            return thing.encode("utf-8", "surrogatepass")
        case bytes() | bytearray():
            return bytes(thing)
        case memoryview():
            with suppress(ValueError, TypeError):
                return thing.tobytes()
        case mmap.mmap():
            with suppress(ValueError):  # closed
                return thing[:]
        case np.ndarray() if thing.base is None and thing.dtype != object:
            return thing.tobytes()
    return b""


def main() -> None:
    """Read, gather, and only then hear what to look for."""
    way, *captures = sys.argv[1:]
    held = {"command": by_command, "objects": by_objects, "workers": by_workers}[way](captures)
    holders = everything()
    texts = [text_of(thing) for thing in holders]
    ends = list(accumulate(len(text) + len(APART) for text in texts))
    search = Search(bytes.fromhex(line) for line in sys.stdin.read().split())
    for place, secret in search.places(APART.join(texts)):
        thing = holders[bisect_right(ends, place)]
        owners = {type(owner).__qualname__ for owner in gc.get_referrers(thing) if owner is not holders}
        print(secret.hex(), type(thing).__qualname__, "held by", *sorted(owners))
    print(len(holders), "objects", file=sys.stderr)
    del held


if __name__ == "__main__":
    main()
