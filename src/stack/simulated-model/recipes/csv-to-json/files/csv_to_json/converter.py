"""Reading CSV into records with typed values."""

import csv
import io
import re

INTEGER = re.compile(r"-?(0|[1-9]\d*)")
DECIMAL = re.compile(r"-?(0|[1-9]\d*)\.\d+")


class CsvError(ValueError):
    """The CSV cannot be converted; the message names the line."""


def typed(cell):
    """Gives the JSON value of a cell; what looks like a number but has leading zeros stays text."""
    if cell == "":
        return None
    if cell in ("true", "false"):
        return cell == "true"
    if INTEGER.fullmatch(cell):
        return int(cell)
    if DECIMAL.fullmatch(cell):
        return float(cell)
    return cell


def convert(text, delimiter=",", keep_text=False):
    """Gives one dictionary per line after the header; blank lines are skipped."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter, strict=True)
    try:
        header = next(reader, None)
        if header is None:
            raise CsvError("line 1: the header is missing")
        if len(set(header)) < len(header):
            raise CsvError("line 1: a column name stands twice in the header")
        return [record(header, row, reader.line_num, keep_text) for row in reader if row]
    except csv.Error as error:
        raise CsvError(f"line {reader.line_num}: {error}") from error


def record(header, row, line, keep_text):
    if len(row) != len(header):
        raise CsvError(f"line {line}: {len(row)} cells, but the header has {len(header)}")
    return dict(zip(header, row if keep_text else map(typed, row)))
