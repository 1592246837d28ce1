"""The inventory: what was seen, kept in a database."""

from db.hosts import HostFilter, Listing
from db.queries import Run, SessionFilter
from db.store import Inventory, InventoryError

__all__ = ["HostFilter", "Inventory", "InventoryError", "Listing", "Run", "SessionFilter"]
