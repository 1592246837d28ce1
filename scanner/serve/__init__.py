"""The report's pages live from the inventory, which is only read: floor 5, as watching and probing are."""
