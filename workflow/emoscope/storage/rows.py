"""Rows of CSV and TSV files of strangers. Imported by the Snakefile: nothing heavy in here."""

import csv
import re
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from emoscope.errors import UserError

LAYOUTS = {"csv": {}, "tsv": {"separator": "\t", "quoted": False}}  # in TSV, quotation marks are plain characters
QUOTING = "put a quotation mark at either end of such a text and double those inside"
LINE_BREAK = re.compile(r"\r\n|\r|\n")
LONE_RETURN, HELD = re.compile(r"\r(?!\n)"), "\udc0d"  # text to us, the end of a row to the csv module


def rows_of(path: Path, separator: str = ",", quoted: bool = True) -> Iterator[tuple[int, int, list[str]]]:
    """Every row that is not blank: its number, the line on which it begins, and its cells.

    UserError for a quotation mark that is never closed and for text behind a closing one; UnicodeDecodeError if the
    file, so far as it is read, is not UTF-8.
    """
    csv.field_size_limit(sys.maxsize)
    quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(_lines(path), delimiter=separator, quoting=quoting, strict=True)
    row, line = 0, 1
    while True:
        row += 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise UserError(f"{path}: {_broken(path, separator, line, reader.line_num, error)}") from None
        if cells is None:
            return
        if len(cells) > 1 or any(map(str.strip, cells)):
            yield row, line, [cell.replace(HELD, "\r") for cell in cells]
        line = reader.line_num + 1


def _lines(path: Path) -> Iterator[str]:
    """Lines end at a line feed, in files of old Macs at a carriage return; any other carriage return is text."""
    with path.open("rb") as stream:
        feeds = stream.readline().endswith(b"\n")
    with path.open(encoding="utf-8-sig", newline="\n" if feeds else "") as stream:
        for line in stream:
            yield LONE_RETURN.sub(HELD, line) if feeds else line


def _broken(path: Path, separator: str, begin: int, end: int, error: csv.Error) -> str:
    """Where the quotation mark opens that breaks the row from line `begin` to line `end`, and how to fix it."""
    cells = next(csv.reader(islice(_lines(path), begin - 1, end), delimiter=separator))
    breaks = [len(LINE_BREAK.findall(cell)) for cell in cells]
    bad = max((number for number, count in enumerate(breaks) if count), default=0)
    opening = begin + sum(breaks[:bad])
    if "unexpected end" in str(error):
        return f"line {opening}: a quotation mark opens here and is never closed; {QUOTING}"
    return (
        f"line {opening}: a quotation mark opens here, and text follows the one that closes it on line {end}; {QUOTING}"
    )
