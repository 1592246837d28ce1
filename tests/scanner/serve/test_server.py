"""Where it listens, what it is called there, and who can reach it."""

import socket

import pytest

from scanner.serve.server import LOCAL, listen


@pytest.mark.parametrize(
    ("name", "is_local"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("127.0.0.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
    ],
)
def test_names_are_checked_where_only_this_machine_gets_in(name: str, is_local: bool) -> None:
    place = listen(name, 0)
    with place.socket:
        assert place.is_local == is_local
        assert place.names == (LOCAL | {name, place.socket.getsockname()[0]} if is_local else frozenset())


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("::1", "[::1]"),
        ("0.0.0.0", socket.gethostname()),
        ("::", socket.gethostname()),
    ],
)
def test_its_address_is_one_that_a_browser_gets_to(name: str, host: str) -> None:
    place = listen(name, 0)
    with place.socket:
        assert place.address == f"http://{host}:{place.port}/"


def test_a_port_in_use_and_a_name_of_nobody_are_faults_of_the_system() -> None:
    place = listen("127.0.0.1", 0)
    with place.socket, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", place.port)
    for nobody in ("nobody.invalid", "a..b"):
        with pytest.raises(OSError, match=r"\w"):
            listen(nobody, 0)
