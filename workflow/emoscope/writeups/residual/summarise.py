"""The residual write-up's numbers with their intervals: curves over depth, and everything a reader could quote."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.bootstrap import bootstrap_mean, bootstrap_statistic
from emoscope.statistics.clusters import Interval
from emoscope.statistics.settings import alpha_of, resampling
from emoscope.storage.files import write_table

POSITIONS = 16  # norms are shown at so many first positions
FEWEST_TEXTS = 10  # and only where so many texts reach
RANDOM_WEIGHTS = ".random weights"  # ends the names of what was found on the model's random twin


def summarise_residual(
    positions: Path,
    lens: Path,
    overlaps: Path,
    reconstruction: Path,
    twin: Path,
    patched: Path,
    features: Path,
    associations: Path,
    shuffles: Path,
    chosen: Path,
    statistics: dict,
    curves: Path,
    norms: Path,
    findings: Path,
) -> None:
    """Write curves over depth (`depth, measure, of, value, low, high`), norms by position and the findings."""
    seen = pd.read_parquet(lens)
    table = depth_curves(seen, statistics)
    by_position = position_norms(seen, statistics)
    write_table(table, curves)
    write_table(by_position, norms)
    listed = [
        *position_findings(pd.read_parquet(positions)),
        *lens_findings(table, seen),
        *norm_findings(by_position),
        *overlap_findings(pd.read_parquet(overlaps)),
        *reconstruction_findings(pd.read_parquet(reconstruction), pd.read_parquet(twin), statistics),
        *loss_findings(pd.read_parquet(patched), statistics),
        *feature_findings(
            pd.read_parquet(features),
            pd.read_parquet(associations),
            pd.read_parquet(shuffles),
            alpha_of(statistics),
        ),
        *label_findings(pd.read_parquet(chosen)),
    ]
    write_findings(listed, findings)


def depth_curves(lens: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """Mean probability, share of first ranks and geometric mean rank by depth, of the prediction and the next token.

    Intervals are over texts. Tokens without a next one do not count for it.
    """
    measures = {
        "probability": ("p_", lambda values: values, lambda mean: mean),
        "first": ("rank_", lambda values: values == 1, lambda mean: mean),
        "rank": ("rank_", np.log, np.exp),
    }
    parts = []
    for of in ("prediction", "next"):
        rows = lens.dropna(subset=[f"p_{of}"])
        for measure, (column, before, after) in measures.items():
            values = rows.assign(value=before(rows[column + of]).astype(float))
            wide = values.pivot(index=["id", "position"], columns="depth", values="value")
            interval = _mean_interval(wide.to_numpy(), wide.index.get_level_values("id").to_numpy(), statistics)
            numbers = {"value": wide.mean().to_numpy(), "low": interval.low, "high": interval.high}
            numbers = {name: after(np.asarray(number)) for name, number in numbers.items()}
            parts.append(pd.DataFrame({"depth": wide.columns, "measure": measure, "of": of, **numbers}))
    return pd.concat(parts, ignore_index=True)


def position_norms(lens: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """Geometric mean length of the residual stream by depth and position: `depth, position, texts, value, low, high`.

    Position -1 stands for all but the first.
    """
    lengths = lens.assign(value=np.log(lens["norm"].clip(lower=1e-12)))
    parts = []
    for position in range(-1, POSITIONS):
        rows = lengths[lengths["position"] == position] if position >= 0 else lengths[lengths["position"] > 0]
        if rows["id"].nunique() < FEWEST_TEXTS and position > 0:
            break
        wide = rows.pivot(index=["id", "position"], columns="depth", values="value")
        interval = _mean_interval(wide.to_numpy(), wide.index.get_level_values("id").to_numpy(), statistics)
        numbers = {"value": wide.mean().to_numpy(), "low": interval.low, "high": interval.high}
        numbers = {name: np.exp(np.asarray(number)) for name, number in numbers.items()}
        texts = rows["id"].nunique()
        parts.append(pd.DataFrame({"depth": wide.columns, "position": position, "texts": texts, **numbers}))
    return pd.concat(parts, ignore_index=True)


def position_findings(positions: pd.DataFrame) -> Iterator[Finding]:
    """Everything that follows from the notebook's probabilities; certain, since text and weights are."""
    for row in positions[positions["table"] != "probability"].itertuples():
        place = f"{row.row}" if pd.isna(row.column) else f"{row.row}.{row.column}"
        yield Finding(f"{row.text}.{row.table}.{place}", row.value)


def lens_findings(curves: pd.DataFrame, lens: pd.DataFrame) -> Iterator[Finding]:
    """The curves half way and at the end, and the depths where the prediction is settled."""
    last = int(curves["depth"].max())
    note = f"{lens['id'].nunique()} texts"
    for row in curves[curves["depth"].isin([0, last // 2, last - 1, last])].itertuples():
        name = f"lens.{row.of}.{row.measure}.depth{row.depth}"
        yield Finding(name, row.value, row.low, row.high, note)
    settled = curves[(curves["measure"] == "first") & (curves["of"] == "prediction")].set_index("depth")
    depths = [
        min(settled.index[(settled.loc[:, bound] < 0.5)].max() + 1, last) if (settled[bound] < 0.5).any() else 0
        for bound in ("value", "high", "low")
    ]
    told = f"depth, of {last}, from which the lens agrees with most final predictions"
    yield Finding("lens.half_settled", *depths, told)


def norm_findings(norms: pd.DataFrame) -> Iterator[Finding]:
    """The largest length that the first position reaches, and the length of the others there."""
    first, others = (norms[norms["position"] == position].set_index("depth") for position in (0, -1))
    depth = first["value"].idxmax()
    for name, table in (("first", first), ("others", others)):
        row = table.loc[depth]
        yield Finding(f"norm.{name}", row["value"], row["low"], row["high"], f"depth {depth}, {row['texts']:.0f} texts")


def overlap_findings(overlaps: pd.DataFrame) -> Iterator[Finding]:
    """Each block's overlap; no intervals, since all of its weights are known. Then the mean over blocks."""
    note = "weights, all known; the mean over blocks"
    trained, shuffled = (overlaps[overlaps["weights"] == kind].set_index("block") for kind in ("trained", "shuffled"))
    yield Finding("writes.blocks", len(trained), note="blocks, the last one included")
    yield Finding("writes.neurons", trained["neurons"].iloc[0], note="write directions in each block")
    yield Finding("writes.width", trained["width"].iloc[0], note="dimensions of the residual stream")
    for name in ("neurons_beyond", "pairs_beyond", "opposite", "dimensions"):
        yield Finding(f"writes.{name}", trained[name].mean(), note=note)
        yield Finding(f"writes.{name}.shuffled", shuffled[name].mean(), note=note)
    relative = trained["mean_square"] * trained["width"]
    yield Finding("writes.mean_square_over_chance", relative.mean(), note=note)
    for block, value in relative.items():
        yield Finding(f"writes.mean_square_over_chance.block{block}", value)
        yield Finding(f"writes.neurons_beyond.block{block}", trained.loc[block, "neurons_beyond"])


def reconstruction_findings(reconstruction: pd.DataFrame, twin: pd.DataFrame, statistics: dict) -> Iterator[Finding]:
    """Explained variance and mean number of active directions on held-out texts; of the twin's under `.random weights`.

    `gain.{name}` is by how much the autoencoder explains more than each of the others, on the same texts.
    """
    both = pd.concat([reconstruction, twin.assign(dictionary=twin["dictionary"] + RANDOM_WEIGHTS)])
    wide, names = both.pivot(index="id", columns="dictionary"), both["dictionary"].unique()
    error, spread, active, tokens = (
        {name: wide[column, name].to_numpy() for name in names} for column in ("error", "spread", "active", "tokens")
    )
    note = f"{len(wide)} held-out texts, {tokens['autoencoder'].sum():,} tokens"

    def explained(weights: np.ndarray, name: str) -> float:
        return 1 - weights @ error[name] / (weights @ spread[name])

    def directions(weights: np.ndarray, name: str) -> float:
        return weights @ active[name] / (weights @ tokens[name])

    def gain(weights: np.ndarray, name: str) -> float:
        return explained(weights, "autoencoder") - explained(weights, name)

    for name in names:
        measures = {"explained": explained}
        if not np.isnan(active[name]).any():  # a lookup has none
            measures["active"] = directions
        if name != "autoencoder":
            measures["gain"] = gain
        for measure, statistic in measures.items():
            of = f"{note}, one draw of random weights" if name.endswith(RANDOM_WEIGHTS) else note
            yield _statistic(f"{measure}.{name}", partial(statistic, name=name), wide.index.to_numpy(), statistics, of)


def loss_findings(patched: pd.DataFrame, statistics: dict) -> Iterator[Finding]:
    """Mean next-token loss under each condition, and the share of an ablation's damage that a dictionary avoids."""
    sums = patched.pivot(index="id", columns="condition", values="loss")
    tokens = patched.drop_duplicates("id").set_index("id")["tokens"].loc[sums.index].to_numpy()
    ids, loss = sums.index.to_numpy(), {name: sums[name].to_numpy() for name in sums}
    note = f"{len(ids)} held-out texts, {tokens.sum():,} predictions"
    for condition in patched["condition"].unique():
        yield _statistic(
            f"loss.{condition}", lambda w, c=condition: w @ loss[c] / (w @ tokens), ids, statistics, f"nats, {note}"
        )
    for condition in [name for name in patched["condition"].unique() if name not in ("original", "mean", "zero")]:
        for ablation in ("zero", "mean"):

            def recovered(weights: np.ndarray, condition=condition, ablation=ablation) -> float:
                return weights @ (loss[ablation] - loss[condition]) / (weights @ (loss[ablation] - loss["original"]))

            yield _statistic(f"recovered.{condition}.{ablation}", recovered, ids, statistics, note)


def feature_findings(
    features: pd.DataFrame, associations: pd.DataFrame, shuffles: pd.DataFrame, alpha: float
) -> Iterator[Finding]:
    """Dead and rare features, and features that go with a label beside what shuffled labels give."""
    count = len(features)
    note = f"of {count:,} features, on the training tokens"
    yield Finding("features.dead", float((features["rate"] == 0).mean()), note=note)
    yield Finding("features.rare", float(features["rate"].between(0, 1e-4, inclusive="neither").mean()), note=note)
    found = associations["p_adjusted"] <= alpha
    note = f"pairs of feature and label, of {len(associations):,}, after control of the false discovery rate"
    chance = f"{len(shuffles)} shuffles of the labels; mean, smallest and largest"
    yield Finding("labels.found", int(found.sum()), note=note)
    yield Finding("labels.features_found", associations.loc[found, "feature"].nunique(), note=f"of {count:,} features")
    yield Finding("labels.largest_auc", associations["auc"].max(), note="the largest of all, so biased upwards")
    for name, column in (("found", "found"), ("largest_auc", "largest")):
        values = shuffles[column]
        yield Finding(f"labels.{name}.shuffled", values.mean(), values.min(), values.max(), chance)


def label_findings(chosen: pd.DataFrame) -> Iterator[Finding]:
    """AUC of the direction chosen for each label, on texts that had no part in the choice."""
    for row in chosen.itertuples():
        note = f"number {row.number}; {row.auc_before:.3f} where it was chosen"
        yield Finding(f"auc.{row.kind}.{row.label}", row.auc, row.low, row.high, note)


def _statistic(
    name: str, statistic: Callable[[np.ndarray], float], clusters: np.ndarray, statistics: dict, note: str
) -> Finding:
    interval = bootstrap_statistic(statistic, clusters, **resampling(statistics))
    return Finding(name, float(statistic(np.ones(len(clusters)))), *map(float, interval), note)


def _mean_interval(values: np.ndarray, clusters: np.ndarray, statistics: dict) -> Interval:
    return bootstrap_mean(values, clusters, **resampling(statistics))
