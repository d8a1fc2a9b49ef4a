"""The summary of a perturbation: what a reader of its table would notice."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.tracing.measure import strongest
from emoscope.models.logits import columns
from emoscope.perturbation.effects import summarise
from emoscope.perturbation.pairs import BEYOND, NEUTRAL_OF
from emoscope.perturbation.single_words import VISIBLE
from emoscope.statistics.adjustment import benjamini_hochberg
from emoscope.statistics.bounded import CHANGE, bounded_test
from made_up import CLASSES

STATISTICS = {"confidence": 0.95, "margin": 0.02}


def kind(
    moved: list[bool], origin: str = "natural", term: str = "", label: int = 0, direction: str = "", prefix: str = "t"
) -> pd.DataFrame:
    """Pairs of two classes: one that is moved goes from class 0 to class 1, another stays at class 0."""
    n = len(moved)
    after, texts = np.where(moved, 0.2, 0.9), [f"{prefix} {k}" for k in range(n)]
    return pd.DataFrame({
        "id": range(n), "axis": "gender", "origin": origin, "term": term, "text": texts, "cluster": texts,
        "label": label, "flags": [[]] * n, "direction": direction, "before_joy": 0.9, "before_fear": 0.1,
        "after_joy": after, "after_fear": 1 - after,
    })  # fmt: skip


def share(count: int, n: int) -> list[bool]:
    return [k < count for k in range(n)]


def measured(*kinds: pd.DataFrame, **statistics) -> pd.DataFrame:
    return summarise(pd.concat(kinds, ignore_index=True), STATISTICS | statistics).set_index("measure")


def test_the_excess_is_what_neutral_swaps_do_not_explain():
    found = measured(kind(share(20, 100)), kind(share(5, 100), "natural control"))
    assert found.loc["changed", "value"] == 0.2 and found.loc["control_changed", "value"] == 0.05
    for measure in ("changed", "large", "distance", "divergence"):
        row = found.loc[f"excess_{measure}"]
        assert row["value"] == pytest.approx(found.loc[measure, "value"] - found.loc[f"control_{measure}", "value"])
        assert 0 < row["low"] < row["value"] < row["high"]
    assert set(found["origin"]) == {"natural"}


def test_a_neutral_swap_as_strong_as_the_flip_leaves_no_excess():
    found = measured(kind(share(3, 100)), kind(share(3, 100)[::-1], "natural control"))
    row = found.loc["excess_changed"]
    assert row["value"] == 0 and row["low"] < 0 < row["high"]


def test_nothing_seen_is_not_nothing_proven():
    found = measured(kind(share(0, 10)), kind(share(0, 10), "natural control"))
    assert found.loc["excess_changed", "high"] > 0.2 and found.loc["changed", "high"] > 0.2


@pytest.mark.parametrize(("sizes", "least"), [([1] * 30, 0.11), ([1, 2, 3, 4, 10] * 6, 0.15)])
def test_what_no_change_would_still_allow_is_where_the_rates_interval_ends(sizes, least):
    clusters = [f"c {k}" for k, size in enumerate(sizes) for _ in range(size)]
    found = measured(kind([False] * len(clusters)).assign(cluster=clusters))
    assert (found["no_event"] == found.loc["changed", "high"]).all() and found.loc["changed", "high"] > least
    some = measured(kind(share(5, len(clusters))).assign(cluster=clusters))
    assert (some["no_event"] == found["no_event"].iloc[0]).all(), "whatever has happened"


def test_a_pair_that_stands_twice_counts_once_in_what_goes_beyond_neutral_swaps():
    """As in the rates themselves: forty pairs, one of which two groups of a suite have."""
    pairs, swaps = kind(share(4, 40), "suite"), kind(share(0, 40), "suite control")
    pairs, swaps = (one.assign(perturbed=one["text"] + "!") for one in (pairs, swaps))
    once = measured(pairs, swaps)
    twice = [pd.concat([one, one[:1].assign(id=40)]) for one in (pairs, swaps)]
    found = measured(*twice)
    columns = ["value", "low", "high", "pairs", "clusters"]
    for measure in ("changed", "excess_changed", "excess_large"):
        assert found.loc[measure, columns].tolist() == once.loc[measure, columns].tolist()
    assert once.loc["excess_changed", ["value", "pairs"]].tolist() == [0.1, 40]


def test_only_texts_with_a_neutral_swap_enter_the_excess():
    found = measured(kind(share(20, 100)), kind(share(0, 40), "natural control"))
    assert found.loc["excess_changed", "value"] == 0.5
    assert found.loc["excess_changed", "texts"] == 40
    assert not measured(kind(share(20, 100))).index.str.contains("excess|control").any()


@pytest.mark.parametrize(
    ("flipped", "neutral", "verdict"),
    [
        (share(3, 400), share(3, 400)[::-1], "no more"),
        (share(0, 400), share(40, 400), "no more"),  # less, too
        (share(40, 400), share(4, 400)[::-1], "more"),
        (share(2, 60), share(1, 60)[::-1], "not settled"),
        (share(0, 60), share(0, 60), "not settled"),  # too few to show it, though nothing was seen
    ],
)
def test_no_more_than_neutral_has_to_be_shown(flipped, neutral, verdict):
    found = measured(kind(flipped), kind(neutral, "natural control"))
    assert found.loc[["excess_changed", "excess_large"], "verdict"].tolist() == [verdict] * 2
    assert set(found.loc[["changed", "control_changed", "excess_distance"], "verdict"]) == {""}


def test_the_margin_decides_what_is_no_more():
    both = kind(share(3, 400)), kind(share(3, 400)[::-1], "natural control")
    assert measured(*both, margin=0.005).loc["excess_changed", "verdict"] == "not settled"


def test_controls_are_compared_with_the_pair_of_their_own_id_and_word():
    """Each word has a control in its own texts; ids repeat between words."""
    a, b = kind(share(10, 20), "word", "a", prefix="a"), kind(share(0, 20), "word", "b", prefix="b")
    still, moving = (kind(share(count, 20), "word control", term, prefix=term) for count, term in ((0, "a"), (20, "b")))
    found = measured(a, b, still, moving)
    excess = found.loc[["excess_changed"]].set_index("term")["value"]
    assert excess.to_dict() == {"a": 0.5, "b": -1.0}
    assert found.loc[["control_changed"], ["term", "value"]].to_numpy().tolist() == [["", 0.5]]
    shuffled = measured(kind(share(3, 10)), kind(share(3, 10), "natural control")[::-1])
    assert (
        shuffled.loc["excess_changed", ["low", "high"]].tolist()
        == measured(kind(share(3, 10)), kind(share(3, 10), "natural control"))
        .loc["excess_changed", ["low", "high"]]
        .tolist()
    )


@pytest.mark.parametrize(("sentences", "verdict"), [(340, "more"), (34, "not settled")])
def test_one_stray_change_of_the_controls_does_not_make_a_flip_do_more(sentences, verdict):
    """A flip changes ten texts of 340; ten make a sentence, and four, three and three of them stand in one each."""
    numbers = np.arange(340)
    flips = kind(np.isin(numbers, [0, 1, 2, 3, 10, 11, 12, 20, 21, 22]).tolist(), "template")
    swaps = kind((numbers == 100).tolist(), "template control")
    clusters = [f"frame {k * sentences // 340}" for k in numbers]
    found = measured(*(table.assign(cluster=clusters) for table in (flips, swaps)))
    assert found.loc[["excess_changed", "excess_large"], "verdict"].tolist() == [verdict] * 2


def test_names_are_measured_beside_the_flips_and_apart_from_the_controls():
    names = kind(share(6, 10), "natural names", prefix="n")
    found = measured(kind(share(20, 100)), kind(share(5, 100), "natural control"), names)
    assert found.loc["names_changed", ["value", "texts"]].tolist() == [0.6, 10]
    assert found.loc[["control_changed", "excess_changed"], "value"].tolist() == pytest.approx([0.05, 0.15])
    assert measured(names).empty  # nothing to stand beside


def test_texts_made_from_one_template_are_no_more_evidence_than_the_template():
    """Of 34 sentences about ten people each, one moves, whoever it is about: 10 of 340 texts, but 1 of 34."""
    table = kind([k < 10 for k in range(340)], "template", direction="white to black")
    copies = measured(table.assign(cluster=[k // 10 for k in range(340)]))
    once = measured(kind(share(1, 34), "template", direction="white to black"))
    for measure in ("changed", "large", "distance", "change_fear", "gap_fear"):
        assert copies.loc[measure, "value"] == pytest.approx(once.loc[measure, "value"])
        (low, high), (low_once, high_once) = (found.loc[measure, ["low", "high"]] for found in (copies, once))
        assert high - low >= high_once - low_once - 1e-6 > 0.1
    assert copies.loc["gap_fear", "verdict"] == "underpowered"
    assert measured(table).loc["gap_fear", "verdict"] == "different"
    assert (copies.loc["changed", "texts"], copies.loc["changed", "clusters"]) == (340, 34)


def test_accuracy_before_and_after():
    found = measured(kind(share(12, 80)), kind(share(4, 20), label=1, prefix="u").assign(id=range(80, 100)))
    assert found.loc["accuracy_before", "value"] == 0.8 and found.loc["accuracy_after", "value"] == 0.72
    change = found.loc["accuracy_change"]
    assert change["value"] == pytest.approx(-0.08) and change["low"] < -0.08 < change["high"]
    assert (found.loc["accuracy_lost", "value"], found.loc["accuracy_gained", "value"]) == (0.12, 0.04)
    assert change["p"] == pytest.approx(0.0768, abs=1e-4)  # 12 against 4, exact


def test_texts_without_a_label_have_no_accuracy_and_repeated_ones_count_once():
    assert not measured(kind(share(1, 9), label=-1)).index.str.startswith("accuracy").any()
    twice = pd.concat([kind([True, False])] * 2, ignore_index=True).assign(id=range(4))
    assert measured(twice).loc["accuracy_before", "texts"] == 2


def test_directions_are_compared():
    men = kind(share(20, 100), direction="male to female", prefix="he")
    women = kind(share(2, 100), direction="female to male", prefix="she").assign(id=range(100, 200))
    found = measured(men, women)
    assert found.loc[["changed_first", "changed_second"], "value"].tolist() == [0.2, 0.02]
    assert found.loc["changed_difference", "low"] > 0.09
    assert "changed_second" not in measured(men).index


def words(neutral: tuple[int, int], **rates: tuple[int, int]) -> pd.DataFrame:
    """How many texts of each word change, of how many; the same for neutral words."""
    parts = [kind(share(*neutral), NEUTRAL_OF["word"])]
    parts += [kind(share(*rate), "word", term, prefix=term) for term, rate in rates.items()]
    return measured(*parts).loc[["changed"]].set_index("term")


def test_a_word_is_flagged_if_it_does_more_than_neutral_words_by_more_than_the_margin():
    rates = {"strong": (13, 20), "noisy": (14, 200), "rare": (1, 10), "calm": (2, 200)}
    flagged = {"strong": "flagged", "noisy": "flagged", "rare": "cannot tell", "calm": "not flagged"}
    assert words((2, 300), **rates)["verdict"].to_dict() == flagged
    assert words((16, 300), **rates)["verdict"].to_dict() == flagged | {"noisy": "not flagged"}


def test_one_word_of_many_needs_more_to_be_flagged():
    others = {f"w{k}": (0, 50) for k in range(29)}
    assert words((2, 900), want=(9, 190)).loc["want", "verdict"] == "flagged"
    among = words((2, 900), want=(9, 190), **others)
    assert among.loc["want", "verdict"] == "not flagged"
    assert among.loc["want", "p_adjusted"] == pytest.approx(30 * among.loc["want", "p"])


@pytest.mark.parametrize("changed", [0, 20])
def test_of_a_word_without_neutral_swaps_nothing_can_be_told(changed):
    found = measured(kind(share(changed, 20), "word", "lonely"))
    assert found.loc["changed", "verdict"] == "cannot tell"
    assert np.isnan(found.loc["changed", ["p", "detectable"]].astype(float)).all()


def test_of_a_word_in_too_few_texts_to_be_flagged_nothing_can_be_told():
    """Among 27 words, one text of one that changes is not enough: neutral words may do that 3 times in 100."""
    others = {f"w{k}": (0, 50) for k in range(26)}
    for changed in (0, 1):
        found = words((9, 900), rare=(changed, 1), **others)
        assert found.loc["rare", "verdict"] == "cannot tell" and np.isnan(found.loc["rare", "detectable"])
        assert found.loc["w0", "verdict"] == "not flagged" and found.loc["w0", "detectable"] < 0.2
    assert words((9, 900), rare=(1, 1)).loc["rare", "verdict"] == "flagged", "a word alone"


@pytest.mark.parametrize(
    ("changed", "texts", "verdict"),
    [
        (0, 2, "cannot tell"),  # the first test would only show nine of ten
        (0, 8, "cannot tell"),
        (0, 20, "cannot tell"),
        (2, 20, "cannot tell"),
        (0, 60, "not flagged"),  # a rate of 20 % would have shown
        (2, 2, "flagged"),  # and where enough is seen, few texts do
        (8, 8, "flagged"),
    ],
)
def test_a_word_is_not_flagged_only_if_something_would_have_been_seen(changed, texts, verdict):
    found = words((2, 600), rare=(changed, texts)).loc["rare"]
    assert found["verdict"] == verdict and (found["detectable"] <= VISIBLE) == (texts == 60)


@pytest.mark.parametrize(("own", "verdict"), [(250, "not flagged"), (6, "cannot tell")])
def test_a_word_that_does_no_more_than_neutral_words_of_its_texts_is_not_flagged(own, verdict):
    """It changes 5 of 250 texts. Elsewhere neutral words change so many that a rate of 20 % would not show."""
    word, others = kind(share(5, 250), "word", "a"), kind(share(300, 400), "word control", "b", prefix="b")
    swaps = kind(share(5, own), "word control", "a")
    found = measured(word, swaps, others).loc["changed"]
    assert found["detectable"] > VISIBLE and found["verdict"] == verdict


@pytest.mark.parametrize(
    ("own", "texts", "verdict"),
    [
        (14, 100, "cannot tell"),  # in its own texts neutral words do as much
        (4, 100, "flagged"),
        (7, 8, "cannot tell"),
        (7, 7, "flagged"),  # too few to be asked
        (0, 8, "flagged"),
    ],
)
def test_a_word_is_not_flagged_for_texts_that_any_word_changes(own, texts, verdict):
    """It changes 15 of its 100 texts; the neutral swaps of all words change 1 of 1,000 more or so."""
    word, others = kind(share(15, 100), "word", "a"), kind(share(1, 1000), "word control", "b", prefix="b")
    swaps = kind(share(own, texts), "word control", "a")
    found = measured(word, swaps, others)
    assert found.loc["changed", "verdict"] == verdict and found.loc["changed", "p_adjusted"] < 0.01


def test_words_share_their_neutral_swaps():
    found = measured(kind(share(1, 4), "word", "a"), kind(share(1, 4), "word", "b"), kind(share(1, 10), "word control"))
    assert found.loc[["control_changed"], "value"].tolist() == [0.1]
    assert set(found["origin"]) == {"word"}


def test_a_neutral_text_that_holds_several_words_counts_once():
    """Five of the words stand in each of 30 neutral texts, of which a tenth changes."""
    word, once = kind(share(9, 30), "word", "a"), kind(share(3, 30), "word control", "a")
    again = pd.concat([once.assign(term=term) for term in "abcde"])
    alone, together = (measured(word, neutral).loc[["changed"]].set_index("term").loc["a"] for neutral in (once, again))
    assert alone["p"] == together["p"] < 1


def test_the_verdict_uses_the_adjusted_p_that_stands_beside_it():
    rng = np.random.default_rng(0)
    table = kind(share(0, 60), direction="male to female")
    table["after_joy"] = 0.9 - np.clip(rng.normal(0.2, 0.15, 60), -0.1, 0.9)
    table["after_fear"] = 1 - table["after_joy"]
    for confidence in (0.95, 0.999):
        rows = measured(table, confidence=confidence)
        rows = rows[rows.index.str.contains("change_|gap_")]
        different = (rows["p_adjusted"] <= 1 - confidence) & ~(rows["p_equivalence"] <= 1 - confidence)
        assert ((rows["verdict"] == "different") == different).all()
    assert set(measured(table).loc[["gap_joy", "gap_fear"], "verdict"]) == {"different"}


def test_pairs_that_do_not_count_are_told_but_not_measured():
    table = kind(share(5, 10)).assign(flags=[["uncertain"]] * 5 + [[]] * 5)
    found = measured(table)
    assert found.loc["changed", "value"] == 0 and found.loc["changed", "left_out"] == 5


def test_no_pairs_give_an_empty_summary():
    assert summarise(kind([]), STATISTICS).empty


def pairs(rows, effect, seed=0):
    rng = np.random.default_rng(seed)
    before = rng.dirichlet([5, 5, 5], rows)
    male = rng.random(rows) < 0.5
    after = before + np.where(male, -1, 1)[:, None] * np.array([effect, -effect, 0])
    return pd.DataFrame({
        "id": range(rows), "axis": "gender", "origin": "natural", "term": "", "label": 0,
        "text": [f"text {n}" for n in range(rows)], "cluster": range(rows), "flags": [[] for _ in range(rows)],
        "direction": np.where(male, "male to female", "female to male"),
        **columns("before", CLASSES, before), **columns("after", CLASSES, np.clip(after, 1e-9, None)),
    })  # fmt: skip


def test_a_gap_between_groups_is_found_with_its_sign_though_changes_cancel():
    summary = summarise(pairs(300, 0.05), STATISTICS).set_index("measure")
    assert (
        0.02 < summary.loc["gap_sadness", "low"] < summary.loc["gap_sadness", "value"] == pytest.approx(0.05, abs=0.01)
    )
    assert summary.loc["gap_joy", "value"] == pytest.approx(-0.05, abs=0.01)
    assert summary.loc["gap_sadness", "verdict"] == "different"
    assert summary.loc["gap_love", "verdict"] == "equivalent"
    assert abs(summary.loc["change_sadness", "value"]) < 0.02


def test_a_few_pairs_are_underpowered_not_equivalent():
    rng = np.random.default_rng(1)
    few = pairs(4, 0.0)
    few[[f"after_{name}" for name in CLASSES]] = rng.dirichlet([5, 5, 5], 4)
    assert summarise(few, STATISTICS).set_index("measure").loc["change_joy", "verdict"] == "underpowered"


def test_uncertain_pairs_are_left_out_and_counted():
    table = pairs(20, 0.01)
    table["flags"] = [["uncertain"] if n % 2 else [] for n in range(20)]
    summary = summarise(table, STATISTICS)
    assert (summary["left_out"] == 10).all()
    assert (summary.query("measure == 'distance'")["pairs"] == 10).all()
    assert set(strongest(table, 50)["id"]) == set(range(0, 20, 2))


def test_p_is_adjusted_for_the_number_of_classes():
    found = measured(pairs(60, 0.02))
    for name in ("change_", "gap_"):
        rows = found[found.index.str.startswith(name)]
        assert len(rows) == 3
        np.testing.assert_allclose(rows["p_adjusted"], benjamini_hochberg(rows["p"].to_numpy(dtype=float)))
    assert found.loc["gap_sadness", "p_adjusted"] > found.loc["gap_sadness", "p"]


def width(row: pd.Series) -> float:
    return row["high"] - row["low"]


def test_texts_of_one_template_are_no_more_evidence_beside_neutral_swaps_or_other_directions():
    """Of 34 templates in ten wordings each, all wordings of four change, and those of two when swapped neutrally."""
    flips = kind(share(40, 340), "template", direction="white to black")
    swaps = kind(share(20, 340), "template control")
    back = kind(share(40, 340), "template", direction="black to white", prefix="u").assign(id=range(340, 680))
    alone = measured(flips, swaps, back)
    clusters = [f"frame {k // 10}" for k in range(340)]
    together = measured(*(table.assign(cluster=clusters) for table in (flips, swaps, back)))
    for measure in ("excess_changed", "excess_large", "changed_difference"):
        assert together.loc[measure, "value"] == alone.loc[measure, "value"]
        assert width(together.loc[measure]) > 1.5 * width(alone.loc[measure])


def test_a_flip_is_compared_with_the_neutral_swap_of_the_same_text():
    """Every swap that changes a prediction is of a text whose flip does, too: what is left is all the flips' own."""
    found = measured(kind(share(30, 100)), kind(share(20, 100), "natural control")).loc["excess_changed"]
    assert found["value"] == pytest.approx(0.1) and found["low"] > 0.03, "as of different texts it would reach -0.02"


def test_the_level_of_a_rates_interval_is_the_one_that_was_asked_for():
    narrow, wide = (measured(kind(share(20, 100)), confidence=level).loc["changed"] for level in (0.5, 0.99))
    assert width(wide) > 2 * width(narrow)


def cut(pairs: pd.DataFrame, *numbers: int) -> pd.DataFrame:
    """Pairs of which the model does not tell some apart."""
    return pairs.assign(flags=[[BEYOND] if k in numbers else [] for k in pairs["id"]])


def test_what_the_model_does_not_read_is_no_pair_that_stays():
    """Of 100 flips the model reads 20, and all of these change: 20 %, if the others counted."""
    own, rest = kind(share(20, 100), direction="male to female"), range(20, 100)
    found = measured(cut(own, *rest), cut(kind(share(20, 100), "natural control"), *rest))
    for measure in ("changed", "large", "control_changed", "accuracy_lost"):
        assert found.loc[measure, ["value", "pairs"]].tolist() == [1.0, 20], measure
    assert found.loc["gap_joy", "value"] == pytest.approx(0.7) and found.loc["change_joy", "texts"] == 20
    assert found.loc["changed", ["left_out", "beyond_context"]].tolist() == [80, 80]
    assert found.loc["excess_changed", ["value", "texts"]].tolist() == [0.0, 20]
    plain = measured(own)
    assert plain.loc["changed", ["value", "left_out", "beyond_context"]].tolist() == [0.2, 0, 0]


def test_a_flip_whose_swap_the_model_does_not_read_has_no_control():
    own, swaps = kind(share(40, 40)), kind(share(10, 40), "natural control")
    found = measured(own, cut(swaps, *range(10, 40)))
    assert found.loc["control_changed", "value"] == 1.0
    assert found.loc["excess_changed", ["value", "texts"]].tolist() == [0.0, 10]
    none = measured(cut(own, *range(10, 40)), cut(swaps, *range(10)))
    assert "excess_changed" not in none.index and none.loc["changed", "texts"] == 10


def test_of_single_words_the_swaps_that_the_model_does_not_read_are_no_baseline():
    own, swaps = kind(share(10, 60), "word", "w"), kind(share(30, 60), "word control", "w", prefix="n")
    read = summarise(pd.concat([own, swaps[:30]], ignore_index=True), STATISTICS)
    found = summarise(pd.concat([own, cut(swaps, *range(30, 60))], ignore_index=True), STATISTICS)
    pd.testing.assert_series_equal(found["p"], read["p"])
    assert (found["detectable"].dropna() == read["detectable"].dropna()).all()


def test_what_would_show_is_told_at_the_level_of_the_verdict():
    """Two words and two classes are four changes; one of the two kinds names groups, so its gaps are two."""
    own = [kind(share(count, 60), "word", f"w{count}") for count in (3, 9)]
    own[1] = own[1].assign(direction="male to female")
    found = summarise(pd.concat(own, ignore_index=True), STATISTICS).set_index(["term", "measure"])
    for count, measure, tests in ((3, "change_joy", 4), (9, "change_joy", 4), (9, "gap_joy", 2)):
        values, row = np.where(share(count, 60), 0.7, 0.0), found.loc[(f"w{count}", measure)]
        for name, alpha in (("detectable", 0.05 / tests), ("detectable_alone", 0.05)):
            wanted = bounded_test(values, np.arange(60), 0.02, CHANGE, alpha).detectable
            assert row[name] == pytest.approx(wanted, rel=1e-3), (count, measure, name)
