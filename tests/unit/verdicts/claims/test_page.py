"""The claims page: what can be tested first, the rest folded away; and published samples that were too small."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from bs4 import BeautifulSoup

from emoscope.data.paper import shared_with_paper, shared_with_writeups
from emoscope.reporting.html import MINUS
from emoscope.verdicts.claims import page as claims_report
from emoscope.verdicts.claims.figures import verdict_matrix
from made_up import NASTY, tags, words

ROOT = Path(__file__).parents[4]


def claims() -> pd.DataFrame:
    """Of six claims, two runs test the first and the last, which is impossible, one the second, and none the others."""
    rows = [
        ("masking.a", "one", "artefact", "", "0.1"),
        ("flips.b", "one", "not testable here", "nothing", "none"),
        ("flips.c", "one", "not testable here", "corpus and model", "0.3"),
        ("residual.d", "one", "not testable here", "model", "0.4"),
        ("prompting.e", "one", "not testable here", "unmeasured", "yes"),
        ("masking.a", "two", "reproduced", "", "0.1"),
        ("flips.b", "two", "underpowered", "", "none"),
        ("flips.c", "two", "not testable here", "nothing", "0.3"),
        *(("masking.f", run, "artefact", "", "0.9") for run in ("one", "two")),
    ]
    table = pd.DataFrame(rows, columns=["id", "run", "verdict", "untested", "published"])
    tested = table["verdict"] != "not testable here"
    return table.assign(
        source="table 1", says=["It is " + NASTY if name == "masking.a" else f"Says {name}" for name in table["id"]],
        ours=np.where(tested, 0.2, np.nan), low=np.nan, high=np.nan, note=np.where(tested, NASTY, None),
        untested=table["untested"].where(~tested), margin=np.where(table["id"] == "flips.b", 0.02, np.nan),
        detectable=np.where(tested, 0.05, np.nan), equivalence_p=0.26, impossible=table["id"] == "masking.f",
    )  # fmt: skip


def test_several_artefacts_are_counted_as_a_noun():
    table = claims().assign(impossible=False)
    assert " 1 reproduced, 3 artefacts, " in words(claims_report.main_result(table))


def test_the_page_leads_with_what_can_be_tested():
    headline = words(claims_report.main_result(claims()))
    assert headline == (
        "3 of 6 published claims can be tested on 2 models. "
        "In all, 3 verdicts: 1 reproduced, 1 artefact, 1 underpowered; "
        "besides, 1 claim that the authors' own log rules out, whatever a run finds."
    ), "runs and claims are not mixed up, and what no run can change does not count for each"
    soup = BeautifulSoup(claims_report.browser(claims()), "html.parser")
    assert [group["data-group"] for group in soup.select("section")] == ["masking", "flips"]
    counts = [group.select_one(".source").text for group in soup.select("section")]
    assert counts[0].startswith("2 verdicts: 1 reproduced, 1 artefact; besides, 1 claim")
    assert counts[1] == "1 verdict: 1 underpowered"
    first, _, second = soup.select("article")
    runs = [(item.select_one(".badge").text, item.select_one(".run").text) for item in first.select("li")]
    assert runs == [("artefact", "one"), ("reproduced", "two")], "one claim, a line for each run that tests it"
    assert "Says flips.b" in second.text and "here 0.200, published none" in second.text
    assert len(second.select("li")) == 1
    assert "Margin and p: ±0.02, p = 0.26" in " ".join(second.text.split())
    assert "Detectable: 0.050" in second.text and "Margin" not in first.text


def test_the_table_of_verdicts_counts_as_the_headline_does():
    table = BeautifulSoup(claims_report.summary(claims()), "html.parser")
    titles = [cell.text for cell in table.select("thead th")]
    rows = [
        dict(zip(titles, [cell.text for cell in row.select("td, th")], strict=True)) for row in table.select("tbody tr")
    ]
    assert [row["artefact"] for row in rows] == ["1", "0"], "what the authors' log rules out stands apart"
    assert [row["ruled out by the authors' log"] for row in rows] == ["1", "1"]


def test_claims_can_be_filtered_without_a_script():
    html = claims_report.browser(claims())
    assert not tags(html) & {"script", "img"}
    soup = BeautifulSoup(html, "html.parser")
    labels = [label.get_text(strip=True) for label in soup.select("label")]
    assert labels == ["all", "reproduced", "artefact", "underpowered", "all", "one", "two"]
    assert ':not(:has([data-verdict="reproduced"])) { display: none; }' in soup.style.get_text()
    rules = "".join(style.get_text() for style in soup.select("style"))
    assert rules.count(":checked):has(#") == 6, "each of three verdicts with each of two runs"


def test_what_cannot_be_tested_is_folded_away_with_what_would_test_it():
    soup = BeautifulSoup(claims_report.untested(claims()), "html.parser")
    assert not soup.select("details[open]")
    folded = {" ".join(item.summary.text.split()): item.table.text for item in soup.select("details")}
    model, both, unmeasured = folded
    assert model == (
        "1 claim of the notebook on the residual stream: it needs its model; "
        "--configfile workflow/configs/companions.yaml would test it"
    )
    assert "of the paper: it needs its corpus and model" in both and "paper.yaml" in both, "the nearest of two reasons"
    assert "no run measures it" in unmeasured and "configfile" not in unmeasured
    assert "Says flips.c" in folded[both] and "flips.b" not in soup.text, "another run tests it"


def test_what_is_measured_on_demand_is_told_with_its_targets():
    rows = claims().iloc[[2]].assign(id="probing.g", untested="on demand")
    said = words(claims_report.untested(rows))
    asked = "snakemake --cores 2 circuits probing, and then snakemake --cores 2 claims, would test it"
    assert f"1 claim of the paper: not part of all; {asked}" in said
    assert "configfile" not in said


def test_what_is_not_judged_in_a_storage_is_told_as_such():
    said = words(claims_report.untested(claims().iloc[[2]].assign(id="probing.g", untested="storage")))
    assert "1 claim of the paper: made by targets of their own, and so not judged here, where results are in" in said
    assert "snakemake" not in said and "configfile" not in said


def test_the_settings_that_are_named_share_what_the_sources_had():
    named = {*claims_report.OVERLAYS.values(), claims_report.OTHERS} - {""}  # what a run's owner published has none
    assert named == {"paper.yaml", "companions.yaml"}
    paper, others = (yaml.safe_load((ROOT / "workflow" / "configs" / name).read_text()) for name in sorted(named)[::-1])
    [run] = paper["runs"]
    corpus, model = paper["corpora"][run["corpus"]], paper["models"][run["model"]]
    paper_s = (corpus, model, run["training"] | {"balance": "none"})
    assert shared_with_paper(*paper_s) == {"corpus", "model"}
    other = corpus | {"split": {"method": "shuffled", "test": 0.5}}
    assert shared_with_paper(other, *paper_s[1:]) == {"model"}, "another part to test on"
    for training in ({"epochs": 1, "balance": "none"}, {"epochs": 2, "balance": "downsample"}, "none"):
        assert shared_with_paper(*paper_s[:2], training) == {"corpus"}, "trained otherwise"
    assert shared_with_writeups(model, others["prompting"]["tasks"]) == {"corpus", "model"}


def test_every_room_of_the_list_has_a_title_and_every_reason_a_place():
    listed = yaml.safe_load((ROOT / "data" / "reference" / "claims.yaml").read_text())
    rooms = {claim["id"].partition(".")[0] for claim in listed}
    assert rooms | {"published"} == set(claims_report.SOURCES), "what a run's owner published is in no list"
    needs = {" and ".join(sorted(claim["needs"])) for claim in listed if "needs" in claim}
    assert needs <= set(claims_report.REASONS)


def test_the_figure_shows_tested_claims_in_their_order():
    [axes, *_] = verdict_matrix(claims_report.testable(claims())).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["masking.a", "flips.b", "masking.f"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["one", "two"]


MARGIN = 0.02


def test_statements_of_no_effect_are_counted_among_those_that_were_tested():
    table = claims().assign(margin=np.nan)
    assert claims_report.equivalence(table, MARGIN) == ""
    table.loc[table["id"] == "flips.b", "margin"] = MARGIN
    assert "1 of the claims that were tested say" in words(claims_report.equivalence(table, MARGIN))


def test_the_page_says_which_published_samples_were_too_small():
    samples = pd.DataFrame({
        "claim": ["few", "parts", "parts", "many"], "statement": "<b>Nothing.</b>", "drawn_from": "texts",
        "texts": [17, 100, 600, 1000], "spread": [np.nan, 0.28, 0.28, np.nan], "source": "here",
    })  # fmt: skip
    table = claims_report.published_power(samples, MARGIN, alpha=0.05)
    assert "19.5 %" in table and "0.079" in table and "<b>" not in table
    reading = claims_report.published_reading(samples, MARGIN, alpha=0.05)
    assert "affected: few." in reading and "all of it: parts." in reading and "Enough: many." in reading
    assert "1 of these 3" in reading


def test_numbers_of_claims_read_as_all_others_on_a_page():
    table = claims().assign(
        published="surprise -5.05e-11", note="Here it is -1.35e-05, in 2 of 6 (block 1-2), about 1,800 texts.",
        says="It changes by -0.352, or 6.4e-8.",
    )  # fmt: skip
    article = BeautifulSoup(claims_report.browser(table), "html.parser").article
    told = " ".join(article.text.split())
    assert f"published surprise {MINUS}5·10⁻¹¹" in told and f"It changes by {MINUS}0.352, or 6.4·10⁻⁸." in told
    assert f"Here it is {MINUS}1.35·10⁻⁵, in 2 of 6 (block 1-2), about 1,800 texts." in told
    shown = BeautifulSoup(claims_report.untested(table.assign(published="12 numbers")), "html.parser")
    assert "12 numbers" in shown.text
