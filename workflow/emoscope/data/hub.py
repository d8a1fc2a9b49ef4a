"""Data sets of the Hugging Face hub: their splits as rows of labelled texts."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from emoscope.data.readers import labels_in_columns, layout_of, named
from emoscope.errors import UserError
from emoscope.storage.hub import asking_hub

if TYPE_CHECKING:
    from datasets import Dataset


def read_hub(config: Mapping, classes: list[str]) -> tuple[pd.DataFrame, str | None]:
    """The rows of a data set, as `readers` give them, and the commit that its revision resolved to.

    A `repository` that is a folder here is read from there, as `datasets` would do, and has no commit. `splits` names
    those to read by what they are for; without it, all are read, each a part of its own name.
    """
    import datasets
    import huggingface_hub

    repository = config["repository"]
    with asking_hub(repository):
        local = Path(repository).is_dir()
        revision = None if local else huggingface_hub.HfApi().dataset_info(repository, revision=config["revision"]).sha
        found = datasets.load_dataset(repository, config["configuration"], revision=revision)
    splits = config.get("splits") or {name: name for name in found}
    for part, name in splits.items():
        if name not in found:
            raise UserError(f"{repository}: no split {name!r}; it has: {', '.join(found)}; fix `splits.{part}`")
    parts = [
        read_split(found[name], f"{repository}: split {name}", config, classes, part) for part, name in splits.items()
    ]
    return pd.concat(parts, ignore_index=True), revision


def read_split(split: "Dataset", place: str, config: Mapping, classes: list[str], part: str) -> pd.DataFrame:
    """The rows of one split; labels that it numbers are told by their names. UserError names what it lacks."""
    layout, text, label = layout_of(config), config["text"], config["label"]
    group = layout.pop("group")
    wanted = [("text", text), *([("labels", name) for name in classes] if layout["columns"] else [("label", label)])]
    wanted += [("group", group)] if group else []
    for key, name in wanted:
        if name not in split.column_names:
            has = ", ".join(split.column_names)
            raise UserError(f"{place}: no column {name!r}; it has: {has}; name the right one as `{key}` of the corpus")
    if (kind := getattr(split.features[text], "dtype", None)) not in ("string", "large_string"):
        held = kind or split.features[text]
        raise UserError(f"{place}: column {text!r} holds {held}, not texts; name another one as `text` of the corpus")
    rows = split.select_columns(list(dict.fromkeys(name for _, name in wanted))).to_pandas()
    texts, where = rows[text], pd.Series([f"{place}, row {row}" for row in range(len(rows))], dtype=str)
    if not layout["columns"]:
        rows[label] = _by_name(rows[label], split.features[label], layout["several"], f"{place}: column {label!r}")
    groups = {}
    if group:
        groups["group"] = named(_by_name(rows[group], split.features[group], False, f"{place}: column {group!r}"))
    labels = labels_in_columns(rows, where, label, classes, **layout)
    return pd.DataFrame({"text": texts, "label": labels, "part": part, "where": where, **groups})


def _by_name(column: pd.Series, feature: object, several: bool, place: str) -> pd.Series:
    """A column with the names of its numbers where its feature has some; -1 and a missing list, which mean none,
    stay as they are."""
    inner = getattr(feature, "feature", None)
    if inner is not None and not several:
        raise UserError(f"{place} holds lists; write `multilabel: true` if it is the labels, or name another column")
    names = dict(enumerate(getattr(feature if inner is None else inner, "names", None) or ()))
    if not names:
        return column
    if inner is None:
        return column.map(lambda number: names.get(number, number))
    return column.map(lambda numbers: [names.get(number, number) for number in numbers], na_action="ignore")
