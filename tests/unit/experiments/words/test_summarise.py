"""Means, agreement, words of each class, and flips beside attributions; on made-up scores."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.words.flipped import agreement, changed_words, group_pulls
from emoscope.experiments.words.methods import RANDOM, SPECIAL
from emoscope.experiments.words.overall import pushes
from emoscope.experiments.words.ranking import best_method, unaccounted
from emoscope.experiments.words.scores import Scored
from emoscope.experiments.words.summarise import completeness_error, faithful_means, method_agreement

OPTIONS = {"seed": 0, "resamples": 200, "alpha": 0.05}


def faithfulness(better=0.3, kind="resampled"):
    rng = np.random.default_rng(0)
    rows = []
    for number in range(40):
        base = rng.uniform(0.2, 0.4)
        for name, gain in (("shapley", better), (RANDOM, 0.0)):
            rows.append((number, name, kind, base + gain, 0.5 - gain, 0.5 - gain, 0.5 + gain, 0.5 - gain))
    columns = ["id", "method", "kind", "comprehensiveness", "sufficiency", "deletion", "insertion", "infidelity"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("measure", "above"),
    [
        ("comprehensiveness", 0.3),
        ("sufficiency", 0.3),
        ("deletion", 0.3),
        ("insertion", 0.3),
        ("area", 0.6),
        ("infidelity", 0.3),
    ],
)
def test_better_is_above_random_whichever_way_a_measure_points(measure, above):
    found = faithful_means(faithfulness(), 0.02, 0.05).set_index(["method", "measure"])
    row = found.loc["shapley", measure]
    assert row["above"] == pytest.approx(above) and row["above_low"] > 0 and row["verdict"] == "better"
    assert found.loc[(RANDOM, measure), "above"] == 0
    worse = faithful_means(faithfulness(better=-0.3), 0.02, 0.05).set_index(["method", "measure"])
    assert worse.loc[("shapley", measure), "above_high"] < 0
    assert worse.loc[("shapley", measure), "verdict"] == "worse"


def test_infidelity_is_of_the_texts_in_which_anything_falls():
    table = faithfulness()
    table.loc[table["id"] < 10, "infidelity"] = np.nan  # for every method, as nothing falls whatever it says
    found = faithful_means(table, 0.02, 0.05).set_index(["method", "measure"])
    assert found.loc[("shapley", "infidelity"), "texts"] == 30 and found.loc[("shapley", "deletion"), "texts"] == 40
    assert found.loc[("shapley", "infidelity"), "value"] == pytest.approx(0.2)
    assert found.loc[("shapley", "infidelity"), "low"] < 0.2 < found.loc[("shapley", "infidelity"), "high"]


def test_where_nothing_falls_infidelity_is_not_known():
    found = faithful_means(faithfulness().assign(infidelity=np.nan), 0.02, 0.05).set_index(["method", "measure"])
    row = found.loc[("shapley", "infidelity")]
    assert row["texts"] == 0 and row[["value", "low", "high", "above", "above_low"]].isna().all()


def test_the_best_method_tells_classes_apart_and_ranks_planted_words_best_else_is_the_most_faithful():
    names = ["planted", "rollout", "gradient_input", "shapley"]
    ranks = pd.DataFrame({"method": names, "measure": "average_precision", "value": [1.0, 0.9, 0.6, 0.5]})
    means = faithful_means(faithfulness(), 0.02, 0.05)
    assert best_method(ranks, means, ()) == "gradient_input"
    assert best_method(ranks.head(0), means, ()) == "shapley"


def errors(**found):
    rows = [(f"completeness_error.{name}", value) for name, value in found.items()]
    return pd.DataFrame([*rows, ("unsteadiness.integrated_mean", 9.0)], columns=["name", "value"])


def test_an_integral_that_is_off_by_more_than_promised_is_no_method_to_believe_however_it_ranks():
    found = errors(integrated_padding=0.0099, integrated_zero=1.06, integrated_mean=0.0101, integrated_half=np.nan)
    barred = unaccounted(found)
    assert [*barred] == ["integrated_zero", "integrated_mean", "integrated_half"] and barred["integrated_zero"] == 1.06
    names = ["planted", "integrated_zero", "integrated_mean", "integrated_padding", "shapley"]
    ranks = pd.DataFrame({"method": names, "measure": "average_precision", "value": [1.0, 0.9, 0.8, 0.7, 0.6]})
    areas = ranks.assign(measure="area", kind="resampled")
    for known, means in ((ranks, areas.head(0)), (ranks.head(0), areas)):
        assert best_method(known, means, barred) == "integrated_padding"
        assert best_method(known, means, unaccounted(errors(integrated_zero=0.01))) == "integrated_zero"


def test_the_best_method_is_not_chosen_by_what_some_methods_do_themselves():
    """Shapley values and occlusion cut words out, so cutting speaks for them; and padding for others."""
    own = faithfulness(0.3).replace({"method": {"shapley": "gradient_input"}})
    told = [own, faithfulness(0.1)[lambda table: table["method"] == "shapley"]]
    for kind in ("cut", "padded"):
        told += [faithfulness(0.4, kind), own.assign(kind=kind)[lambda table: table["method"] != RANDOM]]
    means = faithful_means(pd.concat(told), 0.02, 0.05)
    assert best_method(pd.DataFrame(columns=["method", "measure", "value"]), means, ()) == "gradient_input"


def test_areas_of_two_methods_may_be_two_apart_and_the_largest_one_is_the_best():
    """Comprehensiveness, over other shares of the words, may put them in another order."""
    rows = [
        (number, name, "resampled", *numbers, 0.5)
        for number in range(40)
        for name, numbers in {
            "gradient_input": (0.9, 0.1, 0.4, 0.6), "shapley": (0.5, 0.1, 0.0, 1.0), RANDOM: (0.1, 0.1, 1.0, 0.0),
        }.items()
    ]  # fmt: skip
    means = faithful_means(pd.DataFrame(rows, columns=faithfulness().columns), 0.02, 0.05)
    areas = means[means["measure"] == "area"].set_index("method")
    assert areas["value"].to_dict() == {"gradient_input": pytest.approx(0.2), "shapley": 1.0, RANDOM: -1.0}
    assert areas.loc["shapley", "above"] == 2.0
    assert best_method(pd.DataFrame(columns=["method", "measure", "value"]), means, ()) == "shapley"


def test_methods_that_rank_alike_agree_and_reversed_ones_do_not():
    values = np.array([1.0, 5.0, 2.0, 4.0])
    found = [Scored(0, "joy", [(0, 1)] * 4, {"shapley": values, "rollout": values**3, "attention": -values}, None)]
    table = method_agreement(found).set_index(["method", "other"])
    assert table.loc[("shapley", "rollout"), "correlation"] == pytest.approx(1)
    assert table.loc[("shapley", "attention"), ["correlation", "top"]].tolist() == [pytest.approx(-1), 0]


def test_completeness_is_judged_by_the_mean_difference():
    sums = pd.DataFrame({"sum": [1.0, -2.1, 0.0], "difference": [1.0, -2.0, 0.1]})
    assert completeness_error(sums) == pytest.approx(0.2 / 3.1)
    nothing = sums.assign(sum=0.0, difference=0.0)
    assert completeness_error(nothing) == 0, "nothing moves, and nothing is said to"


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("column", ["sum", "difference"])
def test_a_text_whose_scores_are_no_numbers_is_not_accounted_for_by_the_others(column, value):
    sums = pd.DataFrame({"sum": [1.0, -2.0, 0.1], "difference": [1.0, -2.0, 0.1]})
    sums.loc[1, column] = value
    error = completeness_error(sums)
    assert np.isnan(error) and [*unaccounted(errors(integrated_zero=error))] == ["integrated_zero"]


def explained(count=20):
    """Texts `he was glad` and `she was glad`: `glad` speaks for joy, `he` for anger, more the higher the number."""
    rows, texts = [], []
    for number in range(count):
        who = "he" if number % 2 else "she"
        text, at = f"{who} was Glad", len(who)
        texts.append((number, text))
        places = [(0, at), (at + 1, at + 4), (at + 5, at + 9)]
        for kind, values in (("anger", (number / 10 if number % 2 else -0.1, 0.0, -1.0)), ("joy", (0.0, 0.01, 2.0))):
            rows += [
                (number, word, *place, kind, value)
                for word, (place, value) in enumerate(zip(places, values, strict=True))
            ]
            rows.append((number, SPECIAL, 0, 0, kind, 50.0))
    return (
        pd.DataFrame(rows, columns=["id", "word", "start", "end", "class", "shapley"]),
        pd.DataFrame(texts, columns=["id", "text"]),
    )


def train():
    texts = [f"so glad {number}" for number in range(40)] + [f"so what {number}" for number in range(60)]
    return pd.DataFrame({"text": texts, "label": [1] * 40 + [0] * 60})


def cuts():
    """The scores of `explained` as what words push."""
    scores, texts = explained()
    own = scores[scores["word"] != SPECIAL].pivot(
        index=["id", "word", "start", "end"], columns="class", values="shapley"
    )
    own = own.add_prefix("push_").reset_index().merge(texts, on="id")
    said = [text[start:end].lower() for text, start, end in zip(own["text"], own["start"], own["end"], strict=True)]
    return own.assign(word=said).drop(columns="text")


def pushed(train):
    return pushes(cuts(), train, ["anger", "joy"], OPTIONS, 0.02).set_index(["class", "word"])


def test_words_push_the_classes_that_they_speak_for():
    found = pushed(train())
    assert found.loc[("joy", "glad"), "value"] == 2 and found.loc[("anger", "glad"), "value"] == -1
    assert found.loc[("anger", "he"), "low"] > 0 and found.loc[("anger", "he"), "value"] == pytest.approx(1.0)
    assert found.loc[("joy", "glad"), ["texts", "up", "verdict"]].tolist() == [20, 20, "supported"]
    bounds = found[["low", "value", "high"]].to_numpy()
    assert (np.diff(bounds) >= -1e-6).all(), "each class has its own interval"
    assert found.loc[("joy", "glad"), ["low", "high"]].tolist() == pytest.approx([2, 2])
    assert found.loc[("anger", "he"), ["texts", "up"]].tolist() == [10, 10] and found.loc[("anger", "glad"), "up"] == 0


def test_a_word_that_pushes_a_class_whose_texts_lack_it_is_unsupported():
    found = pushed(train().assign(label=[0] * 40 + [1] * 60))
    assert found.loc[("joy", "glad"), "verdict"] == "unsupported" and not found.loc[("anger", "glad"), "verdict"]


def pairs(count=20):
    rows = []
    for number in range(count):
        first, second = ("male", "female") if number % 2 else ("female", "male")
        width = 2 if number % 2 else 3
        change = -0.04 * number if number % 2 else 0.0
        rows.append({
            "id": number, "origin": "natural", "flags": [], "spans": [[0, width, 0, 5 - width]],
            "direction": f"{first} to {second}", "before_anger": 0.9, "after_anger": 0.9 + change,
            "before_joy": 0.1, "after_joy": 0.1 - change,
        })  # fmt: skip
    return pd.DataFrame(rows)


def test_words_whose_flip_moves_the_answer_should_rank_high():
    scores, _ = explained()
    changed = changed_words(scores, pairs())
    assert len(changed) == 20 and set(changed["class"]) == {"anger"}, "of the class that is explained first"
    [row] = agreement({"gender": changed}).to_dict("records")
    assert row["correlation"] > 0.7 and row["rank_moved"] == 0 and row["rank_others"] > 0
    assert row["moved"] == 9 and row["pairs"] == 20  # 1 moves it by 0.04 only
    turned = changed.assign(change=-changed["change"])
    assert agreement({"gender": turned})["correlation"].iloc[0] < -0.7


def test_pairs_that_do_not_count_and_other_texts_are_left_out():
    scores, _ = explained(4)
    table = pairs()
    table.at[1, "flags"] = ["uncertain"]
    assert set(changed_words(scores, table)["id"]) == {0, 2, 3}
    assert changed_words(scores, table[table["id"] > 10]).empty


def test_the_words_for_each_group_pull_where_they_pull():
    found = group_pulls(cuts(), {"gender": pairs()}, ["anger", "joy"], OPTIONS).set_index(["group", "class"])
    assert found.loc[("male", "anger"), "value"] == pytest.approx(1.0) and found.loc[("male", "anger"), "low"] > 0
    assert found.loc[("female", "anger"), "value"] == pytest.approx(-0.1)
    assert (found["texts"] == 10).all() and (found.loc["female"].loc["joy", "value"]) == 0
    assert group_pulls(cuts(), {"gender": pairs().head(0)}, ["anger", "joy"], OPTIONS).empty
