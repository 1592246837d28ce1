"""The kernel filter that every Linux has: it remembers nothing, so it passes all but what is known as bulk.

It loses nothing of mail's ports, of Exchange Online's prefixes, of what is announced, nor of services on odd
ports; only of a service on one of ``BULK_PORTS``, of which it passes segments that begin with a mark.
"""

from __future__ import annotations

from ctypes import addressof, create_string_buffer
from socket import SOL_SOCKET, socket
from struct import pack

from scanner.capture.bpf import Label, Program
from scanner.capture.headers_filter import WHOLE, Ways, either_port, marked, smb_setup, walk
from scanner.capture.passing import Passing

BULK_PORTS = frozenset({
    443, 8443,  # the web outside the prefixes, most of any mirror: inside TLS nothing there bears a mark
    139, 445, 548, 873, 2049,  # files: SMB, AFP, rsync, NFS
    860, 3260, 3205,  # disks: iSCSI, iSNS
    22, 902, 1494, 2598, 3389, 4172, 5900, 5938,  # shells and screens: SSH, VMware, Citrix, RDP, PCoIP, VNC
    515, 631, 9100,  # pages on their way to a printer
    88, 135, 389, 636, 3268, 3269,  # directories: many connections, all of them short and none of them mail
    1433, 1521, 3306, 5432, 6379, 9200, 27017,  # databases
    554, 1935, 8009, 8554, 32400,  # cameras and films: RTSP, RTMP, Cast, Plex
    5201, 6690, 10000, 10006,  # speed tests and backups: iperf, Synology, NDMP, Veeam
})  # fmt: skip
"""TCP ports that carry much and by custom no mail, proxy or web in clear (IANA, and the makers' manuals)."""
_SO_ATTACH_FILTER = 26


def classic(passing: Passing, link: int) -> bytes:
    """Give the filter as an array of ``struct sock_filter``; ``link`` as for ``walk``."""
    code, ways = Program(), Ways()
    walk(code, passing, link, ways, openings_pass=True)
    code.here(ways.other)
    plain, bulk = Label(), Label()
    smb_setup(code, ways.passed, plain)
    code.here(plain)
    either_port(code, BULK_PORTS, bulk, ways.passed)
    code.here(bulk)
    marked(code, passing.marks, ways.passed, ways.dropped)
    code.here(ways.dropped)
    code.give(0)
    code.here(ways.wanted)
    code.here(ways.passed)
    code.give(WHOLE)
    return code.classic()


def attach_classic(sock: socket, program: bytes) -> None:
    """Put a filter on a socket, in place of one that is there. Raises OSError."""
    held = create_string_buffer(program, len(program))
    sock.setsockopt(SOL_SOCKET, _SO_ATTACH_FILTER, pack("@HP", len(program) // 8, addressof(held)))
