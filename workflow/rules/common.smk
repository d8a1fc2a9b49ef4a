"""Helpers for the rules; no rules. Nothing heavy is imported: every job reads this file."""

import hashlib
import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

PACKAGE = Path(workflow.basedir, "workflow")
sys.path.insert(0, str(PACKAGE))

from emoscope.experiments.flips.axes import AXES as FLIPPED
from emoscope.plan import code_inputs
from emoscope.plan.config import check_files, complete, expand_runs
from emoscope.errors import UserError

# jobs find this package, and the Python that runs Snakemake, whether or not its environment was activated
os.environ.update(
    PYTHONPATH=os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH")])),
    PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
)

try:
    config.update(complete(config))
    check_files(config)
except UserError as error:
    sys.exit(f"emoscope: {error}")  # a WorkflowError would bury the line in a traceback

SUGGESTIONS = config["synonyms"].pop("suggestions")  # apart: it changes no count and no report
LICENCES = {  # apart: only the model card shows them
    kind: {name: entry.pop("licence", None) for name, entry in config[kind].items()} for kind in ("corpora", "models")
}
RUNS = expand_runs(config)
AXES = [*config["flips"]["axes"], "synonyms"]
PLANTED = [axis for axis in AXES if axis == "synonyms" or FLIPPED[axis].planted]
GENERATED = [run for run in RUNS if config["corpora"][RUNS[run]["corpus"]]["source"] == "calibration"]
EXPERIMENTS = ["performance", "masking", "flips", "synonyms", "attention"]
COMPANIONS = config["companions"]
WRITEUPS = ["induction", "attention", "prompting", "residual"]
CONTROLS = [name for name in [config["induction"]["control"]] if name and COMPANIONS and name not in COMPANIONS]
INDUCTION_MODELS = COMPANIONS + CONTROLS
INDUCTION_SUMMARIES = ["halves", "positions", "heads", "mlps", "silenced", "pairs"]
INSIDE = ["traces", "patching", "attribution", "lens", "dimensions", "agreement"]  # tables of tracing.smk
SPLIT_KEYS = ("duplicates", "split")
PROVENANCE = [f"results/{name}/provenance.json" for name in [*RUNS, *(f"models/{model}" for model in COMPANIONS)]]


def one_of(names):
    """A regular expression that matches these names and nothing else."""
    return "|".join(map(re.escape, names)) or "(?!)"


ATTENTIVE = one_of([*RUNS, *(f"models/{model}" for model in COMPANIONS)])  # whose attention is read, below results/


def from_source(section, *sources):
    """The names under `section` of the config whose source is one of these."""
    return one_of(name for name, entry in config[section].items() if entry["source"] in sources)


def code_of(module):
    """A module and what it imports inside the package, as inputs of the rule that runs it."""
    return [os.path.relpath(path) for path in code_inputs.code_of(code_inputs.file_of(module))]


def notebook_code(notebook):
    """A report notebook and what it imports inside the package."""
    return [os.path.relpath(path) for path in code_inputs.code_of(PACKAGE / "notebooks" / f"{notebook}.ipynb")]


# read at once: Snakemake takes an error inside an input function for a missing file, and an old page for up to date
NOTEBOOK_CODE = {name: notebook_code(name) for name in {*EXPERIMENTS, *WRITEUPS}}


def as_json(value):
    """Settings as a parameter; a function, or Snakemake would take the braces for wildcards."""
    return lambda wildcards: json.dumps(value, sort_keys=True)


def part_of(section, *keys):
    """Some settings of a section as a parameter, so that changing another one reruns nothing."""
    return as_json({key: config[section][key] for key in keys})


def source_settings(wildcards):
    """Where a corpus comes from, as JSON; how it is split is another rule's business."""
    corpus = config["corpora"][wildcards.corpus]
    return json.dumps({key: value for key, value in corpus.items() if key not in SPLIT_KEYS}, sort_keys=True)


def split_settings(wildcards):
    """How a corpus is split, as JSON."""
    corpus = config["corpora"][wildcards.corpus]
    return json.dumps({key: corpus[key] for key in SPLIT_KEYS}, sort_keys=True)


def model_settings(wildcards):
    """Where a model comes from, as JSON."""
    return json.dumps(config["models"][wildcards.model], sort_keys=True)


def language_model(wildcards):
    """The folder of a pretrained language model."""
    return config["models"][wildcards.model].get("path", f"data/models/{wildcards.model}")


def attention_model(wildcards):
    """The folder of the run's classifier, or of the language model, whose attention is read."""
    if wildcards.subject in RUNS:
        return f"results/{wildcards.subject}/model"
    return language_model(SimpleNamespace(model=wildcards.subject.removeprefix("models/")))


def attention_texts(wildcards):
    """The test texts on which attention is compared with what blocking it does: a run's own."""
    corpus = RUNS[wildcards.subject]["corpus"] if wildcards.subject in RUNS else config["attention"]["corpus"]
    return f"data/corpora/{corpus}/test.parquet"


def attention_tables(folder):
    """The tables that an attention page draws."""
    names = ("weights", "averages", "tokens", "agreement", "heads")
    return {"findings": f"{folder}/attention/findings.csv"} | {
        name: f"{folder}/attention/{name}.parquet" for name in names
    }


def block_count(wildcards):
    """How many blocks a language model is said to have."""
    return config["models"][wildcards.model]["blocks"]


def corpus_of(name):
    """A file of the run's corpus; `name` may hold wildcards."""
    return lambda wildcards: f"data/corpora/{RUNS[wildcards.run]['corpus']}/{name.format(**wildcards)}"


def shipped(path):
    """A file that comes with the workflow, wherever the working directory is."""
    return os.path.relpath(Path(workflow.basedir, path))


def flip_lexicon(wildcards):
    """The words of one flip."""
    return shipped(f"data/lexicons/{FLIPPED[wildcards.axis].words}")


def blocks_of(run):
    """The numbers of the transformer blocks of a run's model."""
    return range(config["models"][RUNS[run]["model"]]["blocks"])


def local_corpus_files(wildcards):
    """The files behind a local corpus."""
    path = Path(config["corpora"][wildcards.corpus]["path"])
    return sorted(map(str, path.glob("*.txt"))) or [str(path)] if path.is_dir() else [str(path)]


def digests_of(files):
    """SHA-256 of a user's files as a parameter: a replacement may be older than the outputs, so dates do not tell."""

    def digest(file):
        with open(file, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    return lambda wildcards: [digest(file) for file in files(wildcards)]


def base_model(wildcards):
    """The folder that fine-tuning starts from; nothing for a model that starts from random weights."""
    name = RUNS[wildcards.run]["model"]
    model = config["models"][name]
    return {"scratch": [], "path": [model.get("path")]}.get(model["source"], [f"data/models/{name}"])


def training_settings(wildcards):
    """All that decides a fine-tuned model besides its data."""
    run = RUNS[wildcards.run]
    model = config["models"][run["model"]]
    return json.dumps({"model": model, "training": run["training"], "seed": run["seed"]}, sort_keys=True)


def growing(amount):
    """amount x attempt, in MB or minutes: what was too little once may then be enough."""
    return lambda wildcards, attempt: amount * attempt


def perturbation_pairs(wildcards):
    """The perturbation sets of the run's corpus, in the order of AXES."""
    return [f"data/corpora/{RUNS[wildcards.run]['corpus']}/perturbations/{axis}.parquet" for axis in AXES]


def suggestion_tables(wildcards):
    """Suggested synonyms for every corpus that a run uses; where none are wanted, the end and how to want some."""
    if not SUGGESTIONS:
        sys.exit("emoscope: config synonyms.suggestions is 0; set it to how many synonyms each word should get")
    return sorted({f"data/corpora/{run['corpus']}/perturbations/suggestions.csv" for run in RUNS.values()})


def pretrained(model):
    """What names the weights that a model starts from; nothing for random ones."""
    return None if model["source"] == "scratch" else {key: model[key] for key in sorted(model) if key != "blocks"}


# as the commands that compare runs want to know them
COMPARED = {
    name: {"group": run["name"], "blocks": model["blocks"], "weights": pretrained(model)}
    for name, run in RUNS.items()
    for model in [config["models"][run["model"]]]
}
COMPARISON_TABLES = {name: f"results/comparison/{name}.parquet" for name in ("measures", "masks", "correlations")} | {
    run: f"results/{run}/training.json" for run in RUNS
}


def comparison_page(wildcards):
    """The page that sets runs side by side; where there is but one, the end and what is missing."""
    if len(RUNS) < 2:
        sys.exit(f"emoscope: nothing to compare {next(iter(RUNS))} with; add a seed to `seeds` or a run to `runs`")
    return "reports/comparison.html"


def run_settings(wildcards):
    """A run's name, corpus and model, as JSON."""
    run = RUNS[wildcards.run]
    settings = {
        "name": wildcards.run,
        "corpus": config["corpora"][run["corpus"]],
        "model": config["models"][run["model"]],
    }
    return json.dumps(settings, sort_keys=True)


def card_settings(wildcards):
    """What a run's model card says of its settings, as JSON."""
    run = RUNS[wildcards.run]
    return json.dumps(
        json.loads(run_settings(wildcards))
        | {"training": run["training"], "seed": run["seed"], "confidence": config["statistics"]["confidence"]}
        | {"licences": {"texts": LICENCES["corpora"][run["corpus"]], "model": LICENCES["models"][run["model"]]}},
        sort_keys=True,
    )


def planted(run):
    """The truth behind a generated corpus, by name; nothing for any other."""
    return {"truth": f"data/corpora/{RUNS[run]['corpus']}/truth.json"} if run in GENERATED else {}


def published(table):
    """A table of published numbers."""
    return shipped(f"data/reference/{table}.csv")


def report_tables(wildcards):
    """The tables that each report draws, by the name under which its notebook knows them."""
    run = f"results/{wildcards.run}"
    corpus = f"data/corpora/{RUNS[wildcards.run]['corpus']}"
    perturbed = f"{run}/perturbations"
    truth = planted(wildcards.run)
    axes = {"flips": config["flips"]["axes"], "synonyms": ["synonyms"]}.get(wildcards.experiment, [])
    box = {"ground_truth": [f"{run}/ground_truth/{axis}.csv" for axis in axes if axis in PLANTED]} if truth else {}
    common = {"audit": f"{corpus}/corpus.json", "training": f"{run}/training.json", **truth}
    own = {
        "performance": {
            "metrics": f"{run}/metrics.json",
            "performance": published("performance"),
            "class_counts": published("class_counts"),
        },
        "masking": {
            "samples": f"{run}/samples.parquet",
            "summary": f"{run}/masking/summary.parquet",
            "all_but": f"{run}/masking/all_but_summary.parquet",
            "table1": published("table1_head_masking"),
            "table2": published("table2_all_but_block0"),
        },
        "flips": {
            f"{axis}_{kind}": path
            for axis in config["flips"]["axes"]
            for kind, path in {
                "pairs": f"{corpus}/perturbations/{axis}.parquet",
                "scores": f"{perturbed}/{axis}_scores.parquet",
                "summary": f"{perturbed}/{axis}_summary.parquet",
                **{kind: f"{perturbed}/{axis}_{kind}.parquet" for kind in INSIDE},
            }.items()
        }
        | {"table4": published("table4_gender_flip_differences")}
        | box,
        "synonyms": {
            "words": f"{corpus}/perturbations/words.parquet",
            "pairs": f"{corpus}/perturbations/synonyms.parquet",
            "scores": f"{perturbed}/synonyms_scores.parquet",
            "summary": f"{perturbed}/synonyms_summary.parquet",
            "table3": published("table3_synonyms"),
        }
        | box,
        "attention": attention_tables(run),
    }[wildcards.experiment]
    controls = {
        "performance": {
            "predictions": gather.predict(f"{run}/predictions/{{scatteritem}}.parquet"),
            "test": f"{corpus}/test.parquet",
        },
        "masking": {"masks": [f"{run}/masking/block_{block}.parquet" for block in blocks_of(wildcards.run)]},
    }
    return common | own | (controls.get(wildcards.experiment, {}) if truth else {})


def run_tables(wildcards):
    """All that a run's pages read."""
    pages = [report_tables(SimpleNamespace(run=wildcards.run, experiment=name)) for name in EXPERIMENTS]
    return sorted(set(flatten([*page.values()] for page in pages)))


def run_results(wildcards):
    """What a run made; `training.json`, which tells the time, is recorded by what it says."""
    folder = f"results/{wildcards.run}"
    made = [path for path in run_tables(wildcards) if path.startswith(f"{folder}/")]
    made = [path for path in made if path != f"{folder}/training.json"]
    return [f"{folder}/model", f"{folder}/README.md", f"{folder}/claims.csv", *made]


def run_inputs(wildcards):
    """What a run was made from: texts, the model to start from, word lists, published numbers."""
    corpus = RUNS[wildcards.run]["corpus"]
    local = local_corpus_files(SimpleNamespace(corpus=corpus)) if "path" in config["corpora"][corpus] else []
    words = [flip_lexicon(SimpleNamespace(axis=axis)) for axis in config["flips"]["axes"]]
    words += [shipped(f"data/lexicons/{name}") for name in ("synonyms.csv", "neutral.csv", "stopwords.txt")]
    texts = [f"data/corpora/{corpus}/{part}.parquet" for part in ("train", "test")]
    read = [path for path in run_tables(wildcards) if not path.startswith(f"results/{wildcards.run}/")]
    claims = shipped("data/reference/claims.yaml")
    return list(dict.fromkeys([*local, *texts, *base_model(wildcards), *words, *read, claims]))


def run_record(wildcards):
    """All settings behind a run, as JSON."""
    sections = ("prediction", "samples", "masking", "flips", "synonyms", "attention", "statistics")
    return json.dumps(
        json.loads(run_settings(wildcards))
        | {
            "training": RUNS[wildcards.run]["training"],
            "seed": RUNS[wildcards.run]["seed"],
            **{section: config[section] for section in sections},
        }
    )


def report_settings(wildcards):
    """What made a report's tables: the run with its corpus and model, and the experiment's own settings."""
    run = RUNS[wildcards.run]
    own = {"masking": ["samples", "masking"]} | {name: [name] for name in ("flips", "synonyms", "attention")}
    return {
        "run": run,
        "corpus": config["corpora"][run["corpus"]],
        "model": config["models"][run["model"]],
        **{section: config[section] for section in [*own.get(wildcards.experiment, []), "statistics"]},
    }


def report_parameters(wildcards):
    """All that a report page is made from, as JSON."""
    pages = {name.capitalize(): f"reports/{wildcards.run}/{name}.html" for name in EXPERIMENTS}
    parameters = {
        "run": wildcards.run,
        "paths": report_tables(wildcards),
        "settings": report_settings(wildcards),
        "links": {"All reports": "reports/index.html", **pages, "Claims": "reports/claims.html"},
        **{"script": script for script in page_script(wildcards.experiment)},
    }
    return json.dumps(parameters)


def page_script(name):
    """The script that a page runs; only the attention viewer has one."""
    return [shipped("workflow/report/attention_viewer.js")] if name == "attention" else []


TASKS = {task["name"]: task for task in config["prompting"]["tasks"]}


def task_settings(wildcards):
    """Where the texts of a prompting task come from, as JSON."""
    return json.dumps(TASKS[wildcards.task], sort_keys=True)


def task_files(wildcards):
    """The local files behind a prompting task."""
    task = TASKS[wildcards.task]
    return [task["train"], task["test"]] if task["source"] == "files" else []


def prompting_settings(wildcards):
    """How prompts are trained and scored, whatever the tasks, as JSON."""
    return json.dumps({key: value for key, value in config["prompting"].items() if key != "tasks"}, sort_keys=True)


# megabytes: the states of the texts, and the model at work
PROMPTING_MEMORY = int(1000 * config["prompting"]["cache_gb"]) + 4000


def writeup_tables(wildcards):
    """The tables that each companion write-up's page draws, by the name under which its notebook knows them."""
    folder = f"results/models/{wildcards.model}"
    own = {
        "attention": attention_tables(folder) | {"published": published("attention_explore")},
        "induction": {"patterns": f"{folder}/induction/patterns.parquet", "published": published("induction")}
        | {name: f"{folder}/induction/summaries/{name}.parquet" for name in INDUCTION_SUMMARIES}
        | ({"control": f"results/models/{CONTROLS[0]}/induction/findings.csv"} if CONTROLS else {}),
        "prompting": {
            name: f"{folder}/prompting/{name}.parquet" for name in ("reports", "correlations", "alone", "checks")
        }
        | {
            "history": f"{folder}/prompting/history.csv",
            "tasks": f"{folder}/prompting/tasks.json",
            "published": published("prompting"),
        },
        "residual": {
            name: f"{folder}/residual/{name}.parquet"
            for name in (
                *("positions", "sentences", "curves", "norms", "overlaps", "histogram"),
                *("reconstruction", "patched", "features", "texts", "associations", "shuffles", "chosen"),
            )
        }
        | {"history": f"{folder}/residual/training.csv", "published": published("notebook_positions")},
    }[wildcards.writeup]
    return {"findings": f"{folder}/{wildcards.writeup}/findings.csv"} | own


def writeup_results(wildcards):
    """What the write-ups made of a language model."""
    folder = f"results/models/{wildcards.model}/"
    pages = [writeup_tables(SimpleNamespace(model=wildcards.model, writeup=name)) for name in WRITEUPS]
    made = sorted({path for page in pages for path in page.values() if path.startswith(folder)})
    return [*made, f"{folder}claims.csv"]


def writeup_inputs(wildcards):
    """What they were made from: the model, texts, published numbers."""
    texts = [f"data/corpora/{config['attention']['corpus']}/test.parquet"]
    texts += [f"data/corpora/{config['residual']['corpus']}/train.parquet"]
    texts += [f"data/tasks/{task}/{part}.parquet" for task in TASKS for part in ("train", "test")]
    return [language_model(wildcards), *dict.fromkeys(texts), shipped("data/reference/claims.yaml")]


def writeup_record(wildcards):
    """All settings behind the findings on a language model, as JSON."""
    settings = {section: config[section] for section in [*WRITEUPS, "statistics"]}
    return json.dumps({"model": config["models"][wildcards.model], **settings})


def writeup_parameters(wildcards):
    """All that a companion write-up's page is made from, as JSON."""
    writeups = WRITEUPS if wildcards.model in COMPANIONS else ["induction"]
    pages = {name.capitalize(): f"reports/models/{wildcards.model}/{name}.html" for name in writeups}
    parameters = {
        "run": wildcards.model,
        "kind": "language model",
        "paths": writeup_tables(wildcards),
        "settings": {
            "model": config["models"][wildcards.model],
            wildcards.writeup: config[wildcards.writeup],
            "statistics": config["statistics"],
        },
        "links": {"All reports": "reports/index.html", **pages, "Claims": "reports/claims.html"},
        **{"script": script for script in page_script(wildcards.writeup)},
    }
    return json.dumps(parameters)


def writeup_settings(wildcards):
    """A language model's name and settings, and the tasks of its prompts, as JSON."""
    tasks = config["prompting"].get("tasks", [])
    return json.dumps(
        {"name": wildcards.model, "model": config["models"][wildcards.model], "tasks": tasks}, sort_keys=True
    )
