"""A configuration as typed, frozen settings, which know their folders and which part of them each job depends on.

Imported by the Snakefile: nothing heavy in here. Plain dataclasses over `config.schema.yaml`, not pydantic models: the
schema is read by editors and people as well, and its messages are better than what validators of types say.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from emoscope.data.class_names import LISTED, has_several
from emoscope.experiments.flips.axes import AXES
from emoscope.models.folder import width_in
from emoscope.plan.config import check_files, complete, expand_runs

ADOPTED = "none"  # what the settings of a run say for its training if it is adopted
SPLIT = ("duplicates", "split")  # what of a corpus's settings says how to split it
THREADS = 8  # among which products of large matrices are shared out
NARROW = 256  # width below which a job shares out too little: at width 96, two threads took 1.25 times one's speed


@dataclass(frozen=True)
class Corpus:
    """Labelled texts. `entry` is theirs under `corpora`, but for the licence, which only a model card shows."""

    name: str
    entry: Mapping[str, Any]
    licence: str | None = None

    @property
    def folder(self) -> str:
        return f"data/corpora/{self.name}"

    @property
    def generated(self) -> bool:
        """Whether what its texts hold is known, since it was planted there."""
        return self.entry["source"] == "calibration"

    @property
    def planted_words(self) -> list[str]:
        """The table of the words that decide its sentences, if that is known."""
        return [f"{self.folder}/words.parquet"] if self.generated else []

    @property
    def multilabel(self) -> bool:
        """Whether a text may have several labels, or none."""
        return has_several(self.entry)

    @property
    def origin(self) -> dict:
        """Where the texts come from."""
        return {key: value for key, value in self.entry.items() if key not in SPLIT}

    @property
    def division(self) -> dict:
        """How they are split."""
        return {key: self.entry[key] for key in SPLIT}

    def files(self) -> list[str]:
        """The local files behind it; none if it is generated or downloaded."""
        if "path" not in self.entry:
            return []
        path, source = Path(self.entry["path"]), self.entry["source"]
        if "splits" in self.entry:
            return [str(path / name) for name in self.entry["splits"].values()]
        endings = {"semicolon": ["*.txt"], "parallel": ["*.txt"], "tabbed": ["*.tsv", LISTED]}
        found = [file for ending in endings.get(source, [f"*.{source}"]) for file in path.rglob(ending)]
        return sorted(map(str, found)) or [str(path)]


@dataclass(frozen=True)
class Model:
    """Where a fine-tuning starts, or a language model for the write-ups. `entry` is its own under `models`."""

    name: str
    entry: Mapping[str, Any]
    licence: str | None = None
    kind: ClassVar = "language model"

    @property
    def place(self) -> str:
        """Where its results and pages are, below results/ and reports/."""
        return f"models/{self.name}"

    @property
    def results(self) -> str:
        return f"results/{self.place}"

    @property
    def folder(self) -> str:
        """Where its weights are: the user's own folder for one of source `path`."""
        return self.entry.get("path", f"data/models/{self.name}")

    @property
    def base(self) -> list[str]:
        """The folder that a fine-tuning starts from; nothing for random weights."""
        return [] if self.entry["source"] == "scratch" else [self.folder]

    @property
    def narrow(self) -> bool:
        """Whether its matrices are too small for several threads; no, where the width is not known before it runs."""
        width = width_in(Path(self.entry["path"])) if "path" in self.entry else self.entry.get("width")
        return (width or NARROW) < NARROW

    @property
    def threads(self) -> int:
        """With how many threads a write-up computes; with one where many jobs on a small model keep all cores busy."""
        return 1 if self.narrow or self.entry["source"] == "package" else THREADS

    @property
    def weights(self) -> dict | None:
        """What names the pretrained weights; nothing for random ones."""
        if self.entry["source"] == "scratch":
            return None
        return {key: self.entry[key] for key in sorted(self.entry) if key not in ("blocks", "family")}

    @property
    def about(self) -> dict:
        """What a page about it says of its settings."""
        return {"model": self.entry}

    def page_tables(self) -> dict[str, str]:
        return {}


@dataclass(frozen=True, kw_only=True)
class MatchedCorpus(Corpus):
    """The texts of another corpus, `parent`, their labels numbered as those of an adopted `model`.

    `labels` maps labels of the model to classes that are called otherwise.
    """

    parent: Corpus
    model: Model
    labels: Mapping[str, str]

    @property
    def planted_words(self) -> list[str]:
        return self.parent.planted_words

    @property
    def matching(self) -> dict:
        """How labels are matched: `whole`, if each class must have a label."""
        return {"labels": self.labels, "whole": self.generated}


@dataclass(frozen=True)
class Suite:
    """Pairs of texts that others wrote; `entry` is its own under `suites`."""

    name: str
    entry: Mapping[str, Any]

    @property
    def path(self) -> str:
        return self.entry["path"]


@dataclass(frozen=True)
class Run:
    """One classifier, fine-tuned or adopted. `entry` is its own under `runs`, with one `seed` instead of `seeds`."""

    name: str
    entry: Mapping[str, Any]
    corpus: Corpus
    model: Model
    suites: tuple[Suite, ...] = ()
    kind: ClassVar = "run"

    @property
    def place(self) -> str:
        """Where its results and pages are, below results/ and reports/."""
        return self.name

    @property
    def results(self) -> str:
        return f"results/{self.name}"

    @property
    def folder(self) -> str:
        """Where its weights are, once it is trained."""
        return f"{self.results}/model"

    @property
    def group(self) -> str:
        """What runs have in common that differ in their seed only."""
        return self.entry["name"]

    @property
    def threads(self) -> int:
        """With how many threads it is trained and read; a narrow one leaves the other cores to other jobs."""
        return 1 if self.model.narrow else THREADS

    @property
    def adopted(self) -> bool:
        """Whether it was trained elsewhere and is taken as it is."""
        return self.entry["training"] == ADOPTED

    @property
    def training(self) -> dict | str:
        return self.entry["training"]

    @property
    def recipe(self) -> dict:
        """All that decides the fine-tuned model besides its data."""
        return {"model": self.model.entry, "training": self.training, "seed": self.entry["seed"]}

    @property
    def asked_thresholds(self) -> dict:
        """From which probability on its labels are given, or how that is found out; null for the usual one."""
        return {"thresholds": self.entry.get("thresholds")}

    @property
    def thresholds(self) -> list[str]:
        """The file that says so, if a text may be given several labels."""
        return [f"{self.results}/thresholds.json"] if self.corpus.multilabel else []

    @property
    def validation(self) -> list[str]:
        """The texts that thresholds are chosen on, if they are."""
        chosen = self.asked_thresholds["thresholds"] == "validation"
        return [f"{self.corpus.folder}/validation.parquet"] if chosen else []

    @property
    def judging_epochs(self) -> list[str]:
        """The texts that its epochs are judged by, if the best one's weights are kept."""
        best = not self.adopted and self.training.get("keep") == "best"
        return [f"{self.corpus.folder}/validation.parquet"] if best else []

    @property
    def masked_blocks(self) -> list[str]:
        """The table of what masking each block does."""
        return [f"{self.results}/masking/block_{block}.parquet" for block in range(self.model.entry["blocks"])]

    @property
    def identity(self) -> dict:
        """Its name, corpus and model, and what others have published of it."""
        published = {"published": self.entry["published"]} if "published" in self.entry else {}
        return {"name": self.name, "corpus": self.corpus.entry, "model": self.model.entry} | published

    @property
    def compared(self) -> dict:
        """What a comparison of runs needs to know of it."""
        return {"group": self.group, "blocks": self.model.entry["blocks"], "weights": self.model.weights}

    @property
    def about(self) -> dict:
        """What a page about it says of its settings."""
        return {"run": self.entry, "corpus": self.corpus.entry, "model": self.model.entry}

    def page_tables(self) -> dict[str, str]:
        """What every page about it reads: how its texts came about, its training, and what was planted, if known."""
        tables = {"audit": f"{self.corpus.folder}/corpus.json", "training": f"{self.results}/training.json"}
        return tables | ({"truth": f"{self.corpus.folder}/truth.json"} if self.corpus.generated else {})

    def card(self, confidence: float) -> dict:
        """What its model card says of its settings."""
        licences = {"texts": self.corpus.licence, "model": self.model.licence}
        own = {"training": self.training, "seed": self.entry["seed"], "confidence": confidence, "folder": self.folder}
        return self.identity | own | {"licences": licences}


@dataclass(frozen=True)
class Task:
    """Texts with labels that prompts are trained for; `entry` is its own under `prompting.tasks`."""

    name: str
    entry: Mapping[str, Any]

    def files(self) -> list[str]:
        """The local files behind it; none if it is generated or downloaded."""
        return [self.entry["train"], self.entry["test"]] if self.entry["source"] == "files" else []


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
        if not self.suggestions:
            sys.exit("emoscope: config synonyms.suggestions is 0; set it to how many synonyms each word should get")
        return sorted({f"{run.corpus.folder}/perturbations/suggestions.csv" for run in self.runs.values()})


def read_study(config: Mapping[str, Any], made_later: bool = False) -> Study:
    """Complete and check a configuration; UserError at the first mistake. `made_later` as in `check_files`."""
    config = complete(config)
    check_files(config, made_later)
    suggestions = config["synonyms"].pop("suggestions")
    corpora, models = (_named(config[section], kind) for section, kind in (("corpora", Corpus), ("models", Model)))
    suites = {name: Suite(name, entry) for name, entry in config["suites"].items()}
    runs = {name: _run(name, entry, corpora, models, suites) for name, entry in expand_runs(config).items()}
    corpora |= {run.corpus.name: run.corpus for run in runs.values()}
    tasks = {entry["name"]: Task(entry["name"], entry) for entry in config["prompting"]["tasks"]}
    return Study(config, corpora, models, runs, tasks, suites, suggestions)


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
