"""The words that servers of other makes are drawn from: ``vocabulary.toml``, loaded."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Words = Mapping[str, Any]
"""One product's sentences."""

with Path(__file__).with_suffix(".toml").open("rb") as _file:
    _TABLES = tomllib.load(_file)
SMTP: Mapping[str, Words] = _TABLES["smtp"]
IMAP: Mapping[str, Words] = _TABLES["imap"]
POP3: Mapping[str, Words] = _TABLES["pop3"]
MECHANISMS: Sequence[Sequence[str]] = _TABLES["drawn"]["mechanisms"]
CHALLENGES: Sequence[tuple[str, str]] = [(user, word) for user, word in _TABLES["drawn"]["challenges"]]
TOKEN_JSON: Sequence[str | None] = [text or None for text in _TABLES["drawn"]["token_json"]]
