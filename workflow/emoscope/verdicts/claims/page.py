"""What the claims page says: every published claim that a run can test beside what it finds, then all others."""

import re
from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import (
    MINUS,
    SUPERSCRIPTS,
    cell,
    html_table,
    listed,
    number,
    p_value,
    percent,
    plural,
    unsigned,
)
from emoscope.reporting.passages import passage
from emoscope.reporting.verdict_words import ON_CLAIMS
from emoscope.statistics.sample_size import texts_for_rate
from emoscope.verdicts.claims.power import claims_by_power, power_of

PAPER, OWN = "the paper", "the classifiers' own publications"
SOURCES = {  # by the first part of a claim's id: its source, and what it is about
    "data": (PAPER, "Data (section 3)"),
    "performance": (PAPER, "Performance (section 5.1)"),
    "masking": (PAPER, "Masking (section 5.2, tables 1 and 2)"),
    "flips": (PAPER, "Gender and race flips (section 5.3, table 4)"),
    "tracing": (PAPER, "Where gender is encoded (section 5.3, figure 3)"),
    "synonyms": (PAPER, "Synonyms (section 5.4, table 3)"),
    "circuits": (PAPER, "Which block tells the classes apart (section 5.2)"),
    "probing": (PAPER, "What is used of gender and race (section 5.3)"),
    "induction": ("the blog post on induction heads", "Induction heads (companion write-up)"),
    "attention": ("the write-up on attention weights", "Attention weights (companion write-up)"),
    "prompting": ("the write-up on prompts", "Prompt training (companion write-up)"),
    "residual": ("the notebook on the residual stream", "Residual stream (companion write-up)"),
    "published": (OWN, "Published of these classifiers"),
}
# why a claim is not testable, the reason that is nearest to a test first
REASONS = ("blind", "one label", "on demand", "storage", "model", "corpus", "corpus and model", "nothing", "unmeasured")
WITHOUT_OVERLAY = ("blind", "one label", "on demand", "storage", "unmeasured")  # no other settings would help
OVERLAYS = {PAPER: "paper.yaml", OWN: ""}  # in workflow/configs: what shares the source's corpus and model
OTHERS = "companions.yaml"
RULED_OUT = "ruled out by the authors' log"
NUMBER = re.compile(r"(?<![\w.-])([+-]?)(\d+(?:\.\d+)?)(?:e([+-]\d+))?")  # in a sentence: -0.352, or 6.4e-8
say = partial(passage, "claims")


def main_result(claims: pd.DataFrame) -> Markup:
    """The headline: how many claims can be tested here, and with which verdicts, over all runs."""
    tested = testable(claims)
    return say(
        "main_result",
        claims=claims["id"].nunique(),
        tested=tested["id"].nunique(),
        runs=claims["run"].nunique(),
        counts=_counts(tested),
    )


def _counts(tested: pd.DataFrame) -> Markup:
    """How many verdicts there are, each run's on each claim, and of which kind; what is `impossible` whatever a run
    finds tells nothing of runs, and counts once, apart."""
    impossible = tested["impossible"]
    counts = tested.loc[~impossible, "verdict"].value_counts()
    return say(
        "counts",
        verdicts=int(counts.sum()),
        counts=[_told(counts[name], name) for name in ON_CLAIMS if name in counts],
        impossible=tested.loc[impossible, "id"].nunique(),
    )


def _told(count: int, verdict: str) -> str:
    """So many verdicts, of which one is a noun."""
    return plural(count, verdict) if verdict == "artefact" else f"{count} {verdict}"


def testable(claims: pd.DataFrame) -> pd.DataFrame:
    """The rows with a verdict, in the order of the claims, whatever run tests them."""
    listed = claims.assign(place=pd.factorize(claims["id"])[0]).sort_values("place", kind="stable")
    return listed[listed["verdict"] != "not testable here"].drop(columns="place")


def legend() -> Markup:
    """What the verdicts mean."""
    return say("legend", words=ON_CLAIMS)


def summary(claims: pd.DataFrame) -> Markup:
    """How many claims of each verdict there are, run by run; what is `impossible` whatever a run finds, apart."""
    shown = claims.assign(verdict=claims["verdict"].mask(claims["impossible"], RULED_OUT))
    counts = shown.groupby(["run", "verdict"], sort=False).size().unstack(fill_value=0)
    names = [name for name in (*ON_CLAIMS, RULED_OUT) if name in counts]
    rows = [{"run": run, **{name: number(row[name]) for name in names}} for run, row in counts.iterrows()]
    return html_table(rows, "Number of claims by verdict.", text=("run",))


def equivalence(claims: pd.DataFrame, margin: float) -> Markup:
    """What became of the statements of "no effect" that were tested, run by run."""
    nothing = claims[claims["margin"].notna()]
    if nothing.empty:
        return Markup()
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
    """The claims that some run tests, grouped by what they are about, with buttons that show one verdict or one run
    only; no script is needed."""
    tested = testable(claims)
    groups = []
    for name, part in tested.groupby(_room(tested), sort=False):
        groups.append({
            "name": name,
            "title": SOURCES.get(name, ("", name))[1],
            "counts": _counts(part),
            "claims": [_claim(rows) for _, rows in part.groupby("id", sort=False)],
        })  # fmt: skip
    return say("browser", groups=groups, filters={"verdict": _verdicts(tested), "run": list(tested["run"].unique())})


def _claim(rows: pd.DataFrame) -> dict:
    """One claim and what each run that tests it finds."""
    first = rows.iloc[0]
    runs = [
        {
            "run": row["run"],
            "verdict": row["verdict"],
            "here": cell(row, unsigned, value="ours"),
            "published": _number_or_text(row["published"]),
            "margin": _margin(row),
            "detectable": _if_known(row["detectable"]),
            "why": "" if pd.isna(row["note"]) else typeset(row["note"]),
        }
        for row in rows.to_dict("records")
    ]
    return {"id": first["id"], "source": first["source"], "says": typeset(first["says"]), "runs": runs}


def untested(claims: pd.DataFrame) -> Markup:
    """The claims that no run tests, folded away by reason, with the settings that would test them."""
    left = claims[~claims["id"].isin(testable(claims)["id"])]
    nearest = left.assign(place=left["untested"].map(REASONS.index)).sort_values("place", kind="stable")
    left = nearest.drop_duplicates("id")
    groups = []
    for (_, reason, source), rows in left.groupby(["place", "untested", _source(left)], sort=False):
        shown = [
            {"claim": typeset(row["says"]), "published": _number_or_text(row["published"]), "where": _where(row)}
            for row in rows.sort_index().to_dict("records")
        ]
        table = html_table(shown, "", text=("claim", "where"))
        overlay = "" if reason in WITHOUT_OVERLAY else OVERLAYS.get(source, OTHERS)
        groups.append({"reason": reason, "source": source, "overlay": overlay, "count": len(rows), "table": table})
    return say("untested", groups=groups, count=len(left))


def _where(row: dict) -> Markup:
    return say("where", id=row["id"], source=row["source"])


def _room(claims: pd.DataFrame) -> pd.Series:
    return claims["id"].str.partition(".")[0]


def _source(claims: pd.DataFrame) -> pd.Series:
    return _room(claims).map(lambda name: SOURCES.get(name, (name,))[0])


def _margin(row: dict) -> str:
    """What counts as no effect, and the p of the test that the effect is smaller; nothing for other claims."""
    if pd.isna(row["margin"]):
        return ""
    p = p_value(row["equivalence_p"])
    return f"±{row['margin']:g}, p {'' if p.startswith('<') else '= '}{p}"


def _if_known(value: float) -> str:
    return "" if pd.isna(value) else unsigned(value)


def _number_or_text(value: float | str) -> str:
    """A number as pages write it, or several, each after its name: `joy 0.127, love 0.282`; any other text as it is."""
    parts = [part.rpartition(" ") for part in str(value).split(", ")]
    try:
        return ", ".join(f"{name} {unsigned(float(shown))}".strip() for name, _, shown in parts)
    except ValueError:
        return str(value)


def typeset(sentence: str) -> str:
    """A sentence whose numbers are written as all others on a page: 6.4·10⁻⁸ for 6.4e-8, and with a minus sign."""

    def written(found: re.Match) -> str:
        sign, digits, exponent = found.groups()
        power = f"·10{str(int(exponent)).translate(SUPERSCRIPTS)}" if exponent else ""
        return sign.replace("-", MINUS) + digits + power

    return NUMBER.sub(written, sentence)


def _verdicts(claims: pd.DataFrame) -> list[str]:
    """The verdicts that occur, in their order."""
    return [name for name in ON_CLAIMS if name in set(claims["verdict"])]
