"""What the page of the residual write-up reads off its tables, beside the findings."""

import numpy as np
import pandas as pd

BY_LOT = 12  # features shown whatever they are
PER_LABEL = 2  # features shown because they go with a label


def expected_tokens(positions: pd.DataFrame, text: str) -> tuple[int, int]:
    """At how many positions, of how many, the token that follows is the most probable of the sentence's own tokens."""
    own = positions[(positions["text"] == text) & (positions["table"] == "probability")]
    table = own.pivot(index="row", columns="column", values="value").to_numpy(dtype=float)
    return int((table[:, :-1].argmax(axis=0) == np.arange(1, len(table))).sum()), len(table) - 1


def deviations(positions: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """By table the `largest` absolute difference between published and our `numbers`, and how many are compared."""
    both = published.merge(positions, on=["text", "table", "row", "column"], suffixes=("_published", ""))
    apart = (both["value"] - both["value_published"]).abs().groupby(both["table"], sort=False)
    return apart.agg(numbers="size", largest="max")


def overlap_summary(overlaps: pd.DataFrame) -> dict[str, float]:
    """What the blocks' overlaps amount to.

    `lowest` and `highest` mean squared cosine and Welch's bound over that of random directions; the mean share of
    neurons `beyond` chance, trained and `shuffled`, and the `worst` with its `block`.
    """
    trained, shuffled = (overlaps[overlaps["weights"] == kind] for kind in ("trained", "shuffled"))
    first, worst = trained.iloc[0], trained.loc[trained["neurons_beyond"].idxmax()]
    relative = trained["mean_square"] * trained["width"]
    return {
        "blocks": len(trained),
        "neurons": int(first["neurons"]),
        "width": int(first["width"]),
        "lowest": relative.min(),
        "highest": relative.max(),
        "welch": first["welch"] * first["width"],
        "threshold": first["threshold"],
        "beyond": trained["neurons_beyond"].mean(),
        "worst": worst["neurons_beyond"],
        "block": int(worst["block"]),
        "shuffled": shuffled["neurons_beyond"].mean(),
    }


def final_error(history: pd.DataFrame) -> float:
    """Mean relative error of the last tenth of the training steps."""
    return history["error"].tail(max(1, len(history) // 10)).mean()


def feature_verdicts(chosen: pd.DataFrame) -> dict[str, list[str]]:
    """The labels whose best feature is better or worse than the better of its rivals, or cannot be told from it.

    They are told apart where their intervals do not overlap.
    """
    verdicts: dict[str, list[str]] = {"better than": [], "worse than": [], "not told apart from": []}
    for label, rows in chosen.groupby("label", sort=False):
        own = rows[rows["kind"] == "feature"].iloc[0]
        others = rows[rows["kind"] != "feature"]
        rival = others.loc[others["auc"].idxmax()]
        better, worse = own["low"] > rival["high"], own["high"] < rival["low"]
        verdicts["better than" if better else "worse than" if worse else "not told apart from"].append(label)
    return {verdict: labels for verdict, labels in verdicts.items() if labels}


def associated_features(associations: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """The features with the largest AUC for each label, of those above chance that pass the test."""
    found = associations[(associations["p_adjusted"] <= alpha) & (associations["auc"] > 0.5)]
    parts = [rows.nlargest(PER_LABEL, "auc") for _, rows in found.groupby("label", sort=False)]
    return pd.concat(parts) if parts else found


def drawn_features(features: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Some features drawn by lot among those that are active on held-out texts."""
    alive = features[features["held_out"] > 0]
    return alive.sample(min(BY_LOT, len(alive)), random_state=seed)
