"""The texts that a configuration names: corpora, pairs that others wrote, and tasks of the prompts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emoscope.data.class_names import LISTED, has_several
from emoscope.data.plain_text import files_in

SPLIT = ("duplicates", "split")  # what of a corpus's settings says how to split it
READ = {"semicolon": ["*.txt"], "parallel": ["*.txt"], "tabbed": ["*.tsv", LISTED]}  # in a folder
PASSED_OVER = {"parquet": (".", "_"), "hub": (".", "__")}  # how names begin that pyarrow and datasets do not read


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
        """The local files behind it, from where its readers look for them; none if it is generated or downloaded."""
        if self.generated:
            return []
        source = self.entry["source"]
        path = Path(self.entry["repository" if source == "hub" else "path"])
        if "splits" in self.entry and source != "hub":
            return [str(path / name) for name in self.entry["splits"].values()]
        if source in PASSED_OVER:
            found = [file for file in path.rglob("*") if file.is_file() and _is_read(file.relative_to(path), source)]
        else:
            found = [file for names in READ.get(source, [f"*.{source}"]) for file in files_in(path, names)]
        return sorted(map(str, found)) or ([] if source == "hub" else [str(path)])


def _is_read(file: Path, source: str) -> bool:
    return not any(part.startswith(PASSED_OVER[source]) for part in file.parts)


@dataclass(frozen=True)
class Suite:
    """Pairs of texts that others wrote; `entry` is its own under `suites`."""

    name: str
    entry: Mapping[str, Any]

    @property
    def path(self) -> str:
        return self.entry["path"]


@dataclass(frozen=True)
class Task:
    """Texts with labels that prompts are trained for; `entry` is its own under `prompting.tasks`."""

    name: str
    entry: Mapping[str, Any]

    def files(self) -> list[str]:
        """The local files behind it; none if it is generated or downloaded."""
        return [self.entry["train"], self.entry["test"]] if self.entry["source"] == "files" else []
