"""CSV files that a spreadsheet opens without running anything, sent while they are made."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone

# Spreadsheets take a cell that begins with one of these as a formula.
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"


class _Echo:
    """A file for ``csv.writer`` that returns what is written."""

    def write(self, text: str) -> str:
        return text


def csv_file(name: str, rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Return the rows, the header first, as a file named after ``name`` and today."""
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{timezone.localdate().isoformat()}.csv"'
    response["Cache-Control"] = "no-store, private"
    return response


def safe_cell(value: Any) -> str:
    """Return the value as text that no spreadsheet runs: an apostrophe before what could begin a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text


def _lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    write = csv.writer(_Echo()).writerow
    for number, row in enumerate(rows):
        line = write([safe_cell(value) for value in row])
        yield BYTE_ORDER_MARK + line if number == 0 else line
