"""The report as a workbook."""

import io
from datetime import datetime

from openpyxl import load_workbook

from scanner.report.languages import Language
from scanner.report.spreadsheet import xlsx
from tests.reports import host, judged, report


def test_it_has_sheets_of_devices_usages_dates_and_the_basis() -> None:
    out = io.BytesIO()
    xlsx(report([judged(host(1)), judged(host(2))]), Language("de"), out)
    book = load_workbook(out)
    assert book.sheetnames == ["Geräte", "Wie es mailt", "Was wann endet", "Worauf die Zahlen beruhen"]
    head, first, _ = book["Geräte"].iter_rows(values_only=True)
    assert head[:4] == ("Urteil", "Bis", "Gerät", "Adresse")
    assert first[:4] == ("Fällt aus", datetime(2026, 12, 31), "device1", "10.0.0.2")
    assert [row[3] for row in book["Wie es mailt"].iter_rows(values_only=True)][1:] == ["LOGIN", "LOGIN"]
