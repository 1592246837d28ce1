"""Floor 3: one file a protocol; a file that holds ``DIALECT`` is a protocol we speak."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from scanner.session import Dialect


@cache
def dialects() -> tuple[Dialect, ...]:
    """Find every protocol there is, by its file."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = (getattr(import_module(f"{__name__}.{name}"), "DIALECT", None) for name in names)
    return tuple(dialect for dialect in found if isinstance(dialect, Dialect))
