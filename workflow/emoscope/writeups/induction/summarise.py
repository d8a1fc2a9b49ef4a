"""Means with intervals of what was measured on repeated tokens, and the findings of the write-up.

The independent unit is a random sequence; for K-composition it is a token of the vocabulary.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.reporting.findings import Finding, in_findings, write_findings
from emoscope.statistics.bootstrap import bootstrap_mean
from emoscope.statistics.bounded import CHANGE, SHARE, bounded_interval
from emoscope.statistics.clusters import Interval
from emoscope.statistics.equivalence import largest
from emoscope.statistics.rates import wilson_interval
from emoscope.statistics.settings import alpha_of, resampling
from emoscope.storage.files import write_table
from emoscope.storage.names import EVERYWHERE

HALVES = {  # by name: which tokens, counted from the last of the first half; the second half's first cannot be known
    "first": lambda place: place < 1,
    "second": lambda place: place >= 1,
    "known": lambda place: place >= 2,
}
BEYOND = "beyond random"  # what silencing induction heads changes, less what silencing as many random ones does
LINES = ("induction", "previous", "stripe")
BOUNDS = {"accuracy": SHARE, "log_prob": None}
HEAD = ["block", "head"]
PAIR = ["pair", "kind", "previous_block", "previous_head", "block", "head", "key_head", "measure", "candidates"]


def summarise_induction(
    predictions: Path,
    heads: Path,
    mlps: Path,
    silenced: Path,
    pairs: Path,
    statistics: dict,
    summaries: Path,
    findings: Path,
) -> None:
    """Write the summaries as `{summaries}/{name}.parquet`, and the quotable numbers as findings."""
    predicted = pd.read_parquet(predictions)
    tables = {
        "halves": halves_of(predicted, statistics),
        "positions": positions_of(predicted, statistics),
        "heads": head_intervals(pd.read_parquet(heads), statistics),
        "mlps": mlps_of(pd.read_parquet(mlps), statistics),
        "silenced": silenced_of(pd.read_parquet(silenced), statistics),
        "pairs": pairs_of(pd.read_parquet(pairs), statistics),
    }
    for name, table in tables.items():
        write_table(table, summaries / f"{name}.parquet")
    write_findings(
        [
            *half_findings(tables["halves"]),
            *head_findings(tables["heads"]),
            *mlp_findings(tables["mlps"], alpha_of(statistics)),
            *silenced_findings(tables["silenced"]),
            *pair_findings(tables["pairs"]),
        ],
        findings,
    )


def halves_of(predicted: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """`length, half, tokens, measure, value, low, high`: mean log-probability (nats) and accuracy of each of HALVES."""
    rows = []
    for length, table in predicted.groupby("length", sort=False):
        for name, inside in HALVES.items():
            part = table[inside(table["position"] - length)]
            key = {"length": length, "half": name, "tokens": len(part)}
            for measure, column in (("log_prob", part["log_prob"]), ("accuracy", part["hit"].astype(float))):
                low, high = _interval(column.to_numpy(), part["sequence"].to_numpy(), statistics, BOUNDS[measure])
                rows.append({**key, "measure": measure, "value": column.mean(), "low": low, "high": high})
    return pd.DataFrame(rows)


def positions_of(predicted: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """`length, position, measure, value, low, high`: mean log-probability and accuracy at each position."""
    parts = []
    for length, part in predicted.groupby("length", sort=False):
        shares = _cells(part, ["position"], "log_prob", statistics).assign(measure="log_prob")
        counts = part.groupby("position")["hit"].agg(["sum", "size"])
        low, high = wilson_interval(counts["sum"], counts["size"], alpha_of(statistics))
        rates = {"measure": "accuracy", "value": counts["sum"] / counts["size"], "low": low, "high": high}
        parts += [
            shares.assign(length=length),
            counts.assign(**rates, length=length).reset_index()[[*shares, "length"]],
        ]
    return pd.concat(parts, ignore_index=True)


def head_intervals(scores: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """`weights, length, line, block, head, value, low, high`: mean score of each head along each line."""
    parts = [
        _cells(part, HEAD, line, statistics).assign(weights=weights, length=length, line=line)
        for (weights, length), part in scores.groupby(["weights", "length"], sort=False)
        for line in LINES
    ]
    return pd.concat(parts, ignore_index=True)


def mlps_of(replaced: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """`block, offset, value, low, high`: mean rise of the second half's loss (nats) where an MLP output is replaced.

    `own, own_low, own_high`: the rise of the loss at the replaced position alone; NaN where all are replaced.
    """
    key = ["block", "offset"]
    own = _cells(replaced.dropna(subset="own"), key, "own", statistics)
    own = own.rename(columns={"value": "own", "low": "own_low", "high": "own_high"})
    return _cells(replaced, key, "change", statistics).merge(own, how="left", on=key)


def silenced_of(scores: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """`kind, heads, draw, measure, value, low, high`: mean change of the second half's loss and accuracy.

    Changes are paired by sequence; the rows of kind `none` hold the unchanged model's own means, those of kind BEYOND
    the change without induction heads less the mean of those without random ones.
    """
    key, parts = ["kind", "heads", "draw"], []
    baseline = scores[scores["kind"] == "none"].set_index("sequence")
    for measure in ("loss", "accuracy"):
        own = scores[scores["kind"] == "none"].assign(value=scores[measure])
        changed = scores[scores["kind"] != "none"]
        changed = changed.assign(value=changed[measure] - changed["sequence"].map(baseline[measure]))
        by_kind = changed.groupby(["kind", "heads", "sequence"])["value"].mean()
        if "random" in by_kind.index:
            beyond = (by_kind["induction"] - by_kind["random"]).dropna().reset_index()
            changed = pd.concat([changed, beyond.assign(kind=BEYOND, draw=0)])
        parts += [
            _cells(table, key, "value", statistics, bounds if measure == "accuracy" else None).assign(measure=measure)
            for table, bounds in ((own, SHARE), (changed, CHANGE))
        ]
    return pd.concat(parts, ignore_index=True)


def pairs_of(scores: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """A row for each pair and measure: `top1` with Wilson's and mean `rank` with a bootstrap interval, and `tokens`."""
    rows = []
    for key, part in scores.groupby(PAIR, sort=False):
        low, high = wilson_interval(part["hit"].sum(), len(part), alpha_of(statistics))
        rank_low, rank_high = _interval(part["rank"].to_numpy(), np.arange(len(part)), statistics)
        found = {"top1": part["hit"].mean(), "low": low, "high": high, "tokens": len(part)}
        found |= {"rank": part["rank"].mean(), "rank_low": rank_low, "rank_high": rank_high}
        rows.append({**dict(zip(PAIR, key, strict=True)), **found})
    return pd.DataFrame(rows)


def half_findings(halves: pd.DataFrame) -> Iterator[Finding]:
    """Log-probability and accuracy of each half at the main length, and the second half's accuracy at the others."""
    main = halves["length"].iloc[0]
    for row in halves.itertuples():
        if row.length == main or (row.half, row.measure) == ("second", "accuracy"):
            suffix = "" if row.length == main else f"_{row.length}"
            note = f"{row.tokens} tokens, halves of {row.length}{', without the first' if row.half == 'known' else ''}."
            yield Finding(f"{row.half}_{row.measure}{suffix}", row.value, row.low, row.high, note)


def head_findings(scored: pd.DataFrame) -> Iterator[Finding]:
    """The best head of each line, where it is, and the best of the random models."""
    main = scored[scored["length"] == scored["length"].iloc[0]]
    trained = main["weights"] == "trained"
    for line in LINES:
        rows = main[trained & (main["line"] == line)]
        best = rows.loc[rows["value"].idxmax()]
        note = f"Block {best['block']}, head {best['head']}, the best of {len(rows)}."
        yield Finding(f"{line}_score", best["value"], best["low"], best["high"], note)
        yield Finding(f"{line}_block", best["block"])
        yield Finding(f"{line}_head", best["head"])
        rows = main[~trained & (main["line"] == line)]
        best = rows.loc[rows["value"].idxmax()]
        note = f"The best of {len(rows)} heads of {rows['weights'].nunique()} models with random weights."
        yield Finding(f"random_{line}_score", best["value"], best["low"], best["high"], note)


def mlp_findings(replaced: pd.DataFrame, alpha: float) -> Iterator[Finding]:
    """The largest change of the loss: at the seam, at a later position, at all later ones at once; over the blocks.

    `mlp_own_position` judges a single later position by the loss there, which no other position dilutes.
    """
    own = replaced.assign(value=replaced["own"], low=replaced["own_low"], high=replaced["own_high"])
    kinds = {
        "mlp_seam": replaced[replaced["offset"] == 0],
        "mlp_one_position": replaced[replaced["offset"] > 0],
        "mlp_own_position": own[own["offset"] > 0],
        "mlp_everywhere": replaced[replaced["offset"] == EVERYWHERE],
    }
    for name, rows in kinds.items():
        place, (low, high) = largest(*rows[["value", "low", "high"]].to_numpy(dtype=float).T, alpha)
        row = rows.iloc[place]
        where = f"Block {row['block']:.0f}" + (f", offset {row['offset']:.0f}" if row["offset"] > 0 else "")
        yield Finding(name, row["value"], low, high, f"{where}, the largest of {len(rows)}.")


def silenced_findings(without: pd.DataFrame) -> Iterator[Finding]:
    """Change of accuracy without the best heads of each kind, without random ones (mean over the draws), and BEYOND."""
    rows = without[(without["measure"] == "accuracy") & (without["kind"] != "none")]
    notes = {BEYOND: "Beyond the mean change with as many random heads silenced, {}."}
    for (kind, heads), part in rows.groupby(["kind", "heads"], sort=False):
        name = f"accuracy_without_{heads}_{in_findings(kind)}"
        if kind == "random":
            lowest, highest = part["value"].min(), part["value"].max()  # of some draws: no interval
            note = f"Mean of {len(part)} draws, from {lowest:.3f} to {highest:.3f}."
            yield Finding(name, part["value"].mean(), note=note)
        else:
            [row] = part.itertuples()
            note = notes.get(kind, "Change of the second half's accuracy, {} silenced.").format(heads)
            yield Finding(name, row.value, row.low, row.high, note)


def pair_findings(composed: pd.DataFrame) -> Iterator[Finding]:
    """Top-1 accuracy and mean rank of the main pair, and the best and mean of the random pairs."""
    for measure, rows in composed.groupby("measure", sort=False):
        [main] = rows[rows["kind"] == "main"].itertuples()
        random = rows[rows["kind"] == "random"]
        place = f"({main.previous_block}, {main.previous_head}) to ({main.block}, {main.head})"
        note = f"{place}; {main.tokens} tokens among {main.candidates}."
        yield Finding(f"composition_{measure}", main.top1, main.low, main.high, note)
        yield Finding(f"composition_{measure}_rank", main.rank, main.rank_low, main.rank_high, f"{note} 0.5 is chance.")
        if len(random):
            best = random.loc[random["top1"].idxmax()]
            note = f"The best of {len(random)} random pairs, whose mean is {random['top1'].mean():.4f}."
            yield Finding(f"composition_{measure}_random", best["top1"], best["low"], best["high"], note)
            best = random.loc[random["rank"].idxmin()]
            note = f"The lowest of {len(random)} random pairs, whose mean is {random['rank'].mean():.3f}."
            yield Finding(f"composition_{measure}_rank_random", best["rank"], best["rank_low"], best["rank_high"], note)


def _cells(
    table: pd.DataFrame, key: Sequence[str], column: str, statistics: dict, bounds: tuple[float, float] | None = None
) -> pd.DataFrame:
    """Mean and interval of a column for each cell of the key, over the sequences."""
    wide = table.pivot(index="sequence", columns=list(key), values=column)
    low, high = _interval(wide.to_numpy(), wide.index.to_numpy(), statistics, bounds)
    return wide.mean().rename("value").reset_index().assign(low=low, high=high)


def _interval(
    values: np.ndarray, clusters: np.ndarray, statistics: dict, bounds: tuple[float, float] | None = None
) -> Interval:
    """By betting for what has `bounds` and may be nil but for a few sequences, such as accuracy; else a bootstrap."""
    if bounds:
        return bounded_interval(values, clusters, bounds, alpha_of(statistics))
    return bootstrap_mean(values, clusters, **resampling(statistics))
