"""How far the answers to a text and its flip are apart, and how far erasing moves them: pair by pair."""

import numpy as np
import pandas as pd

from emoscope.experiments.probing.names import NOTHING
from emoscope.perturbation.pairs import moved
from emoscope.statistics.distances import total_variation


def moved_class(answers: pd.DataFrame) -> str:
    """The class whose mean probability differs most between the groups, in the training texts, as the model is."""
    learned = answers[answers["learned"] & (answers["method"] == NOTHING)]
    found = learned.filter(regex="^p_").groupby(learned["value"]).mean()
    return (found.loc[0] - found.loc[1]).abs().idxmax().removeprefix("p_")


def twin_measures(answers: pd.DataFrame, name: str) -> pd.DataFrame:
    """Of every pair and way of erasing `method, draw, depth, pair, cluster`: `gap`, P(the class | first group) -
    P(the class | second); `distance`, how far the answers to both texts are apart; `changed`, whether another class is
    the most probable, or other labels are given; `moved`, how far each answer is from that to the same text with
    nothing erased, the mean of both texts."""
    judged = answers[~answers["learned"].astype(bool)].sort_values(["method", "draw", "depth", "pair", "value"])
    first, second = judged.iloc[::2], judged.iloc[1::2]
    if not (first["pair"].to_numpy() == second["pair"].to_numpy()).all():
        raise ValueError("a text has no twin")
    pairs = pd.concat([_answers("before", first), _answers("after", second)], axis=1)
    still = judged[judged["method"] == NOTHING].set_index(["pair", "value"])
    shifts = [_apart(side, still.loc[pd.MultiIndex.from_frame(side[["pair", "value"]])]) for side in (first, second)]
    return first[["method", "draw", "depth", "pair", "cluster"]].assign(
        gap=first[f"p_{name}"].to_numpy(dtype=float) - second[f"p_{name}"].to_numpy(dtype=float),
        distance=_apart(first, second),
        changed=moved(pairs).to_numpy(dtype=float),
        moved=np.mean(shifts, axis=0),
    )


def apart(p: np.ndarray, q: np.ndarray, several: bool) -> np.ndarray:
    """How far answers (rows, classes) that stand for each other, row by row, are apart, (rows,): their total variation,
    the largest difference of any event's probability; of several labels the largest difference of one label's, since a
    mean over many labels would hide what one of them does."""
    return np.abs(p - q).max(axis=1) if several else total_variation(p, q)


def _apart(one: pd.DataFrame, other: pd.DataFrame) -> np.ndarray:
    return apart(*(table.filter(regex="^p_").to_numpy(dtype=float) for table in (one, other)), "pred" in one)


def _answers(when: str, texts: pd.DataFrame) -> pd.DataFrame:
    """One side of scored pairs, see `perturbation.pairs`."""
    own = texts.filter(regex="^p_").rename(columns=lambda name: f"{when}_{name.removeprefix('p_')}")
    return own.assign(**({f"pred_{when}": texts["pred"]} if "pred" in texts else {})).reset_index(drop=True)
