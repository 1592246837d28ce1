"""A list of the site's own, in whatever words."""

import pytest

from scanner.importers.assets import ASSETS
from scanner.importers.family import Cells, Terms, UnreadableRowError
from scanner.tenant import Asset

MAC = "00:1e:8c:0a:0b:0c"


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ({"mac": "001E8C0A0B0C", "owner": "Ann"}, [Asset(MAC, "Ann", None, None)]),
        ({"ip": "10.0.0.1", "standort": "Keller"}, [Asset("10.0.0.1", None, "Keller", None)]),
        ({"hostname": "Copier-3 ", "notes": "=1+1"}, [Asset("copier-3", None, None, "=1+1")]),
        ({"name": "x", "address": "1 High Street", "owner": "B"}, [Asset("x", "B", None, None)]),
        (
            {"macaddress": MAC, "ipaddress": "2001:DB8::1", "name": "x", "owner": "A", "room": "1"},
            [Asset(key, "A", "1", None) for key in (MAC, "2001:db8::1", "x")],
        ),
        ({"mac": MAC, "owner": " "}, []),
    ],
)
def test_a_row_tells_of_each_key_that_it_has(cells: Cells, found: list[Asset]) -> None:
    assert list(ASSETS.read(cells, Terms(0))) == found


def test_a_row_of_nothing_known_is_unreadable() -> None:
    with pytest.raises(UnreadableRowError):
        list(ASSETS.read({"mac": "none", "owner": "Ann"}, Terms(0)))
