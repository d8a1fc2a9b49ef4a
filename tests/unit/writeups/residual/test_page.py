"""The residual page quotes the right numbers, and escapes texts and tokens."""

from xml.etree import ElementTree

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.reporting.html import MINUS
from emoscope.reporting.passages import Findings
from emoscope.reporting.plots import svg
from emoscope.writeups.residual import figures as residual_figures
from emoscope.writeups.residual import page
from made_up import words

SETTINGS = {
    "model": {"blocks": 4},
    "statistics": {"confidence": 0.9},
    "residual": {
        "corpus": "tweets & co",
        "lens_texts": 30,
        "autoencoder": {"block": 2, "active": 4, "features": 1024, "steps": 10, "tokens": 1500},
    },
}


def findings(**values: float | tuple) -> Findings:
    """Findings by name, `_` for `.`, each a value or (value, low, high)."""
    rows = [
        (name.replace("_", "."), *(value if isinstance(value, tuple) else (value, float("nan"), float("nan"))))
        for name, value in values.items()
    ]
    return Findings(pd.DataFrame(rows, columns=["name", "value", "low", "high"]).assign(note="depth 3, 30 texts"))


@pytest.mark.parametrize(("depth", "says"), [(4, "only after the last block"), (3, "from depth 3 of 4 on")])
def test_the_lens_passage_quotes_the_depths_it_names(depth, says):
    numbers = {
        f"lens_{of}_probability_depth{depth}": (start + depth / 100, 0.01, 0.99)
        for of, start in (("prediction", 0.5), ("next", 0.1))
        for depth in range(5)
    }
    found = findings(**numbers, lens_half_settled=depth)
    found.rows = found.rows.rename(index={"lens.half.settled": "lens.half_settled"})
    found.rows = found.rows.assign(note="12 texts")
    said = words(page.lens_sentences(found, SETTINGS))
    assert "Over 12 texts of the corpus tweets & co." in said, "so many as there were, not as were asked for"
    assert "depth 2, the lens gives the model's final prediction a probability of 0.520 [0.010, 0.990]" in said
    assert "true next token 0.120 [0.010, 0.990]; one block before the end it is 0.530 [0.010, 0.990] and 0.130" in said
    assert "at the end 0.540 [0.010, 0.990] and 0.140" in said
    assert said.endswith(f"most final predictions {says}.")


def test_the_first_vector_is_set_over_the_others():
    said = words(page.norm_sentences(findings(norm_first=(2400.0, 2300.0, 2500.0), norm_others=(100.0, 90.0, 110.0))))
    assert said.startswith("At depth 3 the first position's vector is 2,400 [2,300, 2,500] long, those of all other")
    assert "positions 100 [90.000, 110]: 24.0 times as long. Attention is known to use such a vector" in said


@pytest.mark.parametrize(
    ("first", "others"), [((1.2, 0.9, 1.4), (1.0, 0.95, 1.05)), ((0.8, 0.7, 0.9), (1.0, 0.95, 1.05)), ((1.2,), (1.0,))]
)
def test_a_first_vector_that_is_not_shown_to_be_longer_is_no_place_to_rest(first, others):
    nan = float("nan")
    first, others = (numbers if len(numbers) == 3 else (*numbers, nan, nan) for numbers in (first, others))
    said = words(page.norm_sentences(findings(norm_first=first, norm_others=others)))
    assert f": {first[0] / others[0]:.1f} times as long. It is not shown to be longer" in said and "sink" not in said


def test_whether_numbers_can_be_compared_depends_on_the_model():
    own = {"model": {"repository": "openai-community/gpt2"}}
    assert "every number should agree" in page.comparability(own)
    assert "another model with other tokens" in page.comparability(SETTINGS)


def test_a_published_number_stands_beside_ours_at_the_same_token():
    rows = [("text1", "testing", 0, 0.25, "H"), ("text1", "testing", 1, 0.75, "i"), ("text1", "row_mean", 1, 0.5, "i")]
    ours = pd.DataFrame(rows, columns=["text", "table", "row", "value", "token"])
    theirs = ours[ours["table"] == "testing"].assign(value=[0.1, 0.2])
    table = BeautifulSoup(page.vector_tables(ours, theirs, "text1"), "html.parser")
    assert sum("published" in head.get_text() for head in table.select("th")) == 1
    rows = [[cell.get_text() for cell in row.select("td, th")] for row in table.select("tbody tr")]
    assert rows == [["0\xa0H", "0.250", "0.100", "", ""], ["1\xa0i", "0.750", "0.200", "0.500", ""]]


def test_verdicts_on_chosen_features_are_one_sentence():
    rows = [("joy", kind, value, value - 0.1, value + 0.1) for kind, value in (("feature", 0.9), ("dimension", 0.6))]
    chosen = pd.DataFrame(rows, columns=["label", "kind", "auc", "low", "high"])
    assert words(page.chosen_sentences(chosen)).endswith("do not overlap: joy: better than the best axis or dimension.")
    assert words(page.chosen_sentences(chosen.head(0))).endswith("no label occurs in both halves.")


def test_a_feature_that_goes_with_two_labels_is_shown_for_both():
    labels, areas, adjusted = ["joy", "love", "fear", "anger"], [0.9, 0.8, 0.7, 0.2], [0.01, 0.02, 0.9, 0.001]
    associations = pd.DataFrame({"label": labels, "feature": 3, "auc": areas, "p_adjusted": adjusted})
    texts = pd.DataFrame([{"feature": 3, "place": 1, "text": "so glad", "start": 3, "end": 7}])
    said = page.label_features(associations, texts, 0.05)
    assert "No feature passes for fear." in said
    assert "The features that pass for anger are weaker in its texts than in others" in said
    assert words(said).count("so glad") == 2
    assert "joy: feature 3, AUC 0.90" in said and "love: feature 3, AUC 0.80" in said
    assert "<mark>glad</mark>" in said


def test_texts_and_tokens_are_escaped_on_the_page():
    texts = pd.DataFrame([{"feature": 3, "place": 1, "text": "<script>x</script>", "start": 0, "end": 8}])
    features = pd.DataFrame([{"feature": 3, "rate": 0.1, "held_out": 0.2}])
    assert "<script>" not in page.features_by_lot(features, texts, 0)
    assert "<mark>&lt;script&gt;</mark>" in page.features_by_lot(features, texts, 0)
    sentence = pd.DataFrame([
        {"position": 0, "token": "\x00<b>", "depth": depth, "predicted": "-->\x05$x$", "probability": 0.5}
        for depth in range(2)
    ])  # fmt: skip
    ElementTree.fromstring(svg(residual_figures.first_choices(sentence)))  # a control character is no XML


def explained(pair: tuple, **values: tuple) -> Findings:
    """What the autoencoder's passages quote, the gain over token pairs as given."""
    rows = {
        "explained.autoencoder": (0.913, 0.911, 0.915), "explained.token": (0.839, 0.83, 0.84),
        "explained.token pair": (0.933, 0.93, 0.94), "gain.token": (0.074, 0.07, 0.08), "gain.token pair": pair,
        "explained.autoencoder.random weights": (0.826, 0.82, 0.83),
        "explained.token.random weights": (0.71, 0.7, 0.72),
        "explained.token pair.random weights": (0.72, 0.71, 0.73), "lens.half_settled": (4, 4, 4), **values,
    }  # fmt: skip
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"]).rename_axis("name")
    return Findings(table.reset_index().assign(note="20 held-out texts"))


def test_the_headline_sets_the_autoencoder_beside_each_trivial_method():
    said = words(page.main_result(explained((0, 0, 0)), SETTINGS))
    assert "After block 2, 4 of 1,024 learned features per token explain 91.3 % [91.1, 91.5] of the residual" in said
    assert "of the residual stream, all of its vectors scaled to one length. The average" in said
    assert "at the same token explains 83.9 %, at the same token after the same one 93.3 %" in said
    assert "this model with random weights, 82.6 %. The logit lens" in said


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ((0.02, 0.01, 0.03), "and exceeds the second by 2.0 % [1.0, 3.0] of the variance. On the same"),
        (
            (-0.02, -0.03, -0.01),
            f"and explains less than the second: the difference is {MINUS}2.0 % [{MINUS}3.0, {MINUS}1.0]. So it tells",
        ),
        (
            (-0.02, -0.03, 0.01),
            f"and cannot be told from the second: the difference is {MINUS}2.0 % [{MINUS}3.0, 1.0]. On the same",
        ),
        (
            (0.02, -0.01, 0.03),
            f"and cannot be told from the second: the difference is 2.0 % [{MINUS}1.0, 3.0]. On the same",
        ),
    ],
)
def test_what_the_autoencoder_adds_to_pairs_is_said_as_its_interval_allows(pair, says):
    said = words(page.baseline_sentences(explained(pair)))
    assert says in said
    assert ("no more than two neighbouring" in said) == (pair[2] < 0)
    assert "the same token explains 83.9 % [83.0, 84.0], and at the same token after the same one 93.3 %" in said
    assert "exceeds the first by 7.4 % [7.0, 8.0] of the variance" in said
    assert "reaches 82.6 % [82.0, 83.0] (averages of tokens 71.0 %, of pairs 72.0 %)" in said
    assert "one draw of random weights: how much another would differ is not in the interval" in said
    assert said.endswith("The intervals of the two comparisons with averages are not adjusted for there being two.")


@pytest.mark.parametrize(
    ("token", "says", "more"),
    [
        ((0.2, 0.1, 0.3), "does, exceeds the first by 20.0 % [10.0, 30.0] of the variance, and", "On the same model"),
        (
            (-0.2, -0.3, -0.1),
            f"does, explains less than the first: the difference is {MINUS}20.0 % [{MINUS}30.0, {MINUS}10.0], and "
            "explains less than the second",
            "So it tells no more than the token alone does. On the same",
        ),
        (
            (-0.2, -0.3, 0.1),
            f"does, cannot be told from the first: the difference is {MINUS}20.0 % [{MINUS}30.0, 10.0], and",
            "On the same model",
        ),
    ],
)
def test_what_the_autoencoder_adds_to_tokens_is_said_as_its_interval_allows(token, says, more):
    pair = (token[0] - 0.1, min(token[1] - 0.1, -0.01), token[2] - 0.1)
    said = words(page.baseline_sentences(explained(pair, **{"gain.token": token})))
    assert says in said and more in said and ("no more than" in said) == (token[2] < 0 or pair[2] < 0)


def test_each_way_has_its_own_row_and_mark():
    nothing = float("nan")
    ways = list(page.DICTIONARIES)
    numbers = {f"explained.{name}": (place / 10, 0, 1) for place, name in enumerate(ways)}
    numbers |= {f"loss.{name}": (float(place), 0, 9) for place, name in enumerate([*ways, "original", "mean", "zero"])}
    numbers |= {f"recovered.{name}.{of}": (0.5, 0, 1) for name in ways for of in ("zero", "mean")}
    numbers |= {f"active.{name}": (4, nothing, nothing) for name in ways if "token" not in name or "random" in name}
    found = explained((0, 0, 0), **numbers)
    table = BeautifulSoup(page.autoencoder_table(found), "html.parser")
    said = words(str(table.caption))
    assert "Explained variance is that of vectors scaled to one length" in said
    assert "an average too, gets the length of the vector that it replaces" in said, (
        "so much they know of the activation"
    )
    rows = [[cell.get_text() for cell in row.select("td, th")] for row in table.select("tbody tr")]
    assert [row[0] for row in rows] == list(page.DICTIONARIES.values())
    assert [row[1] for row in rows] == ["4.0", "", "", "4.0", "4.0", "4.0"]
    assert [row[2][:5] for row in rows] == ["0.000", "0.100", "0.200", "0.300", "0.400", "0.500"]
    assert [row[3][:5] for row in rows] == ["0.826", "0.720", "0.710", "", "", ""]
    panels = page.autoencoder_panels(found)
    shares = panels["explained variance"].set_index("name")["value"]
    assert shares["average of the token pair"] == 0.1 and shares["autoencoder, random weights"] == 0.826
    assert panels["next-token loss (nats)"].set_index("name").loc["nothing replaced", "value"] == 6


def test_probabilities_are_headed_by_whole_positions_and_written_as_everywhere():
    rows = [("a", "probability", row, column, value) for row, column, value in ((0, 1.0, 2.3e-5), (1, 2.0, 0.95))]
    rows.append(("a", "norm", 0, float("nan"), 1.0))  # without a column, so that columns are read as decimals
    table = pd.DataFrame(rows, columns=["text", "table", "row", "column", "value"])
    soup = BeautifulSoup(page.probability_table(table, "a", ""), "html.parser")
    assert [heading.text for heading in soup.select("thead th")] == ["token", "position 1", "position 2"]
    assert [cell.text for cell in soup.select("tbody > tr > *")] == ["0", "2·10⁻⁵", "n/a", "1", "n/a", "0.950"]
