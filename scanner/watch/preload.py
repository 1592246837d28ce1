"""Load all that listening will need, while the program's files can still be read.

Who becomes nobody may not be able to: Python or this program may lie in root's own folder.
"""

from __future__ import annotations

import codecs
from importlib import import_module

from scanner.protocols import dialects
from scanner.wire import ciphers

_CODECS = ("ascii", "latin-1", "utf-8", "utf-16-le", "utf-16-be", "idna", "punycode")
_LATE = (
    "numpy.ma", "html.entities", "xml.etree.ElementTree", "scanner.report.formats", "scanner.report.records",
    "scanner.watch.journal", "scanner.watch.sensor", "scanner.watch.wishes",
)  # fmt: skip
"""What is else imported when it is first needed."""


def preload() -> None:
    """Load it."""
    dialects()
    ciphers.name(0)
    for name in _CODECS:
        codecs.lookup(name)
    for name in _LATE:
        import_module(name)
