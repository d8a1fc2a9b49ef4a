"""What is taken apart, as typed, frozen settings, which know their folders and which part of them each job depends on.

Plain dataclasses over `config.schema.yaml`, not pydantic models: the schema is read by editors and people as well, and
its messages are better than what validators of types say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from emoscope.models.folder import PLAIN_FILES, width_in
from emoscope.plan.texts import Corpus, Suite
from emoscope.storage.hashes import sha256_of

ADOPTED = "none"  # what the settings of a run say for its training if it is adopted
THREADS = 8  # among which products of large matrices are shared out
NARROW = 256  # width below which a job shares out too little: at width 96, two threads took 1.25 times one's speed


def keeps_best(training: Mapping | str) -> bool:
    """Whether the weights of the best epoch are kept, for which it takes texts for validation."""
    return training != ADOPTED and training.get("keep") == "best"


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
    def origin(self) -> dict:
        """What says how to get it; whether it has so many `blocks` is seen when it is loaded."""
        return {key: value for key, value in self.entry.items() if key != "blocks"}

    def files(self) -> list[str]:
        """The files in the user's own folder: if one is exchanged, its date changes, and perhaps not the folder's."""
        folder = [Path(self.folder)] if self.entry["source"] == "path" else []
        return sorted(str(file) for place in folder for pattern in PLAIN_FILES for file in place.glob(pattern))

    def stamps(self) -> list[str]:
        """What tells each of these from another in its place: a hash; of weights, which may be large, size and date."""
        return [_dated(file) if file.suffix == ".safetensors" else sha256_of(file) for file in map(Path, self.files())]

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


def _dated(file: Path) -> str:
    """Size in bytes and date in nanoseconds."""
    return f"{(found := file.stat()).st_size} {found.st_mtime_ns}"


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
    def description(self) -> list[str]:
        """What a check of its model's description says before it is trained, if the configuration describes it."""
        described = not self.adopted and self.model.entry.get("family")
        return [f"{self.results}/description.json"] if described else []

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
        return [f"{self.corpus.folder}/validation.parquet"] if keeps_best(self.training) else []

    @property
    def masked_blocks(self) -> list[str]:
        """The table of what masking each block does."""
        return [f"{self.results}/masking/block_{block}.parquet" for block in range(self.model.entry["blocks"])]

    @property
    def identity(self) -> dict:
        """Its name, corpus, model and training, and what others have published of it."""
        published = {"published": self.entry["published"]} if "published" in self.entry else {}
        own = {"name": self.name, "corpus": self.corpus.entry, "model": self.model.entry, "training": self.training}
        return own | published

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
        own = {"seed": self.entry["seed"], "confidence": confidence, "folder": self.folder}
        return self.identity | own | {"licences": licences}
