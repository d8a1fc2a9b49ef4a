"""What each mask changed, over the confident samples of each class, with intervals."""

from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.experiments.masking.conditions import BLOCKS
from emoscope.experiments.masking.findings import findings_of
from emoscope.experiments.masking.measures import (
    MASK,
    MEASURES,
    PAIR,
    ROUNDING,
    SCALE,
    changes_of,
    classes_in,
    measures,
)
from emoscope.experiments.masking.screening.screened import heads_in, screen_findings, with_effects
from emoscope.reporting.findings import write_findings
from emoscope.statistics.adjustment import benjamini_hochberg
from emoscope.statistics.bounded import bounded_test
from emoscope.statistics.clusters import clustered
from emoscope.statistics.equivalence import equivalence_verdict
from emoscope.statistics.settings import alpha_of, resampling
from emoscope.statistics.studentised import studentised_test
from emoscope.storage.files import write_csv, write_table
from emoscope.storage.names import ALL, WHOLE_BLOCK

EFFECTS = ["first", "second", "together"]


def summarise_masking(
    samples: Path,
    blocks: list[Path],
    all_but: Path,
    pairs: Path,
    statistics: dict,
    summary: Path,
    all_but_summary: Path,
    pair_summary: Path,
    table1: Path,
    table2: Path,
    findings: Path,
    screen: list[Path] = (),
    screen_summary: list[Path] = (),
) -> None:
    """Write the summary of the masks, of "all but one" and of pairs of heads, the first two also as CSV, shaped like
    the paper's tables 1 and 2, and the findings; of a `screen` of heads, if there was one, `with_effects`."""
    baseline, screens = pd.read_parquet(samples), [pd.read_parquet(path) for path in screen]
    masked = pd.concat(map(pd.read_parquet, blocks), ignore_index=True)
    one = summarise(baseline, masked, statistics, heads=sum(map(heads_in, screens)))
    others = summarise(baseline, pd.read_parquet(all_but), statistics)
    together = summarise_pairs(baseline, pd.read_parquet(pairs), statistics)
    write_table(one, summary)
    write_table(others, all_but_summary)
    write_table(together, pair_summary)
    for table, path in ((one, table1), (others, table2)):
        write_csv(paper_table(table).reset_index(allow_duplicates=True), path)  # a class may be called `block`
    first = classes_in(baseline)[0]
    alpha = alpha_of(statistics)
    found = list(findings_of(one, others, together, first, alpha))
    for screened, target in zip(screens, screen_summary, strict=True):
        gone_over = with_effects(screened, one)
        write_table(gone_over, target)
        found += screen_findings(gone_over, alpha)
    write_findings(found, findings)


def summarise(samples: pd.DataFrame, masked: pd.DataFrame, statistics: dict, heads: int = 0) -> pd.DataFrame:
    """Mean change per mask, group of samples and measure, with interval, p, FDR-adjusted p and a verdict.

    Measures, each after minus before:
    - `probability`: P(the sample's class);
    - `first_class`: P(the first class), which the authors' code stored in every column;
    - `margin`: the logit of the sample's class minus the largest other logit;
    - `accuracy`: 1 where the prediction equals the label.
    Of several labels a text, the last two are the label's own logit, and 1 where it is given: see `measures`.
    The margin, a logit, has no bounds: it is judged by `studentised_test`, all others by `bounded_test`; a probability
    can change no further than to 0 or 1, so that what the samples were before bounds the change.
    `p_adjusted` is Benjamini-Hochberg over all blocks, heads and classes of one condition and measure; if only some of
    the model's `heads` were masked, chosen by a look at the same texts, over all of these. `verdict` on "no effect":
    `equivalent` if the change was shown to lie within +/- `equivalence_margin` (by `p_equivalence`), else
    `different` if `p_adjusted` allows, else `underpowered`; by `p_beyond` it is shown to exceed the margin.
    `detectable` is the smallest change that as many texts with the same spread would show with 80 % power, even if it
    were the only one of its family; `detectable_alone` if nothing else were tested.
    """
    alpha, margin = alpha_of(statistics), statistics["margin"]
    keys, changes = changes_of(samples, masked, MASK)
    classes = classes_in(samples)
    before = measures(samples, classes)
    single = keys["head"] != WHOLE_BLOCK
    family = keys.groupby(["condition", single])["block"].transform("size").to_numpy()
    family = np.where(single, np.maximum(family, heads), family) * (samples["group"].nunique() + 1)
    options = resampling(statistics) | {"tests": family}
    parts = []
    for group in [*range(len(classes)), ALL]:
        chosen = np.ones(len(samples), bool) if group == ALL else (samples["group"] == group).to_numpy()
        if not chosen.any():
            continue
        own = before[chosen]
        bounds = -own.max(axis=0), 1 - own.min(axis=0)
        found = _judged(changes[chosen], samples["text"].to_numpy()[chosen], bounds, margin, **options)
        name = group if group == ALL else classes[group]
        parts += [keys.assign(group=name, measure=measure, **columns) for measure, columns in found.items()]
    table = pd.concat(parts, ignore_index=True)
    single = table["head"] != WHOLE_BLOCK
    masked_heads = len(table.loc[single, ["block", "head"]].drop_duplicates())
    for of_heads, rows in table.groupby(single):
        chosen_from = max(heads / masked_heads, 1) if of_heads else 1
        adjusted = rows.groupby(["condition", "measure"])["p"].transform(benjamini_hochberg, chosen_from=chosen_from)
        table.loc[rows.index, "p_adjusted"] = adjusted
    table["verdict"] = equivalence_verdict(table["p_equivalence"], table["p_adjusted"], alpha)
    return table


def summarise_pairs(samples: pd.DataFrame, masked: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """What two heads do together beyond what each does, per pair of heads and measure, all texts together that pairs
    were masked in.

    `first`, `second` and `together` are the mean changes by ablating one head, the other, and both; `change` is the
    interaction, together - first - second, text by text, with interval, p, FDR-adjusted p over the pairs, and a
    verdict: `additive` if the interaction was shown to lie within the margin, else, if `p_adjusted` allows, `redundant`
    where both together do more than the sum, be it harm or good (each makes up for the loss of the other), and
    `overlapping` where they do less (what one does is lost without the other, too), else `not settled`.
    """
    if masked.empty:
        return pd.DataFrame(columns=[*PAIR, "measure", *EFFECTS, "change", "low", "high", "p_adjusted", "verdict"])
    samples = samples[samples["id"].isin(masked["id"])]
    keys, changes = changes_of(samples, masked, PAIR)
    first_head, second_head = ([tuple(head) for head in keys[names].to_numpy()] for names in (PAIR[:2], PAIR[2:]))
    column = {(one, other): number for number, (one, other) in enumerate(zip(first_head, second_head, strict=True))}
    both = [pair for pair in column if pair[0] != pair[1]]
    first, second = (changes[:, [column[pair[place], pair[place]] for pair in both]] for place in (0, 1))
    together = changes[:, [column[pair] for pair in both]]
    pairs = pd.DataFrame([[*one, *other] for one, other in both], columns=PAIR)
    options = resampling(statistics) | {"tests": len(pairs)}
    before = measures(samples, classes_in(samples))
    bounds = before.min(axis=0) - 2, before.max(axis=0) + 1  # of what is left by both, less by each alone, plus before
    found = _judged(together - first - second, samples["text"].to_numpy(), bounds, statistics["margin"], **options)
    means = {name: values.mean(axis=0) for name, values in zip(EFFECTS, (first, second, together), strict=True)}
    table = pd.concat(
        [
            pairs.assign(measure=measure, **{name: mean[:, number] for name, mean in means.items()}, **found[measure])
            for number, measure in enumerate(MEASURES)
        ],
        ignore_index=True,
    )
    table["p_adjusted"] = table.groupby("measure")["p"].transform(benjamini_hochberg)
    shown = equivalence_verdict(table["p_equivalence"], table["p_adjusted"], alpha_of(statistics))
    more = table["together"].abs() > (table["first"] + table["second"]).abs()
    apart = np.where(more, "redundant", "overlapping")
    table["verdict"] = np.select([shown == "equivalent", shown == "different"], ["additive", apart], "not settled")
    return table


def _judged(
    values: np.ndarray,
    texts: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray],
    margin: float,
    *,
    seed: int,
    resamples: int,
    alpha: float,
    tests: int | np.ndarray,
) -> dict[str, dict[str, object]]:
    """The mean of changes (texts, masks, MEASURES) and what was shown of it: by measure a column per name, (masks,).

    `bounds` are the lowest and highest possible change, (MEASURES,) each; the margin, a logit, has none. What is shown
    takes changes below ROUNDING for none; the mean does not. `tests` is the size of a mask's family, or (masks,).
    """
    found, judged = {}, np.where(np.abs(values) < ROUNDING, 0, values)
    for number, measure in enumerate(MEASURES):
        change, nothing = judged[:, :, number], margin * SCALE[number]
        if measure == "margin":
            tested = studentised_test(change, texts, nothing, seed=seed, resamples=resamples, alpha=alpha, tests=tests)
        else:
            tested = bounded_test(change, texts, nothing, (bounds[0][number], bounds[1][number]), alpha, tests)
        found[measure] = {
            "change": clustered(values[:, :, number], texts).mean,
            "low": tested.low,
            "high": tested.high,
            "p": tested.p_difference,
            "texts": tested.n,
            "equivalence_margin": nothing,
            "p_equivalence": tested.p_within,
            "p_beyond": tested.p_beyond,
            "detectable": tested.detectable_in_family,
            "detectable_alone": tested.detectable,
        }
    return found


def paper_table(summary: pd.DataFrame) -> pd.DataFrame:
    """Rows are conditions and blocks, columns the samples' classes, cells the mean change, as in the paper's table 1.

    `described` is the change of P(the sample's class) with weight and bias silenced; `published` is what the authors'
    code computed: the change of P(the first class) in every column, with only the bias silenced.
    """
    attention = [name for name, condition in BLOCKS.items() if condition.part == "attention"]
    blocks = summary[(summary["head"] == WHOLE_BLOCK) & (summary["group"] != ALL)]
    blocks = blocks[blocks["condition"].isin(attention)]
    chosen = blocks[blocks["measure"] == blocks["condition"].map(lambda name: BLOCKS[name].measure)]
    order = list(dict.fromkeys(chosen["group"]))
    return chosen.pivot(index=["condition", "block"], columns="group", values="change")[order]
