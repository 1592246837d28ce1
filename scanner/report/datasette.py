"""What Datasette is told of the views: titles, what columns mean, and the saved questions.

Its format: https://docs.datasette.io/en/stable/metadata.html.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from scanner.report.columns import Table
from scanner.report.questions import SAVED
from scanner.report.tables import TABLES
from scanner.version import __version__

DATABASE = "mailsunset"
"""Its name there: that of its file."""
SETTINGS = {"sql_time_limit_ms": 20_000}
"""A second is usual there, and too little for questions on a million sessions."""
_FACETS = {"v_devices": ["verdict", "kind", "vendor"], "v_usage": ["verdict", "protocol", "auth_class"]}


def metadata(as_of: date) -> dict[str, Any]:
    """The metadata of views whose verdicts are those of a day."""
    return {
        "title": "Which machines stop mailing",
        "description": f"The inventory of mailsunset, judged as of {as_of}. Lists are JSON, times are UTC.",
        "source": f"mailsunset {__version__}",
        "databases": {
            DATABASE: {
                "tables": {name: _table(table) for name, table in TABLES.items()},
                "queries": {
                    name: {"title": one.title, "description": one.counts, "sql": one.statement}
                    for name, one in SAVED.items()
                },
            }
        },
    }


def _table(table: Table) -> dict[str, Any]:
    told: dict[str, Any] = {
        "title": table.name.removeprefix("v_").capitalize(),
        "description": f"A row is {table.rows}.",
        "columns": {column.name: column.means for column in table.columns},
        "units": {column.name: column.unit for column in table.columns if column.unit},
        "facets": _FACETS.get(table.name, []),
    }
    if table.name == "v_deadlines":
        told["source"] = "Microsoft; where each date is announced stands beside it"
    return told
