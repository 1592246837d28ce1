"""A small office in network namespaces: real DHCP, real announcements, real relays, one mirror port."""
