"""What each mask changed, over the confident samples of each class, with intervals."""

from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.experiments.masking.conditions import BLOCKS
from emoscope.experiments.masking.findings import findings_of
from emoscope.reporting.findings import write_findings
from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.statistics.bounded import bounded_test
from emoscope.statistics.equivalence import equivalence_verdict
from emoscope.statistics.families import benjamini_hochberg
from emoscope.statistics.settings import resampling
from emoscope.statistics.studentised import studentised_test
from emoscope.storage.files import write_csv, write_table
from emoscope.storage.names import ALL, WHOLE_BLOCK

MASK = ["block", "head", "condition"]


def summarise_masking(
    samples: Path,
    blocks: list[Path],
    all_but: Path,
    statistics: dict,
    summary: Path,
    all_but_summary: Path,
    table1: Path,
    table2: Path,
    findings: Path,
) -> None:
    """Write the summary of the masks and of "all but one", both as CSV, shaped like the paper's tables 1 and 2, and the
    findings."""
    baseline = pd.read_parquet(samples)
    one = summarise(baseline, pd.concat(map(pd.read_parquet, blocks), ignore_index=True), **statistics)
    others = summarise(baseline, pd.read_parquet(all_but).assign(head=WHOLE_BLOCK), **statistics)
    write_table(one, summary)
    write_table(others, all_but_summary)
    for table, path in ((one, table1), (others, table2)):
        write_csv(paper_table(table).reset_index(), path)
    first = class_columns(baseline, "p_")[0]
    write_findings(findings_of(one, others, first, 1 - statistics["confidence"]), findings)


def summarise(
    samples: pd.DataFrame, masked: pd.DataFrame, confidence: float, margin: float, resamples: int, seed: int
) -> pd.DataFrame:
    """Mean change per mask, group of samples and measure, with interval, p, FDR-adjusted p and a verdict.

    Measures, each after minus before:
    - `probability`: P(the sample's class);
    - `first_class`: P(the first class), which the authors' code stored in every column;
    - `margin`: the logit of the sample's class minus the largest other logit;
    - `accuracy`: 1 where the prediction equals the label.
    The margin, a logit, has no bounds: it is judged by `studentised_test`, all others by `bounded_test`; a probability
    can change no further than to 0 or 1, so that what the samples were before bounds the change.
    `p_adjusted` is Benjamini-Hochberg over all blocks, heads and classes of one condition and measure. `verdict` on "no
    effect": `equivalent` if the change was shown to lie within +/- `equivalence_margin` (by `p_equivalence`), else
    `different` if `p_adjusted` allows, else `underpowered`; by `p_beyond` it is shown to exceed the margin.
    `detectable` is the smallest change that as many texts with the same spread would show with 80 % power.
    """
    alpha = 1 - confidence
    classes = class_columns(samples, "p_")
    keys = masked[MASK].drop_duplicates().reset_index(drop=True)
    if not (masked["id"].to_numpy().reshape(len(keys), -1) == samples["id"].to_numpy()).all():
        raise ValueError("the masked predictions are not those of the samples")
    after = measures(masked.merge(samples[["id", "label", "group"]], on="id", validate="m:1"), classes)
    before = measures(samples, classes)
    changes = (after.reshape(len(keys), *before.shape) - before).transpose(1, 0, 2)  # (samples, masks, measures)
    family = keys.groupby(["condition", keys["head"] == WHOLE_BLOCK]).size().max() * (len(classes) + 1)
    options = {"seed": seed, "alpha": alpha}
    parts = []
    for group in [*range(len(classes)), ALL]:
        chosen = np.ones(len(samples), bool) if group == ALL else (samples["group"] == group).to_numpy()
        if not chosen.any():
            continue
        texts = samples["text"].to_numpy()[chosen]
        for number, measure in enumerate(MEASURES):
            values, own = changes[chosen, :, number], before[chosen, number]
            if measure == "margin":
                tested = studentised_test(values, texts, margin * LOGITS, resamples=resamples, tests=family, **options)
            else:
                tested = bounded_test(values, texts, margin, (-own.max(), 1 - own.min()), alpha)
            parts.append(
                keys.assign(
                    group=group if group == ALL else classes[group],
                    measure=measure,
                    change=tested.value,
                    low=tested.low,
                    high=tested.high,
                    p=tested.p_difference,
                    texts=tested.n,
                    equivalence_margin=margin * LOGITS if measure == "margin" else margin,
                    p_equivalence=tested.p_within,
                    p_beyond=tested.p_beyond,
                    detectable=tested.detectable,
                )
            )
    table = pd.concat(parts, ignore_index=True)
    families = [table["condition"], table["measure"], table["head"] == WHOLE_BLOCK]
    table["p_adjusted"] = table.groupby(families)["p"].transform(benjamini_hochberg)
    table["verdict"] = equivalence_verdict(table["p_equivalence"], table["p_adjusted"], alpha)
    return table


MEASURES = ("probability", "first_class", "margin", "accuracy")
LOGITS = 4  # the logistic curve's slope is 1/4 at most: a logit moved by 4 m moves no P by over m


def measures(table: pd.DataFrame, classes: list[str]) -> np.ndarray:
    """The MEASURES of every row before differences are taken, float (rows, 4)."""
    probabilities = table[[f"p_{name}" for name in classes]].to_numpy(dtype=float)
    logits = table[[f"logit_{name}" for name in classes]].to_numpy(dtype=float)
    rows, group = np.arange(len(table)), table["group"].to_numpy()
    rivals = logits.copy()
    rivals[rows, group] = -np.inf
    return np.column_stack([
        probabilities[rows, group],
        probabilities[:, 0],
        logits[rows, group] - rivals.max(axis=1),
        probabilities.argmax(axis=1) == table["label"].to_numpy(),
    ])  # fmt: skip


def paper_table(summary: pd.DataFrame) -> pd.DataFrame:
    """Rows are conditions and blocks, columns the samples' classes, cells the mean change, as in the paper's table 1.

    `described` is the change of P(the sample's class) with weight and bias silenced; `published` is what the authors'
    code computed: the change of P(the first class) in every column, with only the bias silenced.
    """
    blocks = summary[(summary["head"] == WHOLE_BLOCK) & (summary["group"] != ALL)]
    chosen = blocks[blocks["measure"] == blocks["condition"].map(lambda name: BLOCKS[name].measure)]
    order = list(dict.fromkeys(chosen["group"]))
    return chosen.pivot(index=["condition", "block"], columns="group", values="change")[order]


def class_columns(table: pd.DataFrame, prefix: str) -> list[str]:
    """Class names in the order of the columns that start with `prefix`."""
    return [name.removeprefix(prefix) for name in table.columns if name.startswith(prefix)]


def whole_blocks(summary: pd.DataFrame, condition: str, measure: str) -> pd.DataFrame:
    """The rows of a summary on whole blocks, of one condition and one measure."""
    chosen = (summary["condition"] == condition) & (summary["measure"] == measure)
    return summary[chosen & (summary["head"] == WHOLE_BLOCK)]


def costliest_block(summary: pd.DataFrame) -> pd.Series:
    """The row of the silenced block that costs most accuracy, all texts together."""
    rows = whole_blocks(summary, "described", "accuracy").query("group == @ALL")
    return rows.loc[rows["change"].idxmin()]


def strongest_heads(summary: pd.DataFrame, count: int) -> list[tuple[int, int]]:
    """The (block, head) whose silencing moves the logit margin of all texts most, the strongest first."""
    heads = summary[(summary["head"] != WHOLE_BLOCK) & (summary["condition"] == "zero") & (summary["group"] == ALL)]
    margins = heads[heads["measure"] == "margin"].set_index(["block", "head"])["change"]
    return list(margins.abs().sort_values(ascending=False).index[:count])


def signs_as_predicted(code: pd.DataFrame, first: str, margin: float) -> tuple[int, int]:
    """Of a block's changes of P(the first class), a row for each `group` of texts, how many have the sign of table 1.

    That is a fall in the texts of the first class and a rise in all others. Only changes of `margin` or more count;
    their number is returned as well.
    """
    large = code[code["change"].abs() >= margin]
    expected = np.where(large["group"] == first, -1, 1)
    return int((np.sign(large["change"]) == expected).sum()), len(large)


def composition_effect(
    samples: pd.DataFrame, masks: pd.DataFrame, composed: list, statistics: dict
) -> dict[str, float] | None:
    """How much more accuracy the texts with ids in `composed` lose than the others, with a bootstrap interval.

    Compared is the mean change of accuracy over all blocks, each silenced in turn; `masks` are the masked predictions
    of all blocks. Also counted are the `texts`, and how many of them are `composed`. None if all are, or none.
    """
    described = masks[(masks["head"] == WHOLE_BLOCK) & (masks["condition"] == "described")]
    names = [f"p_{name}" for name in class_columns(described, "p_")]
    after = described.assign(pred=described[names].to_numpy().argmax(axis=1)).merge(samples[["id", "label"]], on="id")
    right_after, right_before = (
        (table["pred"] == table["label"]).groupby(table["id"]).mean() for table in (after, samples)
    )
    lost = right_after - right_before
    values, chosen = lost.to_numpy(dtype=float), lost.index.isin(composed)
    if chosen.all() or not chosen.any():
        return None

    def difference(weights: np.ndarray) -> float:
        kinds = (chosen, ~chosen)
        if not all(weights[kind].any() for kind in kinds):
            return np.nan
        with_, without = (np.average(values[kind], weights=weights[kind]) for kind in kinds)
        return with_ - without

    low, high = bootstrap_statistic(difference, lost.index.to_numpy(), **resampling(statistics))
    value = difference(np.ones(len(values)))
    return {"value": value, "low": low, "high": high, "composed": int(chosen.sum()), "texts": len(chosen)}
