"""What the page on deciding words says."""

from types import SimpleNamespace

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.experiments.words import page
from emoscope.experiments.words.methods import TITLES
from emoscope.experiments.words.ranking import marked_titles
from emoscope.reporting.html import MINUS

RANKED = [("shapley", 0.95), ("attention", 0.3), ("random", 0.2)]


def words(markup) -> str:
    return " ".join(BeautifulSoup(str(markup), "html.parser").get_text(" ").split())


def ranking(ranked=RANKED, verdict="better"):
    rows = [
        (name, measure, value, value - 0.1, value + 0.05, verdict, 0.25, 40)
        for name, value in ranked
        for measure in ("top", "precision", "average_precision")
    ]
    return pd.DataFrame(rows, columns=["method", "measure", "value", "low", "high", "verdict", "chance", "texts"])


def faithful(verdict="better", ranked=RANKED):
    rows = [
        (name, "resampled", measure, value * sign, 0.0, 1.0, value - 0.2, 0.1, 0.4, verdict if sign == 2 else "", 40)
        for name, value in ranked
        for measure, sign in (
            ("comprehensiveness", 1),
            ("sufficiency", -1),
            ("deletion", -1),
            ("insertion", 1),
            ("infidelity", 1),
            ("area", 2),
        )
    ]
    columns = [
        "method",
        "kind",
        "measure",
        "value",
        "low",
        "high",
        "above",
        "above_low",
        "above_high",
        "verdict",
        "texts",
    ]
    return pd.DataFrame(rows, columns=columns)


def headline(ranks=None, means=None, barred=()):
    ranks, means = ranking() if ranks is None else ranks, faithful() if means is None else means
    return words(page.main_result(ranks, means, dict(barred)))


SHOWN = [
    ("better", "is shown to be better than a random order"),
    ("worse", "is shown to be worse than a random order"),
    ("equivalent", "is shown to be no better than a random order"),
    ("underpowered", "is neither shown to be better than a random order nor to be no better"),
]


def test_the_headline_says_which_method_earned_it_beside_chance():
    said = headline()
    assert (
        "Of 2 methods, “Shapley values of words, sampled” ranks the planted words best: average precision 95.0 % ["
        in said
    )
    assert (
        "a random order's 20.0 %, in 40 texts" in said and "in 95.0 % [85.0, 100.0] , a random word in 25.0 %" in said
    )
    assert "attention" not in said


def test_the_headline_announces_what_ranks_best_and_what_of_it_tells_classes_apart():
    said = headline(ranking([("attention", 0.95), ("shapley", 0.3), ("random", 0.2)]))
    assert "“raw attention of the last block” ranks the planted words best: average precision 95.0 %" in said
    assert "the same for every class. Of the methods that tell classes apart, “Shapley values" in said
    assert "average precision 30.0 % [20.0, 35.0]" in said


@pytest.mark.parametrize(("verdict", "told"), SHOWN)
def test_the_headline_says_whether_planted_words_are_ranked_better_than_by_a_random_order(verdict, told):
    assert f"It {told}." in headline(ranking(verdict=verdict))


def test_shortcuts_are_told_where_they_are_planted():
    assert "shortcut" not in headline()
    assert "shortcut" not in words(page.ranking_table(ranking(), TITLES))
    apart = ranking()[lambda table: table["measure"] == "top"]
    apart = apart.assign(measure="shortcut", value=0.6, texts=12, chance=0.08)
    ranks = pd.concat([ranking(), apart])
    said = headline(ranks)
    assert "sampled” in 60.0 % [85.0, 100.0] of 12 texts with one, raw attention's in 60.0 %" in said
    table = words(page.ranking_table(ranks, TITLES))
    assert "top word is the shortcut" in table and "60.0 %" in table and "in the 12 texts that have one" in table
    assert "A random word is a planted one in 25.0 %" in table and "a random word is one in 8.0 %" in table
    alone = words(page.ranking_table(apart, TITLES))
    assert "random word is a planted one" not in alone and "a random word is one in 8.0 %" in alone


def test_where_it_is_not_known_what_decides_the_headline_claims_no_trust():
    said = headline(ranking().head(0))
    assert "Which words decide these texts is not known, so no method has earned trust here" in said
    assert "the probability is 1.900 [0.000, 1.000] higher than without them" in said and "planted" not in said
    assert "those of a random order 0.400 [0.000, 1.000]" in said, "what it was chosen by, and nothing else"
    cut = faithful().assign(kind="cut", value=7.0)
    assert headline(ranking().head(0), pd.concat([cut, faithful()])) == said


def test_where_words_are_planted_but_in_no_text_that_counts_the_headline_says_so():
    known = faithful()
    known = pd.concat([known, known[known["method"] == "random"].assign(method="planted", verdict="")])
    said = headline(ranking().head(0), known)
    assert "No explained text that the classifier gets right has planted words" in said and "not known" not in said
    marked = ranking()[lambda table: table["measure"] == "top"].assign(measure="shortcut")
    assert "shortcuts aside" in headline(marked, known)


@pytest.mark.parametrize(("verdict", "told"), SHOWN)
def test_the_headline_says_whether_the_method_beats_a_random_order(verdict, told):
    assert f"Among 2 methods it {told}." in headline(ranking().head(0), faithful(verdict))


def test_every_method_has_a_line_in_the_tables():
    assert words(page.ranking_table(ranking(), TITLES)).count("Shapley values") == 1
    assert "a random order +0.200 [" in words(page.faithful_table(faithful(), "resampled", TITLES))


ZERO = {"integrated_zero": 1.06}
BEFORE = [("integrated_zero", 0.99), ("integrated_padding", 0.97), *RANKED]


@pytest.mark.parametrize("planted", [True, False])
def test_a_method_that_does_not_account_for_the_answer_is_left_aside_and_why_is_told(planted):
    ranks = ranking(BEFORE) if planted else ranking().head(0)
    means = faithful(ranked=BEFORE)
    open_to_all, said = headline(ranks, means), headline(ranks, means, ZERO)
    best = "“{}” ranks the planted words best" if planted else "“{}” tells most in these texts"
    assert best.format("integrated gradients, from zero") in open_to_all and "Left aside" not in open_to_all
    assert best.format("integrated gradients, from padding") in said
    assert "Left aside: integrated gradients, from zero (off by 106.0 %). The scores of an integral" in said
    assert "miss it by more than 1 % in the mean" in said
    assert "4 methods" in open_to_all and "3 methods" in said
    assert page.curve_methods(means, ZERO) == ["integrated_padding", "shapley", "attention", "random"]


def test_a_method_that_does_not_account_for_the_answer_is_marked_in_the_tables():
    titles = marked_titles(ZERO)
    assert {name for name in TITLES if titles[name] != TITLES[name]} == {*ZERO}
    marked = "integrated gradients, from zero (off by 106.0 %)"
    assert marked in words(page.ranking_table(ranking(BEFORE), titles))
    assert marked in words(page.faithful_table(faithful(ranked=BEFORE), "resampled", titles))


def test_what_is_off_by_no_number_is_told_in_words():
    unknown = {"integrated_zero": float("nan")}
    marked = "integrated gradients, from zero (how far off cannot be told)"
    assert marked_titles(unknown)["integrated_zero"] == marked
    assert f"Left aside: {marked}. The scores" in headline(ranking(BEFORE), faithful(ranked=BEFORE), unknown)
    rows = [("completeness_error.integrated_zero", float("nan")), ("completeness_error.integrated_mean", 0.004)]
    names = ("integrated_zero", "integrated_mean", "gradient_input")
    table = pd.DataFrame([*rows, *((f"unsteadiness.{name}", 0.1) for name in names)], columns=["name", "value"])
    table = table.assign(low=float("nan"), high=float("nan"))
    cells = [row.get_text(" ") for row in BeautifulSoup(page.sound_table(table), "html.parser").select("tbody tr")]
    told = {name: next(row for row in cells if TITLES[name] in row) for name in names}
    assert "cannot be told" in told["integrated_zero"] and "0.40 %" in told["integrated_mean"]
    assert "cannot be told" not in told["gradient_input"]


def test_what_the_viewer_does_not_hold_is_told(monkeypatch):
    texts = pd.DataFrame({"id": range(3)})
    assert not page.left_out(texts)
    monkeypatch.setattr(page, "SHOWN", 2)
    assert "Of 3 explained texts the first 2" in words(page.left_out(texts))


def test_texts_whose_end_is_not_explained_are_counted():
    texts = pd.DataFrame({"id": [3, 5, 8], "text": ["so glad", "so glad" + " and so on" * 3, "glad   "]})
    scores = pd.DataFrame({"id": [3, 3, 5, 5, 8], "word": [0, 1, 0, 1, 0], "end": [2, 7, 2, 7, 4]})
    assert "Of 1 of the 3 explained texts the end is left out" in words(page.cut_texts(texts, scores))
    assert page.cut_texts(texts[texts["id"] != 5], scores) == ""


def test_curves_are_of_the_best_method_of_each_kind_and_of_a_random_order():
    assert page.curve_methods(faithful(), ()) == ["shapley", "attention", "random"]


def test_confident_mistakes_come_first_and_flips_are_told():
    texts = pd.DataFrame({
        "id": [1, 2, 3, 4], "text": list("abcd"), "label": [0, 1, 0, 1],
        "pred": [0, 0, 1, 1],
        "confidence": [0.99, 0.6, 0.9, 0.7],
        "p_joy": 0.5, "p_fear": 0.5,
    })  # fmt: skip
    pair = {"id": 4, "axis": "gender", "origin": "natural", "term": "", "text": "d", "perturbed": "e", "flags": []}
    pair |= {"spans": [(2, 3, 0, 1)]}
    scores = {
        "id": 4,
        "axis": "gender",
        "origin": "natural",
        "term": "",
        "before_joy": 0.5,
        "after_joy": 0.1,
        "after_fear": 0.9,
    }
    tables = SimpleNamespace(texts=texts, gender_pairs=pd.DataFrame([pair]), gender_scores=pd.DataFrame([scores]))
    told = page.told_texts(tables, ["gender"], ["joy", "fear"])
    assert [about["id"] for about in told] == [3, 2, 1, 4]
    assert [about["mistake"] for about in told] == [True, True, False, False]
    assert told[0]["said"] == ["fear"] and told[0]["true"] == ["joy"]
    [flip] = told[3]["flips"]
    assert flip == {"axis": "gender", "text": "e", "changed": [[0, 1]], "probabilities": [0.1, 0.9]}
    assert not told[0]["flips"]


def pushed(*verdicts):
    rows = [
        {"class": "joy", "word": f"<w{n}>", "value": 1.0, "low": 0.5, "high": 1.5, "texts": 20, "up": 15}
        | {"share": 0.4, "share_low": 0.3, "share_high": 0.5, "others_share": 0.3, "verdict": verdict}
        for n, verdict in enumerate(verdicts)
    ]
    return pd.DataFrame(rows, columns=None if rows else ["class", "word", "verdict"])


def test_words_that_push_are_told_with_what_the_training_texts_say_of_them():
    table = pushed("supported", "unsupported", "cannot tell", "cannot tell", *[""] * 44)
    said = words(page.push_sentences(table, 0.08, 0.05, False))
    assert "by more than 0.080 of the log-odds: 1 that the corpus's training part bears out, 1 that it does not" in said
    assert "does not, <w1> (joy), and 2 of which it cannot tell." in said
    needed = "As 48 pairs of a class and a word were tested, a word must stand in at least 10 of these texts"
    assert needed in said and said.endswith("each of these has a chance of 5 % at most.")
    listed = words(page.push_table(table, ["joy"]))
    assert listed.count("15 of 20") == 10 and "less than 1.25 times those without it" in listed


def test_a_word_that_pushes_two_classes_is_counted_as_two_pairs():
    table = pushed("cannot tell").pipe(lambda one: pd.concat([one, one.assign(**{"class": "fear"})]))
    assert "Of 2 pairs of a class and a word it is shown" in words(page.push_sentences(table, 0.08, 0.05, False))


@pytest.mark.parametrize("adopted", [False, True])
def test_an_adopted_classifier_was_not_trained_on_the_texts_that_words_are_counted_in(adopted):
    table = pushed("supported", "unsupported")
    said = words(page.push_sentences(table, 0.08, 0.05, adopted)) + words(page.push_table(table, ["joy"]))
    assert ("This classifier was not trained on that part" in said) == adopted
    assert "training texts" not in said


def test_that_no_word_is_shown_is_told_with_what_it_would_have_taken():
    said = words(page.push_sentences(pushed("", ""), 0.08, 0.05, False))
    assert "No word is shown to push a class up" in said and "at least 8 of these texts" in said
    assert "No word stands in enough" in words(page.push_sentences(pushed(), 0.08, 0.05, False))


def test_the_list_of_words_says_that_planted_shortcuts_are_supported():
    apart = ranking()[lambda table: table["measure"] == "top"].assign(measure="shortcut", value=0.6, texts=12)
    assert "calls them supported" in words(page.ranking_table(pd.concat([ranking(), apart]), TITLES))
    assert "calls them supported" not in words(page.ranking_table(ranking(), TITLES))


def test_of_flips_that_no_explained_text_has_there_is_no_row():
    one = {"method": "shapley", "correlation": 0.5, "rank_moved": 0.1, "rank_others": 0.6, "moved": 1}
    other = {"axis": "race", "pairs": 0, "moved": 0, "correlation": float("nan")}
    flips = pd.DataFrame([one | {"axis": "gender", "pairs": 5}, one | other])
    told = words(page.flip_table(flips))
    assert "1 of 5" in told and "race" not in told
    assert page.flip_table(flips[1:]) == ""
    told = words(page.flip_table(pd.concat([flips[:1], flips[1:].assign(pairs=3)])))
    assert told.count("race") == 1 and "too few for a rank correlation: race." in told
    assert words(page.flip_table(flips[1:].assign(pairs=3))).startswith("Changed words of race move the probability")
    told = words(page.flip_table(flips[1:].assign(pairs=30, correlation=-0.25)))
    assert f"{MINUS}0.25" in told and "0 of 30" in told, "that nothing moves by 10 % hides no correlation"
