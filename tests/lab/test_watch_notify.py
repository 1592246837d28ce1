"""A sensor that gave its privileges up tells a log, or a webhook, what it found; and it ends all the same."""

from __future__ import annotations

import os
import re
import socket

import pytest
from stage.mirror import mirrored
from stage.sensor import ROOT, anybodys, watching

OFFICE = ROOT / "captures" / "office.pcapng"
LINE = re.compile(rb"<(?:27|28|29)>1 \S+Z \S+ mailsunset \d+ finding - (\w+).*: ([0-9a-f:]{17}), .*")


def test_a_log_is_told_of_each_device_once_over_two_runs() -> None:
    heard = []
    with anybodys() as folder, mirrored() as mirror, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(folder / "log"))
        os.chmod(folder / "log", 0o666)  # as logs have it, for nobody writes into it
        log.settimeout(0.2)
        for sent in (8, 16):
            with watching(mirror, folder, "--notify", f"syslog:{folder}/log") as sensor:
                sensor.send(OFFICE)
                sensor.until_committed(sent)
                assert sensor.end() == 0, sensor.said
            while True:
                try:
                    heard.append(log.recv(65536))
                except TimeoutError:
                    break
        (hosts,) = sensor.ask(["hosts"])
    lines = [LINE.fullmatch(one) for one in heard]
    told = sorted((one[2].decode(), one[1].decode()) for one in lines if one)
    bad = ("broken", "breaks", "review")
    assert len(told) == len(heard)
    assert told == sorted((host["host"], host["verdict"]) for host in hosts if host["verdict"] in bad)


@pytest.mark.parametrize("place", ["syslog:/nowhere/log", "http://127.0.0.1:9/hook?key=secret"])
def test_who_cannot_be_told_is_no_reason_to_lose_anything(place: str) -> None:
    with anybodys() as folder, mirrored() as mirror:
        with watching(mirror, folder, "--notify", place) as sensor:
            sensor.send(OFFICE)
            sensor.until_committed(8)
            assert sensor.end() == 0
        said = "\n".join(sensor.said)
    assert "findings not told to" in said
    assert "secret" not in said
