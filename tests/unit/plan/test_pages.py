"""From what a page declares follow its file, its links and its parameters."""

import json

import pytest

from emoscope.plan.pages import EXPLAIN_ALL, Overview, Page, Pages, files_in, where_to_look
from emoscope.plan.subjects import Model, Run
from emoscope.plan.texts import Corpus

SPLIT = {"duplicates": "keep", "split": {}}
MODEL = Model("small", {"source": "path", "path": "small", "blocks": 2})
RUN = Run(
    "tweets-s1",
    {"name": "tweets", "corpus": "made", "model": "small", "training": {}, "seed": 1},
    Corpus("made", {"source": "calibration", **SPLIT}),
    MODEL,
)
OVERVIEW = Overview({"runs": ["tweets-s1"]})
CONFIG = {"masking": {"head_conditions": ["zero"]}, "flips": {"axes": ["race"]}, "statistics": {"seed": 1}}


@pytest.fixture
def pages() -> Pages:
    pages = Pages()
    pages.add(Page("masking", [RUN], lambda run: {"summary": f"{run.results}/summary.parquet"}, ("masking",)))
    pages.add(Page("attention", [RUN, MODEL], lambda it: {"heads": [f"{it.results}/{n}" for n in "ab"]}, script="a.js"))
    pages.add(Page("claims", [OVERVIEW], lambda it: {"claims": "reports/claims.csv"}))
    return pages


def test_where_pages_lie(pages):
    assert pages["masking"].html(RUN) == "reports/tweets-s1/masking.html"
    assert pages["attention"].all_html() == ["reports/tweets-s1/attention.html", "reports/models/small/attention.html"]
    assert pages["claims"].html(OVERVIEW) == "reports/claims.html"
    pages.add(Page("ground_truth", [another := Overview(OVERVIEW.about)], lambda it: {}))
    assert pages.html([another]) == ["reports/ground_truth.html"]
    assert pages.html([OVERVIEW, MODEL]) == ["reports/claims.html", "reports/models/small/attention.html"]


def test_a_runs_pages_know_how_its_texts_came_about(pages):
    paths = pages["masking"].paths(RUN)
    assert paths["audit"] == "data/corpora/made/corpus.json" and paths["truth"] == "data/corpora/made/truth.json"
    assert paths["summary"] == "results/tweets-s1/summary.parquet"
    assert "audit" not in pages["attention"].paths(MODEL)


def test_a_page_on_demand_is_found_and_nothing_leads_to_it(pages):
    before = pages.read_about(RUN), pages.parameters("masking", RUN, CONFIG), pages.html([RUN])
    pages.add(Page("circuits", [RUN], lambda run: {"parts": f"{run.results}/parts.parquet"}, on_demand=True))
    assert (pages.read_about(RUN), pages.parameters("masking", RUN, CONFIG), pages.html([RUN])) == before
    assert pages["circuits"].all_html() == pages.html_on_demand() == ["reports/tweets-s1/circuits.html"]
    links = json.loads(pages.parameters("circuits", RUN, CONFIG))["links"]
    assert "Masking" in links and "Circuits" not in links


def test_a_target_without_pages_says_what_is_lacking(pages):
    assert pages["masking"].asked("name a run")(None) == ["reports/tweets-s1/masking.html"]
    pages.add(Page("residual", [], lambda it: {}))
    with pytest.raises(SystemExit, match=r"^emoscope: name a companion$"):
        pages["residual"].asked("name a companion")(None)


def test_a_page_about_something_else_is_refused(pages):
    with pytest.raises(ValueError, match="no page masking about small"):
        pages["masking"].paths(MODEL)


def test_a_page_leads_to_those_about_the_same_subject(pages):
    links = json.loads(pages.parameters("masking", RUN, CONFIG))["links"]
    assert list(links) == ["All reports", "Masking", "Attention", "Claims"]
    assert links == {
        "All reports": "../index.html",
        "Masking": "",  # the page itself
        "Attention": "attention.html",
        "Claims": "../claims.html",
    }
    assert json.loads(pages.parameters("attention", MODEL, CONFIG))["links"]["Claims"] == "../../claims.html"
    assert list(json.loads(pages.parameters("attention", MODEL, CONFIG))["links"]) == [
        "All reports",
        "Attention",
        "Claims",
    ]
    assert list(json.loads(pages.parameters("claims", OVERVIEW, CONFIG))["links"]) == ["All reports", "Claims"]


def test_a_page_shows_the_settings_that_made_it_and_no_others(pages):
    settings = json.loads(pages.parameters("masking", RUN, CONFIG))["settings"]
    assert list(settings) == ["run", "corpus", "model", "masking", "statistics"]
    assert settings["run"]["seed"] == 1 and settings["masking"] == CONFIG["masking"]


def test_documents_explain_every_page_its_own_first(pages):
    assert pages["masking"].documents == EXPLAIN_ALL
    assert Page("flips", [RUN], lambda run: {}, explained=("nulls.md",)).documents == ("nulls.md", *EXPLAIN_ALL)


def test_only_a_page_with_a_script_runs_one(pages):
    assert json.loads(pages.parameters("attention", RUN, CONFIG))["script"] == "a.js"
    assert "script" not in json.loads(pages.parameters("masking", RUN, CONFIG))


def test_a_reader_is_sent_to_the_index_or_to_every_page_that_was_made():
    made = ["results/a-s1/summary.parquet", "reports/b-s1/words.html", "reports/a-s1/words.html", "reports/claims.csv"]
    assert where_to_look(made) == ["reports/a-s1/words.html", "reports/b-s1/words.html"]
    assert where_to_look([*made, "reports/index.html"]) == ["reports/index.html"]
    assert where_to_look(made[:1]) == []


def test_what_pages_read_is_listed_once(pages):
    assert files_in({"one": "a", "many": ["b", "c"]}) == ["a", "b", "c"]
    read = pages.read_about(RUN)
    assert read == sorted(set(read))
    assert {"results/tweets-s1/summary.parquet", "results/tweets-s1/a", "data/corpora/made/truth.json"} <= set(read)
