"""The published claims beside what a run finds, each with a verdict."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.stats import norm

from emoscope.data.paper import shared_with_paper
from emoscope.perturbation.pairs import LARGE, countable, largest_change, moved, scored
from emoscope.statistics.equivalence import rate_equivalence_verdict
from emoscope.statistics.rates import effective_rows, minimum_detectable_rate, rate_interval, wilson_interval
from emoscope.statistics.sample_size import texts_for_mean, texts_for_rate
from emoscope.storage.files import read_json, write_csv
from emoscope.storage.names import ALL, WHOLE_BLOCK

CONTROL = "The corpus is generated, so this is a control of the method and says nothing about the paper."
POWER = 0.8
COLUMNS = ["id", "source", "published", "ours", "low", "high", "verdict", "note", "run"]
COLUMNS += ["margin", "detectable", "equivalence_p"]


@dataclass(frozen=True)
class Measured:
    """What a run finds: a value, its interval, a remark; for a procedure also what the authors' code finds.

    `detectable` is the smallest effect that a sample like this one, of so many `texts`, shows with 80 % power; for a
    `rate`, the largest that zero events still allow. `within` and `beyond` are the p values of the tests that the
    effect lies within the margin that counts as none, and that it lies beyond.
    """

    value: float
    low: float = np.nan
    high: float = np.nan
    note: str = ""
    code: tuple[float, float, float] | None = None
    texts: float = np.nan
    rate: bool = False
    detectable: float = np.nan
    within: float = np.nan
    beyond: float = np.nan


@dataclass(frozen=True)
class Tables:
    """What the measures read; an axis that was not run is absent from `pairs`."""

    metrics: dict
    audit: dict
    samples: pd.DataFrame
    masking: pd.DataFrame
    all_but: pd.DataFrame
    pairs: dict[str, pd.DataFrame]
    alpha: float
    margin: float


def assess_claims(
    claims: Path,
    metrics: Path,
    audit: Path,
    samples: Path,
    summary: Path,
    all_but: Path,
    pairs: list[Path],
    scores: list[Path],
    run: dict,
    statistics: dict,
    output: Path,
) -> None:
    """Write one run's claims as CSV; `run` holds its name and the settings of its corpus and model."""
    joined = [
        scored(pd.read_parquet(first), pd.read_parquet(second)) for first, second in zip(pairs, scores, strict=True)
    ]
    tables = Tables(
        metrics=read_json(metrics),
        audit=read_json(audit),
        samples=pd.read_parquet(samples),
        masking=pd.read_parquet(summary),
        all_but=pd.read_parquet(all_but),
        pairs={path.stem: table for path, table in zip(pairs, joined, strict=True)},
        alpha=1 - statistics["confidence"],
        margin=statistics["margin"],
    )
    shared = shared_with_paper(run)
    listed = yaml.safe_load(claims.read_text(encoding="utf-8"))
    listed = [claim for claim in listed if claim["measure"]["function"] in MEASURES]  # the others are the write-ups'
    rows = [{**assess(claim, tables, shared, statistics), "run": run["name"]} for claim in listed]
    if run["corpus"]["source"] == "calibration":
        for claim, row in zip(listed, rows, strict=True):
            if claim["judge"] in ("effect", "no effect") and "ours" in row:
                row["note"] += f" {CONTROL}"
    write_csv(pd.DataFrame(rows, columns=COLUMNS), output)


def collect_claims(runs: list[Path], output: Path) -> None:
    """Write the claims of all runs as one CSV."""
    write_csv(pd.concat([pd.read_csv(path, dtype=str) for path in runs]), output)


def assess(claim: dict, tables: Tables, shared: set[str], statistics: dict) -> dict:
    """One row of the claims table."""
    arguments = dict(claim["measure"])
    measured = MEASURES[arguments.pop("function")](tables, **arguments)
    return judged(claim, measured, shared, statistics)


def judged(claim: dict, measured: Measured | None, shared: set[str], statistics: dict) -> dict:
    """One row of the claims table; `shared`: which of corpus and model are the same here and in the claim's source."""
    margin, alpha = statistics["margin"], 1 - statistics["confidence"]
    row = {key: claim[key] for key in ("id", "source", "published")}
    if measured is None:
        note = f"{claim['says']} This run has nothing to measure it on."
        return {**row, "verdict": "not testable here", "note": note}
    missing = [part for part in claim.get("needs", []) if part not in shared]
    verdict, reason = judge(claim, measured, missing, margin, alpha)
    note = " ".join(filter(None, [claim["says"], measured.note, reason]))
    row |= {"ours": measured.value, "low": measured.low, "high": measured.high, "detectable": measured.detectable}
    if claim["judge"] == "no effect":
        row |= {"margin": margin, "equivalence_p": measured.within}
    return {**row, "verdict": verdict, "note": note}


def judge(claim: dict, measured: Measured, missing: list[str], margin: float, alpha: float) -> tuple[str, str]:
    """The verdict on a claim and the reason for it; `missing` names what the run does not share with the paper."""
    if claim["judge"] == "no effect":
        return _judge_nothing(measured, margin, alpha)
    if claim["judge"] == "effect":
        return _judge_effect(measured, claim["tolerance"], margin, alpha)
    tolerance, published = claim["tolerance"], claim["published"]
    if claim["judge"] == "procedure":
        if published > claim["headroom"]:
            return "artefact", f"The authors' log leaves a rise of {claim['headroom']:.1g} at most."
        if measured.code and _apart((measured.low, measured.high), measured.code[1:]):
            return "artefact", "The authors' code and the paper's text measure different things."
    if missing:
        return "not testable here", f"Comparable only with the paper's {' and '.join(missing)}."
    if abs(measured.value - published) <= tolerance:
        return "reproduced", ""
    if measured.low <= published + tolerance and measured.high >= published - tolerance:
        gap = replace(measured, **{name: getattr(measured, name) - published for name in ("value", "low", "high")})
        return (
            "underpowered",
            f"Off by more than {tolerance:g}, but the interval reaches nearer. {_hidden(gap, tolerance, alpha)}",
        )
    return "contradicted", f"Off by more than {tolerance:g}."


def _judge_nothing(measured: Measured, margin: float, alpha: float) -> tuple[str, str]:
    if measured.within <= alpha:
        return "reproduced", f"Shown to lie within {margin:g} of zero."
    if measured.beyond <= alpha:
        return "contradicted", f"Shown to lie beyond {margin:g} from zero."
    return (
        "underpowered",
        f"Neither shown to lie within {margin:g} of zero nor beyond. {_hidden(measured, margin, alpha)}",
    )


def _judge_effect(measured: Measured, tolerance: float, margin: float, alpha: float) -> tuple[str, str]:
    if measured.low > tolerance:
        return "reproduced", f"The interval lies above {tolerance:g}."
    if measured.high <= tolerance:
        return "contradicted", f"The interval does not reach above {tolerance:g}."
    # no number of texts shows that a rate is zero, but a finite one that it is small
    target = tolerance or margin if measured.rate else tolerance
    return "underpowered", f"The interval lies on both sides of {tolerance:g}. {_hidden(measured, target, alpha)}"


def _hidden(measured: Measured, target: float, alpha: float) -> str:
    """How large an effect would have gone undetected in an underpowered sample, and how many texts would tell."""
    largest = np.nanmax(np.abs([measured.value, measured.low, measured.high]))
    hidden = f"An effect of up to {largest:.2g} would have gone undetected"
    if measured.rate:
        needed = texts_for_rate(measured.value, target, alpha, POWER)
    else:
        needed = texts_for_mean(measured.value, target, measured.detectable, measured.texts)
    if not np.isfinite(needed):
        return f"{hidden}."
    return (
        f"{hidden}; about {float(f'{needed:.2g}'):,.0f} texts would be needed to tell, instead of {measured.texts:,}."
    )


def _apart(first: tuple[float, float], second: tuple[float, float]) -> bool:
    """Whether two intervals do not overlap; never true of an interval that is not known."""
    return first[1] < second[0] or second[1] < first[0]


def distinct_texts(tables: Tables) -> Measured:
    count = tables.audit["rows"] - tables.audit["duplicate_rows"]
    return Measured(count, note=f"The corpus has {tables.audit['rows']} rows. A count has no interval.")


def accuracy(tables: Tables, part: str) -> Measured:
    distinct = tables.metrics[part]["distinct"]
    return _metric(tables, part, "accuracy", f"On distinct texts that do not leak: {distinct['accuracy']:.3f}.")


def auc(tables: Tables, part: str) -> Measured:
    return _metric(tables, part, "auc_ovr")


def block_change(tables: Tables, block: int, group: str) -> Measured | None:
    """Mean change of P(own class), as the text describes, and of P(first class), as the code computed it."""
    whole = tables.masking[(tables.masking["head"] == WHOLE_BLOCK) & (tables.masking["block"] == block)]
    whole = whole[whole["group"] == group]
    described = _row(whole, "described", "probability")
    if described is None:
        return None
    code = _estimate(_row(whole, "published", "first_class"))
    classes = tables.metrics["classes"]
    note = f"The authors' procedure gives {code[0]:+.3g} here, being the change of P({classes[0]})." if code else ""
    return _mean(described, note, code)


def largest_change_of_other_blocks(tables: Tables, block: int) -> Measured | None:
    """The mean change of P(own class) furthest from zero, over the other blocks and all classes.

    "No effect" holds if every cell passes the equivalence test (an intersection-union test needs no adjustment), and
    fails if one lies beyond the margin (Bonferroni). The interval spans those of all cells, unless the largest survives
    control of the false discovery rate; `detectable` is that of the worst cell.
    """
    rows = tables.masking.query("head == @WHOLE_BLOCK and block != @block and condition == 'described'")
    rows = rows[(rows["measure"] == "probability") & (rows["group"] != ALL)]
    if rows.empty:
        return None
    row = rows.loc[rows["change"].abs().idxmax()]
    certain = row["p_adjusted"] <= tables.alpha
    counts = rows["verdict"].value_counts()
    kinds = ", ".join(f"{counts.get(name, 0)} {name}" for name in ("equivalent", "different", "underpowered"))
    return Measured(
        value=row["change"],
        low=row["low"] if certain else rows["low"].min(),
        high=row["high"] if certain else rows["high"].max(),
        note=f"The largest is at block {row['block']}, {row['group']}. Of {len(rows)} blocks and classes: {kinds}.",
        texts=row["texts"],
        detectable=rows["detectable"].max(),
        within=rows["p_equivalence"].max(),
        beyond=min(1, len(rows) * (1 - rows["p_equivalence"]).min()),
    )


def accuracy_lead(tables: Tables, block: int) -> Measured | None:
    """How much more accuracy masking this block costs than masking the costliest other; a conservative interval."""
    rows = tables.masking.query("head == @WHOLE_BLOCK and condition == 'described'")
    rows = rows[(rows["measure"] == "accuracy") & (rows["group"] == ALL)]
    own, others = rows[rows["block"] == block], rows[rows["block"] != block]
    if own.empty or others.empty:
        return None
    own, rival = own.iloc[0], others.loc[others["change"].idxmin()]
    costliest = f"at block {rival['block']}, the costliest other, by {rival['change']:+.3f}"
    low, high = rival["low"] - own["high"], rival["high"] - own["low"]
    return Measured(
        value=rival["change"] - own["change"],
        low=low,
        high=high,
        note=f"Accuracy changes by {own['change']:+.3f}; {costliest}.",
        texts=own["texts"],
        detectable=_detectable(low, high, tables.alpha),
    )


def change_without_others(tables: Tables, block: int) -> Measured | None:
    """Mean change of P(own class) when every block but this one is silenced, as the text describes."""
    rows = tables.all_but[(tables.all_but["block"] == block) & (tables.all_but["group"] == ALL)]
    described = _row(rows, "described", "probability")
    code = _estimate(_row(rows, "published", "first_class"))
    note = f"The authors' procedure gives {code[0]:+.3g}." if code else ""
    return None if described is None else _mean(described, note, code)


def large_changes(tables: Tables, axis: str, origin: str) -> Measured | None:
    """Share of texts whose flip moves some class's probability by 10 % or more."""
    if axis not in tables.pairs:
        return None
    pairs = _counted(tables.pairs[axis].query("origin == @origin"))
    return _rate(tables, largest_change(pairs) >= LARGE, pairs["cluster"]) if len(pairs) else None


def published_pair(tables: Tables, pair: str, group: str) -> Measured | None:
    """Change of one class's probability for one of the two pairs that the paper prints."""
    pairs = tables.pairs.get("gender", pd.DataFrame(columns=["origin", "term"]))
    pairs = pairs.query("origin == 'published' and term == @pair")
    if pairs.empty or f"after_{group}" not in pairs:
        return None
    change = float(pairs[f"after_{group}"].iloc[0] - pairs[f"before_{group}"].iloc[0])
    return Measured(change, note="One pair of texts and a model that always answers the same: nothing is sampled.")


def changed_by_synonyms(tables: Tables, but: list[str]) -> Measured | None:
    """Share of rewritten texts, by the published procedure, whose predicted class changes; some words left out."""
    pairs = _counted(tables.pairs["synonyms"].query("origin == 'published'"))
    replaced = [{row.text[start:end] for start, end, *_ in row.spans} for row in pairs.itertuples()]
    pairs = pairs[[words.isdisjoint(but) for words in replaced]]
    return _rate(tables, moved(pairs), pairs["cluster"]) if len(pairs) else None


def most_changed_word(tables: Tables, but: list[str]) -> Measured | None:
    """The word whose replacement alone most surely changes more predictions than the margin allows, some left out.

    "No effect" holds if every word passes the equivalence test, and fails if one lies beyond the margin. That, and the
    interval, is adjusted for the number of words (Bonferroni), since the largest of many is sought; `detectable` is
    that of the rarest word.
    """
    pairs = _counted(tables.pairs["synonyms"].query("origin == 'word' and term not in @but"))
    if pairs.empty:
        return None
    words = pairs.assign(moved=moved(pairs)).groupby("term")["moved"].agg(["sum", "size"])
    tests = [rate_equivalence_verdict(*counts, tables.margin, tables.alpha) for counts in words.itertuples(index=False)]
    within, beyond = (np.array([getattr(test, p) for test in tests]) for p in ("p_equivalence", "p_difference"))
    worst = int(np.argmin(beyond))
    name, (count, texts) = words.index[worst], words.iloc[worst]
    low, high = wilson_interval(count, texts, tables.alpha / len(words))
    shown, rarest = (within <= tables.alpha).sum(), words["size"].min()
    return Measured(
        value=float(count / texts),
        low=float(low),
        high=float(high),
        note=f"Furthest from zero is {name}: {count} of {texts} texts. Of {len(words)} words, {shown} are shown to "
        f"stay within the margin; the rarest stands in {rarest} texts.",
        texts=int(rarest),
        rate=True,
        detectable=float(minimum_detectable_rate(rarest, tables.alpha)),
        within=float(within.max()),
        beyond=min(1.0, float(len(words) * beyond[worst])),
    )


def changed_by_word(tables: Tables, word: str) -> Measured | None:
    """Share of the texts with this word whose predicted class changes when it is replaced."""
    pairs = _counted(tables.pairs["synonyms"].query("origin == 'word' and term == @word"))
    return _rate(tables, moved(pairs), pairs["cluster"]) if len(pairs) else None


MEASURES = {
    function.__name__: function
    for function in (
        distinct_texts,
        accuracy,
        auc,
        block_change,
        largest_change_of_other_blocks,
        accuracy_lead,
        change_without_others,
        large_changes,
        published_pair,
        changed_by_synonyms,
        most_changed_word,
        changed_by_word,
    )
}


def _row(rows: pd.DataFrame, condition: str, measure: str) -> pd.Series | None:
    found = rows[(rows["condition"] == condition) & (rows["measure"] == measure)]
    return found.iloc[0] if len(found) else None


def _estimate(row: pd.Series | None) -> tuple[float, float, float] | None:
    return None if row is None else tuple(row[["change", "low", "high"]])


def _mean(row: pd.Series, note: str, code: tuple[float, float, float] | None) -> Measured:
    """A mean change out of a masking summary."""
    return Measured(
        *_estimate(row),
        note,
        code,
        texts=row["texts"],
        detectable=row["detectable"],
        within=row["p_equivalence"],
        beyond=1 - row["p_equivalence"],  # the one-sided t test that binds, the other way round
    )


def _metric(tables: Tables, part: str, name: str, note: str = "") -> Measured:
    """A number of `metrics.json`, over all rows of a set."""
    found = tables.metrics[part]["all"]
    low, high = (np.nan if bound is None else bound for bound in found[f"{name}_interval"])
    return Measured(
        np.nan if found[name] is None else found[name],
        low,
        high,
        note,
        texts=found["rows"],
        detectable=_detectable(low, high, tables.alpha),
    )


def _detectable(low: float, high: float, alpha: float) -> float:
    """The smallest difference from a fixed number that shows with 80 % power, where only an interval is known."""
    z, power = norm.ppf([1 - alpha / 2, POWER])
    return float((high - low) / 2 * (z + power) / z)


def _counted(pairs: pd.DataFrame) -> pd.DataFrame:
    return pairs[countable(pairs)].drop_duplicates(["text", "term"])


def _rate(tables: Tables, events: pd.Series, clusters: pd.Series) -> Measured:
    texts, independent = len(events), int(effective_rows(events, clusters))
    rate = float(events.mean())
    tested = rate_equivalence_verdict(round(rate * independent), independent, tables.margin, tables.alpha)
    low, high = rate_interval(events, clusters, tables.alpha)
    alike = f" They share {clusters.nunique()} sentences and tell as much as {independent} independent ones."
    return Measured(
        value=rate,
        low=float(low),
        high=float(high),
        note=f"{events.sum()} of {texts} texts." + (alike if independent < texts else ""),
        texts=independent,
        rate=True,
        detectable=float(minimum_detectable_rate(independent, tables.alpha)),
        within=float(tested.p_equivalence),
        beyond=float(tested.p_difference),
    )
