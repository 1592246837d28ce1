"""Announce a printer with zeroconf: ``announce.py HOST ADDRESS INSTANCE KEY=VALUE…``, until told to stop.

It prints a line when it has been announced, and takes leave (RFC 6762 10.1) when its input ends.
"""

from __future__ import annotations

import socket
import sys
from concurrent.futures import ThreadPoolExecutor

from zeroconf import IPVersion, ServiceInfo, Zeroconf

SERVICES = {"_ipp._tcp.local.": 631, "_printer._tcp.local.": 515, "_pdl-datastream._tcp.local.": 9100}


def main() -> None:
    """Announce, wait, take leave."""
    host, address, instance, *text = sys.argv[1:]
    properties = dict(pair.split("=", 1) for pair in text)
    with Zeroconf([address], ip_version=IPVersion.V4Only) as announcer:
        services = [
            ServiceInfo(
                service,
                f"{instance}.{service}",
                port,
                properties=properties,
                server=f"{host}.local.",
                addresses=[socket.inet_aton(address)],
            )
            for service, port in SERVICES.items()
        ]
        with ThreadPoolExecutor() as pool:
            list(pool.map(announcer.register_service, services))
        print("announced", flush=True)
        sys.stdin.read()
        announcer.unregister_all_services()


if __name__ == "__main__":
    main()
