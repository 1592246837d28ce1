"""What a check of the way out writes: one set of keys, a table, nothing that a terminal obeys."""

import io
import json

from services import whole

from scanner.report.formats import Format, write
from scanner.report.records import Record
from scanner.report.way_out import WAY_OUT, endpoint_record, published_record
from scanner.way_out import Address, Endpoint, Published

EVIL = "\x1b[2J\u202e=cmd"
ENDPOINT = Endpoint(
    "smtp.office365.com", 587, "submission",
    (Address("10.0.0.1", None), Address("52.96.0.10", "52.96.0.0/14")),
    service=whole(), issuers=("DigiCert *",), trusted=False, distrust="self-signed certificate",
    ahead_ns=-61_400_000_000,
)  # fmt: skip
LOST = Endpoint("2001:db8::1", 25, None, fault=EVIL)
POLICY = Published("example.com", "TXT", (f"v=spf1 {EVIL}",))


def records() -> list[Record]:
    return [
        endpoint_record(ENDPOINT),
        endpoint_record(LOST),
        published_record(POLICY, lambda _: None, ["192.0.2.1"]),
    ]


def written(form: Format) -> str:
    out = io.StringIO()
    write(records(), form, WAY_OUT, "The way out", out)
    return out.getvalue()


def test_all_records_have_the_keys_of_the_view() -> None:
    assert [tuple(record) for record in records()] == [WAY_OUT.fields] * 3


def test_an_endpoint_tells_what_is_believed_of_it() -> None:
    record = records()[0]
    expected = {
        "intercepted": True, "issuer_expected": False, "names_fit": False, "trusted": False,
        "passwords": ["HTTP-Basic", "LOGIN", "PLAIN"], "clock_ahead_s": -61, "host": "10.0.0.1",
        "public_ip": "192.0.2.1", "outcome": "answered",
    }  # fmt: skip
    assert {key: record[key] for key in expected} == expected
    assert record["addresses"][1] == {"address": "52.96.0.10", "prefix": "52.96.0.0/14"}
    assert {finding["level"] for finding in record["findings"]} == {"warn", "note"}


def test_a_table_shows_it_in_a_few_words() -> None:
    table = written(Format.TABLE)
    for words in ("smtp.office365.com:587", "and 1 more", "eas: HTTP-Basic", "[2001:db8::1]:25", "dns-error",
                  "example.com TXT", "SPF does not include"):  # fmt: skip
        assert words in table


def test_nothing_that_was_heard_reaches_a_terminal_or_a_spreadsheet_as_it_is() -> None:
    for form in Format:
        text = written(form)
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert json.loads(written(Format.JSON))[1]["detail"] == EVIL
