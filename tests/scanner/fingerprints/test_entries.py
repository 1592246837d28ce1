"""Every entry is tested by its own examples; nothing is written by hand for a new one."""

import time
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files

import pytest

from scanner.fingerprints import OAUTH, OUI, WORDS, Fingerprint, advices, compiled, fingerprints, words
from scanner.identify import Vote, votes
from scanner.labels import FIELDS

ENTRIES = fingerprints()
CAPTURED = {"vendor", "model", "version"}
UNHELPFUL = {"unknown", "generic", "general", "printer", "device", "n/a", "none", "other", "mfp", "series"}
HOSTILE_S = 0.02
"""CPU time of a text of 512 characters: sound patterns take well under a millisecond."""
LABEL = 512
PARTS = (
    "a",
    "0",
    " ",
    "A1-",
    "[CAPABILITY x] ",
    "Sendmail ",
    "x.",
    "1.",
    "ESMTP ",
    "&nbsp;",
    "\u00e9",
    "(",
    "HP ",
)


def examples() -> Iterator[tuple[Fingerprint, str, dict[str, str]]]:
    for entry in ENTRIES:
        for example in entry.examples:
            wanted = {key: value for key, value in example.items() if key != "text"}
            yield entry, example["text"], wanted


def own(entry: Fingerprint, field: str, text: str) -> Vote:
    found = [vote for vote in votes(field, text) if vote.entry == entry.name]
    assert found, f"{entry.name} does not know {text!r} in {field}"
    return found[0]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_words_are_spelled_as_agreed(entry: Fingerprint) -> None:
    assert {entry.vendor} <= words().vendors | {None}
    assert {entry.kind} <= {*words().kinds, None}
    assert set(entry.fields) <= FIELDS | {OUI}
    assert len(set(entry.fields)) == len(entry.fields)
    assert 0 < entry.weight < 1
    assert entry.source
    assert entry.vendor or entry.kind or entry.software or "(?P<vendor>" in entry.pattern


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_patterns_begin_at_the_beginning_and_every_capture_is_used(entry: Fingerprint) -> None:
    assert entry.pattern.startswith("^")
    assert entry.examples
    captures = set(compiled(entry.pattern).groupindex)
    assert captures <= CAPTURED
    shown = {key for example in entry.examples for key in example} - {"text"}
    assert shown - {"kind"} == captures
    if "version" in captures:
        assert entry.software
    assert not (entry.model and "model" in captures)


@pytest.mark.parametrize(
    ("entry", "text", "wanted"), list(examples()), ids=lambda value: str(getattr(value, "name", "")) or None
)
def test_an_example_gives_what_it_says_in_every_field_of_its_entry(
    entry: Fingerprint, text: str, wanted: dict[str, str]
) -> None:
    for field in entry.fields:
        vote = own(entry, field, text)
        captured = {key for key, value in compiled(entry.pattern).match(text).groupdict().items() if value}  # type: ignore[union-attr]
        assert {key: getattr(vote, key) for key in captured} == wanted
        assert (vote.model or "").casefold() not in UNHELPFUL


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_no_other_entry_says_another_vendor(entry: Fingerprint) -> None:
    for example in entry.examples:
        for field in entry.fields:
            vendors = {vote.vendor for vote in votes(field, example["text"])} - {None}
            assert len(vendors) <= 1, (example["text"], field)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_hostile_text_does_not_make_it_slow(entry: Fingerprint) -> None:
    starts = ["", *(example["text"] for example in entry.examples)]
    pattern = compiled(entry.pattern)
    texts = [(start + part * LABEL)[:LABEL] for start in starts for part in PARTS]
    for text in texts:
        spent = []
        for _ in range(2):  # the quicker counts: the machine may have been busy
            began = time.thread_time()
            pattern.match(text)
            spent.append(time.thread_time() - began)
        assert min(spent) < HOSTILE_S, text


def test_no_pattern_stands_twice_for_a_field() -> None:
    pairs = [(field, entry.pattern) for entry in ENTRIES for field in entry.fields]
    assert len(set(pairs)) == len(pairs)


def test_sets_of_fields_are_of_the_vocabulary() -> None:
    assert {field for fields in words().fields.values() for field in fields} <= FIELDS


def test_spellings_are_lower_case_and_lead_to_one_vendor() -> None:
    table = tomllib.loads((files("scanner.fingerprints") / WORDS).read_text("utf-8"))
    spellings = [spelling for of_one in table["vendors"].values() for spelling in of_one]
    assert len(set(spellings)) == len(spellings)
    assert all(spelling == spelling.casefold() for spelling in spellings)


def test_every_vendor_and_kind_is_used() -> None:
    used = {vote.vendor for entry, text, _ in examples() for vote in votes(entry.fields[0], text)}
    assert words().vendors - used == {"Fujitsu", "Google", "Microsoft"} - used
    kinds = {entry.kind for entry in ENTRIES}
    assert set(words().kinds) - kinds <= {"media device"}


def test_files_stay_small() -> None:
    for item in files("scanner.fingerprints").iterdir():
        if item.name.endswith(".toml"):
            lines = item.read_text("utf-8").splitlines()
            assert len(lines) <= 350, item.name


@pytest.mark.parametrize("row", advices(), ids=lambda row: row.advice[:30])
def test_oauth_advice_is_a_sentence_about_something_we_can_find(row: object) -> None:
    advice = next(known for known in advices() if known is row)
    assert advice.oauth in ("yes", "some", "no", "unknown")
    assert advice.advice.endswith(".") and len(advice.advice) < 200
    assert isinstance(advice.checked, date)
    assert (advice.vendor is None) != (advice.software is None)
    assert advice.vendor is None or advice.vendor in words().vendors
    assert advice.software is None or advice.software in {entry.software for entry in ENTRIES}
    assert set(advice.kinds) <= set(words().kinds)


def test_the_word_files_are_no_fingerprints() -> None:
    assert {entry.file for entry in ENTRIES}.isdisjoint({WORDS, OAUTH})
