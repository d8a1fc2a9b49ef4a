"""The published claims beside what a run finds, each with a verdict."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from emoscope.contracts import ALL, WHOLE_BLOCK, shared_with_paper
from emoscope.files import read_json, replacing
from emoscope.pairs import LARGE, countable, largest_change, moved, scored
from emoscope.stats import wilson_interval

CONTROL = "The corpus is generated, so this is a control of the method and says nothing about the paper."
COLUMNS = ["id", "source", "published", "ours", "low", "high", "verdict", "note", "run"]


@dataclass(frozen=True)
class Measured:
    """What a run finds: a value, its interval, a remark; for a procedure also what the authors' code finds."""

    value: float
    low: float
    high: float
    note: str = ""
    code: tuple[float, float, float] | None = None


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
    )
    shared = shared_with_paper(run)
    listed = yaml.safe_load(claims.read_text(encoding="utf-8"))
    rows = [{**assess(claim, tables, shared), "run": run["name"]} for claim in listed]
    if run["corpus"]["source"] == "calibration":
        for claim, row in zip(listed, rows, strict=True):
            if claim["judge"] in ("effect", "no effect") and "ours" in row:
                row["note"] += f" {CONTROL}"
    with replacing(output) as temporary:
        pd.DataFrame(rows, columns=COLUMNS).to_csv(temporary, index=False)


def collect_claims(runs: list[Path], output: Path) -> None:
    """Write the claims of all runs as one CSV."""
    with replacing(output) as temporary:
        pd.concat([pd.read_csv(path, dtype=str) for path in runs]).to_csv(temporary, index=False)


def assess(claim: dict, tables: Tables, shared: set[str]) -> dict:
    """One row of the claims table."""
    arguments = dict(claim["measure"])
    measured = MEASURES[arguments.pop("function")](tables, **arguments)
    row = {key: claim[key] for key in ("id", "source", "published")}
    if measured is None:
        note = f"{claim['says']} This run has nothing to measure it on."
        return {**row, "verdict": "not testable here", "note": note}
    verdict, reason = judge(claim, measured, missing=[part for part in claim.get("needs", []) if part not in shared])
    note = " ".join(filter(None, [claim["says"], measured.note, reason]))
    return {**row, "ours": measured.value, "low": measured.low, "high": measured.high, "verdict": verdict, "note": note}


def judge(claim: dict, measured: Measured, missing: list[str]) -> tuple[str, str]:
    """The verdict on a claim and the reason for it; `missing` names what the run does not share with the paper."""
    tolerance, published = claim["tolerance"], claim["published"]
    match claim["judge"]:
        case "no effect":
            return _judge_nothing(measured, tolerance)
        case "effect":
            return _judge_effect(measured, tolerance)
        case "procedure":
            if published > claim["headroom"]:
                return "artefact", f"The authors' log leaves a rise of {claim['headroom']:.1g} at most."
            if measured.code and _apart((measured.low, measured.high), measured.code[1:]):
                return "artefact", "The authors' code and the paper's text measure different things."
    if missing:
        return "not testable here", f"Comparable only with the paper's {' and '.join(missing)}."
    if abs(measured.value - published) <= tolerance:
        return "reproduced", ""
    return "contradicted", f"Off by more than {tolerance:g}."


def _judge_nothing(measured: Measured, tolerance: float) -> tuple[str, str]:
    if -tolerance <= measured.low and measured.high <= tolerance:
        return "reproduced", f"The interval lies within {tolerance:g} of zero."
    if measured.low > tolerance or measured.high < -tolerance:
        return "contradicted", f"The interval lies beyond {tolerance:g} from zero."
    return "underpowered", f"The interval neither fits within {tolerance:g} of zero nor lies beyond it."


def _judge_effect(measured: Measured, tolerance: float) -> tuple[str, str]:
    if measured.low > tolerance:
        return "reproduced", f"The interval lies above {tolerance:g}."
    if measured.high <= tolerance:
        return "contradicted", f"The interval does not reach above {tolerance:g}."
    return "underpowered", f"The interval lies on both sides of {tolerance:g}."


def _apart(first: tuple[float, float], second: tuple[float, float]) -> bool:
    """Whether two intervals do not overlap; never true of an interval that is not known."""
    return first[1] < second[0] or second[1] < first[0]


def distinct_texts(tables: Tables) -> Measured:
    count = tables.audit["rows"] - tables.audit["duplicate_rows"]
    return Measured(count, count, count, f"The corpus has {tables.audit['rows']} rows.")


def accuracy(tables: Tables, part: str) -> Measured:
    found, distinct = (tables.metrics[part][kind] for kind in ("all", "distinct"))
    note = f"On distinct texts that do not leak: {distinct['accuracy']:.3f}."
    return Measured(found["accuracy"], *found["accuracy_interval"], note)


def auc(tables: Tables, part: str) -> Measured:
    found = tables.metrics[part]["all"]["auc_ovr"]
    return Measured(found, np.nan, np.nan)


def block_change(tables: Tables, block: int, group: str) -> Measured | None:
    """Mean change of P(own class), as the text describes, and of P(first class), as the code computed it."""
    whole = tables.masking[(tables.masking["head"] == WHOLE_BLOCK) & (tables.masking["block"] == block)]
    whole = whole[whole["group"] == group]
    described = _estimate(whole, "described", "probability")
    if described is None:
        return None
    code = _estimate(whole, "published", "first_class")
    classes = tables.metrics["classes"]
    note = f"The authors' procedure gives {code[0]:+.3g} here, being the change of P({classes[0]})." if code else ""
    return Measured(*described, note, code)


def largest_change_of_other_blocks(tables: Tables, block: int) -> Measured | None:
    """The mean change of P(own class) furthest from zero, over the other blocks and all classes.

    Its interval spans the intervals of all of them, unless the largest survives control of the false discovery rate.
    """
    rows = tables.masking.query("head == @WHOLE_BLOCK and block != @block and condition == 'described'")
    rows = rows[(rows["measure"] == "probability") & (rows["group"] != ALL)]
    if rows.empty:
        return None
    row = rows.loc[rows["change"].abs().idxmax()]
    share = f"{rows['equivalent'].mean():.0%} of the cells are equivalent to zero"
    note = f"The largest is at block {row['block']}, {row['group']}; {share}."
    if row["p_adjusted"] <= tables.alpha:
        return Measured(row["change"], row["low"], row["high"], note)
    return Measured(row["change"], rows["low"].min(), rows["high"].max(), note)


def accuracy_lead(tables: Tables, block: int) -> Measured | None:
    """How much more accuracy masking this block costs than masking the costliest other; a conservative interval."""
    rows = tables.masking.query("head == @WHOLE_BLOCK and condition == 'described'")
    rows = rows[(rows["measure"] == "accuracy") & (rows["group"] == ALL)]
    own, others = rows[rows["block"] == block], rows[rows["block"] != block]
    if own.empty or others.empty:
        return None
    own, rival = own.iloc[0], others.loc[others["change"].idxmin()]
    costliest = f"at block {rival['block']}, the costliest other, by {rival['change']:+.3f}"
    note = f"Accuracy changes by {own['change']:+.3f}; {costliest}."
    return Measured(rival["change"] - own["change"], rival["low"] - own["high"], rival["high"] - own["low"], note)


def change_without_others(tables: Tables, block: int) -> Measured | None:
    """Mean change of P(own class) when every block but this one is silenced, as the text describes."""
    rows = tables.all_but[(tables.all_but["block"] == block) & (tables.all_but["group"] == ALL)]
    described = _estimate(rows, "described", "probability")
    code = _estimate(rows, "published", "first_class")
    note = f"The authors' procedure gives {code[0]:+.3g}." if code else ""
    return Measured(*described, note, code) if described else None


def large_changes(tables: Tables, axis: str, origin: str) -> Measured | None:
    """Share of texts whose flip moves some class's probability by 10 % or more."""
    if axis not in tables.pairs:
        return None
    pairs = _counted(tables.pairs[axis].query("origin == @origin"))
    return _rate(tables, largest_change(pairs) >= LARGE) if len(pairs) else None


def published_pair(tables: Tables, pair: str, group: str) -> Measured | None:
    """Change of one class's probability for one of the two pairs that the paper prints."""
    pairs = tables.pairs.get("gender", pd.DataFrame(columns=["origin", "term"]))
    pairs = pairs.query("origin == 'published' and term == @pair")
    if pairs.empty or f"after_{group}" not in pairs:
        return None
    change = float(pairs[f"after_{group}"].iloc[0] - pairs[f"before_{group}"].iloc[0])
    return Measured(change, np.nan, np.nan)


def changed_by_synonyms(tables: Tables, but: list[str]) -> Measured | None:
    """Share of rewritten texts, by the published procedure, whose predicted class changes; some words left out."""
    pairs = _counted(tables.pairs["synonyms"].query("origin == 'published'"))
    replaced = [{row.text[start:end] for start, end, *_ in row.spans} for row in pairs.itertuples()]
    pairs = pairs[[words.isdisjoint(but) for words in replaced]]
    return _rate(tables, moved(pairs)) if len(pairs) else None


def most_changed_word(tables: Tables, but: list[str]) -> Measured | None:
    """The word whose replacement alone changes most predictions for certain, some words left out.

    Intervals are widened for the number of words (Bonferroni), since the largest of many is sought.
    """
    pairs = _counted(tables.pairs["synonyms"].query("origin == 'word' and term not in @but"))
    if pairs.empty:
        return None
    words = pairs.assign(moved=moved(pairs)).groupby("term")["moved"].agg(["sum", "size"])
    low, high = wilson_interval(words["sum"], words["size"], tables.alpha / len(words))
    worst = int(np.argmax(low))
    name, (count, texts) = words.index[worst], words.iloc[worst]
    note = f"The word is {name}: {count} of {texts} texts."
    return Measured(count / texts, low[worst], high.max() if low[worst] == 0 else high[worst], note)


def changed_by_word(tables: Tables, word: str) -> Measured | None:
    """Share of the texts with this word whose predicted class changes when it is replaced."""
    pairs = _counted(tables.pairs["synonyms"].query("origin == 'word' and term == @word"))
    return _rate(tables, moved(pairs)) if len(pairs) else None


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


def _estimate(rows: pd.DataFrame, condition: str, measure: str) -> tuple[float, float, float] | None:
    found = rows[(rows["condition"] == condition) & (rows["measure"] == measure)]
    return tuple(found[["change", "low", "high"]].iloc[0]) if len(found) else None


def _counted(pairs: pd.DataFrame) -> pd.DataFrame:
    return pairs[countable(pairs)].drop_duplicates(["text", "term"])


def _rate(tables: Tables, events: pd.Series) -> Measured:
    low, high = wilson_interval(events.sum(), len(events), tables.alpha)
    return Measured(float(events.mean()), float(low), float(high), f"{events.sum()} of {len(events)} texts.")
