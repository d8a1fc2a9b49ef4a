"""A record of provenance names all that a run was made from, and all that it made."""

from dataclasses import replace
from pathlib import Path

import yaml

from emoscope.plan.pages import Page, Pages
from emoscope.plan.records import inputs_of, results_of, settings_of
from emoscope.plan.settings import read_study
from emoscope.plan.texts import Suite

STUDY = read_study(yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text()))
RUN, MODEL = next(iter(STUDY.runs.values())), next(iter(STUDY.companions.values()))


def tables(subject):
    return {"own": f"{subject.results}/table.parquet", "shared": "data/corpora/pairs.parquet"}


PAGES = Pages()
PAGES.add(Page("flips", [RUN, MODEL], tables, sections=("flips",)))


def inputs(subject):
    return inputs_of(STUDY, subject, PAGES, lambda path: f"shipped/{path}", lambda path: f"own/{path}")


def test_a_run_came_from_its_texts_words_and_published_numbers():
    named = inputs(RUN)
    folder = RUN.corpus.folder
    assert {f"{folder}/train.parquet", f"{folder}/test.parquet", "data/corpora/pairs.parquet"} <= set(named)
    assert {f"shipped/data/lexicons/{name}.csv" for name in ("gender", "synonyms", "neutral")} <= set(named)
    assert "shipped/data/reference/claims.yaml" in named
    assert not [path for path in named if path.startswith(RUN.results)] and len(named) == len(set(named))


def test_a_run_came_from_the_suites_that_it_scored():
    run = replace(RUN, suites=(Suite("mine", {"source": "csv", "path": "mine.csv"}),))
    assert "mine.csv" not in inputs(RUN) and "mine.csv" in inputs_of(STUDY, run, Pages(), str, str)


def test_texts_of_the_users_are_marked_as_such(tmp_path):
    (tmp_path / "mine.csv").write_text("text,label\n")
    corpus = replace(RUN.corpus, entry={**RUN.corpus.entry, "source": "csv", "path": str(tmp_path / "mine.csv")})
    assert f"own/{tmp_path}/mine.csv" in inputs(replace(RUN, corpus=corpus))


def test_a_run_made_its_model_card_and_claims_and_no_time_of_day():
    made = results_of(RUN, PAGES)
    assert made[:3] == [f"{RUN.results}/{name}" for name in ("model", "README.md", "claims.csv")]
    assert {f"{RUN.results}/table.parquet", f"{RUN.results}/flips/findings.csv"} <= set(made)
    assert f"{RUN.results}/training.json" not in made  # it tells how long training took
    assert not [path for path in made if not path.startswith(f"{RUN.results}/")]


def test_findings_on_a_language_model_came_from_it_and_the_texts_of_every_task():
    named = inputs(MODEL)
    assert named[0] == MODEL.folder and len(named) == len(set(named))
    assert "data/corpora/pairs.parquet" in named, "what its pages read that it did not make, as published numbers"
    for task in STUDY.tasks:
        assert {f"data/tasks/{task}/train.parquet", f"data/tasks/{task}/test.parquet"} <= set(named)
    assert results_of(MODEL, PAGES) == [f"{MODEL.results}/table.parquet", f"{MODEL.results}/claims.csv"]


def test_every_setting_that_decides_a_result_is_recorded():
    run, model = (settings_of(STUDY, subject, PAGES) for subject in (RUN, MODEL))
    assert list(run) == ["name", "corpus", "model", "training", "seed", "prediction", "flips", "statistics"]
    assert list(model) == ["model", "prediction", "flips", "statistics"] and model["flips"] == STUDY.config["flips"]
    own = {"labels": {"joy": "happy"}, "thresholds": {"joy": 0.3}}
    several = settings_of(STUDY, replace(RUN, entry={**RUN.entry, **own}), PAGES)
    assert {key: several[key] for key in own} == own
