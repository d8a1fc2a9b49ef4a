"""Helpers for the rules; no rules. What can be computed from the configuration is in emoscope.plan. Nothing heavy is
imported: every job reads this file."""

import json
import re
import sys
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.io import sourcecache_entry
from snakemake.utils import update_config


include: "checkout.smk"


ROOT = checkout_of(workflow.current_basedir)
PACKAGE = ROOT / "workflow"
# Snakemake puts the Snakefile's folder first, and would import a pandas.py that lies there
sys.path[:] = [str(PACKAGE), *(folder for folder in sys.path if folder != str(ROOT))]

from emoscope.errors import UserError
from emoscope.experiments.flips.axes import AXES as FLIPPED
from emoscope.plan import code_inputs, records
from emoscope.plan.config import typed
from emoscope.plan.pages import EXPLAIN_INDEX, Overview, Page, Pages, files_in, where_to_look
from emoscope.plan.settings import read_study
from emoscope.plan.storages import forget_missing_folders
from emoscope.storage.hashes import digests
from emoscope.warm import start as warm

AS_MODULE = not workflow.modifier.is_main_snakefile()


include: "environment.smk"


if AS_MODULE and (workflow.modifier.path_modifier.prefix or workflow.modifier.path_modifier.modifies_prefixes):
    sys.exit(
        "emoscope: `prefix` moves a module's files without its jobs; leave it out, and name runs and corpora apart"
    )
if workflow.modifier.skip_configfile:  # a module with a configuration of its user's, which lies over the default
    ours = load_configfile(ROOT / "config.yaml")
    update_config(ours, config)
    config.update(ours)
else:
    update_config(config, typed(workflow.config_settings.config))
try:
    STUDY = read_study(config, made_later=AS_MODULE or workflow.remote_exec)  # a node may not see the user's texts
except UserError as error:
    sys.exit(f"emoscope: {error}")  # a WorkflowError would bury the line in a traceback

config.update(STUDY.config)
CORPORA, MODELS, RUNS, TASKS, SUITES = STUDY.corpora, STUDY.models, STUDY.runs, STUDY.tasks, STUDY.suites
COMPANIONS = STUDY.companions
SUBJECTS = {subject.place: subject for subject in [*RUNS.values(), *COMPANIONS.values(), *STUDY.copiers.values()]}
WORKED_ON = {"run": RUNS, "model": MODELS, "subject": SUBJECTS}  # what a job's wildcards may name
for own in [*MODELS.values(), *SUITES.values(), *TASKS.values()]:  # no storage holds what is the user's
    own.entry.update({key: local(path) for key, path in own.entry.items() if key in ("path", "train", "test")})
if "snakemake_storage_plugin_s3" in sys.modules:
    forget_missing_folders(sys.modules["snakemake_storage_plugin_s3"].StorageObject)
HERE = code_inputs.seen_from_here(ROOT)
PAGES = Pages()  # each rule file adds its own


def one_of(names):
    """A regular expression that matches these names and nothing else."""
    return "|".join(map(re.escape, names)) or "(?!)"


def from_source(entries, *sources):
    """The names of the corpora or models whose source is one of these."""
    return one_of(name for name, one in entries.items() if one.entry["source"] in sources)


def code_of(*modules):
    """Modules and what they import inside the package, as inputs of the rule that runs them."""
    return [shipped(path) for path in code_inputs.code_of(*map(code_inputs.file_of, modules))]


def as_json(value):
    """Settings as a parameter, or what a function of the wildcards makes them; Snakemake must not see the braces."""
    return lambda wildcards: json.dumps(value(wildcards) if callable(value) else value, sort_keys=True)


def part_of(section, *keys):
    """Some settings of a section as a parameter, so that changing another one reruns nothing."""
    return as_json({key: config[section][key] for key in keys})


def shipped(path):
    """A file that comes with the workflow, by a name that stays the same wherever the workflow lies; in no storage, but
    on every node. Not `local`: a job that reads such a file never leaves this machine."""
    name = str(HERE / Path(ROOT, path).relative_to(ROOT))
    return sourcecache_entry(name, name)


def published(table):
    """A table of published numbers."""
    return shipped(f"data/reference/{table}.csv")


def corpus_of(name):
    """A file of the run's corpus; `name` may hold wildcards."""
    return lambda wildcards: f"{RUNS[wildcards.run].corpus.folder}/{name.format(**wildcards)}"


def parent_of(name):
    """A file of the corpus whose texts a corpus with matched labels has."""
    return lambda wildcards: f"{STUDY.matched_corpora[wildcards.corpus].parent.folder}/{name}"


def of_each_suite(name):
    """A file for each suite of a run; `name` may hold {run}, {corpus} and {suite}."""
    return lambda wildcards: [
        name.format(run=wildcards.run, corpus=RUNS[wildcards.run].corpus.folder, suite=suite.name)
        for suite in RUNS[wildcards.run].suites
    ]


def exactness_of(wildcards):
    """What is exact for a classifier; language models are checked when they are loaded."""
    return [f"results/{wildcards.subject}/exactness.json"] if wildcards.subject in RUNS else []


def threads_of(most):
    """Threads of a job, and as a parameter what it computes with, whatever cores it gets: at most so many, one for a
    small model."""

    def threads(wildcards):
        found = (known[name] for kind, known in WORKED_ON.items() if (name := wildcards.get(kind)))
        return min(most, next(found).threads)

    return threads


def digests_of(files):
    """SHA-256 of a user's files as a parameter: a replacement file may be older than the outputs, so dates do not tell.
    Of a module, other rules may yet make them, and Snakemake knows when."""
    return lambda wildcards: [] if AS_MODULE else digests(files(wildcards))


def growing(amount):
    """amount x attempt, in MB or minutes: what was too little once may then be enough."""
    return lambda wildcards, attempt: amount * attempt
