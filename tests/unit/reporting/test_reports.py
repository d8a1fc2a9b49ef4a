"""Reports: what a reader sees on a page, that no text can break out of it, and that odd runs still get a page."""

import base64
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from emoscope.experiments.flips import page as flips_report
from emoscope.experiments.masking import figures as masking_figures
from emoscope.experiments.masking import page as masking_report
from emoscope.experiments.performance import figures as performance_figures
from emoscope.experiments.performance import page as performance_report
from emoscope.experiments.performance.summarise import metrics
from emoscope.experiments.synonyms import page as synonyms_report
from emoscope.experiments.tracing import figures as tracing_figures
from emoscope.perturbation import pair_tables
from emoscope.perturbation.pairs import countable, largest_change, scored
from emoscope.reporting import notebook
from emoscope.reporting import render as reports
from emoscope.reporting.html import (
    badge,
    estimate,
    headline,
    html_table,
    listed,
    marked,
    number,
    percent,
    planted_box,
    plural,
    prose,
    signed,
    unsigned,
)
from emoscope.reporting.plots import forest, svg
from emoscope.storage.names import ALL, WHOLE_BLOCK
from emoscope.verdicts.claims import page as claims_report

NOTEBOOKS = sorted((Path(__file__).parents[3] / "workflow" / "notebooks").glob("*.ipynb"))
NASTY = '<script>alert("x")</script>&amp; </td><img src=http://example.org/a.png onerror=alert(1)>'


def words(html: str) -> str:
    """The text of a passage, however its template breaks lines."""
    return " ".join(BeautifulSoup(html, "html.parser").get_text().split())


def tags(html: str) -> set[str]:
    return {tag.name for tag in BeautifulSoup(html, "html.parser").find_all()}


# ---------------------------------------------------------------------------------------------------------------------
# Numbers and markup


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (signed, -0.351768572, "\N{MINUS SIGN}0.352"),
        (signed, 0.28, "+0.280"),
        (signed, 0, "0"),
        (signed, -0.0003, "\N{MINUS SIGN}0.0003"),
        (signed, 1.68e-7, "+2·10⁻⁷"),
        (signed, float("nan"), "n/a"),
        (unsigned, 0.0955, "0.096"),
        (unsigned, 393822.0, "393,822"),
        (number, 12000, "12,000"),
        (number, 0.5, "0.500"),
        (percent, 0.0886, "8.9 %"),
    ],
)
def test_numbers_are_written_the_way_the_paper_can_be_compared(form, value, text):
    assert form(value) == text


def test_an_estimate_without_interval_is_the_value_alone():
    assert "[" not in estimate(0.5, np.nan, np.nan)
    assert "[+0.400, +0.600]" in estimate(0.5, 0.4, 0.6)


def test_words_in_a_row_and_plurals():
    assert listed([3]) == "3"
    assert listed("abc") == "a, b and c"
    assert listed([]) == "none"
    assert [plural(1, "epoch"), plural(0.5, "epoch"), plural(2, "epoch")] == ["1 epoch", "0.5 epochs", "2 epochs"]


@given(st.text())
def test_no_text_gets_out_of_its_place(text):
    plain = html_table([{"a": "x", "b": 1}], "x", text=("a",))
    hostile = html_table([{"a": text, "b": text}], text, text=("a",))
    assert tags(hostile) == tags(plain)
    assert tags(prose("{x}", x=text)) == {"p"}
    assert tags(badge(text)) == {"span"}


@given(st.text(min_size=1), st.data())
def test_marking_a_text_keeps_every_character(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    html = marked(text, [(start, end)])
    assert Markup(html).striptags() == Markup("{}").format(text).striptags()
    assert Markup("<mark>{}</mark>").format(text[start:end]) in html


def test_a_table_without_rows_is_not_shown():
    assert html_table([], "caption") == ""


# ---------------------------------------------------------------------------------------------------------------------
# Pages


def executed(*outputs: dict) -> nbformat.NotebookNode:
    """A notebook with a heading and one executed cell, as papermill leaves it."""
    cell = nbformat.v4.new_code_cell("secret_code()")
    cell.outputs = [nbformat.v4.new_output("display_data", **output) for output in outputs]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Masking\n\nWhat it asks."), cell])


def figure_output(name: str = "one", caption: str = "A caption.") -> dict:
    return {"data": {reports.SVG: "<svg/>"}, "metadata": {reports.SVG: {"name": name, "caption": caption}}}


def html_output(html: str) -> dict:
    return {"data": {"text/html": html}, "metadata": {}}


@pytest.fixture
def page(tmp_path: Path, monkeypatch) -> Path:
    """A page made from a finished notebook; executing notebooks takes seconds and is the workflow's test."""
    cells = executed(html_output(headline("Accuracy {x}.", x=NASTY)), figure_output(caption=NASTY))
    monkeypatch.setattr(reports.papermill, "execute_notebook", lambda *args, **kwargs: cells)
    audit = {"source": "calibration", "revision": "seed 1", "rows": 1200, "sha256": "ab" * 32}
    training = {
        "seconds": 12.3,
        "device": "cpu",
        "precision": "fp32",
        "steps": 15,
        "parameters": 9,
        "versions": {"torch": "2"},
    }
    for name, content in (("audit", audit), ("training", training)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    output = tmp_path / "reports" / "run-s1" / "masking.html"
    reports.render_report(
        Path("masking.ipynb"),
        {
            "run": "run-s1",
            "paths": {name: str(tmp_path / f"{name}.json") for name in ("audit", "training")},
            "settings": {"run": {"seed": 7}, "masking": {"head_conditions": ["zero"]}},
            "links": {"All reports": str(tmp_path / "reports" / "index.html"), "Masking": str(output)},
        },
        tmp_path / "logs" / "masking.ipynb",
        tmp_path / "reports" / "figures" / "masking",
        output,
    )
    return output


def test_a_page_has_title_navigation_result_and_provenance(page):
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    assert soup.title.get_text() == "Masking - run-s1"
    assert [a["href"] for a in soup.nav.find_all("a")] == ["../index.html"]
    assert soup.nav.select_one("[aria-current]").get_text() == "Masking"
    provenance = soup.footer.get_text()
    for fact in ("ab" * 32, "12.3 s on cpu", "torch 2", "head_conditions", "calibration (seed 1)"):
        assert fact in provenance
    audit = page.parents[2] / "audit.json"
    assert f"{hashlib.sha256(audit.read_bytes()).hexdigest()}  {audit}" in provenance
    assert "secret_code" not in str(soup)


def test_a_page_fetches_and_runs_nothing(page):
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    assert not soup.find_all(["script", "iframe", "object", "embed", "base"])
    assert all(tag["src"].startswith("data:") for tag in soup.find_all(src=True))
    assert not [name for tag in soup.find_all() for name in tag.attrs if name.startswith("on")]
    policy = soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert "default-src 'none'" in policy and "script" not in policy


def test_figures_are_saved_and_described(page):
    image = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").select_one("figure img")
    saved = page.parents[1] / "figures" / "masking" / "one.svg"
    assert base64.b64decode(image["src"].split(",")[1]).decode() == saved.read_text() == "<svg/>"
    assert image["alt"] == NASTY


def test_what_goes_to_standard_error_stays_in_the_log():
    cells = executed(html_output("<p>result</p>"))
    cells.cells[1].outputs += [
        nbformat.v4.new_output("stream", name="stderr", text="a warning"),
        nbformat.v4.new_output("stream", name="stdout", text="a remark"),
    ]
    html = reports.export(cells)
    assert "result" in html and "a remark" in html and "a warning" not in html


def test_the_index_shows_each_page_once_with_number_and_thumbnail(page):
    index, claims = page.parents[1] / "index.html", page.parents[1] / "claims.csv"
    claims.write_text("id,verdict\n")
    reports.render_index([page], claims, index)
    soup = BeautifulSoup(index.read_text(encoding="utf-8"), "html.parser")
    (card,) = soup.select(".cards a")
    assert card["href"] == "run-s1/masking.html"
    assert card.strong.get_text() == "Masking"
    assert card.img["src"].startswith("data:image/svg+xml")
    assert "What it asks." in card.get_text() and NASTY in card.get_text()
    assert "script" not in tags(str(soup))
    assert soup.find("a", href="claims.csv")
    for file in (page, claims):
        assert f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file}" in soup.footer.get_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_clean(path):
    cells = nbformat.read(path, as_version=4)
    assert cells.metadata.kernelspec.name == "python3"
    assert [cell.metadata.get("tags") for cell in cells.cells].count(["parameters"]) == 1
    assert not [cell for cell in cells.cells if cell.get("outputs") or cell.get("execution_count")]
    assert cells.cells[0].source.startswith("# ")


# ---------------------------------------------------------------------------------------------------------------------
# Tables and figures of unusual runs


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
            0.03,
            kinds[b % 3],
        )
        for b, h, c in keys
        for group in [*groups, ALL]
        for measure in ("probability", "first_class", "margin", "accuracy")
    ]
    names = ["block", "head", "condition", "group", "measure", "change", "low", "high", "p", "texts"]
    names += ["p_adjusted", "equivalence_margin", "p_equivalence", "detectable", "verdict"]
    return pd.DataFrame(rows, columns=names)


def masking_samples(classes: list[str], group: int) -> pd.DataFrame:
    others = {f"p_{name}": [0.01, 0.02] for name in classes}
    fixed = {"id": [1, 2], "label": group, "pred": group, "confidence": [0.98, 0.97], "group": group}
    return pd.DataFrame(others | fixed | {f"p_{classes[group]}": [0.98, 0.97]})


@pytest.fixture
def table1() -> pd.DataFrame:
    return pd.read_csv(Path(__file__).parents[3] / "data" / "reference" / "table1_head_masking.csv")


def test_the_first_class_is_named_even_where_it_has_no_samples(table1):
    classes = ["sadness", "joy", "love"]
    summary = masking_summary(2, 0, ["joy"], ("described", "published"))
    html = masking_report.both_procedures(summary, classes, table1)
    assert "P(sadness)" in html and "+0.127" in html


def test_blocks_are_told_apart_by_what_was_shown_of_them():
    text = words(masking_report.block_findings(masking_summary(7, 0, ["joy"], ("described",))))
    assert "changes with blocks 1 and 4 silenced" in text
    assert "With blocks 0, 3 and 6 silenced it was shown" in text
    assert "too few to tell for blocks 2 and 5" in text
    nothing = masking_summary(1, 0, ["joy"], ("described",))
    assert "too few to tell for no block" in words(masking_report.block_findings(nothing))


def test_every_metric_on_the_page_has_its_interval():
    label = np.arange(60) % 3
    pred = np.where(np.arange(60) % 7 == 0, 0, label)
    scores = {f"p_{name}": np.where(pred == k, 0.8, 0.1) for k, name in enumerate("abc")}
    table = pd.DataFrame({"text": map(str, range(60)), "label": label, "pred": pred, "confidence": 0.8} | scores)
    found = metrics(table, list("abc"), alpha=0.05, resamples=100, seed=0)
    published = pd.DataFrame({"metric": [f"{a}_{b}" for a in ("train", "test") for b in ("accuracy", "auc_ovr")]})
    sets = {part: {"all": found, "distinct": found} for part in ("train", "test")}
    page = performance_report.main_table(sets, published.assign(paper_text=0.9))
    assert page.count('class="interval"') == 4 * 3 and "100 resamples" in page
    counts = pd.DataFrame({"label": list("abc"), "rows": 20})
    assert performance_report.per_class(found, dict.fromkeys("abc", 20), counts).count('class="interval"') == 3 * 4
    assert 'class="interval"' in performance_report.calibration(found)
    assert 'class="interval"' in performance_report.confusions(found, list("abc"), 0.05)


def test_a_model_of_thirty_blocks_and_without_bias_gets_its_page(table1):
    classes = ["calm", "cross"]
    settings = {"statistics": {"margin": 0.02}, "masking": {"block_conditions": ["described", "published"]}}
    summary = masking_summary(30, 9, classes, ("described",))
    panels = masking_report.side_by_side(summary, classes, table1)
    assert list(panels) == ["paper, table 1", "here, the paper's text"]
    assert svg(masking_figures.block_maps(panels, "change")).startswith("<?xml")
    text = words(masking_report.explanation(summary, masking_samples(classes, 1), classes, table1, settings))
    assert "has no bias" in text
    assert "block 29" in words(masking_report.main_result(summary, alpha=0.05))
    assert svg(masking_figures.head_maps(*masking_report.head_maps(summary, "margin", 0.05), "margin"))
    assert masking_report.head_maps(masking_summary(2, 0, classes, ("described",)), "margin", 0.05) == ({}, {})


@pytest.mark.parametrize("number", [3, 11, 60])
def test_figures_of_any_number_of_classes_fit_a_page(number):
    classes = [f"class-{k}" for k in range(number)]
    panels = dict.fromkeys(("paper", "code", "text"), pd.DataFrame(0.1, range(12), classes))
    for figure in (
        masking_figures.block_maps(panels, "change"),
        performance_figures.confusion(np.eye(number, dtype=int), classes),
    ):
        assert figure.get_size_inches()[0] < 14, "a page shows a wider one too small to read"
        assert svg(figure).startswith("<?xml")


def test_pages_name_the_classes_of_the_run_beside_those_of_the_paper(table1):
    found = pd.DataFrame({"class": ["calm", "joy"], "stop_words": "published", "word": "time", "count": 3, "rank": 0})
    table3 = pd.DataFrame({"class": ["joy"], "word": ["time"], "synonym": ["period"], "count_in_test_set": [9]})
    assert "1 of 1 for joy" in (shared := synonyms_report.overlap(found, table3)) and "calm" not in shared
    assert "The paper has none of these classes." in synonyms_report.overlap(found[found["class"] == "calm"], table3)
    first, second = (BeautifulSoup(synonyms_report.word_lists(found, table3), "html.parser")).select("table")
    assert "paper's stop words" in first.get_text() and "paper" not in [th.get_text() for th in first.select("th")]
    assert "paper" in [th.get_text() for th in second.select("th")]
    settings = {"statistics": {"margin": 0.02}, "masking": {"block_conditions": ["described", "published"]}}
    classes = ["love", "joy"]
    summary = masking_summary(2, 2, classes, ("described", "published"))
    text = words(masking_report.explanation(summary, masking_samples(classes, 1), classes, table1, settings))
    assert "rises of up to +0.282 (love)" in text  # also where love is the first class


def test_the_papers_two_sentences_are_told_in_all_classes():
    table4 = pd.DataFrame({"pair": ["jealous"], "joy": [0.1], "anger": [-0.1]})
    one = {"origin": "published", "term": "jealous", "text": "he", "perturbed": "she", "spans": [(0, 2, 0, 3)]}
    one |= {"before_calm": 0.5, "after_calm": 0.3, "before_joy": 0.5, "after_joy": 0.7}
    flip = flips_report.Flip("gender", pd.DataFrame([one]), pd.DataFrame([one]), pd.DataFrame(), pd.DataFrame())
    table = BeautifulSoup(flips_report.published_pairs(flip, table4), "html.parser")
    assert [th.get_text() for th in table.select("th")][2:] == ["joy", "anger", "calm"]
    paper, here = ([td.get_text() for td in row.select("td")][2:] for row in table.select("tbody tr"))
    assert paper == ["+0.100", "\N{MINUS SIGN}0.100", "n/a"]
    assert here == ["+0.200", "n/a", "\N{MINUS SIGN}0.200"]


def test_the_room_to_rise_is_what_is_left_above_the_mean(table1):
    html = masking_report.headroom(masking_samples(["sadness", "joy", "love"], 2), ["sadness", "joy", "love"], table1)
    cells = [cell.get_text() for cell in BeautifulSoup(html, "html.parser").select("tbody td")]
    assert cells == ["love", "2", "0.975", "+0.025", "+0.282", "no", "0.015"]


def pairs(count: int) -> pd.DataFrame:
    """Pairs in which `he` becomes `she`, joined with scores; the k-th moves P(anger) by k percent."""
    moved = np.arange(count) / 100
    return pd.DataFrame({
        "id": range(count), "axis": "gender", "origin": "natural", "term": "",
        "text": [f"he said {NASTY} {k}" for k in range(count)],
        "perturbed": [f"she said {NASTY} {k}" for k in range(count)], "label": 0, "spans": [[[0, 2, 0, 3]]] * count,
        "n_changed": 1, "flags": [[] if k % 2 else ["uncertain"] for k in range(count)], "direction": "male to female",
        "before_joy": 0.5, "before_anger": 0.5, "after_joy": 0.5 - moved, "after_anger": 0.5 + moved,
    })  # fmt: skip


def test_uncertain_pairs_are_left_out_and_none_is_no_error():
    table = pairs(6)
    scores = table[["id", "axis", "origin", "term", *table.filter(regex="^(before|after)_").columns]]
    columns = [name for name in table if not name.startswith(("before_", "after_"))]
    kept = table[columns][countable(table)]
    assert scored(kept, scores)["id"].tolist() == [1, 3, 5]
    assert scored(kept[:0], scores[:0]).empty
    assert largest_change(table[:0]).empty


def test_examples_show_tweets_as_text_strongest_first():
    html = pair_tables.examples(pairs(6), ["joy", "anger"], 3)
    assert not tags(html) & {"script", "img"}
    rows = BeautifulSoup(html, "html.parser").select("tbody tr")
    assert [row.find_all("td")[-1].get_text() for row in rows] == ["0.050", "0.040", "0.030"]
    assert [mark.get_text() for mark in rows[0].find_all("mark")] == ["he", "she"]


def summary_of(origin: str = "natural", term: str = "", verdict: str = "", **measures: tuple) -> pd.DataFrame:
    rows = [(origin, term, name, *value, np.nan, verdict, 50, 50) for name, value in measures.items()]
    names = ["origin", "term", "measure", "value", "low", "high", "p_adjusted", "verdict", "texts", "clusters"]
    return pd.DataFrame(rows, columns=names)


@pytest.mark.parametrize(
    ("excess", "said"),
    [
        ((0.02, 0.01, 0.03), "more than neutral swaps of the same size, 1.0 %"),
        ((0.02, -0.01, 0.05), "not shown to exceed neutral swaps of the same size, 1.0 %"),
        ((-0.02, -0.03, -0.01), "less than neutral swaps of the same size, 1.0 %"),
    ],
)
def test_a_headline_says_whether_a_flip_does_more_than_neutral_words(excess, said):
    measures = {"changed": (0.03, 0.01, 0.05), "control_changed": (0.01, 0, 0.02), "excess_changed": excess}
    summary = summary_of(**measures)
    table = pairs(6)
    controls = table[:2].assign(origin="natural control", flags=[[], ["borrowed"]])
    every = pd.concat([table, controls], ignore_index=True)
    key = ["id", "axis", "origin", "term"]
    tables = SimpleNamespace(
        gender_pairs=every[[name for name in every if not name.startswith(("before_", "after_"))]],
        gender_scores=every[key + [name for name in every if name.startswith(("before_", "after_"))]],
        gender_summary=summary,
        gender_traces=pd.DataFrame(),
    )
    flips = flips_report.flips_of(tables, ["gender"])
    assert said in words(flips_report.main_result(flips))
    assert set(flips["gender"].pairs["origin"]) == {"natural"}  # controls are no flips
    told = words(flips_report.control_findings(flips))
    assert said in told and "49 with a control of its own words, 1 with one in another text, 0 without" in told


def test_a_kind_without_controls_says_so():
    assert "no control" in pair_tables.beyond(summary_of(changed=(0.03, 0.01, 0.05)))


def test_accuracy_counts_who_lost_and_gained():
    measures = {"before": 0.9, "after": 0.86, "change": -0.04, "lost": 0.06, "gained": 0.02}
    summary = summary_of(**{f"accuracy_{name}": (value, 0, 1) for name, value in measures.items()}).assign(p=0.6)
    html = pair_tables.accuracy({("here",): summary, ("unlabelled",): summary_of(changed=(0, 0, 1))}, ("of",))
    (row,) = [
        [cell.get_text() for cell in line("td")] for line in BeautifulSoup(html, "html.parser").select("tbody tr")
    ]
    assert row[0] == "here" and row[-3:] == ["3", "1", "0.600"]


def test_activation_maps_draw_words_of_both_texts():
    rows = [
        (unit, word, other, site, dimension, 0.1 * unit, 0.2 * dimension)
        for site in ("residual", "attention")
        for unit, (word, other) in enumerate([("he", "she"), (r"$\oops$", r"$\oops$"), ("<b>", "<b>")])
        for dimension in range(4)
    ]
    names = ["unit", "word", "flipped_word", "site", "dimension", "original", "flipped"]
    drawing = svg(
        tracing_figures.activation_maps(pd.DataFrame(rows, columns=names), {"residual": "r", "attention": "a"})
    )
    assert drawing.count("<image") >= 6


def test_a_corpus_without_the_published_words_says_so():
    empty = pd.DataFrame(
        {name: [] for name in ("origin", "term", "measure", "value", "low", "high", "texts", "verdict")}
    )
    assert "No text of this corpus" in synonyms_report.published_findings(empty, pairs(0))
    assert synonyms_report.word_table(empty, pairs(0)) == ""
    assert "finds nothing to replace" in synonyms_report.main_result(empty)


def test_claims_can_be_filtered_without_a_script():
    claims = pd.DataFrame({
        "id": ["masking.a", "flips.b"], "source": "table 1", "published": ["0.1", "none"], "ours": [0.2, np.nan],
        "low": np.nan, "high": np.nan, "verdict": ["artefact", "not testable here"], "note": [NASTY, "b"],
        "run": "run-s1", "margin": [np.nan, 0.02], "detectable": [np.nan, 0.05], "equivalence_p": [np.nan, 0.26],
    })  # fmt: skip
    html = claims_report.browser(claims)
    assert not tags(html) & {"script", "img"}
    assert "±0.02" in html and "p = 0.26" in html and "0.050" in html
    soup = BeautifulSoup(html, "html.parser")
    assert [label.get_text(strip=True) for label in soup.select("label")] == ["all", "artefact", "not testable here"]
    assert [group["data-group"] for group in soup.select("details")] == ["masking", "flips"]
    assert '[data-verdict="artefact"])) { display: none; }' in soup.style.get_text()


def test_planted_found_verdict():
    html = planted_box([{"planted": "a", "found": Markup("<b>1</b>"), "verdict": "found"}])
    assert "<b>1</b>" in html and 'class="badge good"' in html


def test_tables_are_loaded_by_name(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "x.parquet")
    (tmp_path / "y.json").write_text("{}")
    tables = notebook.load({"x": [str(tmp_path / "x.parquet")] * 2, "y": str(tmp_path / "y.json")})
    assert tables.x["a"].tolist() == [1, 1] and tables.y == {}


def test_a_forest_plot_keeps_its_label_where_planted_values_are_marked():
    rows = {"name": ["a"], "series": ["found"], "value": [0.1], "low": [0.0], "high": [0.2], "expected": [0.15]}
    axes = forest(pd.DataFrame(rows), "change of P(anger)").axes[0]
    assert axes.get_xlabel() == "change of P(anger)"
    assert axes.get_legend_handles_labels()[1] == ["found", "planted"]
