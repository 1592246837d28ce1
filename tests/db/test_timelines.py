"""Sessions a day, and the last session of each way."""

from pathlib import Path

from scanner.model import AuthClass
from tests.db.samples import FINE, SEEN, filled, other

DAY = 86_400 * 10**9


def test_sessions_are_counted_by_day_and_by_what_logins_rest_on(tmp_path: Path) -> None:
    token = {"mechanism": "XOAUTH2", "auth_class": AuthClass.OAUTH}
    seen = [other(first_seen=at, last_seen=at, client_port=port) for port, at in enumerate((1, DAY - 1, DAY))]
    with filled(tmp_path / "i.db", *seen, other(first_seen=DAY + 5, **token)) as kept:
        assert kept.days() == [(0, "basic", 2), (1, "basic", 1), (1, "oauth", 1)]


def test_of_each_way_the_last_session_is_given(tmp_path: Path) -> None:
    older, newer = (other(first_seen=at, last_seen=at, client_port=at) for at in (5, 6))
    token = other(first_seen=7, mechanism="XOAUTH2", auth_class=AuthClass.OAUTH)
    stranger = other(client_ip="10.0.0.9", client_mac=None)
    with filled(tmp_path / "i.db", SEEN, older, newer, token, stranger) as kept:
        found = list(kept.latest_sessions(3))
        owners = {key: host.addresses[0] for host, _ in kept.hosts(FINE) for key in host.endpoints}
        assert [(owners[key], one.first_seen) for key, one in found if one.client_ip != "10.0.0.9"] == [
            ("10.0.0.1", 7), ("10.0.0.1", 6),
        ]  # fmt: skip
        assert len(list(kept.latest_sessions(1))) == 2
        assert next(one for _, one in found if one.first_seen == 6) == newer
