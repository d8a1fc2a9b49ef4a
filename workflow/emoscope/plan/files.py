"""Whether the local files that a configuration names are there, and fit it, before anything runs."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from emoscope.data.class_names import class_names, has_several, names_file
from emoscope.data.parts import VALIDATION, parts_in
from emoscope.data.plain_text import check_utf8
from emoscope.errors import UserError
from emoscope.experiments.synonyms.wordnet import wordnet_folder
from emoscope.models.folder import blocks_in, check_model_folder
from emoscope.plan.mistakes import suggest
from emoscope.plan.subjects import keeps_best
from emoscope.storage.rows import LAYOUTS, rows_of
from emoscope.training.labels import check_given, labels_of, matched

PAIR_COLUMNS = ("before", "after", "group", "cluster", "direction", "label")  # keys of a suite that name columns


def check_files(config: dict, made_later: bool = False) -> None:
    """Check that the local files that the configured runs read are there and usable; UserError if not.

    `made_later` allows for texts and pairs that are not there: rules of another workflow may make them, or they lie on
    another machine.
    """
    if config["synonyms"]["suggestions"]:
        wordnet_folder()
    for name in dict.fromkeys([*(run["model"] for run in config["runs"]), *config["companions"]]):
        if "path" in (model := config["models"][name]):
            check_model_folder(Path(model["path"]), model.get("family"))
    read = [run["corpus"] for run in config["runs"]]
    read += [config[writeup]["corpus"] for writeup in ("attention", "residual") if config["companions"]]
    for name in dict.fromkeys(read):
        corpus = config["corpora"][name]
        if "path" in corpus and not Path(corpus["path"]).exists() and not made_later:
            raise UserError(
                f"config corpora.{name}.path: {corpus['path']} does not exist{_here(corpus['path'])}; "
                "put the data there or change the path (the first lines of a file in workflow/configs say where "
                "its data come from)"
            )
        for part, file in corpus.get("splits", {}).items() if "path" in corpus and not made_later else ():
            if not Path(corpus["path"], file).is_file():
                raise UserError(
                    f"config corpora.{name}.splits.{part}: {file} is no file of {corpus['path']}; put it there or "
                    "change the name"
                )
        _check_header(f"config corpora.{name}", corpus)
    for position, run in enumerate(config["runs"]):
        corpus = config["corpora"][run["corpus"]]
        if made_later and (names := names_file(corpus)) and not names.is_file():
            continue  # the jobs that read them check the same
        _check_labels(f"config runs[{position}]", run, config["models"][run["model"]], corpus)
        _check_thresholds(corpus, run, f"config runs[{position}]")
        _check_held(corpus, run, f"config runs[{position}]")
    for name, suite in config["suites"].items():
        if any(name in run.get("suites", config["suites"]) for run in config["runs"]):
            _check_suite(f"config suites.{name}", suite, made_later)
    for position, task in enumerate(config["prompting"]["tasks"] if config["companions"] and not made_later else []):
        for part in ("train", "test"):
            if task["source"] == "files" and not Path(task[part]).is_file():
                raise UserError(
                    f"config prompting.tasks[{position}].{part}: {task[part]} is no file{_here(task[part])}; put "
                    "the data there or change the path (the first lines of a file in workflow/configs say where its "
                    "data come from)"
                )


def read_blocks(config: dict) -> None:
    """Set the number of blocks of the models in local folders that are used, by their config.json."""
    for name in dict.fromkeys([*(run["model"] for run in config["runs"]), *config["companions"]]):
        model = config["models"].get(name, {})
        if model.get("source") != "path":
            continue
        found = blocks_in(folder := Path(model["path"]))
        if found is None and "blocks" not in model:
            check_model_folder(folder, model.get("family"))
            raise UserError(
                f"config models.{name}: {folder}/config.json does not say how many blocks it has; set `blocks`"
            )
        if found is not None and model.setdefault("blocks", found) != found:
            raise UserError(
                f"config models.{name}.blocks: the model has {found} blocks but the config says {model['blocks']}; set "
                f"`blocks: {found}`, or leave it out"
            )


def _here(path: str) -> str:
    """Where a path was looked for that does not say."""
    return "" if Path(path).is_absolute() else f" in {Path.cwd()}"


def _check_suite(where: str, suite: dict, made_later: bool) -> None:
    file = Path(suite["path"])
    if file.is_file():
        columns = {role: [suite[role]] for role in PAIR_COLUMNS if suite.get(role)}
        if suite.get("source") in LAYOUTS:
            _check_columns(where, file, suite["source"], columns)
    elif not made_later:
        raise UserError(
            f"{where}.path: {suite['path']} is no file{_here(suite['path'])}; put the pairs there or change the path"
        )


def _check_header(where: str, corpus: dict) -> None:
    """That files of texts have the columns that their corpus names; what is wrong below a header its reader says."""
    if corpus["source"] not in LAYOUTS:
        return
    path = Path(corpus["path"])
    columns = {
        "text": [corpus["text"]],
        "label": [corpus["label"]],
        "group": [corpus["group"]] if "group" in corpus else [],
    }
    if "labels" in corpus:
        columns["label"], columns["labels"] = [], corpus["labels"]
    files = (path / name for name in corpus.get("splits", {"": ""}).values())
    for file in filter(Path.is_file, files):
        _check_columns(where, file, corpus["source"], columns)


def _check_columns(where: str, file: Path, kind: str, columns: Mapping[str, Iterable[str]]) -> None:
    """That a table has the columns that its settings name, by their keys."""
    header = _header(file, LAYOUTS[kind])
    for key, names in columns.items():
        for name in names if len(header) > 1 else ():
            if name not in header:
                raise UserError(f"{where}.{key}: {file} has no column {name!r}{suggest(name, header)}")


def _header(path: Path, layout: dict) -> list[str]:
    """The cells of the first row, as the reader of the texts takes it; UserError if that would refuse it, too."""
    try:
        header = next((cells for _, _, cells in rows_of(path, **layout)), [])
    except UnicodeDecodeError:
        header = ["\0"]
    if any("\0" in cell for cell in header):
        check_utf8(path)  # says in which line
    return header


def _check_labels(where: str, run: dict, model: dict, corpus: dict) -> None:
    """That an adopted classifier fits its corpus, as far as both can be read before anything runs."""
    if run["training"] != "none":
        return
    names, given = class_names(corpus), run.get("labels", {})
    check_given(given, names, where)
    if "path" in model:
        labels = labels_of(Path(model["path"]), has_several(corpus))
        matched(labels, names, given, corpus["source"] == "calibration", where)


def _check_thresholds(corpus: dict, run: dict, where: str) -> None:
    """The labels that thresholds are for; their names may stand in a file."""
    asked = run.get("thresholds")
    for name in asked if isinstance(asked, dict) else ():
        if name not in (known := class_names(corpus)):
            raise UserError(f"{where}.thresholds: {name!r} is no label of {run['corpus']!r}{suggest(name, known)}")


def _check_held(corpus: dict, run: dict, where: str) -> None:
    """That a folder with a file for each part has one for validation, where something is chosen on it."""
    best = keeps_best(run["training"])
    if not best and run.get("thresholds") != "validation":
        return
    parts = parts_in(Path(corpus["path"]), corpus["source"]) if "path" in corpus else []
    if parts and not set(parts) & set(VALIDATION):
        raise UserError(
            f"{where}: {run['corpus']!r} has no part for validation, to choose {'an epoch' if best else 'thresholds'} "
            f"on; it has: {', '.join(parts)}; add one, such as {VALIDATION[0]}, or leave that choice out"
        )
