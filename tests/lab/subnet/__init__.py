"""A subnet of real servers that is scanned: each has an address and a MAC of its own."""
