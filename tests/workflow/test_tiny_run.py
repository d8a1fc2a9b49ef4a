"""The whole DAG on a tiny configuration, and what a change to its inputs sets in motion."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.experiments.masking.conditions import BLOCKS, HEADS
from project import copy_project, planned, snakemake
from repositories import git

CLASSES = ["sadness", "joy", "love", "anger", "fear", "surprise"]
PAGES = {"render_overview": 1, "render_index": 1, "all": 1}
JUDGED = {"assess_claims": 1, "collect_claims": 1, "record_provenance": 1, **PAGES}
CARD = {"write_model_card": 1}
MASKING = "workflow/emoscope/experiments/masking/measure.py"
TRUTH = {"collect_ground_truth": 1, "render_overview": 1}


def together(*jobs: dict[str, int]) -> dict[str, int]:
    """Several plans as one."""
    return dict(sum(map(Counter, jobs), Counter()))


@pytest.fixture
def edited(changeable) -> Callable[[str, Callable[[str], str]], dict[str, int]]:
    """Edit one file of a copy of the finished project and say which jobs that plans."""

    def edit(name: str, change: Callable[[str], str]) -> dict[str, int]:
        path = changeable / name
        text = path.read_text()
        path.unlink()
        path.write_text(change(text))
        return planned(changeable, "all")

    return edit


def test_the_outputs_that_the_readme_promises(finished):
    run = finished / "results" / "tiny-s1"
    metrics = json.loads((run / "metrics.json").read_text())
    assert set(metrics) == {"classes", "train", "test", "differences", "leaked", "baselines"}
    for part in ("train", "test"):
        for kind in ("all", "distinct"):
            found = metrics[part][kind]
            assert {"accuracy", "accuracy_interval", "auc_ovr", "macro_f1", "per_class", "confusion"} <= set(found)
            assert sum(map(sum, found["confusion"])) == found["rows"]
    samples = pd.read_parquet(run / "samples.parquet")
    for block in range(2):
        masks = pd.read_parquet(run / "masking" / f"block_{block}.parquet")
        assert set(masks["condition"]) == {*BLOCKS, *HEADS}
        assert set(masks["head"]) == {-1, 0, 1}
        assert not masks.duplicated(["id", "block", "head", "condition", "draw"]).any()
        assert set(masks["id"]) == set(samples["id"])
    claims = pd.read_csv(finished / "reports" / "claims.csv")
    wanted = ["id", "source", "published", "ours", "low", "high", "verdict", "note"]
    assert list(claims.columns[:8]) == wanted
    assert claims["verdict"].isin(["reproduced", "contradicted", "artefact", "underpowered", "not testable here"]).all()
    pages = {page.relative_to(finished / "reports").as_posix() for page in (finished / "reports").rglob("*.html")}
    names = ("performance", "masking", "flips", "synonyms", "fairness", "tracing", "words", "attention")
    writeups = {f"models/language/{name}.html" for name in ("induction", "attention", "prompting", "residual")}
    writeups.add("models/copier/induction.html")
    assert pages == {
        "index.html",
        "claims.html",
        "ground_truth.html",
        *(f"tiny-s1/{name}.html" for name in names),
        *writeups,
    }


def test_every_page_leads_to_the_documents_that_explain_it(finished):
    for page in (finished / "reports").rglob("*.html"):
        links = BeautifulSoup(page.read_text(), "html.parser").select("footer .documents a")
        assert links and all((page.parent / link["href"]).is_file() for link in links), page


def test_the_perturbation_sets_hold_pairs_that_differ(finished):
    folder = finished / "data" / "corpora" / "calibration" / "perturbations"
    for axis in ("gender", "race", "synonyms"):
        pairs = pd.read_parquet(folder / f"{axis}.parquet")
        assert len(pairs)
        assert (pairs["text"] != pairs["perturbed"]).all()
        assert not pairs.duplicated(["id", "axis", "origin", "term"]).any()
        for row in pairs.itertuples():
            assert len(row.spans) == row.n_changed
            for start, end, other_start, other_end in row.spans:
                assert row.text[start:end] != row.perturbed[other_start:other_end]


def test_every_run_has_a_record_of_where_it_comes_from(finished):
    record = json.loads((finished / "results/tiny-s1/provenance.json").read_text())
    assert record["settings"]["seed"] == 1 and record["settings"]["corpus"]["rows"] == 1200
    assert record["settings"]["training"]["epochs"] == record["settings"]["statistics"]["resamples"] / 200 == 1
    assert {"python", "torch", "transformers", "snakemake"} <= set(record["versions"])
    assert record["training"]["device"] and record["machine"]["cores"]
    texts = {f"data/corpora/calibration/{part}.parquet" for part in ("train", "test")}
    assert texts | {"data/lexicons/gender.csv", "data/reference/claims.yaml"} <= set(record["inputs"])
    made = {"model/model.safetensors", "README.md", "metrics.json", "claims.csv", "masking/summary.parquet"}
    assert {f"results/tiny-s1/{name}" for name in made} <= set(record["results"])
    found = json.loads((finished / "results/models/language/provenance.json").read_text())
    assert "language/model.safetensors" in found["inputs"] and found["training"] == {}
    for name, digest in [*record["inputs"].items(), *record["results"].items(), *found["results"].items()]:
        assert hashlib.sha256((finished / name).read_bytes()).hexdigest() == digest, name


def test_the_three_lines_of_the_model_card_load_the_model(finished):
    card = (finished / "results/tiny-s1/README.md").read_text()
    [code] = re.findall(r"^```python\n(.*?)^```", card, flags=re.MULTILINE | re.DOTALL)
    assert len(code.splitlines()) == 3
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    found = subprocess.run([sys.executable, "-c", code], cwd=finished, env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert any(f"'label': '{name}'" in found.stdout for name in CLASSES)


def test_another_licence_reaches_the_model_card_and_no_model(edited):
    jobs = edited("config.yaml", lambda text: text.replace("licence: MIT ", "licence: CC0 "))
    assert jobs == together({"record_provenance": 1, "all": 1}, CARD)


@pytest.mark.slow
def test_a_commit_is_recorded_and_reruns_nothing(changeable):
    say = "from emoscope.storage.provenance import commit; print(commit())"
    environment = {**os.environ, "PYTHONPATH": str(changeable / "workflow")}
    git(changeable, "init", "--quiet")
    git(changeable, "add", "Snakefile", "workflow")
    for message in ("one", "two"):
        git(changeable, "commit", "--quiet", "--allow-empty", "--message", message)
        recorded = subprocess.run([sys.executable, "-c", say], env=environment, capture_output=True, text=True)
        assert recorded.stdout.strip() == git(changeable, "rev-parse", "HEAD")
        assert planned(changeable, "all") == {}


def test_a_second_run_does_nothing(changeable):
    start = time.perf_counter()
    found = snakemake(changeable, "all", warm=False)  # no job, so no process to fork from
    assert found.returncode == 0 and "Nothing to be done" in found.stdout, found.stdout
    assert time.perf_counter() - start < 60  # no job ran; how fast is a benchmark's business


def test_a_reader_is_told_where_to_look(changeable):
    index = changeable / "reports" / "index.html"
    for page, target in ((index, "all"), (index.parent / "tiny-s1" / "performance.html", "performance")):
        page.unlink()
        said = [line for line in snakemake(changeable, target).stdout.splitlines() if "what was found" in line]
        assert page.is_file() and said == [f"emoscope: what was found is in {page}"]


def test_touched_files_change_nothing(changeable):
    code = (
        "workflow/notebooks/masking.ipynb",
        "workflow/emoscope/experiments/masking/measure.py",
        "workflow/emoscope/training/finetune.py",
    )
    for name in ("data/lexicons/gender.csv", *code):
        content = (changeable / name).read_bytes()
        (changeable / name).unlink()
        (changeable / name).write_bytes(content)
    assert planned(changeable, "all") == {}


def test_an_edited_lexicon_reruns_what_uses_it(edited):
    jobs = edited("data/lexicons/gender.csv", lambda text: text + "cowboy,cowgirl,swap\n")
    flips = {"flip_terms": 2, "score_perturbation": 2, "join_scores": 2, "summarise_effects": 2}  # its names, both axes
    flips |= {"summarise_flips": 1, "summarise_fairness": 1, "summarise_words": 1}
    traced = {"trace_pairs": 2, "summarise_tracing": 1, "assess_ground_truth": 2, "render_report": 4}
    assert jobs == together(flips, traced, TRUTH, JUDGED, CARD)


def test_edited_neutral_words_rerun_every_perturbation(edited):
    jobs = edited("data/lexicons/neutral.csv", lambda text: text + "tram ferry,,noun\n")
    pairs = {"flip_terms": 2, "replace_words": 1, "score_perturbation": 3, "join_scores": 3, "summarise_effects": 3}
    pairs |= {"trace_pairs": 2, "summarise_tracing": 1, "assess_ground_truth": 3}
    pairs |= {"summarise_flips": 1, "summarise_synonyms": 1, "summarise_fairness": 1, "summarise_words": 1}
    assert jobs == together(pairs, {"render_report": 5}, TRUTH, JUDGED, CARD)


def test_edited_synonym_code_leaves_the_flips_alone(edited):
    jobs = edited("workflow/emoscope/experiments/synonyms/replace.py", lambda text: text + "\n# a remark\n")
    words = {"count_words": 1, "replace_words": 1, "score_perturbation": 1, "join_scores": 1, "summarise_effects": 1}
    words |= {"summarise_words": 1}  # of synonyms, whether the words that they replace rank high
    assert jobs == together(
        words, {"assess_ground_truth": 1, "summarise_synonyms": 1, "render_report": 2}, TRUTH, JUDGED, CARD
    )


def test_an_edited_notebook_reruns_its_page(edited):
    def change(text):
        notebook = json.loads(text)
        notebook["cells"].append({"cell_type": "markdown", "id": "new", "metadata": {}, "source": ["One more remark."]})
        return json.dumps(notebook)

    assert edited("workflow/notebooks/masking.ipynb", change) == {"render_report": 1, "render_index": 1, "all": 1}


@pytest.mark.parametrize("name", ["experiments/masking/page.py", "experiments/masking/figures.py"])
def test_an_edited_sentence_or_figure_reruns_its_page(edited, name):
    jobs = edited(f"workflow/emoscope/{name}", lambda text: text + "\n# a remark\n")
    assert jobs == {"render_report": 1, "render_index": 1, "all": 1}


def test_an_edited_download_reruns_nothing_that_was_not_downloaded(edited):
    assert edited("workflow/emoscope/models/sources.py", lambda text: text + "\n# a remark\n") == {}


def test_an_edited_statistic_reruns_what_counts_with_it(edited):
    jobs = edited("workflow/emoscope/statistics/bootstrap.py", lambda text: text + "\n# a remark\n")
    counted = {"evaluate": 1, "evaluate_autoencoder": 1, "twin_autoencoder": 1, "summarise_tracing": 1}
    counted |= {
        "summarise_attention": 2,
        "summarise_induction": 2,
        "assess_ground_truth": 3,
        "assess_masking_truth": 1,
        "assess_writeup_claims": 1,
    }
    named = ("summarise_masking", "summarise_prompting", "summarise_residual", "summarise_fairness", "summarise_words")
    counted |= dict.fromkeys(named, 1)
    pages = {"render_report": 13, "record_provenance": 1}
    assert jobs == together(counted, pages, TRUTH, JUDGED, CARD)


def test_an_edited_masking_setting_reruns_the_masks(edited):
    jobs = edited("config.yaml", lambda text: text.replace("head_conditions: [zero, mean]", "head_conditions: [zero]"))
    masks = {"mask_block": 2, "mask_pairs": 1, "summarise_masking": 1, "assess_masking_truth": 1}
    assert jobs == together(masks, {"render_report": 1}, TRUTH, JUDGED)


def test_a_setting_that_only_scoring_reads_trains_no_prompts_anew(edited):
    jobs = edited("tiny.yaml", lambda text: text.replace("checked_texts: 6", "checked_texts: 5"))
    scored = {"score_prompts": 1, "score_baselines": 1, "summarise_prompting": 1}  # baselines read what scoring leaves
    judged = {"assess_writeup_claims": 1, "collect_claims": 1, "record_provenance": 1}
    assert jobs == together(scored, judged, {"render_report": 1}, PAGES)


def test_another_margin_reruns_what_judges_by_it(edited):
    jobs = edited("config.yaml", lambda text: text.replace("margin: 0.02 ", "margin: 0.03 "))
    assert {"summarise_effects", "summarise_masking", "assess_claims", "assess_ground_truth"} <= jobs.keys()
    described = {"evaluate", "evaluate_autoencoder", "measure_writes", "assess_masking_truth"}
    described |= {f"summarise_{name}" for name in ("attention", "induction", "prompting", "residual", "tracing")}
    assert not jobs.keys() & {*described, "finetune", "predict", "score_prompts"}


def test_another_margin_looks_for_no_circuits_anew(tmp_path):
    """Whatever the search waits for is asked for by the same commands."""
    project, config = copy_project(tmp_path / "project"), tmp_path / "project" / "config.yaml"
    searched = [f"results/tiny-s1/circuits/gender_{name}.parquet" for name in ("curves", "edge_curves")]
    commands = []
    for _ in range(2):
        found = snakemake(project, *searched, "--dry-run", "--printshellcmds")
        assert found.returncode == 0, found.stdout
        commands.append(sorted(re.findall(r"python -m emoscope .*?>\S+", found.stdout, flags=re.S)))
        config.write_text(config.read_text().replace("margin: 0.02 ", "margin: 0.03 "))
    assert commands[0] == commands[1] and {"find-circuits", "find-edges"} <= set(" ".join(commands[0]).split())


@pytest.mark.parametrize("age", ["newer", "older"])
def test_a_model_that_is_exchanged_in_its_folder_reruns_what_reads_it(changeable, age):
    """As a copy over the old file does it, which leaves the folder's date as it was, and may have an older one."""
    folder, made = changeable / "language", (changeable / "language").stat()
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    if age == "older":
        os.utime(folder / "model.safetensors", ns=(made.st_atime_ns, made.st_mtime_ns - 10**12))
    os.utime(folder, ns=(made.st_atime_ns, made.st_mtime_ns))
    jobs = planned(changeable, "all")
    reading = {"score_heads", "compose_heads", "ablate_mlps", "ablate_heads", "attention_weights", "block_attention"}
    reading |= {"train_prompts", "score_prompts", "score_baselines", "read_residual", "measure_writes"}
    reading |= {"train_autoencoder", "twin_autoencoder", "evaluate_autoencoder"}
    assert reading <= jobs.keys() and jobs["train_prompts"] == 2
    assert jobs["score_heads"] == jobs["attention_weights"] == 1, "neither the copier's nor the run's"
    assert not jobs.keys() & {"finetune", "predict", "train_copier", "prepare_task"}


def test_edited_masking_code_reruns_the_masks(edited):
    jobs = edited(MASKING, lambda text: text + "\n# a remark\n")
    masks = {"mask_block": 2, "mask_all_but": 1, "mask_pairs": 1, "summarise_masking": 1, "assess_masking_truth": 1}
    assert jobs == together(masks, {"render_report": 1}, TRUTH, JUDGED)


def test_another_seed_is_another_run_on_the_same_texts(edited):
    jobs = edited("tiny.yaml", lambda text: text.replace("seeds: [1]", "seeds: [2]"))
    for rule in ("generate_corpus", "split_corpus", "flip_terms", "replace_words", "count_words"):
        assert rule not in jobs
    model = {"finetune": 1, "check_exactness": 1, "predict": 1, "evaluate": 1, "select_confident": 1}
    masks = {"masking_reference": 1, "mask_block": 2, "mask_all_but": 1, "mask_pairs": 1, "summarise_masking": 1}
    pairs = {"score_perturbation": 3, "join_scores": 3, "summarise_effects": 3, "trace_pairs": 2}
    pairs |= {"summarise_tracing": 1, "assess_ground_truth": 3, "summarise_flips": 1, "summarise_synonyms": 1}
    pairs |= {"assess_masking_truth": 1, "summarise_fairness": 1}
    pairs |= {"attribute_words": 1, "measure_faithfulness": 1, "summarise_words": 1}
    looks = {"attention_weights": 1, "block_attention": 1, "summarise_attention": 1}
    assert jobs == together(model, masks, pairs, looks, {"render_report": 8}, TRUTH, JUDGED, CARD)


def test_a_second_seed_brings_a_comparison(edited):
    jobs = edited("tiny.yaml", lambda text: text.replace("seeds: [1]", "seeds: [1, 2]"))
    assert jobs.items() >= {"finetune": 1, "compare_runs": 1, "compare_masks": 1, "render_overview": 3}.items()


def test_runs_are_compared_under_their_own_names(changeable):
    """The command pairs names with files by their order, whatever comes first in the alphabet."""
    config = (changeable / "tiny.yaml").read_text()
    (changeable / "tiny.yaml").unlink()
    (changeable / "tiny.yaml").write_text(
        config.replace("name: tiny", "name: zebra").replace("seeds: [1]", "seeds: [2, 10, 1]")
    )
    found = snakemake(changeable, "comparison", "--dry-run", "--printshellcmds")
    assert found.returncode == 0, found.stdout
    runs = ["zebra-s2", "zebra-s10", "zebra-s1"]
    for command, option in (("compare-runs", "--metrics"), ("compare-masks", "--summaries")):
        [said] = re.findall(rf"python -m emoscope {command}.*?>", found.stdout, flags=re.S)
        names = re.search(r"--runs '?(\{.*?\})'? -", said, flags=re.S).group(1)
        files = re.findall(r"results/([\w-]+)/", said.split(option)[1].split(" --")[0])
        assert list(json.loads(names)) == files == runs, said


@pytest.mark.parametrize(
    ("target", "excluded"),
    [
        ("masking", "flip_terms"),
        ("flips", "mask_block"),
        ("features", "erase_concept"),
        *(
            pytest.param(target, other, marks=pytest.mark.slow)
            for target, other in (
                ("performance", "mask_block"),
                ("fairness", "mask_block"),
                ("synonyms", "mask_block"),
                ("tracing", "mask_block"),
                ("circuits", "trace_pairs"),
                ("probing", "trace_pairs"),
                ("words", "mask_block"),
            )
        ),
    ],
)
def test_a_named_target_builds_its_part_only(finished, target, excluded):
    jobs = planned(finished, target, "--forceall")
    assert "finetune" in jobs and excluded not in jobs
    assert jobs["render_report"] == 1


@pytest.mark.parametrize(("target", "rule"), [("claims", "render_overview"), ("reports", "render_index")])
def test_a_target_over_all_runs_builds_its_page(finished, target, rule):
    assert planned(finished, target, "--forceall")[rule] == 1


def test_what_is_built_without_a_target_is_all(finished):
    assert planned(finished, "--forceall") == planned(finished, "all", "--forceall") != {}


@pytest.mark.slow
def test_circuits_probes_and_features_are_made_on_demand(finished, on_demand):
    said = {"circuits": "a flip moves the margin by", "probing": "where the classifier reads", "features": "<mark>"}
    for name, words in said.items():
        page = (on_demand / f"reports/tiny-s1/{name}.html").read_text()
        assert words in page and 'href="masking.html"' in page
    results = on_demand / "results/tiny-s1"

    def findings(name: str) -> pd.Series:
        return pd.read_csv(results / f"{name}.csv").set_index("name")["value"]

    of_nodes, of_edges = findings("circuits/findings"), findings("circuits/edge_findings")
    assert of_nodes["gender.error.integrated_gradients"] < 0.5 and of_nodes["gender.margin"] > 0
    assert of_edges["gender.error.integrated_gradients"] < 0.5
    probed, learned = findings("probing/findings"), findings("features/findings")
    assert probed["gender.without.majority"] == 0.5 and probed["race.read.the_word.0"] > 0.9
    assert learned["explained.autoencoder"] > learned["explained.mean"] == 0
    assert learned["gender.switched"] + learned["gender.stay"] <= 32
    assert of_nodes["class.margin"] > 0
    index = BeautifulSoup((on_demand / "reports/index.html").read_text(), "html.parser")
    assert [link["href"] for link in index.select(".asked a")] == [f"tiny-s1/{name}.html" for name in said]
    assert planned(on_demand, "all") == {}, "no other page waits for them"
    verdicts = [pd.read_csv(one / "reports/claims.csv").set_index("id")["verdict"] for one in (finished, on_demand)]
    before, after = (own["circuits.first_block_leads"] for own in verdicts)
    assert before == "not testable here" != after, "claims on them are judged anew"
    page = "reports/tiny-s1/masking.html"
    assert (on_demand / page).samefile(finished / page), "and no other page is made anew"


def test_snakemakes_own_report(finished, tmp_path):
    archive = tmp_path / "report.zip"
    found = snakemake(finished, "--report", str(archive))
    assert found.returncode == 0, found.stdout
    assert archive.stat().st_size > 100_000


def test_a_mistake_stops_the_workflow_before_any_job(tmp_path):
    project = copy_project(tmp_path / "project")
    overlay = project / "tiny.yaml"
    overlay.write_text(overlay.read_text().replace("learning_rate: 3.0e-3", "learning_rate: 3e-3"))
    found = snakemake(project, "all")
    assert found.returncode == 1
    assert "Traceback" not in found.stdout
    line = next(line for line in found.stdout.splitlines() if line.startswith("emoscope: "))
    assert line == (
        'emoscope: config runs[0].training.learning_rate: "3e-3" is not of type number '
        "(YAML reads 5e-5 as text: write 5.0e-5)"
    )
    assert not (project / "results").exists()


def test_bad_texts_stop_the_workflow_before_training(tmp_path):
    project = copy_project(tmp_path / "project")
    (project / "mine.csv").write_text("text,label\n" + "i am glad,joy\ni am sad,sadness\n" * 9 + "so so,hapiness\n")
    (project / "mine.yaml").write_text(
        "corpora: {mine: {source: csv, path: mine.csv, classes: [sadness, joy]}}\n"
        "runs: [{name: mine, corpus: mine, model: scratch}]\n"
        "companions: []\n"
    )
    found = snakemake(project, "all", config="mine.yaml")
    assert found.returncode == 1
    assert "mine.csv: row 20: unknown label 'hapiness'; known: sadness, joy" in found.stdout
    assert "Traceback" not in found.stdout
    assert not (project / "results").exists()
