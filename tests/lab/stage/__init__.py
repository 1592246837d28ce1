"""Real servers and real clients in network namespaces, and what the records of it must say."""
