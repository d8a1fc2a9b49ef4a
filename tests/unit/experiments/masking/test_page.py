"""The masking page, also of unusual runs: any classes, any number of blocks, no bias."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.experiments.masking import figures as masking_figures
from emoscope.experiments.masking import page as masking_report
from emoscope.experiments.masking.measures import MEASURES
from emoscope.experiments.masking.summarise import _judged
from emoscope.experiments.synonyms import page as synonyms_report
from emoscope.reporting.html import MINUS
from emoscope.reporting.plots import svg
from emoscope.statistics.equivalence import equivalence_verdict
from emoscope.storage.names import ALL, WHOLE_BLOCK
from made_up import words


def masking_summary(blocks: int, heads: int, groups: list[str], conditions: tuple[str, ...]) -> pd.DataFrame:
    """Effects of a mask, made up: block b changes every measure by -b / 100."""
    keys = [(b, WHOLE_BLOCK, c) for b in range(blocks) for c in conditions]
    keys += [(b, h, "zero") for b in range(blocks) for h in range(heads)]
    kinds = ("equivalent", "different", "underpowered")
    rows = [
        (
            b,
            h,
            c,
            group,
            measure,
            -b / 100,
            -b / 100 - 0.01,
            -b / 100 + 0.01,
            0.01,
            5,
            0.02,
            0.02,
            0.5,
            1e-4,
            0.03,
            kinds[b % 3],
        )
        for b, h, c in keys
        for group in [*groups, ALL]
        for measure in ("probability", "first_class", "margin", "accuracy")
    ]
    names = ["block", "head", "condition", "group", "measure", "change", "low", "high", "p", "texts"]
    names += ["p_adjusted", "equivalence_margin", "p_equivalence", "p_beyond", "detectable", "verdict"]
    return pd.DataFrame(rows, columns=names)


def pair_summary() -> pd.DataFrame:
    """Four pairs of heads, each with another verdict, in two measures; the k-th interaction is (k + 1) / 10, and ten
    times less of accuracy."""
    kinds = ("redundant", "overlapping", "additive", "not settled")
    rows = [
        (0, 1, 2, number, measure, -0.3, -0.4, -0.9, scale * (number + 1), -1.0, 1.0, 0.01, kind)
        for measure, scale in (("margin", -0.1), ("accuracy", -0.01))
        for number, kind in enumerate(kinds)
    ]
    names = ["first_block", "first_head", "second_block", "second_head", "measure", "first", "second", "together"]
    return pd.DataFrame(rows, columns=[*names, "change", "low", "high", "p_adjusted", "verdict"])


def masking_samples(classes: list[str], group: int) -> pd.DataFrame:
    others = {f"p_{name}": [0.01, 0.02] for name in classes}
    fixed = {"id": [1, 2], "label": group, "pred": group, "confidence": [0.98, 0.97], "group": group}
    return pd.DataFrame(others | fixed | {f"p_{classes[group]}": [0.98, 0.97]})


@pytest.fixture
def table1() -> pd.DataFrame:
    return pd.read_csv(Path(__file__).parents[4] / "data" / "reference" / "table1_head_masking.csv")


def test_the_sentence_on_the_texts_names_a_few_classes_and_counts_many():
    settings = {"samples": {"per_class": 5, "by": "true"}}

    def said(sizes: list[int]) -> str:
        classes = [f"feeling{number:02}" for number in range(len(sizes))]
        samples = pd.concat(
            [masking_samples(classes, group).head(1).sample(size, replace=True) for group, size in enumerate(sizes)]
        )
        return masking_report.sampling(samples.fillna(0.0), classes, settings).striptags()

    few = said([3] * 13 + [1])
    assert "feeling00 3" in few and "feeling13 1" in few
    assert "(2 to 4 in each of 15 classes)" in (many := said([3] * 13 + [4, 2])) and "feeling" not in many
    assert "(3 in each of 100 classes)" in said([3] * 100)


def test_the_first_class_is_named_even_where_it_has_no_samples(table1):
    classes = ["sadness", "joy", "love"]
    summary = masking_summary(2, 0, ["joy"], ("described", "published"))
    html = masking_report.both_procedures(summary, classes, table1)
    assert "P(sadness)" in html and "+0.127" in html


def test_blocks_are_told_apart_by_what_was_shown_of_them():
    text = words(masking_report.block_findings(masking_summary(7, 0, ["joy"], ("described",)), 0.05))
    assert "changes with blocks 1 and 4 silenced" in text
    assert "With blocks 0, 3 and 6 silenced it was shown" in text
    assert "too few to tell for blocks 2 and 5" in text
    nothing = masking_summary(1, 0, ["joy"], ("described",))
    assert "too few to tell for none;" in words(masking_report.block_findings(nothing, 0.05))


def test_each_heat_map_has_the_blocks_of_its_own_model(table1):
    classes = ["calm", "cross"]
    panels = masking_report.side_by_side(masking_summary(2, 1, classes, ("described",)), classes, table1)
    figure = masking_figures.block_maps(panels, "change")
    paper, here = figure.axes[:2]

    def blocks(axes):
        return [label.get_text() for label in axes.get_yticklabels() if label.get_visible()]

    assert blocks(paper) == [str(block) for block in table1["block"]] and blocks(here) == ["0", "1"]
    figure.draw_without_rendering()
    heights = {axes.get_window_extent().height / abs(np.diff(axes.get_ylim())[0]) for axes in (paper, here)}
    assert max(heights) - min(heights) < 1e-6, "cells are as high in both"
    assert here.yaxis.get_tick_params()["labelleft"], "its blocks are not those of the paper's table"
    alike = masking_figures.block_maps({"one": panels["paper, table 1"], "other": panels["paper, table 1"]}, "change")
    assert not alike.axes[1].yaxis.get_tick_params()["labelleft"]


@pytest.mark.parametrize(
    ("changes", "beyond", "headline", "found", "compared"),
    [
        (
            *((-0.5, -0.1), (0.001, 0.001), "silencing block 0 costs most"),
            *("Most accuracy is lost with block 0;", "silenced, that of block 0 (-0.500 [-0.600, -0.400])."),
        ),
        (
            *((-0.5, -0.49), (0.001, 0.001), "Silencing block 0 costs accuracy, -0.500"),
            *(
                "lost with block 0, though whether most of all cannot",
                "(-0.500 [-0.600, -0.400]; another may cost more).",
            ),
        ),
        (
            *((-0.5, -0.1), (0.5, 0.001), "Silencing block 1 costs accuracy, -0.100"),
            *("Accuracy is lost with block 1, though", "that of block 1 (-0.100 [-0.200, 0]; another"),
        ),
        (
            *((-0.5, 0.4), (0.03, 0.5), "in no case shown to lower accuracy by more than 0.02"),
            *(
                "No block is shown to cost more accuracy than 0.02;",
                "shown to exceed 0.02: silenced, that of no block.",
            ),
        ),
    ],
)
def test_a_block_costs_most_only_where_it_is_shown_to(changes, beyond, headline, found, compared):
    """Wherever the page names it, by one rule; of two blocks a p of 0.03 is 0.06."""
    rows = {"block": [0, 1], "head": -1, "condition": "described", "group": ALL, "equivalence_margin": 0.02}
    table = pd.DataFrame(rows | {"change": changes, "p_beyond": beyond})
    table = table.assign(p_adjusted=0.001, verdict="different", texts=50, detectable=0.1)
    table["low"], table["high"] = table["change"] - 0.1, (table["change"] + 0.1).round(9)
    both = pd.concat([table.assign(measure=measure) for measure in ("accuracy", "probability")])
    every = pd.concat([both, both.assign(group="joy")])
    assert headline in plain(words(masking_report.main_result(every, alpha=0.05)))
    assert found in plain(words(masking_report.block_findings(every, 0.05)))
    assert compared in plain(words(masking_report.comparison(every, 0.05)))


def test_one_text_of_many_does_not_make_a_block_cost_accuracy():
    """All are right before the mask, so that accuracy can only fall: one text shows that it does, and all together that
    it does by next to nothing."""
    changes = np.zeros((600, 1, 4))
    changes[0, :, MEASURES.index("accuracy")] = -1
    bounds = np.array([-1.0, -1.0, -np.inf, -1.0]), np.array([0.0, 0.0, np.inf, 0.0])
    options = {"seed": 0, "resamples": 100, "alpha": 0.05, "tests": 1}
    tested = pd.DataFrame(_judged(changes, np.arange(600), bounds, 0.02, **options)["accuracy"])
    row = {"block": 3, "head": -1, "condition": "described", "measure": "accuracy", "group": ALL}
    table = tested.assign(**row, p_adjusted=tested["p"])
    table["verdict"] = equivalence_verdict(table["p_equivalence"], table["p_adjusted"])
    assert table["p_adjusted"].item() < 1e-6 and table["verdict"].item() == "equivalent"
    assert "in no case shown" in words(masking_report.main_result(table, 0.05))
    for show in (masking_report.condition_table, partial(masking_report.full_table, condition="described")):
        given = {} if show is masking_report.condition_table else {"measure": "accuracy", "caption": ""}
        assert "<strong>" not in show(table, alpha=0.05, **given)
        assert "<strong>" in show(table.assign(verdict="different"), alpha=0.05, **given)


def test_a_model_of_thirty_blocks_and_without_bias_gets_its_page(table1):
    classes = ["calm", "cross"]
    settings = {
        "statistics": {"margin": 0.02, "confidence": 0.95},
        "masking": {"block_conditions": ["described", "published"]},
    }
    summary = masking_summary(30, 9, classes, ("described",))
    panels = masking_report.side_by_side(summary, classes, table1)
    assert list(panels) == ["paper, table 1", "here, the paper's text"]
    assert svg(masking_figures.block_maps(panels, "change")).startswith("<?xml")
    text = words(masking_report.explanation(summary, masking_samples(classes, 1), classes, table1, settings))
    assert "has no bias" in text
    assert "block 29" in words(masking_report.main_result(summary, alpha=0.05))
    assert svg(masking_figures.head_maps(*masking_report.head_maps(summary, "margin", 0.05), "margin"))
    assert masking_report.head_maps(masking_summary(2, 0, classes, ("described",)), "margin", 0.05) == ({}, {})


def test_pages_name_the_classes_of_the_run_beside_those_of_the_paper(table1):
    listed = pd.DataFrame({"class": ["calm", "joy"], "stop_words": "published", "word": "time", "count": 3, "rank": 0})
    table3 = pd.DataFrame({"class": ["joy"], "word": ["time"], "synonym": ["period"], "count_in_test_set": [9]})
    assert "1 of 1 for joy" in (shared := synonyms_report.overlap(listed, table3)) and "calm" not in shared
    assert "The paper has none of these classes." in synonyms_report.overlap(listed[listed["class"] == "calm"], table3)
    first, second = (BeautifulSoup(synonyms_report.word_lists(listed, table3), "html.parser")).select("table")
    assert "paper's stop words" in first.get_text() and "paper" not in [th.get_text() for th in first.select("th")]
    assert "paper" in [th.get_text() for th in second.select("th")]
    settings = {
        "statistics": {"margin": 0.02, "confidence": 0.95},
        "masking": {"block_conditions": ["described", "published"]},
    }
    classes = ["love", "joy"]
    summary = masking_summary(2, 2, classes, ("described", "published"))
    text = words(masking_report.explanation(summary, masking_samples(classes, 1), classes, table1, settings))
    assert "rises of up to +0.282 (love)" in text  # also where love is the first class


ZEROED = "Zeroing the bias alone is shown to do next to nothing to it, less than 0.02 in each class"
JUDGED = {"different": 0.001, "underpowered": 0.2, "equivalent": 0.001}  # p of a verdict


@pytest.mark.parametrize(
    ("code", "block", "told"),
    [
        (
            "equivalent",
            ("different", "different"),
            f"{ZEROED}, whereas silencing the block changes P(love) of love texts",
        ),
        (
            "equivalent",
            ("underpowered", "different"),
            "changes P(joy) of joy texts by -0.100: the two are not the same",
        ),
        ("equivalent", ("equivalent", "underpowered"), f"{ZEROED}; silencing the block is not shown to change P(own"),
        ("underpowered", ("different", "different"), "what zeroing the bias alone does to it cannot be told"),
        ("underpowered", ("equivalent", "underpowered"), "what zeroing the bias alone does to it cannot be told"),
        (
            "different",
            ("different", "different"),
            "2 are shown to differ from zero; 1 of them have the sign so predicted",
        ),
    ],
)
def test_the_authors_code_is_another_experiment_only_where_that_is_shown_of_both(table1, code, block, told):
    """What the sentence rests on is the largest of the changes that are shown, not the largest of all; that a change
    looks small shows nothing."""
    classes = ["love", "joy"]
    summary = masking_summary(1, 0, classes, ("described", "published"))
    published = summary["condition"] == "published"
    summary["change"] = np.where(published, 0.001, summary["group"].map({"love": -0.4}).fillna(-0.1))
    for name, verdict in zip(classes, block, strict=True):
        summary.loc[summary["group"] == name, ["verdict", "p_adjusted"]] = verdict, JUDGED[verdict]
    summary.loc[published, ["verdict", "p_adjusted"]] = code, JUDGED[code]
    settings = {"statistics": {"margin": 0.02, "confidence": 0.95}, "masking": {"block_conditions": ["published"]}}
    text = plain(words(masking_report.explanation(summary, masking_samples(classes, 1), classes, table1, settings)))
    another = code == "equivalent" and "different" in block
    assert told in text and ("not the same experiment" in text) == another


def test_the_room_to_rise_is_what_is_left_above_the_mean(table1):
    html = masking_report.headroom(masking_samples(["sadness", "joy", "love"], 2), ["sadness", "joy", "love"], table1)
    cells = [cell.get_text() for cell in BeautifulSoup(html, "html.parser").select("tbody td")]
    assert cells == ["love", "2", "0.975", "+0.025", "+0.282", "no", "0.015"]


def plain(text: str) -> str:
    return text.replace(MINUS, "-")


WHOLE = ("described", "mean", "resample", "published", "mlp_zero", "mlp_mean", "mlp_resample")


def test_attention_and_mlp_stand_beside_each_other_by_what_is_put_in_place():
    summary = masking_summary(3, 1, ["joy"], WHOLE)
    masked = summary["condition"].map(dict(zip(WHOLE, range(7), strict=True))).fillna(0)
    summary["change"] -= masked / 10  # of the k-th condition -k / 10
    found = masking_report.block_estimates(summary)
    assert list(found) == ["attention", "MLP"]
    for part, names in (("attention", WHOLE[:3]), ("MLP", WHOLE[4:])):
        table = found[part]["change of accuracy"]
        assert table.groupby("condition", sort=False)["change"].max().tolist() == pytest.approx(
            [-WHOLE.index(name) / 10 for name in names]
        )
        assert list(dict.fromkeys(table["condition"])) == list(masking_report.IN_PLACE.values())
    assert svg(masking_figures.block_effects(found)).startswith("<?xml")
    table = BeautifulSoup(masking_report.condition_table(summary, 0.05), "html.parser")
    assert [th.get_text() for th in table.select("th")] == [
        "block",
        *(f"{part} {in_place}" for part in ("attention", "MLP") for in_place in masking_report.IN_PLACE.values()),
    ]
    first = [plain(td.get_text()).split()[0] for td in table.select("tbody tr")[0].select("td")]
    assert first == ["0", "0", "-0.100", "-0.200", "-0.400", "-0.500", "-0.600"]
    text = plain(words(masking_report.comparison(summary, 0.05)))
    assert "The attention that costs most accuracy" in text and "silenced, that of block 2 (-0.020" in text
    assert "The MLP that costs most accuracy" in text and "silenced, that of block 2 (-0.420" in text


def test_a_run_without_mlps_shows_attention_alone():
    summary = masking_summary(2, 1, ["joy"], ("described", "mean"))
    found = masking_report.block_estimates(summary)
    assert list(found) == ["attention"]
    assert svg(masking_figures.block_effects(found)).startswith("<?xml")
    assert "MLP" not in masking_report.comparison(summary, 0.05) + masking_report.condition_table(summary, 0.05)
    assert "attention silenced" in masking_report.condition_table(summary, 0.05)


def test_pairs_of_heads_are_told_apart_by_their_verdicts():
    pairs = pair_summary()
    summary = masking_summary(2, 1, ["joy"], ("described",))
    text = plain(words(masking_report.pair_findings(pairs, summary, 0.05)))
    assert "whose silencing costs most logit margin" in text, "no head was replaced by its mean"
    mean = pd.concat([summary, summary[summary["head"] >= 0].assign(condition="mean")])
    assert "whose replacement by their mean costs" in words(masking_report.pair_findings(pairs, mean, 0.05))
    replaced = pd.concat([summary, summary[summary["head"] < 0].assign(condition="mean")])
    assert "whose silencing" in words(masking_report.pair_findings(pairs, replaced, 0.05)), "but for whole blocks"
    assert "The 5 heads" in text and "Of 4 pairs 1 are redundant" in text and "1 overlap" in text
    interaction = pairs[pairs["measure"] == "margin"].assign(low=lambda rows: rows["change"] - 0.1)
    interaction = interaction.assign(high=lambda rows: rows["change"] + 0.1)
    wide = plain(words(masking_report.pair_findings(interaction, summary, 0.05)))
    assert "largest interaction is -0.400 [-0.500, -0.273], an interval for the largest of 4, of block" in wide
    assert "largest interaction is -0.400" in text and "block 0, head 1 with block 2, head 3" in text
    table = BeautifulSoup(masking_report.pair_table(pairs, 0.05), "html.parser")
    second = [plain(td.get_text()) for td in table.select("tbody tr")[1].select("td")]
    assert second[:4] == ["0.1 and 2.1", "-0.300", "-0.400", "-0.900"]
    assert second[4].startswith("-0.200") and second[5] == "overlapping" and second[6].startswith("-0.020")
    assert (
        "No pairs" in masking_report.pair_findings(pairs[:0], summary, 0.05)
        and masking_report.pair_table(pairs[:0], 0.05) == ""
    )


def test_the_page_says_what_an_ablation_cannot_show():
    text = words(masking_report.say("limits"))
    assert "never met in training" in text and "later blocks may repair" in text and "same work" in text
