"""How the reports write numbers, tables and texts: as HTML with every value escaped, since tweets are untrusted."""

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from emoscope.reporting.verdict_words import WORDS

MINUS = "\N{MINUS SIGN}"
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
DIGITS = "123456789"  # of numbers that are not rounded to nothing
MOST_NAMED = 15  # classes in one sentence; a table has more
SORTABLE = 8  # rows; fewer are taken in at a glance


def number(value: float, digits: int = 3) -> str:
    """A number, an integer with thousands separators; `n/a` for NaN."""
    if value is None or pd.isna(value):
        return "n/a"
    return _minus(f"{value:,}" if isinstance(value, int | np.integer) else f"{value:.{digits}f}")


def signed(value: float) -> str:
    """A change with its sign and three digits; one that is too small for them with one digit, or as a power of ten."""
    if value is None or pd.isna(value):
        return "n/a"
    if abs(value) >= 0.0005 or value == 0:
        return _minus(f"{value:+.3f}") if value else "0"
    if abs(value) >= 0.00005:
        return _minus(f"{value:+.4f}")
    mantissa, exponent = f"{value:+.0e}".split("e")
    return _minus(f"{mantissa}·10{str(int(exponent)).translate(SUPERSCRIPTS)}")


def unsigned(value: float) -> str:
    """A number as `signed` writes it, without a plus; counts with thousands separators."""
    return number(round(value)) if value is not None and abs(value) >= 100 else signed(value).lstrip("+")


def percent(value: float, digits: int = 1) -> str:
    """A share as a percentage; n/a for None and NaN."""
    return "n/a" if value is None or pd.isna(value) else _minus(f"{100 * value:.{digits}f} %")


def added(value: float, form: Callable[[float], str] = percent) -> str:
    """A difference, as `form` writes it, with its sign."""
    written = form(value)
    rises = value is not None and value > 0 and any(digit in written for digit in DIGITS)
    return f"+{written.lstrip('+')}" if rises else written


def p_value(value: float) -> str:
    """A p value with three digits; n/a for NaN."""
    return "n/a" if pd.isna(value) else "<0.001" if value < 0.001 else f"{value:.3f}"


def estimate(value: float, low: float, high: float, form=signed) -> Markup:
    """A value with its interval; the value alone where there is no interval."""
    if pd.isna(value) or pd.isna(low):
        return escape(form(value))
    bounds = [form(bound).removesuffix(" %") for bound in (low, high)]
    return Markup('{} <span class="interval">[{}, {}]</span>').format(form(value), *bounds)


def cell(row: Mapping | pd.Series | None, form=signed, value: str = "value", strong: bool = False) -> Markup:
    """The estimate in one row of a table, with its interval from `low` to `high`, in bold if `strong`.

    `value` names the column of the estimate itself. `n/a` where there is no row.
    """
    if row is None:
        return Markup("n/a")
    shown = estimate(row[value], row["low"], row["high"], form)
    return Markup("<strong>{}</strong>").format(shown) if strong else shown


def html_table(rows: Iterable[Mapping], caption: str | Markup, text: Iterable[str] = ()) -> Markup:
    """Rows as a table; the columns named in `text` are aligned left, all others are numbers. No rows, no table.

    The first cell of a row says what the row is of.
    Readers can sort a long one, unless its first cells say that a row belongs to the one above by being empty.
    """
    rows = list(rows)
    if not rows:
        return Markup()
    first = next(iter(rows[0]))
    sortable = len(rows) >= SORTABLE and all(str(row[first]) for row in rows)
    kinds = {name: Markup("") if name in set(text) else Markup(' class="number"') for name in rows[0]}
    head = Markup().join(
        Markup('<th scope="col"{}>{}</th>').format(kind, name) if name else Markup("<td{}></td>").format(kind)
        for name, kind in kinds.items()
    )
    lines = [
        Markup().join(
            Markup('<th scope="row"{}>{}</th>' if name == first and str(row[name]) else "<td{}>{}</td>").format(
                kind, row[name]
            )
            for name, kind in kinds.items()
        )
        for row in rows
    ]
    return Markup(
        '<div class="scroll" tabindex="0"><table{}><caption>{}</caption>'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(
        Markup(' class="sortable"') if sortable else "",
        caption,
        head,
        Markup("\n").join(Markup("<tr>{}</tr>").format(line) for line in lines),
    )


def badge(verdict: str) -> Markup:
    """A verdict as a coloured label."""
    kind = WORDS[verdict].badge if verdict in WORDS else ""
    return Markup('<span class="badge {}">{}</span>').format(kind, verdict)


def details(summary: str, *parts: Markup) -> Markup:
    """Something to unfold; nothing where it would hold nothing."""
    if not any(parts):
        return Markup()
    return Markup("<details><summary>{}</summary>\n{}\n</details>").format(summary, Markup("\n").join(parts))


def planted_box(rows: Iterable[Mapping]) -> Markup:
    """What was planted in the calibration corpus beside what was found; rows of `planted`, `found`, `verdict`."""
    shown = [{**row, "verdict": badge(row["verdict"])} for row in rows]
    caption = (
        "This corpus is generated, so the truth is known. Each line is a control: an effect that was planted and "
        "should be found, or the absence of one."
    )
    table = html_table(shown, caption, text=("planted", "found", "verdict"))
    return Markup('<aside class="box"><h2>Planted, found, verdict</h2>{}</aside>').format(table)


def outcome(found: bool, missed: bool, partly: bool = False) -> str:
    """The verdict on a control; the first that holds, or `cannot tell`."""
    return "found" if found else "partly found" if partly else "missed" if missed else "cannot tell"


def marked(text: str, spans: Iterable[Sequence[int]]) -> Markup:
    """A text with the characters of each span (start, end) marked."""
    parts, place = [], 0
    for start, end in sorted((int(start), int(end)) for start, end in spans):
        parts += [escape(text[place:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        place = end
    return Markup().join([*parts, escape(text[place:])])


def embedded(data: Mapping, element: str) -> Markup:
    """Data for a script of the page, as JSON in an element of this id."""
    written = json.dumps(data, ensure_ascii=True, allow_nan=False)
    written = written.replace("<", "\\u003c")  # so that no text can end the element
    return Markup('<script type="application/json" id="{}">{}</script>').format(element, Markup(written))


def isolated(name: str) -> str:
    """A name beside numbers, where it is written from right to left: they stay in their order. Else the name alone."""
    rightwards = any(unicodedata.bidirectional(letter) in ("R", "AL", "RLE", "RLO", "RLI") for letter in name)
    return f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}" if rightwards else name


def listed(words: Iterable) -> str:
    """Words in a row: `a, b and c`."""
    *first, last = [str(word) for word in words] or ["none"]
    return f"{', '.join(first)} and {last}" if first else last


def some(words: Sequence) -> str:
    """Words in a row, of more than MOST_NAMED the first five: `a, b, c, d, e and 95 others`."""
    return listed(words if len(words) <= MOST_NAMED else [*words[:5], f"{len(words) - 5} others"])


def plural(count: float, noun: str) -> str:
    """A number with its noun: `1 epoch`, `2 epochs`."""
    shown = f"{int(count):,}" if count == int(count) else f"{count:g}"
    return f"{shown} {noun}" + ("" if count == 1 else "s")


def _minus(text: str) -> str:
    """A number as it is printed; one that is rounded to nothing has no sign."""
    return text.replace("-", MINUS if any(digit in text for digit in DIGITS) else "")
