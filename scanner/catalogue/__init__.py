"""Floor 0: what is known of the world outside, as data with sources and dates; ours, or the user's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class BadTableError(ValueError):
    """The user's table or endpoint cannot be used; the text says why in one line."""


def own(name: str) -> str:
    """The text of one of our tables."""
    return Path(__file__).with_name(name).read_text("utf-8")


@contextmanager
def table(path: str | None, name: str, what: str) -> Iterator[str]:
    """Give the text of the user's table, or of ours by its name; what is wrong with it is a BadTableError."""
    try:
        yield Path(path).read_text("utf-8") if path else own(name)
    except BadTableError:
        raise
    except OSError as fault:
        raise BadTableError(f"{path or name}: {fault.strerror or fault}") from fault
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise BadTableError(f"{path or name}: not a {what}: {fault}") from fault
