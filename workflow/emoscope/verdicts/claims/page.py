"""What the claims page says: every published claim beside what each run finds."""

import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import (
    badge,
    estimate,
    headline,
    html_table,
    listed,
    number,
    p_value,
    percent,
    prose,
    unsigned,
)
from emoscope.reporting.verdict_words import ON_CLAIMS
from emoscope.statistics.equivalence import minimum_detectable_mean, rate_equivalence_verdict
from emoscope.statistics.rates import minimum_detectable_rate
from emoscope.statistics.sample_size import texts_for_rate

TITLES = {
    "data": "Data (section 3)",
    "performance": "Performance (section 5.1)",
    "masking": "Masking (section 5.2, tables 1 and 2)",
    "flips": "Gender and race flips (section 5.3, table 4)",
    "synonyms": "Synonyms (section 5.4, table 3)",
    "induction": "Induction heads (companion write-up)",
    "attention": "Attention weights (companion write-up)",
    "prompting": "Prompt training (companion write-up)",
    "residual": "Residual stream (companion write-up)",
}


def main_result(claims: pd.DataFrame) -> Markup:
    """The headline: how many claims get which verdict, over all runs."""
    counts = claims["verdict"].value_counts()
    parts = [f"{counts[name]} {name}" for name in ON_CLAIMS if name in counts]
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
        Markup("<dt>{}</dt><dd>{}</dd>").format(badge(name), word.meaning) for name, word in ON_CLAIMS.items()
    )
    return Markup("<dl>{}</dl>").format(items)


def summary(claims: pd.DataFrame) -> Markup:
    """How many claims of each verdict there are, run by run."""
    counts = claims.groupby(["run", "verdict"], sort=False).size().unstack(fill_value=0)
    rows = [
        {"run": run, **{name: number(int(row[name])) for name in ON_CLAIMS if name in counts}}
        for run, row in counts.iterrows()
    ]
    return html_table(rows, "Number of claims by verdict.", text=("run",))


def equivalence(claims: pd.DataFrame, margin: float) -> Markup:
    """What became of the statements of "no effect", run by run."""
    nothing = claims[claims["margin"].notna()]
    parts = [
        f"{run}: " + listed(f"{count} {name}" for name, count in part["verdict"].value_counts().items())
        for run, part in nothing.groupby("run", sort=False)
    ]
    return prose(
        "{n} of the claims say that something has no effect. Here that means less than {margin:g}: a mean change of "
        "probability, or a share of texts; claims of the write-ups name a margin of their own. {parts}.",
        n=nothing["id"].nunique(),
        margin=margin,
        parts="; ".join(parts),
    )


def published_power(samples: pd.DataFrame, margin: float, alpha: float) -> Markup:
    """What the paper's own samples could have shown, had not one text in them been affected."""
    enough = [rate_equivalence_verdict(0, int(n), margin, alpha).verdict == "equivalent" for n in samples["texts"]]
    rows = [
        {
            "statement": Markup("{}<br><code>{}</code>").format(row["statement"], row["claim"]),
            "sample": row["drawn_from"],
            "texts": number(int(row["texts"])),
            "share that may be affected": percent(minimum_detectable_rate(row["texts"], alpha)),
            "detectable mean change": ""
            if pd.isna(row["spread"])
            else unsigned(minimum_detectable_mean(row["spread"], int(row["texts"]), alpha)),
            f"enough to exclude {percent(margin, 0)}": "yes" if large else "no",
            "where the number is from": row["source"],
        }
        for row, large in zip(samples.to_dict("records"), enough, strict=True)
    ]
    caption = (
        "Share that may be affected: if not one text of the sample changed, up to this share of all such texts may "
        f"still change (Wilson). To exclude {percent(margin, 0)} it takes "
        f"{number(int(texts_for_rate(0, margin, alpha)))} texts without a single change (binomial test). Detectable "
        "mean change: with 80 % power, if the texts differed among each other as they did when block 0 was masked."
    )
    text = ("statement", "sample", f"enough to exclude {percent(margin, 0)}", "where the number is from")
    return html_table(rows, caption, text=text)


def published_reading(samples: pd.DataFrame, margin: float, alpha: float) -> Markup:
    """Which of the paper's statements of "no effect" rest on too few texts, and which do not."""
    needed = texts_for_rate(0, margin, alpha)
    sizes = samples.groupby("claim", sort=False)["texts"]
    small, large = sizes.max() < needed, sizes.min() >= needed
    groups = {
        "Too few texts to exclude that {share} of them are affected": small,
        "Too few in one part of the sample, enough in all of it": ~small & ~large,
        "Enough": large,
    }
    return prose(
        "{parts} So lack of power alone accounts for {few} of these {n} statements. Where the texts were enough, the "
        "verdicts below say what else stands for or against it.",
        parts=" ".join(
            f"{label.format(share=percent(margin, 0))}: {listed(chosen.index[chosen])}."
            for label, chosen in groups.items()
        ),
        few=int(small.sum()),
        n=len(sizes),
    )


def browser(claims: pd.DataFrame) -> Markup:
    """All claims, grouped by experiment, with buttons that show one verdict or one run only; no script is needed."""
    groups = Markup("\n").join(
        Markup('<details open data-group="{}"><summary>{}</summary>{}</details>').format(
            name, TITLES.get(name, name), _table(part)
        )
        for name, part in claims.groupby(claims["id"].str.split(".").str[0], sort=False)
    )
    verdicts = [name for name in ON_CLAIMS if name in set(claims["verdict"])]
    filters = [_filter("verdict", verdicts), _filter("run", list(dict.fromkeys(claims["run"])))]
    return Markup('<div class="claims">{}{}</div>').format(Markup().join(filters), groups)


def _table(claims: pd.DataFrame) -> Markup:
    tested = claims["margin"].notna().any()
    rows = [
        {
            "claim": Markup("<code>{}</code><br>{}").format(row["id"].split(".", 1)[-1], row["source"]),
            "published": _number_or_text(row["published"]),
            "here": estimate(row["ours"], row["low"], row["high"], form=unsigned),
            **({"margin": _margin(row)} if tested else {}),
            "detectable": "" if pd.isna(row["detectable"]) else unsigned(row["detectable"]),
            "verdict": Markup(
                '<span data-verdict="{0}">{1}</span><br><span class="run" data-run="{2}">{2}</span>'
            ).format(row["verdict"], badge(row["verdict"]), row["run"]),
            "what it says, and why the verdict": row["note"],
        }
        for row in claims.to_dict("records")
    ]
    return html_table(rows, "", text=("claim", "verdict", "what it says, and why the verdict"))


def _margin(row: dict) -> Markup:
    """What counts as no effect, and the p of the test that the effect is smaller; nothing for other claims."""
    if pd.isna(row["margin"]):
        return Markup()
    p = p_value(row["equivalence_p"])
    margin = Markup('±{:g}<br><span class="interval">p {}</span>')
    return margin.format(row["margin"], p if p.startswith("<") else f"= {p}")


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
