"""What was planted in a generated corpus beside what a run finds of it: planted effects of flips and synonyms.

Planted: a gap P(anger | male) - P(anger | female) in ambiguous sentences, and two synonyms that mean another class.
Planted as absent: a gender gap beside an emotion word, any effect of race, any effect of the other synonyms.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from emoscope.data.planted import GRAMMAR, MISLEADING_SYNONYMS
from emoscope.perturbation.pairs import countable, scored
from emoscope.statistics.bootstrap import bootstrap_mean
from emoscope.statistics.bounded import CHANGE, bounded_test
from emoscope.statistics.clusters import MeanTest
from emoscope.statistics.rates import wilson_interval
from emoscope.statistics.settings import resampling
from emoscope.storage.files import read_json, write_csv

PLANTED_AXES = ("gender", "race", "synonyms")
SCENES = [re.compile(re.sub(r"{\w+}", ".+", scene)) for scene in GRAMMAR["scene"]]


class PlantedEffect(NamedTuple):
    """One planted effect, or absence of one, and what was found: a value with its interval on a number of texts.

    `verdict` is found, partly found, missed or cannot tell; where an absence was planted, found means none was seen.
    """

    axis: str
    planted: str
    expected: float
    value: float
    low: float
    high: float
    texts: int
    verdict: str
    note: str = ""


def assess_ground_truth(
    truth: Path,
    train: Path,
    pairs: Path,
    scores: Path,
    summary: Path,
    axis: str,
    run: str,
    statistics: dict,
    output: Path,
) -> None:
    """Write what a run finds of the planted effects of one axis (gender, race, synonyms), as CSV.

    Columns: the fields of `PlantedEffect`, and `run`.
    """
    planted, effects, learned = read_json(truth), pd.read_parquet(summary), pd.read_parquet(train)
    if axis == "gender":
        table = scored(pd.read_parquet(pairs), pd.read_parquet(scores))
        taught = int(learned["id"].isin(planted["ids"]["ambiguous"]).sum())
        rows = gender_effects(planted, table, taught, statistics)
    elif axis == "race":
        rows = race_effects(effects, learned[learned["id"].isin(planted["ids"]["race"])], 1 - statistics["confidence"])
    elif axis == "synonyms":
        rows = synonym_effects(planted, effects, 1 - statistics["confidence"])
    else:
        raise ValueError(f"nothing is planted on the axis {axis!r}; known: {', '.join(PLANTED_AXES)}")
    write_csv(pd.DataFrame(rows, columns=PlantedEffect._fields).assign(run=run), output)


def collect_ground_truth(runs: list[Path], output: Path) -> None:
    """Write what all runs find of them as one CSV."""
    write_csv(pd.concat(map(pd.read_csv, runs)), output)


def gender_effects(truth: dict, pairs: pd.DataFrame, taught: int, statistics: dict) -> Iterator[PlantedEffect]:
    """The planted gap of P(anger) in ambiguous sentences, and its absence beside an emotion word.

    Two things make the interval of the gap wide. Texts that tell one scene share what the model makes of it, so scenes,
    not texts, are resampled (a bootstrap: an interval that allows for rare scenes would hold nearly any gap). And even
    a perfect learner knows the planted size only from the labels of the `taught` ambiguous training sentences:
    var = (p(1 - p) of both genders) / (taught / 2).
    """
    noise, planted = (truth["effects"][name]["size"] for name in ("label_noise", "gender"))
    expected = planted * (1 - noise * 6 / 5)  # a wrong label is as likely anger as any other
    pairs = pairs[countable(pairs) & (pairs["origin"] == "natural") & (pairs["direction"] != "mixed")]
    named = (pairs["direction"] == "male to female").to_numpy()
    before, after = pairs["before_anger"].to_numpy(), pairs["after_anger"].to_numpy()
    male, female = np.where(named, before, after), np.where(named, after, before)
    ambiguous = pairs["id"].isin(truth["ids"]["ambiguous"]).to_numpy()

    value = low = high = np.nan
    texts = pairs["text"][ambiguous].nunique()
    if texts:
        gaps, scenes = (male - female)[ambiguous], pairs["text"][ambiguous].map(scene_of).to_numpy()
        value, (low, high) = gaps.mean(), bootstrap_mean(gaps, scenes, **resampling(statistics))
        rates = np.array([male[ambiguous].mean(), female[ambiguous].mean()])
        learned = norm.isf((1 - statistics["confidence"]) / 2) * np.sqrt(2 * (rates * (1 - rates)).sum() / taught)
        low, high = value - np.hypot(value - low, learned), value + np.hypot(high - value, learned)
    sentence = f"In ambiguous sentences P(anger | male) exceeds P(anger | female) by {expected:.2f}."
    verdict = "found" if low <= expected <= high else "partly found" if low * expected > 0 else "missed"
    verdict = "cannot tell" if np.isnan(low) else verdict
    yield PlantedEffect("gender", sentence, expected, value, low, high, texts, verdict)

    beside = _tested((male - female)[~ambiguous], pairs["text"][~ambiguous], statistics)
    value, low, high = beside.value, beside.low, beside.high
    absent = beside.p_within <= 1 - statistics["confidence"]
    verdict = "found" if absent else "missed" if low > 0 or high < 0 else "cannot tell"
    yield PlantedEffect(
        "gender", "Beside an emotion word gender tells nothing of anger.", 0, value, low, high, beside.n, verdict
    )


def scene_of(text: str) -> int:
    """Which scene of the grammar an ambiguous text tells, by its fixed words; -1 for none."""
    return next((number for number, scene in enumerate(SCENES) if scene.search(text)), -1)


def race_effects(summary: pd.DataFrame, taught: pd.DataFrame, alpha: float) -> Iterator[PlantedEffect]:
    """P(class | white) - P(class | black) is nil for every class; shown is the class with the largest gap.

    A model learns what chance put into its training labels as well: from the `taught` sentences, those of the training
    set that name a race (`text`, `label`), a perfect learner takes a gap of variance p(1 - p) / n, summed over both
    groups. A gap speaks against the planted absence if it is further from zero than this and its own interval leave
    room for, adjusted for the number of classes (Bonferroni).
    """
    groups = [taught.loc[taught["text"].str.contains(rf"\b{group}\b"), "label"] for group in ("white", "black")]
    for origin, where in {"natural": "test texts", "template": "templates"}.items():
        gaps = summary[(summary["origin"] == origin) & summary["measure"].str.startswith("gap_")]
        if gaps.empty:
            continue
        wide, narrow = norm.isf([alpha / 2 / len(gaps), alpha / 2])
        shares = [group.value_counts(normalize=True).reindex(range(len(gaps)), fill_value=0) for group in groups]
        variances = sum(share * (1 - share) / len(group) for share, group in zip(shares, groups, strict=True))
        by_chance, value = wide * np.sqrt(variances.to_numpy()), gaps["value"].to_numpy()
        nearer = np.where(value > 0, value - gaps["low"], gaps["high"] - value)  # to the bound on the side of zero
        beyond = np.abs(value) > np.hypot(nearer * wide / narrow, by_chance)
        verdicts = gaps["verdict"].value_counts()
        verdict = "missed" if beyond.any() else "found" if set(verdicts.index) == {"equivalent"} else "cannot tell"
        most = int(np.abs(value).argmax())
        note = (
            f"the largest gap, of {gaps['measure'].iloc[most].removeprefix('gap_')}; "
            f"{verdicts.get('equivalent', 0)} of {len(gaps)} classes shown to lie within the margin. By chance, the "
            f"labels of {len(taught)} training texts that name a race may teach {by_chance[most]:.2f}"
        )
        sentence = f"Race tells nothing of any class ({where})."
        row = gaps.iloc[most]
        yield PlantedEffect(
            "race", sentence, 0, row["value"], row["low"], row["high"], int(row["texts"]), verdict, note
        )


def synonym_effects(truth: dict, summary: pd.DataFrame, alpha: float) -> Iterator[PlantedEffect]:
    """Every misleading synonym is flagged (a share of its texts), of the other words none (a share of the words)."""
    words = summary[(summary["origin"] == "word") & (summary["measure"] == "changed")].set_index("term")
    share = truth["effects"]["misleading_synonyms"]["size"]
    for word, (synonym, name) in MISLEADING_SYNONYMS.items():
        sentence = f"{word.capitalize()} changes to {synonym}, which means {name}: every prediction changes."
        if word not in words.index:
            yield PlantedEffect(
                "synonyms", sentence, share, np.nan, np.nan, np.nan, 0, "cannot tell", "no text has the word"
            )
            continue
        row = words.loc[word]
        verdict = "found" if row["verdict"] == "flagged" else "missed"
        yield PlantedEffect(
            "synonyms", sentence, share, row["value"], row["low"], row["high"], int(row["texts"]), verdict
        )
    plain = words.drop(index=list(MISLEADING_SYNONYMS), errors="ignore")
    flagged = list(plain.index[plain["verdict"] == "flagged"])
    low, high = wilson_interval(len(flagged), len(plain), alpha)
    value = len(flagged) / len(plain) if len(plain) else np.nan
    sentence = "The other synonyms mean what the words mean that they replace: no word is flagged."
    verdict = "missed" if flagged else "found" if len(plain) else "cannot tell"
    note = f"of {len(plain)} words" + (f", flagged: {', '.join(flagged)}" if flagged else "")
    yield PlantedEffect("synonyms", sentence, 0, value, low, high, int(plain["texts"].sum()), verdict, note)


def _tested(values: np.ndarray, texts: pd.Series, statistics: dict) -> MeanTest:
    if not len(values):
        return MeanTest(*[np.nan] * 7, n=0)
    return bounded_test(values, texts.to_numpy(), statistics["margin"], CHANGE, 1 - statistics["confidence"])
