"""Devices as the page's script reads them."""

import json
import re
from dataclasses import replace
from importlib.resources import files
from typing import Any

from scanner.model import Level
from scanner.report.languages import Language
from scanner.report.packing import Packer, as_script
from scanner.report.summary import Judged
from tests.db.samples import other
from tests.reports import AT, HOSTILE, USE, host, judged, report
from tests.services import whole

KEYS = (
    "host", "addresses", "mac", "names", "kind", "vendor", "router", "level", "deadline", "reasons", "advice",
    "usage", "behind", "carries", "first", "last", "sessions", "offers", "asset", "mailboxes",
)  # fmt: skip
PLACES = {key: at for at, key in enumerate(KEYS)}


def packed(*devices: Judged, **changes: Any) -> dict[str, Any]:
    return Packer(Language("en")).packed(report(devices, **changes))


def test_the_script_knows_the_lists_by_the_same_places() -> None:
    script = files("scanner.report").joinpath("templates/report.js").read_text("utf-8")
    keys = re.search(r"const KEYS = \[(.*?)\]", script, re.DOTALL)
    assert keys
    assert re.findall(r'"(\w+)"', keys[1]) == list(PLACES)
    assert len(packed(judged(host(1)))["devices"][0]) == len(PLACES)


def test_what_repeats_is_said_once() -> None:
    found = packed(*(judged(host(number)) for number in range(100)))
    assert len(found["reasons"]) == len(found["ways"]) == 1
    assert {tuple(device[PLACES["reasons"]]) for device in found["devices"]} == {(0,)}


def test_a_device_has_its_evidence_its_offers_and_what_the_site_knows() -> None:
    one = judged(host(1, usage=(replace(USE, odd=1, sessions=3),), offers=(whole(),)))
    one.record["asset"] = {"owner": "Eve", "place": "hall", "note": None}
    one.record["mailboxes"] = [{"user": "scan@example.com", "score": 0.9}]
    seen = other(first_seen=AT, evidence="greeting; EHLO x")
    found = packed(one, latest={one.host.host: [seen]})
    device, texts = found["devices"][0], found["texts"]

    def said(numbers: list[int]) -> list[str]:
        return [texts[number] for number in numbers]

    assert said(device[PLACES["sessions"]][0][2]) == ["greeting", "EHLO x"]
    assert device[PLACES["usage"]][0][3:] == [2, 1, 0]
    assert said(device[PLACES["asset"]]) == ["Eve", "hall", ""]
    assert said(device[PLACES["mailboxes"]]) == ["scan@example.com (0.90)"]
    heads, findings = device[PLACES["offers"]][0]
    assert said(heads)[0].startswith("10.0.0.1:587: submission")
    assert "takes passwords in clear: LOGIN, PLAIN" in [said(one)[0] for one in findings]
    assert device[PLACES["level"]] == Level.BREAKS


def test_nothing_in_it_ends_the_element_that_holds_it() -> None:
    text = str(as_script({"names": list(HOSTILE)}))
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"names": list(HOSTILE)}
