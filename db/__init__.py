"""The inventory: what was seen, kept in a database."""

from db.queries import HostFilter, Run, SessionFilter
from db.store import Inventory, InventoryError

__all__ = ["HostFilter", "Inventory", "InventoryError", "Run", "SessionFilter"]
