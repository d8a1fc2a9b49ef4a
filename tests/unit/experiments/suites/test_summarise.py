"""The quotable numbers of suites, from pairs to findings; every pair counts, also of one original."""

import json

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.suites.summarise import summarise_suites
from emoscope.experiments.suites.words import score_by_words
from emoscope.perturbation.effects import summarise_effects
from emoscope.reporting.findings import read_findings

STATISTICS = {"confidence": 0.95, "margin": 0.02}
KEY = ["id", "axis", "origin", "term"]


def suite(count: int = 40, **columns) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pairs about a first group and its twin, of which every first of two names the other group; the first group gets
    0.9 of `calm`, the other 0.6, and the prediction never changes."""
    forth = np.arange(count) % 2 == 0
    pairs = pd.DataFrame({
        "id": range(count), "axis": "mine", "origin": "suite", "term": "red and blue", "label": -1, "goal": "",
        "text": [f"{'red' if first else 'blue'} {k // 4}" for k, first in enumerate(forth)],
        "perturbed": [f"{'blue' if first else 'red'} {k}" for k, first in enumerate(forth)],
        "direction": np.where(forth, "red to blue", "blue to red"), "flags": [[]] * count,
        "cluster": [f"{k // 4}" for k in range(count)],
    }).assign(**columns)  # fmt: skip
    calm = np.where(forth, 0.9, 0.6), np.where(forth, 0.6, 0.9)
    scores = pairs[KEY].assign(before_calm=calm[0], before_wild=1 - calm[0], after_calm=calm[1], after_wild=1 - calm[1])
    return pairs, scores


def findings(
    folder, pairs: pd.DataFrame, scores: pd.DataFrame, by_words: pd.DataFrame | None = None, **about
) -> tuple[pd.DataFrame, dict, pd.DataFrame]:
    (folder / "corpus.json").write_text(json.dumps({"classes": ["calm", "wild"]} | about))
    files = {name: folder / f"mine{name}.parquet" for name in ("", "_scores", "_summary")}
    by_words = (scores if by_words is None else by_words)[(pairs["goal"] != "").to_numpy()]
    by_words.to_parquet(folder / "mine_words.parquet")
    pairs.to_parquet(files[""])
    scores.to_parquet(files["_scores"])
    summarise_effects(files[""], files["_scores"], STATISTICS, files["_summary"])
    goals, found = folder / "goals.parquet", folder / "findings.csv"
    parts = [[files[""]], [files["_scores"]], [folder / "mine_words.parquet"], [files["_summary"]]]
    summarise_suites(*parts, folder / "corpus.json", STATISTICS, goals, found)
    return pd.read_parquet(files["_summary"]), read_findings(found), pd.read_parquet(goals)


def test_a_gap_is_of_the_group_that_the_first_pair_names_first(tmp_path):
    summary, found, _ = findings(tmp_path, *suite())
    assert found["mine.red and blue.gap.calm"].value == pytest.approx(0.3)
    assert found["mine.red and blue.gap.wild"].value == pytest.approx(-0.3)
    changes = summary.set_index("measure")["value"]
    assert changes["change_calm"] == pytest.approx(0)  # as many pairs go one way as the other


def test_a_gap_says_by_how_many_independent_pairs_it_is_judged(tmp_path):
    """Four pairs of people stand in all ten sentences."""
    pairs, scores = suite()
    gap = "mine.red and blue.gap.calm"
    for people, independent in (("", 10), ([f"pair {k % 4}" for k in range(40)], 4)):
        found = findings(tmp_path, pairs.assign(people=people), scores)[1][gap]
        assert found.texts == independent
        assert found.note == f"Over 40 pairs, which tell as much as {independent} independent ones."
    alone = findings(tmp_path, pairs.assign(cluster=[str(k) for k in range(40)]), scores)[1][gap]
    assert alone.texts == 40 and alone.note == "Over 40 pairs."


def test_goals_are_met_in_the_order_of_the_corpus_not_of_the_model(tmp_path):
    """Blue is wilder than red: wild is up, unless the corpus has it before calm."""
    pairs, scores = suite()
    pairs = pairs.assign(goal=np.where(pairs["direction"] == "red to blue", "up", "down"))
    for order, met in ((["calm", "wild"], 1), (["wild", "calm"], 0)):
        _, found, _ = findings(tmp_path, pairs, scores, order=order)
        assert found["mine.follows"].value == met


def test_every_pair_of_an_original_counts_and_its_cluster_once(tmp_path):
    pairs, scores = suite()
    assert pairs["text"].nunique() == 20
    scores.loc[3, ["after_calm", "after_wild"]] = [0.1, 0.9]  # the second pair of its original
    summary, found, _ = findings(tmp_path, pairs, scores)
    assert found["mine.red and blue.changed"].value == 1 / 40
    row = summary.set_index("measure").loc["changed"]
    assert (row["pairs"], row["texts"], row["clusters"], row["value"]) == (40, 20, 10, 1 / 40)


def test_groups_stand_apart_and_together(tmp_path):
    pairs, scores = suite(term=["one", "two"] * 20)
    scores["term"] = pairs["term"]
    scores.loc[scores["term"] == "two", ["after_calm", "after_wild"]] = [0.1, 0.9]
    summary, found, _ = findings(tmp_path, pairs, scores)
    assert [found[f"mine{group}.changed"].value for group in ("", ".one", ".two")] == [0.5, 0, 1]
    assert summary["term"].drop_duplicates().tolist() == ["", "one", "two"]
    assert found["mine.gap.calm"].value == pytest.approx(0.5 * 0.3 + 0.5 * (0.1 - 0.6))


def test_a_pair_of_two_groups_counts_once_for_the_suite(tmp_path):
    pairs, scores = suite(term="one")
    scores = scores.assign(term="one")
    scores.loc[0, ["after_calm", "after_wild"]] = [0.1, 0.9]
    again = [table[:10].assign(term="two", id=range(40, 50)) for table in (pairs, scores)]
    both = [pd.concat(two, ignore_index=True) for two in zip((pairs, scores), again, strict=True)]
    summary, found, _ = findings(tmp_path, *both)
    shown = summary[(summary["term"] == "") & (summary["measure"] == "changed")].iloc[0]
    assert found["mine.changed"].value == shown["value"] == 1 / 40
    assert found["mine.two.changed"].value == 1 / 10


def test_no_gap_is_made_of_people_of_several_kinds(tmp_path):
    pairs, scores = suite(term=["one", "two"] * 20, direction=["red to blue", "old to young"] * 20)
    _, found, _ = findings(tmp_path, pairs, scores.assign(term=pairs["term"]))
    assert "mine.gap.calm" not in found and {"mine.one.gap.calm", "mine.two.gap.calm"} <= set(found)


def test_neutral_swaps_are_compared_with_their_own_pair(tmp_path):
    pairs, scores = suite()
    swaps = pairs[1::2].assign(origin="suite control", perturbed="swapped")
    calm = pairs[1::2][KEY].assign(
        origin="suite control", before_calm=0.6, before_wild=0.4, after_calm=0.2, after_wild=0.8
    )
    _, found, _ = findings(tmp_path, pd.concat([pairs, swaps]), pd.concat([scores, calm]))
    beyond = found["mine.red and blue.changed_beyond_neutral"]
    assert beyond.value == -1 and beyond.high < 0


def test_accuracy_counts_pairs_of_an_original_together(tmp_path):
    pairs, scores = suite(label=0)
    scores.loc[:19, ["after_calm", "after_wild"]] = [0.1, 0.9]  # half of the originals, with all of their pairs
    summary = findings(tmp_path, pairs, scores)[0].set_index("measure")
    alone = findings(tmp_path, pairs.assign(cluster=[str(k) for k in range(40)]), scores)[0].set_index("measure")
    both = [table.loc["accuracy_change"] for table in (summary, alone)]
    assert [row["value"] for row in both] == [-0.5, -0.5]
    assert both[0]["high"] - both[0]["low"] > 1.3 * (both[1]["high"] - both[1]["low"])
    assert np.isnan(both[0]["p"]) and both[1]["p"] < 0.001  # McNemar's test wants independent pairs


def test_following_is_a_finding_of_its_own(tmp_path):
    pairs, scores = suite(goal=["down", "up"] * 20)  # calm is the first of two classes: a fall of it is a rise
    _, found, goals = findings(tmp_path, pairs, scores)
    assert found["mine.follows"].value == 0 and found["mine.follows_beyond_chance"].value == -0.5
    assert set(goals["suite"]) == {"mine"}


def test_how_often_a_bag_of_words_follows_stands_beside_it(tmp_path):
    pairs, scores = suite(goal=["down", "up"] * 20)
    other = {"before": "after", "after": "before"}
    turned = scores.rename(columns={f"{one}_{k}": f"{two}_{k}" for one, two in other.items() for k in ("calm", "wild")})
    _, found, goals = findings(tmp_path, pairs, scores, turned)
    rates = goals.set_index("measure").loc["follows"]
    assert (rates["value"], rates["words"]) == (0, 1) and rates["words_low"] < 1 <= rates["words_high"]
    assert (found["mine.follows.words"].value, found["mine.follows.above_words"].value) == (1, -1)
    assert found["mine.follows.above_words"].high < 0 and found["mine.follows.words"].low == rates["words_low"]


def test_of_pairs_that_all_ask_for_the_same_nothing_beyond_chance_is_found(tmp_path):
    pairs, scores = suite(goal="up")
    _, found, _ = findings(tmp_path, pairs, scores)
    beyond = found["mine.follows_beyond_chance"]
    assert np.isnan(beyond.value) and "all ask for the same (up): no exchange of goals can tell" in beyond.note
    assert found["mine.follows"].value == 0.5


@pytest.mark.parametrize("several", [False, True])
def test_a_bag_of_words_answers_the_pairs_that_ask_for_something(tmp_path, several):
    texts, labels = ["so calm today", "so wild today", "quite calm", "wild again"] * 10, [0, 1, 0, 1] * 10
    train = pd.DataFrame({"id": range(40), "text": texts, "label": labels})
    if several:
        train = train.assign(labels=[[k] for k in labels]).drop(columns="label")
    pairs, _ = suite(goal=["wild", ""] * 20, text="so calm", perturbed="so wild")
    for name, table in (("train", train), ("pairs", pairs)):
        table.to_parquet(tmp_path / f"{name}.parquet")
    (tmp_path / "corpus.json").write_text(json.dumps({"classes": ["calm", "wild"]}))
    files = (tmp_path / name for name in ("pairs.parquet", "train.parquet", "corpus.json", "scores.parquet"))
    score_by_words(*files)
    found = pd.read_parquet(tmp_path / "scores.parquet")
    assert found["id"].tolist() == list(range(0, 40, 2))
    assert (found["before_calm"] > 0.6).all() and (found["after_wild"] > 0.6).all()
    if several:
        assert [list(own) for own in found["pred_after"]] == [[1]] * 20
    else:
        np.testing.assert_allclose(found[["before_calm", "before_wild"]].sum(axis=1), 1)


def test_pairs_that_the_model_does_not_tell_apart_count_nowhere_and_are_told(tmp_path):
    """Of forty pairs it reads sixteen; the others would say that nothing follows, and that no gap is there."""
    pairs, scores = suite(goal=["down", "up"] * 20)
    cut = np.arange(40) >= 16
    blind = {"after_calm": scores["before_calm"], "after_wild": scores["before_wild"]}
    lost = scores.assign(beyond_context=cut, **{name: scores[name].mask(cut, same) for name, same in blind.items()})
    summary, found, goals = findings(tmp_path, pairs, lost)
    whole = findings(tmp_path, pairs, scores)[1]
    assert found["mine.red and blue.gap.calm"].value == pytest.approx(whole["mine.red and blue.gap.calm"].value)
    assert goals["pairs"].tolist() == [16] * len(goals) and summary["beyond_context"].eq(24).all()
    assert found["mine.beyond_context"].value == 24 and "mine.beyond_context" not in whole
