"""How values are declared that are made by the million."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

Kind = TypeVar("Kind")


@dataclass_transform(frozen_default=True)
def record(cls: type[Kind]) -> type[Kind]:
    """Make a slotted dataclass that the type checker keeps frozen, and nobody at run time.

    Python sets the fields of a frozen one through a call each: half of the time it took to hear a session.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
