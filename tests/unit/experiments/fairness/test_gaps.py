"""The same text with other people: gaps beside neutral swaps, template by template and person by person."""

import itertools

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.fairness.gaps import absolute_gaps, paired_tests, person_in
from emoscope.statistics.adjustment import benjamini_hochberg
from emoscope.statistics.bounded import CHANGE, bounded_test

CLASSES = ["calm", "angry"]
KEY = ["origin", "class"]
WHITE_AND_BLACK = ("white", "black")


def pairs(change: np.ndarray, origin: str = "natural", start: int = 0, **columns) -> pd.DataFrame:
    """Pairs whose P(angry) falls by `change` where a man becomes a woman, and rises as much the other way."""
    count = len(change)
    forth = np.arange(count) % 2 == 0
    texts = [f"text {k}" for k in range(start, start + count)]
    before, after = np.where(forth, 0.5 + change, 0.5), np.where(forth, 0.5, 0.5 + change)
    return pd.DataFrame({
        "id": range(start, start + count), "origin": origin, "text": texts, "cluster": texts, "flags": [[]] * count,
        "direction": np.where(forth, "male to female", "female to male"),
        "before_calm": 1 - before, "before_angry": before, "after_calm": 1 - after, "after_angry": after,
    }).assign(**columns)  # fmt: skip


def test_a_change_counts_whichever_way_it_goes():
    found = absolute_gaps(pairs(np.tile([0.4, 0.4, -0.2, -0.2], 20)), CLASSES, 0.02, 0.05).set_index(KEY)
    row = found.loc[("natural", "angry")]
    assert row["value"] == pytest.approx(0.3) and row["low"] < 0.3 < row["high"] and row["pairs"] == 80
    assert np.isnan(row["excess"]) and row["controls"] == 0


def test_what_neutral_words_do_is_taken_off_over_the_texts_that_offer_some():
    own = pairs(np.r_[np.full(60, 0.4), np.full(40, 0.1)])
    swaps = pairs(np.full(60, 0.1), "natural control")
    found = absolute_gaps(pd.concat([own, swaps]), CLASSES, 0.02, 0.05).set_index(KEY).loc[("natural", "angry")]
    assert found["value"] == pytest.approx(0.28) and found["neutral"] == pytest.approx(0.1)
    assert found["excess"] == pytest.approx(0.3) and found["excess_low"] > 0 and found["p_adjusted"] < 0.01
    alike = pd.concat([pairs(np.full(60, 0.1)), swaps])
    nil = absolute_gaps(alike, CLASSES, 0.02, 0.05).set_index(KEY).loc[("natural", "angry")]
    assert nil["excess"] == pytest.approx(0) and nil["p_adjusted"] == 1


def test_uncertain_pairs_and_an_axis_without_any_do_not_count():
    table = pairs(np.full(20, 0.4))
    assert absolute_gaps(table.assign(flags=[["uncertain"]] * 20), CLASSES, 0.02, 0.05).empty
    assert paired_tests(table, WHITE_AND_BLACK, CLASSES, 0.02, 0.05).empty


def templates(gap) -> pd.DataFrame:
    """Forty templates about twelve persons; `gap` gives P(angry | white) - P(angry | black) of template and person."""
    rows = []
    for k, person in itertools.product(range(40), [f"person {n}" for n in range(12)]):
        frame = f"the {{person}} said {k}"
        more = gap(k, person)
        rows.append({
            "id": -1 - len(rows), "origin": "template", "text": f"the white {person} said {k}", "cluster": frame,
            "flags": [], "spans": [[4, 9, 4, 9]], "direction": "white to black", "before_calm": 0.5 - more,
            "before_angry": 0.5 + more, "after_calm": 0.5, "after_angry": 0.5,
        })  # fmt: skip
    return pd.DataFrame(rows)


def test_one_template_that_tells_the_groups_apart_is_found_among_many():
    found = paired_tests(templates(lambda k, _: 0.5 if k == 3 else 0.0), WHITE_AND_BLACK, CLASSES, 0.02, 0.05)
    told = found[(found["unit"] == "template") & (found["class"] == "angry")].set_index("name")
    assert told["value"].idxmax() == "the {person} said 3" and told["value"].max() == pytest.approx(0.5)
    assert told["p"].idxmin() == "the {person} said 3" and len(told) == 40 and (told["pairs"] == 12).all()
    for _, tests in found.groupby("unit"):  # one family of all templates, one of all persons, with every class
        assert tests["p_adjusted"].to_numpy() == pytest.approx(benjamini_hochberg(tests["p"].to_numpy()))
    assert (found["p_adjusted"] > found["p"]).any()
    persons = found[found["unit"] == "person"]
    assert persons["name"].nunique() == 12 and (persons["clusters"] == 40).all()
    assert persons.loc[persons["class"] == "angry", "value"].to_numpy() == pytest.approx(0.5 / 40)


def test_a_gap_of_all_is_found_for_every_person_and_none_where_there_is_none():
    found = paired_tests(templates(lambda *_: 0.3), WHITE_AND_BLACK, CLASSES, 0.02, 0.05)
    persons = found[found["unit"] == "person"]
    assert set(persons["verdict"]) == {"different"}
    assert (np.sign(persons["value"]) == np.where(persons["class"] == "angry", 1, -1)).all()
    nil = paired_tests(templates(lambda *_: 0.0), WHITE_AND_BLACK, CLASSES, 0.02, 0.05)
    assert not (nil["verdict"] == "different").any()


def test_the_other_direction_is_turned_round():
    table = templates(lambda *_: 0.3)
    table.loc[::2, "direction"] = "black to white"
    swapped = {
        f"{one}_{name}": f"{other}_{name}"
        for name in CLASSES
        for one, other in (("before", "after"), ("after", "before"))
    }
    table[::2] = table[::2].rename(columns=swapped)[table.columns]
    found = paired_tests(table, WHITE_AND_BLACK, CLASSES, 0.02, 0.05)
    assert found.loc[found["class"] == "angry", "value"].to_numpy() == pytest.approx(0.3)
    other = paired_tests(table, ("black", "white"), CLASSES, 0.02, 0.05)
    assert other.loc[other["class"] == "angry", "value"].to_numpy() == pytest.approx(-0.3)


def test_few_persons_make_no_test():
    few = templates(lambda *_: 0.3)
    few = few[few["text"].str.contains(r"person [0-6] ")]
    found = paired_tests(few, WHITE_AND_BLACK, CLASSES, 0.02, 0.05)
    assert set(found["unit"]) == {"person"}  # of 40 templates each; 7 persons are too few for a template


def test_a_person_is_what_stands_behind_the_word_of_the_group():
    row = {"text": "i met an asian old neighbour, yesterday", "cluster": "i met a {person}, yesterday"}
    row["spans"] = [[6, 8, 6, 7], [9, 14, 8, 13]]
    [pair] = pd.DataFrame([row]).itertuples()
    assert person_in(pair) == "old neighbour"


def test_pairs_and_swaps_that_the_model_does_not_read_are_none():
    own, swaps = pairs(np.full(60, 0.4)), pairs(np.full(60, 0.1), "natural control")
    lost = [["beyond the context"] if k >= 20 else [] for k in range(60)]
    found = absolute_gaps(pd.concat([own, swaps.assign(flags=lost)]), CLASSES, 0.02, 0.05).set_index(KEY)
    assert found.loc[("natural", "angry"), ["neutral", "excess", "controls"]].tolist() == pytest.approx([0.1, 0.3, 20])


def test_what_would_show_is_told_at_the_level_of_the_verdict():
    table = templates(lambda k, person: 0.1 * (k % 3) * (person[-1] in "135"))
    found = paired_tests(table, WHITE_AND_BLACK, CLASSES, 0.02, 0.05)
    for unit, tests in (("template", 40 * 2), ("person", 12 * 2)):
        row = found[(found["unit"] == unit) & (found["class"] == "angry")].iloc[1]
        own = table["cluster"] if unit == "template" else table["text"].str.extract(r"(person \d+)")[0]
        gaps = (table["before_angry"] - table["after_angry"])[own == row["name"]].to_numpy()
        wanted = bounded_test(gaps, np.arange(len(gaps)), 0.02, CHANGE, 0.05 / tests).detectable
        assert row["detectable"] == pytest.approx(wanted, rel=1e-3), unit
    both = [pairs(np.linspace(0.3, 0.5, 60), origin) for origin in ("natural", "template")]
    swaps = pairs(np.full(60, 0.1), "natural control")
    changes = absolute_gaps(pd.concat([*both, swaps]), CLASSES, 0.02, 0.05).set_index(KEY)
    for name, alpha in (("detectable", 0.05 / 2), ("detectable_alone", 0.05)):  # templates have no swaps, and no test
        wanted = bounded_test(np.linspace(0.2, 0.4, 60), np.arange(60), 0.02, CHANGE, alpha).detectable
        assert changes.loc[("natural", "angry"), name] == pytest.approx(wanted, rel=1e-3)
    assert changes.loc["template", "detectable"].isna().all()
