"""What the claims page says: every published claim beside what each run finds."""

from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import cell, html_table, listed, number, p_value, percent, unsigned
from emoscope.reporting.passages import passage
from emoscope.reporting.verdict_words import ON_CLAIMS
from emoscope.statistics.sample_size import texts_for_rate
from emoscope.verdicts.claims.power import claims_by_power, power_of

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
say = partial(passage, "claims")


def main_result(claims: pd.DataFrame) -> Markup:
    """The headline: how many claims get which verdict, over all runs."""
    counts = claims["verdict"].value_counts()
    parts = [f"{counts[name]} {name}" for name in _verdicts(claims)]
    return say("main_result", claims=claims["id"].nunique(), runs=claims["run"].nunique(), counts=parts)


def legend() -> Markup:
    """What the verdicts mean."""
    return say("legend", words=ON_CLAIMS)


def summary(claims: pd.DataFrame) -> Markup:
    """How many claims of each verdict there are, run by run."""
    counts = claims.groupby(["run", "verdict"], sort=False).size().unstack(fill_value=0)
    rows = [{"run": run, **{name: number(row[name]) for name in _verdicts(claims)}} for run, row in counts.iterrows()]
    return html_table(rows, "Number of claims by verdict.", text=("run",))


def equivalence(claims: pd.DataFrame, margin: float) -> Markup:
    """What became of the statements of "no effect", run by run."""
    nothing = claims[claims["margin"].notna()]
    parts = [
        f"{run}: " + listed(f"{count} {name}" for name, count in part["verdict"].value_counts().items())
        for run, part in nothing.groupby("run", sort=False)
    ]
    return say("equivalence", claims=nothing["id"].nunique(), margin=margin, parts=parts)


def published_power(samples: pd.DataFrame, margin: float, alpha: float) -> Markup:
    """What the paper's own samples could have shown, had not one text in them been affected."""
    rows = [
        {
            "statement": Markup("{}<br><code>{}</code>").format(row["statement"], row["claim"]),
            "sample": row["drawn_from"],
            "texts": number(int(row["texts"])),
            "share that may be affected": percent(row["share"]),
            "detectable mean change": _if_known(row["change"]),
            f"enough to exclude {percent(margin, 0)}": "yes" if row["enough"] else "no",
            "where the number is from": row["source"],
        }
        for row in power_of(samples, margin, alpha).to_dict("records")
    ]
    caption = say("published_power", margin=margin, needed=int(texts_for_rate(0, margin, alpha)))
    text = ("statement", "sample", f"enough to exclude {percent(margin, 0)}", "where the number is from")
    return html_table(rows, caption, text=text)


def published_reading(samples: pd.DataFrame, margin: float, alpha: float) -> Markup:
    """Which of the paper's statements of "no effect" rest on too few texts, and which do not."""
    return say("published_reading", margin=margin, **claims_by_power(samples, margin, alpha))


def browser(claims: pd.DataFrame) -> Markup:
    """All claims, grouped by experiment, with buttons that show one verdict or one run only; no script is needed."""
    groups = [
        {"name": name, "title": TITLES.get(name, name), "table": _table(part)}
        for name, part in claims.groupby(claims["id"].str.split(".").str[0], sort=False)
    ]
    return say("browser", groups=groups, filters={"verdict": _verdicts(claims), "run": list(claims["run"].unique())})


def _table(claims: pd.DataFrame) -> Markup:
    tested = claims["margin"].notna().any()
    rows = [
        {
            "claim": say("claim", id=row["id"].split(".", 1)[-1], source=row["source"]),
            "published": _number_or_text(row["published"]),
            "here": cell(row, unsigned, value="ours"),
            **({"margin": _margin(row)} if tested else {}),
            "detectable": _if_known(row["detectable"]),
            "verdict": say("verdict", verdict=row["verdict"], run=row["run"]),
            "what it says, and why the verdict": row["note"],
        }
        for row in claims.to_dict("records")
    ]
    return html_table(rows, "", text=("claim", "verdict", "what it says, and why the verdict"))


def _margin(row: dict) -> Markup:
    """What counts as no effect, and the p of the test that the effect is smaller; nothing for other claims."""
    if pd.isna(row["margin"]):
        return Markup()
    return say("margin", margin=row["margin"], p=p_value(row["equivalence_p"]))


def _if_known(value: float) -> str:
    return "" if pd.isna(value) else unsigned(value)


def _number_or_text(value: str) -> str:
    try:
        return unsigned(float(value))
    except ValueError:
        return value


def _verdicts(claims: pd.DataFrame) -> list[str]:
    """The verdicts that occur, in their order."""
    return [name for name in ON_CLAIMS if name in set(claims["verdict"])]
