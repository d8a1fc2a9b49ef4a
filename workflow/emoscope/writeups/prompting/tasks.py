"""The labelled texts that prompts are trained on: data/tasks/{task}/ gets train.parquet, test.parquet and task.json.

Both tables have columns `id: int64`, `text: str` and a 0/1 column `is_{class}: int8` for each class. In a task of kind
`single` exactly one of them is 1; in one of kind `multiple` any number. Of generated texts the columns `planted_{name}`
also tell what they hold of the other tasks.
"""

from pathlib import Path

import pandas as pd

from emoscope.data.class_names import EMOTIONS
from emoscope.data.known_texts import stand_in
from emoscope.data.labels import YES_NO, class_numbers, known_labels, yes_no
from emoscope.data.tables import checked_texts, load_table, refuse_swallowed, require_columns
from emoscope.errors import UserError
from emoscope.storage.files import write_json, write_table
from emoscope.storage.hashes import sha256_of
from emoscope.storage.hub import asking_hub
from emoscope.writeups.prompting.planted_tasks import SENTIMENTS, generate_task


def prepare_task(config: dict, train: Path, test: Path, about: Path) -> None:
    """Write the texts of one task, and what is known of it: kind, classes, source, revision, checksums, leak.

    Test texts that stand among the training texts are left out; `leaked_test_rows` counts them.
    """
    readers = {"generated": _generated, "files": _from_files, "hub": _from_hub}
    training, testing, revision = readers[config["source"]](config)
    classes = [name.removeprefix("is_") for name in training.columns if name.startswith("is_")]
    for name in classes:
        if training[f"is_{name}"].nunique() < 2:
            raise UserError(
                f"task {config['name']}: every training text has {int(training[f'is_{name}'].iloc[0])} for {name!r}; "
                "take more rows, or take the class out of the task in the config"
            )
    known = stand_in(testing["text"], training["text"])
    if known.all():
        raise UserError(
            f"task {config['name']}: all {len(testing)} test texts stand among the training texts, too; name a file of "
            "other texts, or draw fewer training texts"
        )
    testing = testing[~known]
    for table, path in ((training, train), (testing, test)):
        write_table(table.reset_index(drop=True).rename_axis("id").reset_index(), path)
    write_json(
        {
            "name": config["name"],
            "kind": kind_of(config),
            "classes": classes,
            "alone": config["alone"],
            "source": config.get("repository") or config["source"],
            "revision": revision,
            "train_rows": len(training),
            "test_rows": len(testing),
            "train_rates": {name: float(training[f"is_{name}"].mean()) for name in classes},
            "leaked_test_rows": int(known.sum()),
            "sha256": {"train": sha256_of(train), "test": sha256_of(test)},
        },
        about,
    )


def kind_of(config: dict) -> str:
    """`multiple` for a task with a 0/1 column for each label, `single` for one with a column of classes."""
    return "multiple" if config.get("task") == "emotion" or config.get("labels") else "single"


def _generated(config: dict) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    table = generate_task(config["task"], config["train_rows"] + config["test_rows"], config["seed"])
    planted = table.drop(columns="text").add_prefix("planted_")
    own = table[list(EMOTIONS)] if config["task"] == "emotion" else _one_hot(table["good"].astype(int), SENTIMENTS)
    whole = pd.concat([table[["text"]], own.add_prefix("is_"), planted], axis=1)
    return whole[: config["train_rows"]], whole[config["train_rows"] :], f"seed {config['seed']}"


def _from_files(config: dict) -> tuple[pd.DataFrame, pd.DataFrame, None]:
    parts = [read_part(Path(config[part]), config, config[f"{part}_rows"]) for part in ("train", "test")]
    return *parts, None


def _from_hub(config: dict) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    import huggingface_hub

    repository = config["repository"]
    with asking_hub(repository):
        revision = huggingface_hub.HfApi().dataset_info(repository, revision=config["revision"]).sha
        files = [
            huggingface_hub.hf_hub_download(repository, config[part], repo_type="dataset", revision=revision)
            for part in ("train", "test")
        ]
    training, testing, _ = _from_files(config | {"train": files[0], "test": files[1]})
    return training, testing, revision


def read_part(path: Path, config: dict, rows: int | None) -> pd.DataFrame:
    """Read a CSV, TSV or parquet file into `text` and 0/1 columns `is_{class}`; UserError names what is wrong where.

    `config["columns"]` names the columns of a CSV or TSV file without a header. Of more than `rows` rows that many are
    drawn with the task's seed. Texts lose the blanks around them.
    """
    kind = path.suffix[1:] if path.suffix in (".parquet", ".tsv") else "csv"
    table = load_table(path, kind, **({} if kind == "parquet" else {"names": config["columns"] or ()}))
    labels = config.get("labels", [])
    roles = {"text": config["text"], **{name: name for name in labels or [config["label"]]}}
    fix = f"fix the task {config['name']!r} in the config"
    require_columns(table, path, roles, fix, "\t" if kind == "tsv" else ",")
    if kind == "csv":
        known = YES_NO if labels else known_labels(config["classes"])
        refuse_swallowed(table, labels or [config["label"]], known)
    where = pd.Series(table.index, dtype=str)
    table = table.reset_index(drop=True)
    text = checked_texts(table[config["text"]], where).str.strip()
    own = yes_no(table, labels, where) if labels else _one_of(table, config, where)
    whole = pd.concat([text.rename("text"), own.add_prefix("is_")], axis=1)
    return whole if rows is None or rows >= len(whole) else whole.sample(rows, random_state=config["seed"])


def _one_of(table: pd.DataFrame, config: dict, where: pd.Series) -> pd.DataFrame:
    hint = f"fix the row or the `classes` of the task {config['name']!r} in the config"
    return _one_hot(class_numbers(table[config["label"]], config["classes"], where, hint), config["classes"])


def _one_hot(numbers: pd.Series, classes: list[str] | tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({name: (numbers == number).astype("int8") for number, name in enumerate(classes)})
