"""What the claims page says: every published claim beside what each run finds."""

import pandas as pd
from markupsafe import Markup

from emoscope.markup import badge, estimate, headline, html_table, number, unsigned

VERDICTS = {
    "reproduced": "this run agrees: the number lies within the tolerance, or the statement holds",
    "contradicted": "this run can tell, and disagrees",
    "artefact": "the published number is not a measurement of what the text says: it exceeds what is possible, or the "
    "authors' code and their text give different results when both are repeated here",
    "underpowered": "the interval is too wide to tell",
    "not testable here": "the number depends on the paper's data or model, which this run does not share, or "
    "the run has nothing to measure it on",
}
TITLES = {
    "data": "Data (section 3)",
    "performance": "Performance (section 5.1)",
    "masking": "Masking (section 5.2, tables 1 and 2)",
    "flips": "Gender and race flips (section 5.3, table 4)",
    "synonyms": "Synonyms (section 5.4, table 3)",
}


def main_result(claims: pd.DataFrame) -> Markup:
    """The headline: how many claims get which verdict, over all runs."""
    counts = claims["verdict"].value_counts()
    parts = [f"{counts[name]} {name}" for name in VERDICTS if name in counts]
    runs = claims["run"].nunique()
    return headline(
        "{n} claims on {runs} {word}: {parts}.",
        n=claims["id"].nunique(),
        runs=runs,
        word="run" if runs == 1 else "runs",
        parts=", ".join(parts),
    )


def legend() -> Markup:
    """What the verdicts mean."""
    items = Markup("\n").join(
        Markup("<dt>{}</dt><dd>{}</dd>").format(badge(name), text) for name, text in VERDICTS.items()
    )
    return Markup("<dl>{}</dl>").format(items)


def summary(claims: pd.DataFrame) -> Markup:
    """How many claims of each verdict there are, run by run."""
    counts = claims.groupby(["run", "verdict"], sort=False).size().unstack(fill_value=0)
    rows = [
        {"run": run, **{name: number(int(row[name])) for name in VERDICTS if name in counts}}
        for run, row in counts.iterrows()
    ]
    return html_table(rows, "Number of claims by verdict.", text=("run",))


def browser(claims: pd.DataFrame) -> Markup:
    """All claims, grouped by experiment, with buttons that show one verdict or one run only; no script is needed."""
    groups = Markup("\n").join(
        Markup('<details open data-group="{}"><summary>{}</summary>{}</details>').format(
            name, TITLES.get(name, name), _table(part)
        )
        for name, part in claims.groupby(claims["id"].str.split(".").str[0], sort=False)
    )
    verdicts = [name for name in VERDICTS if name in set(claims["verdict"])]
    filters = [_filter("verdict", verdicts), _filter("run", list(dict.fromkeys(claims["run"])))]
    return Markup('<div class="claims">{}{}</div>').format(Markup().join(filters), groups)


def _table(claims: pd.DataFrame) -> Markup:
    rows = [
        {
            "claim": Markup("<code>{}</code><br>{}").format(row["id"].split(".", 1)[-1], row["source"]),
            "published": _number_or_text(row["published"]),
            "here": estimate(row["ours"], row["low"], row["high"], form=unsigned),
            "verdict": Markup('<span data-verdict="{}">{}</span>').format(row["verdict"], badge(row["verdict"])),
            "run": Markup('<span class="run" data-run="{0}">{0}</span>').format(row["run"]),
            "what it says, and why the verdict": row["note"],
        }
        for row in claims.to_dict("records")
    ]
    return html_table(rows, "", text=("claim", "verdict", "run", "what it says, and why the verdict"))


def _filter(kind: str, names: list[str]) -> Markup:
    """Radio buttons, and the style rules that hide what bears another name; nothing where there is only one."""
    if len(names) < 2:
        return Markup()
    button = Markup('<label><input type="radio" name="{0}" id="{0}-{1}"{2}> {3}</label>')
    hidden = '.claims:has(#{0}-{1}:checked) :is(tbody tr, details):not(:has([data-{0}="{2}"])) {{ display: none; }}'
    buttons = [button.format(kind, 0, Markup(" checked"), "all")]
    buttons += [button.format(kind, place, "", name) for place, name in enumerate(names, start=1)]
    rules = [hidden.format(kind, place, name) for place, name in enumerate(names, start=1)]
    return Markup('<style>{}</style><fieldset class="filter"><legend>Show {}</legend>{}</fieldset>').format(
        Markup("\n".join(rules)), kind, Markup("\n").join(buttons)
    )


def _number_or_text(value: str) -> str:
    try:
        return unsigned(float(value))
    except ValueError:
        return value
