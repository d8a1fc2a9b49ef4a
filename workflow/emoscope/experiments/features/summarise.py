"""What autoencoders explain, what their features do and what flips switch: tables and quotable numbers."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.experiments.features.explained import beyond_token, rates_found, replaced_found, replaced_table
from emoscope.experiments.features.names import (
    ACTS,
    AS_MUCH,
    DOES_NOT,
    FEATURE,
    LESS,
    MEANS,
    MODEL,
    MORE,
    NOT_SETTLED,
    NOT_SHOWN,
    NOT_TOLD,
    RANDOM,
    STAYS,
    SWITCHED,
)
from emoscope.perturbation.inside.names import FLIP, NEUTRAL
from emoscope.reporting.findings import Finding, in_findings, write_findings
from emoscope.statistics.adjustment import holm
from emoscope.statistics.bounded import CHANGE, SHARE, bounded_interval, bounded_test
from emoscope.statistics.draws import above_draws
from emoscope.statistics.settings import alpha_of, resampling
from emoscope.statistics.studentised import studentised_test
from emoscope.storage.files import write_table
from emoscope.storage.names import NONE

BEYOND_RANDOM, BEYOND_MEANS, LOGIT = "beyond random", "beyond mean difference", "logit"
BEYOND = {BEYOND_RANDOM: RANDOM, BEYOND_MEANS: MEANS}
EFFECTS = ["feature", "class", "measure", "value", "low", "high", "p_adjusted", "within", "detectable", "verdict"]
EFFECTS += ["texts"]
DOSES = ["feature", "class", "way", "dose", "value", "low", "high", "texts"]
SWITCHES = ["weights", "feature", "value", "low", "high", "p_adjusted", "within", "verdict", "flips", "neutral"]
SWITCHES += ["pairs", "swaps"]


def summarise_features(
    judged: Path,
    rates: Path,
    moves: Path,
    axes: list[str],
    switches: list[Path],
    statistics: dict,
    replaced: Path,
    effects: Path,
    doses: Path,
    switched: list[Path],
    findings: Path,
) -> None:
    """Write `replaced_table`, `effects_table`, `doses_table`, for every axis `switched_table`, and what they say as
    findings; the lists of files are in the order of `axes`."""
    told, moved = pd.read_parquet(judged), pd.read_parquet(moves)
    table, acting = replaced_table(told, statistics), effects_table(moved, statistics)
    write_table(table, replaced)
    write_table(acting, effects)
    write_table(doses_table(moved, alpha_of(statistics)), doses)
    found = [*replaced_found(table), *beyond_token(told, statistics), *rates_found(pd.read_parquet(rates))]
    found += effects_found(acting)
    for axis, source, output in zip(axes, switches, switched, strict=True):
        active = pd.read_parquet(source)
        switching = switched_table(active, statistics)
        write_table(switching, output)
        found += [*switches_found(axis, switching), *left_out(axis, active)]
    write_findings(found, findings)


def effects_table(moves: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """EFFECTS: of each feature, over the test texts in which it is active, how far the probability of its class falls
    when the stream loses as much along the feature (`measure` FEATURE), random directions, or that between the means;
    `beyond random` and `beyond mean difference` are by how much more it falls along the feature, and `logit` is the
    fall of the class's centred logit along it.

    A feature ACTS, see `acts`, by the largest p value: of FEATURE and `beyond random`, Holm over the features, and of
    `beyond_draws`, since texts do not tell how far random directions differ. Beside the direction between the means see
    `compared`, Holm over the features as well.
    """
    rows = []
    for (feature, label), own in moves[moves["dose"].isna()].groupby(["feature", "class"], sort=False):
        tests = fallen(own, statistics).assign(feature=feature, texts=own["text"].nunique(), **{"class": label})
        rows.append(tests.reset_index())
    table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=EFFECTS)
    alpha, margin = alpha_of(statistics), statistics["margin"]
    itself, beyond, beside = (table["measure"] == name for name in (FEATURE, BEYOND_RANDOM, BEYOND_MEANS))
    if rows:
        both = np.maximum(table.loc[itself, "p"].to_numpy(), table.loc[beyond, "p"].to_numpy())
        table.loc[beyond, "p_adjusted"] = np.maximum(holm(both), beyond_draws(moves, table.loc[beyond, "feature"]))
        table.loc[beside, "p_adjusted"] = holm(table.loc[beside, "p"].to_numpy())
        pairs = zip(table[itself].to_dict("records"), table[beyond].to_dict("records"), strict=True)
        table.loc[beyond, "verdict"] = [acts(*pair, margin, alpha) for pair in pairs]
        table.loc[beside, "verdict"] = [compared(row, alpha) for row in table[beside].to_dict("records")]
    return table.reindex(columns=EFFECTS)


def beyond_draws(moves: pd.DataFrame, features: pd.Series) -> np.ndarray:
    """p (features,) that the class's mean fall without each feature is above what random directions do, each of which
    counts once however many texts there are: see `above_draws`."""
    fell = moves[moves["dose"].isna()].assign(fell=moves["before"] - moves["after"])
    fell = fell.pivot_table("fell", "feature", ["way", "draw"], aggfunc="mean").loc[features]
    return above_draws(fell[FEATURE, 0].to_numpy(), fell[RANDOM].to_numpy())


def fallen(own: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """What falls without one feature: `value, low, high, p, within, detectable`, by `measure`; all but the logit is
    judged against the margin."""
    alpha, margin = alpha_of(statistics), statistics["margin"]
    fell = own.assign(fell=own["before"] - own["after"]).pivot_table("fell", "text", "way", aggfunc="mean")
    fell = fell.assign(**{name: fell[FEATURE] - fell[way] for name, way in BEYOND.items()})
    found = bounded_test(fell.to_numpy(), fell.index.to_numpy(), margin, CHANGE, alpha)
    along = own[own["way"] == FEATURE]
    logits = (along["logit_before"] - along["logit_after"]).to_numpy()
    logit = studentised_test(logits, along["text"].to_numpy(), **resampling(statistics))
    columns = {"value": "value", "low": "low", "high": "high", "p": "p_difference", "within": "p_within"}
    table = pd.DataFrame({name: getattr(found, column) for name, column in columns.items()}, index=list(fell.columns))
    table["detectable"], table["verdict"] = found.detectable, ""
    table.loc[LOGIT, ["value", "low", "high", "verdict"]] = logit.value, logit.low, logit.high, ""
    return table.rename_axis("measure")


def acts(itself: Mapping, beyond: Mapping, margin: float, alpha: float) -> str:
    """Whether a feature lowers its class's probability when it is removed, and further than random directions do; it
    does not if either was shown to stay below the margin."""
    if itself["high"] < margin or beyond["high"] < margin:
        return DOES_NOT
    return ACTS if itself["value"] > 0 and beyond["value"] > 0 and beyond["p_adjusted"] <= alpha else NOT_SHOWN


def compared(row: Mapping, alpha: float) -> str:
    """How far a feature moves its class's probability, beside the direction between the means: AS_MUCH within the
    margin, else MORE or LESS."""
    if row["within"] <= alpha:
        return AS_MUCH
    if row["p_adjusted"] > alpha:
        return NOT_TOLD
    return MORE if row["value"] > 0 else LESS


def doses_table(moves: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """DOSES: how far the class's probability rises with more of a feature in the stream, or of other directions."""
    rows = []
    for key, own in moves.dropna(subset="dose").groupby(["feature", "class", "way", "dose"], sort=False):
        rose = own.assign(rose=own["after"] - own["before"]).groupby("text")["rose"].mean()
        rows.append((*key, rose.mean(), *bounded_interval(rose.to_numpy(), rose.index, CHANGE, alpha), len(rose)))
    return pd.DataFrame(rows, columns=DOSES)


def effects_found(effects: pd.DataFrame) -> Iterator[Finding]:
    """`acting`, how many of the chosen features act, and `not_acting`, how many were shown not to;
    `feature.{number}.{measure}`."""
    verdicts = effects.loc[effects["measure"] == BEYOND_RANDOM, "verdict"]
    for name, verdict in (("acting", ACTS), ("not_acting", DOES_NOT)):
        yield Finding(name, int((verdicts == verdict).sum()), note=f"{len(verdicts)} features.")
    for row in effects.to_dict("records"):
        note = f"{row['class']}, {row['texts']} test texts."
        name = f"feature.{row['feature']}.{in_findings(row['measure'])}"
        tests = {"within": row["within"], "detectable": row["detectable"]}
        yield Finding(name, row["value"], row["low"], row["high"], note, **tests)


def switched_table(switches: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """SWITCHES: of each feature, of the model and of the one with random weights, see `switched`."""
    known = switches[switches["feature"] != NONE]
    parts = [switched(own, statistics).assign(weights=weights) for weights, own in known.groupby("weights", sort=False)]
    return pd.concat(parts or [pd.DataFrame(columns=SWITCHES)], ignore_index=True)[SWITCHES]


def switched(switches: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """SWITCHES but for `weights`: of each feature by how much more often it is active in texts that name the first
    group than in their flips, which name the second; `flips` and `neutral`: the shares of flips and of neutral swaps
    that switch it on or off, either way.

    It is SWITCHED if the difference is not zero, by Holm's p over all features. It STAYS if that is within the margin
    and so is the share of flips that switch it either way: what goes on as often as off does not stay.
    """
    alpha = alpha_of(statistics)
    sides = {}
    for kind in (FLIP, NEUTRAL):
        own = switches[switches["kind"] == kind]
        difference = own["first"].astype(int) - own["second"].astype(int)
        sides[kind] = own.assign(difference=difference).pivot(index="pair", columns="feature", values="difference")
    flips, neutral = sides[FLIP], sides[NEUTRAL]
    if flips.empty:
        return pd.DataFrame(columns=SWITCHES[1:])
    own = switches[switches["kind"] == FLIP].drop_duplicates("pair").set_index("pair")["cluster"]
    clusters, margin = own.loc[flips.index].to_numpy(), statistics["margin"]
    test = bounded_test(flips.to_numpy(), clusters, margin, CHANGE, alpha)
    either = bounded_test((flips != 0).to_numpy(), clusters, margin, SHARE, alpha)
    table = pd.DataFrame({
        "feature": flips.columns, "value": test.value, "low": test.low, "high": test.high,
        "p_adjusted": holm(test.p_difference), "within": np.maximum(test.p_within, either.p_within),
        "flips": (flips != 0).mean().to_numpy(),
        "neutral": (neutral != 0).mean().reindex(flips.columns).to_numpy(),
        "pairs": len(flips), "swaps": len(neutral),
    })  # fmt: skip
    found = np.select([table["within"] <= alpha, table["p_adjusted"] <= alpha], [STAYS, SWITCHED], NOT_SETTLED)
    return table.assign(verdict=found)[SWITCHES[1:]]


def switches_found(axis: str, table: pd.DataFrame) -> Iterator[Finding]:
    """`{axis}.switched` and `{axis}.stay`, numbers of features, and `.random_weights` of both;
    `{axis}.switched.{number}` of each of the model's that is switched. Nothing without flips."""
    for weights, own in table.groupby("weights", sort=False):
        note = f"{len(own)} features, {own['pairs'].max()} flips."
        where = "" if weights == MODEL else f".{in_findings(weights)}"
        for name, verdict in (("switched", SWITCHED), ("stay", STAYS)):
            yield Finding(f"{axis}.{name}{where}", int((own["verdict"] == verdict).sum()), note=note)
        for row in own[(own["verdict"] == SWITCHED) & (own["weights"] == MODEL)].to_dict("records"):
            yield Finding(f"{axis}.switched.{row['feature']}", row["value"], row["low"], row["high"], note)


def left_out(axis: str, switches: pd.DataFrame) -> Iterator[Finding]:
    """`{axis}.left_out`, how many flips exchange a word where no feature is looked for; nothing without pairs."""
    if len(switches):
        yield Finding(f"{axis}.left_out", int(((switches["feature"] == NONE) & (switches["kind"] == FLIP)).sum()))
