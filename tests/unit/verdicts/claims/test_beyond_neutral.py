"""Claims on what race flips and synonyms change: judged beyond neutral swaps, or with a remark where there are none."""

import re
from collections.abc import Iterator

import pandas as pd
import pytest

from benchmarks.claims import ALPHA, CLAIMS, MARGIN, STATISTICS, moving
from emoscope.experiments.flips import summarise as flips
from emoscope.experiments.synonyms import summarise as synonyms
from emoscope.perturbation.pairs import NEUTRAL_OF
from emoscope.reporting.findings import Finding
from emoscope.verdicts.claims.assess import NO_MORE, UNCOMPARED, Terms, judged

RACE = {"flips.race.no_large_changes": "natural", "flips.race.templates": "template"}
WORDS = {"synonyms.overwhelmed": "overwhelmed", "synonyms.surprised": "surprised"}
NONE = [*RACE, "synonyms.no_change", "synonyms.no_word"]


def measured(claim: str, texts: int, changed: int, neutral: int | None) -> Iterator[Finding]:
    """Of so many texts, how many change, and how many by a neutral swap, if there are any."""
    origin, word = RACE.get(claim, "published" if claim == "synonyms.no_change" else "word"), WORDS.get(claim, "life")
    counts = {origin: changed} | ({} if neutral is None else {NEUTRAL_OF[origin]: neutral})
    table = pd.concat([moving(kind, texts, count, word) for kind, count in counts.items()], ignore_index=True)
    if claim in RACE:
        return flips.findings_of("race", table, MARGIN, ALPHA)
    return synonyms.findings_of(table.assign(term=word if origin == "word" else ""), MARGIN, ALPHA)


def verdict(claim: str, *counts: int | None) -> tuple[str, str]:
    found = {one.name: one for one in measured(claim, *counts)}
    row = judged({one["id"]: one for one in CLAIMS}[claim], found, Terms(set(), STATISTICS))
    return row["verdict"], row["note"]


@pytest.mark.parametrize("claim", NONE)
@pytest.mark.parametrize(
    ("counts", "expected", "reason"),
    [
        ((400, 0, 0), "reproduced", "Shown to lie below 0.02."),
        ((400, 40, 200), "reproduced", "Shown to lie below 0.02."),  # far fewer than neutral words
        ((400, 200, 40), "contradicted", "Shown to lie beyond 0.02 from zero."),
        ((60, 6, 6), "underpowered", "Neither shown"),  # a tenth of all texts, and of all swaps
        ((60, 6, 0), "underpowered", "Neither shown"),
        ((60, 6, 40), "reproduced", "Shown to lie below 0.02."),
    ],
)
def test_no_change_is_none_beyond_that_of_neutral_words(claim, counts, expected, reason):
    found, note = verdict(claim, *counts)
    assert found == expected and reason in note and "neutral" in note and UNCOMPARED not in note


def test_a_word_that_does_less_than_neutral_words_is_as_far_from_an_effect_as_it_is():
    """An excess of -0.02 is 0.04 away from 0.02, where an effect begins, and not next to it."""
    counts = 50, 5, 6
    name = {one["id"]: one for one in CLAIMS}["synonyms.overwhelmed"]["finding"].partition("/")[2]
    [one] = [one for one in measured("synonyms.overwhelmed", *counts) if one.name == name]
    needed = one.texts * (one.detectable / 0.04) ** 2
    found, note = verdict("synonyms.overwhelmed", *counts)
    told = int(re.search(r"about ([\d,]+) texts would be needed to tell", note)[1].replace(",", ""))
    assert found == "underpowered" and needed <= told < 1.1 * needed


def test_what_was_not_tested_beyond_neutral_words_has_no_p():
    claim = {one["id"]: one for one in CLAIMS}["flips.race.templates"]
    raw, beyond = (claim[key].partition("/")[2] for key in ("raw", "finding"))
    found = {raw: Finding(raw, 0.1, 0.0, 0.6, texts=5, within=0.5, beyond=1.0), beyond: Finding(beyond, 0.0, texts=5)}
    assert pd.isna(judged(claim, found, Terms(set(), STATISTICS))["equivalence_p"])


@pytest.mark.parametrize(
    ("raw", "beyond", "expected"),
    [
        (0.001, 0.3, "reproduced"),  # hardly any text changes, though few of them have a neutral swap
        (0.024, 0.3, "reproduced"),
        (0.026, 0.3, "underpowered"),  # one of two tests was chosen
        (0.3, 0.001, "reproduced"),
        (0.3, 0.026, "underpowered"),
        (0.3, 0.3, "underpowered"),
    ],
)
def test_where_the_rate_itself_is_small_what_goes_beyond_neutral_words_is_too(raw, beyond, expected):
    claim = {one["id"]: one for one in CLAIMS}["synonyms.no_change"]
    names = [claim[key].partition("/")[2] for key in ("raw", "finding")]
    found = {
        name: Finding(name, 0.01, 0.0, 0.03, texts=500, within=p, beyond=1.0, detectable=0.03)
        for name, p in zip(names, (raw, beyond), strict=True)
    }
    row = judged(claim, found, Terms(set(), STATISTICS))
    assert row["verdict"] == expected and (NO_MORE in row["note"]) == (2 * raw <= ALPHA)


@pytest.mark.parametrize("claim", NONE)
@pytest.mark.parametrize(
    ("counts", "expected"),
    [((400, 0), "reproduced"), ((400, 200), "contradicted"), ((17, 0), "underpowered"), ((60, 2), "underpowered")],
)
def test_without_neutral_swaps_the_rate_is_judged_and_said_to_stand_alone(claim, counts, expected):
    found, note = verdict(claim, *counts, None)
    assert found == expected and UNCOMPARED in note


@pytest.mark.parametrize("claim", WORDS)
@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((20, 20, 0), "reproduced"),
        ((100, 50, 50), "contradicted"),  # half of all texts, whatever word is swapped
        ((100, 10, 60), "contradicted"),
        ((400, 0, 0), "contradicted"),
        ((20, 1, 0), "underpowered"),
    ],
)
def test_a_word_changes_predictions_only_beyond_neutral_words(claim, counts, expected):
    found, note = verdict(claim, *counts)
    assert found == expected and "neutral swaps" in note and UNCOMPARED not in note


@pytest.mark.parametrize("claim", WORDS)
@pytest.mark.parametrize(
    ("counts", "expected"), [((20, 20), "reproduced"), ((400, 0), "contradicted"), ((20, 1), "underpowered")]
)
def test_a_word_without_any_neutral_swap_is_judged_as_it_is(claim, counts, expected):
    found, note = verdict(claim, *counts, None)
    assert found == expected and UNCOMPARED in note


def test_fewer_changes_than_by_neutral_words_ask_for_no_more_texts_than_none():
    """Of 50 texts one fewer changes than by swaps, a margin below zero: needed are as many as for no difference."""
    fewer, none = (verdict("flips.race.no_large_changes", 50, changed, 6)[1] for changed in (5, 6))
    needed = [note.partition("about ")[2].partition(" ")[0].replace(",", "") for note in (fewer, none)]
    assert 100 < int(needed[0]) < 10 * int(needed[1]), (fewer, none)
