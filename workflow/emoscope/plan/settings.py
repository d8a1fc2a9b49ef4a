"""A whole configuration, complete and checked. Imported by the Snakefile: nothing heavy in here."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emoscope.errors import UserError
from emoscope.experiments.flips.axes import AXES
from emoscope.plan.apart import check_apart
from emoscope.plan.config import complete, expand_runs
from emoscope.plan.files import check_files
from emoscope.plan.subjects import ADOPTED, MatchedCorpus, Model, Run
from emoscope.plan.texts import Corpus, Suite, Task


@dataclass(frozen=True)
class Study:
    """A whole configuration, complete and checked."""

    config: dict[str, Any]
    corpora: dict[str, Corpus]
    models: dict[str, Model]
    runs: dict[str, Run]
    tasks: dict[str, Task]
    suites: dict[str, Suite]
    suggestions: int  # apart from `synonyms`: it changes no count and no report

    @property
    def matched_corpora(self) -> dict[str, MatchedCorpus]:
        """Those that adopted runs have of their own."""
        return {name: corpus for name, corpus in self.corpora.items() if isinstance(corpus, MatchedCorpus)}

    @property
    def own_corpora(self) -> dict[str, Corpus]:
        """All others, those of the configuration."""
        return {name: corpus for name, corpus in self.corpora.items() if name not in self.matched_corpora}

    @property
    def companions(self) -> dict[str, Model]:
        """The language models that the write-ups take apart."""
        return {name: self.models[name] for name in self.config["companions"]}

    @property
    def copiers(self) -> dict[str, Model]:
        """The model that surely has an induction circuit, beside the companions, if there are any."""
        name = self.config["induction"]["control"]
        return {name: self.models[name]} if name and self.companions and name not in self.companions else {}

    @property
    def results(self) -> list[str]:
        """The folders that get what is found about each classifier and language model."""
        return [found.results for kind in (self.runs, self.companions, self.copiers) for found in kind.values()]

    @property
    def given(self) -> dict[str, list[str]]:
        """The local files and folders that are read and not made here, by their place in the configuration."""
        runs, companions = self.runs.values(), self.companions.values()
        corpora = [run.corpus.parent if isinstance(run.corpus, MatchedCorpus) else run.corpus for run in runs]
        corpora += [self.corpora[self.config[part]["corpus"]] for part in ("attention", "residual") if companions]
        models = [*(run.model for run in runs), *companions]
        found = {f"models.{one.name}": [one.folder, *one.files()] for one in models if "path" in one.entry}
        found |= {f"corpora.{one.name}": one.files() for one in corpora}
        found |= {f"suites.{one.name}": [one.path] for run in runs for one in run.suites}
        tasks = enumerate(self.tasks.values() if companions else ())
        return found | {f"prompting.tasks[{position}]": task.files() for position, task in tasks}

    @property
    def axes(self) -> list[str]:
        """What is changed in texts: the axes of flips, and synonyms."""
        return [*self.config["flips"]["axes"], "synonyms"]

    @property
    def planted_axes(self) -> list[str]:
        """Those of which a generated corpus holds the truth."""
        return [axis for axis in self.axes if axis == "synonyms" or AXES[axis].planted]

    @property
    def generated_runs(self) -> dict[str, Run]:
        """The runs on generated texts."""
        return {name: run for name, run in self.runs.items() if run.corpus.generated}

    @property
    def dosed_axes(self) -> list[str]:
        """The axes of flips on which generated runs differ in the size of what is planted."""
        entries = [run.corpus.entry for run in self.generated_runs.values()]
        sizes = {
            axis: {entry.get(f"{axis}_effect") for entry in entries} - {None} for axis in self.config["flips"]["axes"]
        }
        return [axis for axis, found in sizes.items() if len(found) > 1]

    def planted_effects(self, run: Run, axes: list[str]) -> dict[str, list[str]]:
        """What was planted and found along these axes, for the pages that show it; nothing where it is not known."""
        if not run.corpus.generated:
            return {}
        return {
            "ground_truth": [f"{run.results}/ground_truth/{axis}.csv" for axis in axes if axis in self.planted_axes]
        }

    def attention_corpus(self, subject: Run | Model) -> Corpus:
        """On whose texts attention is compared with what blocking it does: a run's own."""
        return subject.corpus if isinstance(subject, Run) else self.corpora[self.config["attention"]["corpus"]]

    def suggestion_tables(self) -> list[str]:
        """Suggested synonyms for every corpus that a run uses; where none are wanted, the end and how to want some."""
        if not self.suggestions:  # called in an input function, of whose UserError Snakemake would make a traceback
            sys.exit("emoscope: config synonyms.suggestions is 0; set it to how many synonyms each word should get")
        return sorted({f"{run.corpus.folder}/perturbations/suggestions.csv" for run in self.runs.values()})


def read_study(config: Mapping[str, Any], made_later: bool = False) -> Study:
    """Complete and check a configuration; UserError at the first mistake. `made_later` as in `check_files`."""
    try:
        config = complete(config)
        check_files(config, made_later)
    except OSError as error:  # such as a folder that its owner keeps to himself
        raise UserError(f"{error.filename}: {error.strerror}; name a file or folder that can be read") from None
    suggestions = config["synonyms"].pop("suggestions")
    corpora, models = (_named(config[section], kind) for section, kind in (("corpora", Corpus), ("models", Model)))
    suites = {name: Suite(name, entry) for name, entry in config["suites"].items()}
    runs = {name: _run(name, entry, corpora, models, suites) for name, entry in expand_runs(config).items()}
    corpora |= {run.corpus.name: run.corpus for run in runs.values()}
    tasks = {entry["name"]: Task(entry["name"], entry) for entry in config["prompting"]["tasks"]}
    study = Study(config, corpora, models, runs, tasks, suites, suggestions)
    check_apart(study.given, study.results)
    return study


def _run(
    name: str, entry: dict, corpora: Mapping[str, Corpus], models: Mapping[str, Model], suites: Mapping[str, Suite]
) -> Run:
    """A run; one that is adopted has a corpus of its own, whose name no configured one can have."""
    corpus, model = corpora[entry["corpus"]], models[entry["model"]]
    if entry["training"] == ADOPTED:
        own, labels = f"{corpus.name}.{entry['name']}", entry.get("labels", {})
        corpus = MatchedCorpus(own, corpus.entry, corpus.licence, parent=corpus, model=model, labels=labels)
    return Run(name, entry, corpus, model, tuple(suites[suite] for suite in entry.get("suites", suites)))


def _named(entries: dict[str, dict], kind: Callable) -> dict:
    """Takes the licences out of the entries: a changed one reruns nothing but model cards."""
    return {name: kind(name, entry, entry.pop("licence", None)) for name, entry in entries.items()}
