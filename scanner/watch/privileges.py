"""Give up privileges: root or capabilities only open sockets and load the filter, nobody parses with them.

Sources: capabilities(7), prctl(2), credentials(7).
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

with suppress(ImportError):  # Windows has no such users, and nobody becomes one there
    import pwd

NOBODY = "nobody"
_NO_NEW_PRIVILEGES, _AMBIENT, _CLEAR_ALL, _DROP_BOUND = 38, 47, 4, 24
_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 63
"""Numbers that fit the sets; those that the kernel does not know are refused, and that is all."""


class PrivilegesError(Exception):
    """Privileges cannot be given up as asked; the text says why in one line."""


class Identity(NamedTuple):
    """Whom to become."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def identity(user: str | None) -> Identity | None:
    """Whom to become: the user named; else who called sudo, else nobody; None: one is nobody special already.

    Raises PrivilegesError.
    """
    if not hasattr(os, "geteuid"):  # Windows
        return None
    me = os.geteuid()
    if me != 0 and not user:
        return None
    called = os.environ.get("SUDO_USER")
    name = user or (called if called != "root" else None) or NOBODY
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise PrivilegesError(f"there is no user {name}") from None
    if entry.pw_uid == me != 0:
        return None
    if me != 0:
        raise PrivilegesError(f"only root can become {name}")
    if entry.pw_uid == 0:
        raise PrivilegesError("packets are not read as root: name another user")
    groups = tuple(os.getgrouplist(name, entry.pw_gid))
    return Identity(name, entry.pw_uid, entry.pw_gid, groups)


def keeper(path: str, whom: Identity | None) -> Identity | None:
    """Who is to write a file: somebody if he may, else whoever owns it, or the folder that it will be in."""
    if whom is None:
        return None
    there = next(place for place in _upwards(path) if os.path.exists(place))
    if _may_write(there, whom):
        return whom
    status = os.stat(there)
    if status.st_uid == os.geteuid():
        return None
    return Identity(f"user {status.st_uid}", status.st_uid, status.st_gid, (status.st_gid,))


def _upwards(path: str) -> Iterator[str]:
    """A path, and the folders that it is in."""
    path = os.path.abspath(path)
    while path != (up := os.path.dirname(path)):
        yield path
        path = up
    yield path


def _may_write(path: str, whom: Identity) -> bool:
    """Whether somebody may write a file, make files beside it, and read this program; tried by a child."""
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _become(whom)
            writes = os.access(path, os.W_OK) and os.access(folder, os.W_OK | os.X_OK)
            status = 0 if writes and os.access(__file__, os.R_OK) and os.access(os.__file__, os.R_OK) else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def drop(whom: Identity | None) -> str | None:
    """Become somebody, without capabilities and for good; tells in a line what could not be done.

    In a user namespace that has nobody else one stays who one is: root there is an ordinary user outside.
    """
    said = None
    _no_new_privileges()  # first, for who is nobody cannot
    if whom is not None:
        try:
            _become(whom)
        except OSError as fault:
            said = (
                f"cannot become {whom.name} here ({fault.strerror}): goes on as before, without capabilities"
            )
    _without_capabilities()
    return said


def _become(whom: Identity) -> None:
    os.setgroups(list(whom.groups))
    os.setresgid(whom.gid, whom.gid, whom.gid)
    os.setresuid(whom.uid, whom.uid, whom.uid)


def _no_new_privileges() -> None:
    """Let no program that is begun have more than this one; who may not empty its bounds needs not."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        for number in range(_LAST_CAPABILITY + 1):
            libc.prctl(_DROP_BOUND, number, 0, 0, 0)


def _without_capabilities() -> None:
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    none = (ctypes.c_uint32 * 6)()
    if libc.capset(ctypes.byref(head), ctypes.byref(none)) != 0:
        raise PrivilegesError(f"capabilities cannot be dropped: {os.strerror(ctypes.get_errno())}")
