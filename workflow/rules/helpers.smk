"""Functions that the rules share; no rules. Read after common.smk, whose names they use."""

import json
import re

from snakemake.io import sourcecache_entry

from emoscope.experiments.circuits.names import CLASS
from emoscope.storage.hashes import digests, sha256_of
from emoscope.verdicts.claims.rooms import rooms_on_demand


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


def seeded(section, *keys):
    """Such a part, and the seed that whatever looks at a run draws by."""
    return as_json({key: config[section][key] for key in keys} | {"seed": config["statistics"]["seed"]})


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


def of_each_axis(name, axes=AXES):
    """A file of the run's corpus for each axis; `name` holds {axis}."""
    return lambda wildcards: [f"{RUNS[wildcards.run].corpus.folder}/{name.format(axis=axis)}" for axis in axes]


def of_each_suite(name):
    """A file for each suite of a run; `name` may hold {run}, {corpus} and {suite}."""
    return lambda wildcards: [
        name.format(run=wildcards.run, corpus=RUNS[wildcards.run].corpus.folder, suite=suite.name)
        for suite in RUNS[wildcards.run].suites
    ]


def own_files(model):
    """The files of a model in a folder of the user's own, as inputs; it is there before anything is planned."""
    return list(map(local, model.files()))


def own_stamps(model):
    """What tells those files from others, as a parameter: files that take their place may be older than the outputs."""
    return model.stamps()


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


def pairs_of_circuits(wildcards):
    """The flips of an axis, or the texts whose classes are exchanged."""
    return corpus_of("test.parquet" if wildcards.axis == CLASS else "perturbations/{axis}.parquet")(wildcards)


def made_on_demand(wildcards):
    """The findings of rooms on demand that there are, by name with their SHA-256. They are no inputs, so that nothing is
    made for the claims' sake, but a parameter, so that claims are judged anew once they are made."""
    asked = rooms_on_demand(ROOT / "data/reference/claims.yaml")
    files = (Path(f"results/{wildcards.run}/{room}/findings.csv") for room in asked)
    return {str(file): sha256_of(file) for file in files if file.is_file()}


def documents(names):
    """Documents that explain a page, as a parameter: an edit to one makes no page again."""
    return [str(HERE / "docs" / name) for name in names]
