"""The masking page, also of unusual runs: any classes, any number of blocks, no bias."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.experiments.masking import figures as masking_figures
from emoscope.experiments.masking import page as masking_report
from emoscope.experiments.masking.measures import MEASURES
from emoscope.experiments.masking.summarise import _judged
from emoscope.reporting.plots import svg
from emoscope.statistics.equivalence import equivalence_verdict
from emoscope.storage.names import ALL
from made_up import words
from masking_tables import masking_samples, masking_summary, plain


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


def test_blocks_are_told_apart_by_what_was_shown_of_them():
    text = words(masking_report.block_findings(masking_summary(7, 0, ["joy"], ("described",)), 0.05))
    assert "changes with blocks 1 and 4 silenced" in text
    assert "With blocks 0, 3 and 6 silenced it was shown" in text
    assert "too few to tell for blocks 2 and 5" in text
    nothing = masking_summary(1, 0, ["joy"], ("described",))
    assert "too few to tell for none;" in words(masking_report.block_findings(nothing, 0.05))


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


def test_a_model_of_thirty_blocks_and_without_bias_gets_its_page():
    classes = ["calm", "cross"]
    summary = masking_summary(30, 9, classes, ("described",))
    assert "block 29" in words(masking_report.main_result(summary, alpha=0.05))
    assert svg(masking_figures.head_maps(*masking_report.head_maps(summary, "margin", 0.05), "margin"))
    assert masking_report.head_maps(masking_summary(2, 0, classes, ("described",)), "margin", 0.05) == ({}, {})


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
    assert [th.get_text() for th in table.select("thead th")] == [
        "block",
        *(f"{part} {in_place}" for part in ("attention", "MLP") for in_place in masking_report.IN_PLACE.values()),
    ]
    first = [plain(td.get_text()).split()[0] for td in table.select("tbody tr")[0].select("td, th")]
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


def test_the_page_says_what_an_ablation_cannot_show():
    text = words(masking_report.say("limits"))
    assert "never met in training" in text and "later blocks may repair" in text and "same work" in text


def test_a_class_that_is_called_block_has_a_column_of_its_own():
    summary = masking_summary(2, 0, ["allow", "block"], ("described",))
    table = masking_report.full_table(summary, "described", "probability", 0.05, "")
    soup = BeautifulSoup(table, "html.parser")
    assert [heading.text for heading in soup.select("thead th")] == ["masked block", "allow", "block", "all"]
    assert [row.th.text for row in soup.select("tbody tr")] == ["0", "1"]


def test_a_sentence_names_no_more_blocks_than_can_be_read():
    text = words(masking_report.block_findings(masking_summary(200, 0, ["joy"], ("described",)), 0.05))
    assert "blocks 0, 3, 6, 9, 12 and 62 others" in text
