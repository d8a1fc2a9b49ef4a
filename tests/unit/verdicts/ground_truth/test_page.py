"""The ground truth page speaks of the axes that were flipped."""

import pandas as pd
import pytest

from emoscope.verdicts.ground_truth import page

WHERE = {
    "gender": ("ambiguous", "emotion word"),
    "race": ("encounter", "templates"),
    "synonyms": ("want", "other words"),
}


def controls(axes: list[str], expected: float = 0.7) -> pd.DataFrame:
    """Two runs; what is planted is found, and something is seen where nothing was."""
    return pd.DataFrame(
        {
            "axis": axis,
            "where": where,
            "expected": size,
            "value": 0.7,
            "low": 0.5,
            "high": 0.9,
            "verdict": verdict,
            "run": run,
        }
        for axis in axes
        for run in ("one", "two")
        for where, size, verdict in zip(WHERE[axis], (expected, 0), ("found", "missed"), strict=True)
    )


@pytest.mark.parametrize("axes", [["gender", "race", "synonyms"], ["gender", "synonyms"], ["race", "synonyms"]])
def test_the_headline_speaks_of_the_axes_that_were_flipped(axes):
    said = str(page.main_result(controls(axes)))
    for axis in ("gender", "race"):
        assert (f"In 2 of 2 runs on generated corpora the planted {axis} gap" in said) == (axis in axes)
    assert ("In 2 of 2 runs an effect of race is seen" in said) == ("race" in axes)
    assert "Of 2 misleading synonyms 2 are flagged; other words are flagged in 2 of 2 runs." in said


def test_what_too_few_texts_could_tell_is_not_counted_as_unseen():
    table = controls(["race", "synonyms"])
    table.loc[(table["verdict"] == "missed") & (table["run"] == "two"), "verdict"] = "cannot tell"
    said = " ".join(str(page.main_result(table)).split())
    assert "In 1 of 2 runs an effect of race is seen where it is absent; in 1 too few texts could tell." in said
    assert "other words are flagged in 1 of 2 runs; in 1 too few texts could tell." in said
    seen = table[(table["axis"] == "race") & (table["verdict"] == "missed")].assign(run="two", where="names")
    said = " ".join(str(page.main_result(pd.concat([table, seen]))).split())
    assert "In 2 of 2 runs an effect of race is seen where it is absent. " in said, "what is seen anywhere is seen"


def test_the_headline_tells_a_planted_gap_from_a_planted_nil():
    table = controls(["gender", "race"])
    table.loc[(table["where"] == "encounter") & (table["run"] == "one"), ["expected", "low", "high"]] = 0, -0.1, 0.1
    table.loc[(table["where"] == "ambiguous") & (table["run"] == "two"), ["low", "high"]] = 0.1, 0.2
    said = " ".join(str(page.main_result(table)).split())
    assert "In 2 of 2 runs on generated corpora the planted gender gap is found with the right sign, in 1 its" in said
    assert "In 1 of 1 run on generated corpora the planted race gap" in said
    assert "In 0 of 1 run a race gap is seen in sentences in which none was planted" in said
    assert "synonyms" not in said


def test_the_headline_speaks_of_masks_where_there_are_some():
    row = {"axis": "masking", "where": "composed", "expected": None, "value": -0.1, "low": -0.2, "high": -0.1}
    masks = pd.DataFrame([{**row, "run": run, "verdict": verdict} for run, verdict in ((1, "found"), (2, "missed"))])
    said = " ".join(str(page.main_result(masks)).split())
    need = "runs the sentences that need attention are shown to lose more without it than others"
    assert f"In 1 of 2 {need}." in said
    said = " ".join(str(page.main_result(masks.assign(verdict=["missed", "cannot tell"]))).split())
    assert f"In 0 of 2 {need}; in 1 it cannot be told." in said
    assert "attention" not in str(page.main_result(controls(["gender"])))


def test_the_forest_plot_shows_the_sentences_of_an_axis_and_no_others():
    shown = page.gaps(controls(["gender", "race", "synonyms"]), "race")
    assert list(shown["series"]) == ["in encounters"] * 2 and list(shown["expected"]) == [0.7] * 2
    assert set(page.gaps(controls(["gender"]), "gender")["series"]) == {
        "in ambiguous sentences",
        "beside an emotion word",
    }
