"""What was planted in a generated corpus beside what a run finds of it: by flips, synonyms and masks.

Planted: a gap P(anger | male) - P(anger | female) in ambiguous sentences, two synonyms that mean another class and,
where the configuration wants it, a gap P(joy | white) - P(joy | black) in encounters.
Planted as absent: a gender gap beside an emotion word, any other effect of race, any effect of the other synonyms.
Masks: negations and contrasts have a meaning that only the composition of words reveals, which needs attention.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from emoscope.data.class_names import EMOTIONS
from emoscope.data.planted.grammar import GRAMMAR
from emoscope.data.planted.labels import GAPS, Gap
from emoscope.experiments.masking.readings import composition_effect
from emoscope.perturbation.effects import summarise
from emoscope.perturbation.pairs import countable, scored
from emoscope.perturbation.single_words import VISIBLE
from emoscope.statistics.bootstrap import bootstrap_mean
from emoscope.statistics.bounded import CHANGE, bounded_test
from emoscope.statistics.clusters import MeanTest
from emoscope.statistics.settings import alpha_of, resampling
from emoscope.storage.files import read_json, write_csv
from emoscope.verdicts.ground_truth.chance import taught_by_chance
from emoscope.verdicts.ground_truth.planted_effect import PlantedEffect
from emoscope.verdicts.ground_truth.synonyms import synonym_effects

PLANTED_AXES = ("gender", "race", "synonyms")
WORDS = {"race": "(?:black|white)", "body": r"\w+"}  # symbols that are one word; others may be several
CLAUSES = {
    gap.clauses: [
        re.compile(re.sub(r"{(\w+)}", lambda symbol: WORDS.get(symbol[1], ".+"), clause))
        for clause in GRAMMAR[gap.clauses]
    ]
    for gap in GAPS.values()
}


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
    rows: list[PlantedEffect] = []
    if axis in GAPS:
        table = scored(pd.read_parquet(pairs), pd.read_parquet(scores))
        there = {kind: set(planted["ids"].get(kind, [])) for kind in ("ambiguous", "encounter", "race")}
        kind = GAPS[axis].kind
        if there[kind]:
            rows.append(planted_gap(axis, planted, table, int(learned["id"].isin(there[kind]).sum()), statistics))
        if axis == "gender":
            deciding = there["ambiguous"] | there["encounter"]
            beside, taught = (part[~part["id"].isin(deciding)] for part in (table, learned))
            rows.append(no_gap_beside_an_emotion_word(beside, taught, statistics))
        else:
            if there[kind]:  # the summary holds them, too
                others = table[~table["id"].isin(there[kind])]
                effects = summarise(others, statistics)
            taught = learned[learned["id"].isin(there["race"] - there[kind])]
            rows += race_effects(effects, taught, alpha_of(statistics), encounters=bool(there[kind]))
    elif axis == "synonyms":
        rows += synonym_effects(planted, effects, statistics["margin"], alpha_of(statistics))
    else:
        raise ValueError(f"nothing is planted on the axis {axis!r}; known: {', '.join(PLANTED_AXES)}")
    write_csv(pd.DataFrame(rows, columns=PlantedEffect._fields).assign(run=run), output)


def assess_masking_truth(
    truth: Path, samples: Path, blocks: list[Path], run: str, statistics: dict, output: Path
) -> None:
    """Write what the masks of a run's `blocks` find of planted composition, as `assess_ground_truth` writes."""
    masks = pd.concat(map(pd.read_parquet, blocks), ignore_index=True)
    row = composition(read_json(truth), pd.read_parquet(samples), masks, statistics)
    write_csv(pd.DataFrame([row], columns=PlantedEffect._fields).assign(run=run), output)


def planted_gap(axis: str, truth: dict, pairs: pd.DataFrame, taught: int, statistics: dict) -> PlantedEffect:
    """The gap planted on an axis, `GAPS`, in the test texts that the truth names.

    Two things make its interval wide. Texts that tell one scene share what the model makes of it, so scenes, not texts,
    are resampled (a bootstrap: an interval that allows for rare scenes would hold nearly any gap). And even a perfect
    learner knows the planted size only from the labels of the `taught` training sentences of this kind:
    var = (p(1 - p) of both groups) / (taught / 2).
    """
    gap = GAPS[axis]
    noise, size = (truth["effects"][name]["size"] for name in ("label_noise", axis))
    expected = size * (1 - noise * 6 / 5)  # a wrong label is as likely any other class
    pairs = _of_test_texts(pairs)
    pairs = pairs[pairs["id"].isin(truth["ids"][gap.kind])]
    first, second = _by_group(pairs, gap)
    clauses = pairs["text"].map(lambda text: clause_of(text, gap.clauses))
    value = low = high = np.nan
    texts = pairs["text"].nunique()
    if texts:
        value = (first - second).mean()
        low, high = bootstrap_mean(first - second, clauses.to_numpy(), **resampling(statistics))
        rates = np.array([first.mean(), second.mean()])
        learned = norm.isf(alpha_of(statistics) / 2) * np.sqrt(2 * (rates * (1 - rates)).sum() / taught)
        low, high = value - np.hypot(value - low, learned), value + np.hypot(high - value, learned)
    one, other = gap.groups
    said = f"P({gap.emotion} | {one}) exceeds P({gap.emotion} | {other}) by {expected:.2f}"
    where = {"ambiguous": "ambiguous sentences", "encounter": "encounters"}[gap.kind]
    sentence = f"In {where} {said}." if size else f"In {where} {axis} tells nothing of {gap.emotion}."
    verdict = "cannot tell" if np.isnan(low) else gap_verdict(expected, low, high)
    return PlantedEffect(axis, gap.kind, sentence, expected, value, low, high, texts, verdict)


def gap_verdict(expected: float, low: float, high: float) -> str:
    """Judge a gap by its interval, where `expected` >= 0 was planted.

    found: the interval covers the planted size and leaves nil out; of a planted nil, covers it and leaves VISIBLE out.
    partly found: of the right sign, not of the size. cannot tell: planted size and nil, or nil and VISIBLE, both fit.
    """
    covered = low <= expected <= high
    if expected == 0:
        return "missed" if not covered else "found" if max(-low, high) < VISIBLE else "cannot tell"
    if low > 0:
        return "found" if covered else "partly found"
    return "cannot tell" if covered else "missed"


def no_gap_beside_an_emotion_word(pairs: pd.DataFrame, taught: pd.DataFrame, statistics: dict) -> PlantedEffect:
    """The absence of a gender gap, by an equivalence test with the margin of `statistics`.

    As in `race_effects`, a gap speaks against it only if it is further from zero than its own interval and what chance
    put into the labels of the `taught` sentences, those of the training set of this kind, leave room for.
    """
    gap, alpha = GAPS["gender"], alpha_of(statistics)
    pairs = _of_test_texts(pairs)
    first, second = _by_group(pairs, gap)
    beside = _tested(first - second, pairs["text"], statistics)
    value, low, high = beside.value, beside.low, beside.high
    error, note = taught_by_chance(taught, gap.groups, len(EMOTIONS))
    by_chance = norm.isf(alpha / 2) * error[EMOTIONS.index(gap.emotion)]
    seen = abs(value) > np.hypot(value - low if value > 0 else high - value, by_chance)
    verdict = "found" if beside.p_within <= alpha else "missed" if seen else "cannot tell"
    sentence = "Beside an emotion word gender tells nothing of anger."
    note = note.format(axis="gender", by_chance=by_chance)
    return PlantedEffect("gender", "emotion word", sentence, 0, value, low, high, beside.n, verdict, note)


def clause_of(text: str, symbol: str) -> int:
    """Which clause of the grammar a text starts with, by its fixed words; -1 for none."""
    found = [(match.start(), number) for number, clause in enumerate(CLAUSES[symbol]) if (match := clause.search(text))]
    return min(found)[1] if found else -1


def _of_test_texts(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs that count, of test texts that name one group only."""
    return pairs[countable(pairs) & (pairs["origin"] == "natural") & (pairs["direction"] != "mixed")]


def _by_group(pairs: pd.DataFrame, gap: Gap) -> tuple[np.ndarray, np.ndarray]:
    """P(the gap's emotion) for the first and for the second group, whichever the text itself names."""
    named = (pairs["direction"] == " to ".join(gap.groups)).to_numpy()
    before, after = (pairs[f"{when}_{gap.emotion}"].to_numpy() for when in ("before", "after"))
    return np.where(named, before, after), np.where(named, after, before)


def composition(truth: dict, samples: pd.DataFrame, masks: pd.DataFrame, statistics: dict) -> PlantedEffect:
    """Whether silenced attention costs negations and contrasts more accuracy than other texts; no size was planted."""
    sentence = "Negations and contrasts need attention more than other sentences: without it they lose more accuracy."
    of = "masking", "composed", sentence, np.nan
    found = composition_effect(samples, masks, truth["ids"]["negation"] + truth["ids"]["contrast"], statistics)
    if found is None:
        return PlantedEffect(*of, np.nan, np.nan, np.nan, 0, "cannot tell", "no such text among the confident ones")
    note = f"{found['composed']} of {found['texts']} texts are such sentences"
    return PlantedEffect(*of, found["value"], found["low"], found["high"], found["texts"], found["verdict"], note)


def race_effects(
    summary: pd.DataFrame, taught: pd.DataFrame, alpha: float, encounters: bool = False
) -> Iterator[PlantedEffect]:
    """P(class | white) - P(class | black) is nil for every class; shown is the class with the largest gap.

    Where race is planted in encounters, these are none of the texts in `summary` and `taught`.

    A model learns what chance put into its training labels as well, see `taught_by_chance`; `taught` are the sentences
    of the training set that name a race. A gap speaks against the planted absence if it is further from zero than this
    and its own interval leave room for, adjusted for the number of classes (Bonferroni).
    """
    for origin, where in {"natural": "test texts", "template": "templates"}.items():
        gaps = summary[(summary["origin"] == origin) & summary["measure"].str.startswith("gap_")]
        if gaps.empty:
            continue
        wide, narrow = norm.isf([alpha / 2 / len(gaps), alpha / 2])
        error, told = taught_by_chance(taught, GAPS["race"].groups, len(gaps))
        by_chance, value = wide * error, gaps["value"].to_numpy()
        nearer = np.where(value > 0, value - gaps["low"], gaps["high"] - value)  # to the bound on the side of zero
        beyond = np.abs(value) > np.hypot(nearer * wide / narrow, by_chance)
        verdicts = gaps["verdict"].value_counts()
        verdict = "missed" if beyond.any() else "found" if set(verdicts.index) == {"equivalent"} else "cannot tell"
        most = int(np.abs(value).argmax())
        note = (
            f"the largest gap, of {gaps['measure'].iloc[most].removeprefix('gap_')}; "
            f"{verdicts.get('equivalent', 0)} of {len(gaps)} classes shown to lie within the margin; "
            + told.format(axis="race", by_chance=by_chance[most])
        )
        sentence = f"{'Outside encounters race' if encounters else 'Race'} tells nothing of any class ({where})."
        row = gaps.iloc[most]
        yield PlantedEffect(
            "race", where, sentence, 0, row["value"], row["low"], row["high"], int(row["texts"]), verdict, note
        )


def _tested(values: np.ndarray, texts: pd.Series, statistics: dict) -> MeanTest:
    if not len(values):
        return MeanTest(*[np.nan] * 8, n=0)
    return bounded_test(values, texts.to_numpy(), statistics["margin"], CHANGE, alpha_of(statistics))
