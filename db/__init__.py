"""The inventory: what was seen, kept in a database. ``db.store.Inventory`` is the door.

Nothing is imported here: ``db.prepare`` serves processes that have no business with a database.
"""
