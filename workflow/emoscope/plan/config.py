"""Checking the configuration before anything runs. Imported by the Snakefile: nothing heavy in here."""

import difflib
import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from emoscope.data.class_names import class_names, has_several
from emoscope.errors import UserError
from emoscope.experiments.synonyms.wordnet import wordnet_folder
from emoscope.models.folder import blocks_in, check_model_folder
from emoscope.training.labels import check_given, labels_of, matched

SCHEMA = Path(__file__).parents[2] / "schemas" / "config.schema.yaml"


def complete(config: dict) -> dict:
    """Return a copy of the configuration with the schema's defaults filled in; UserError at the first mistake."""
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    completed = deepcopy(config)
    errors = sorted(_with_defaults(schema).iter_errors(completed), key=lambda error: list(map(str, error.path)))
    if errors:
        raise UserError(f"config {_where(errors[0].absolute_path)}: {_explain(errors[0])}")
    _read_blocks(completed)
    _check_names(completed)
    return completed


def typed(value: Any, nested: bool = False) -> Any:
    """What stands in braces or brackets on the command line, as YAML would read it; Snakemake leaves it all as text."""
    if isinstance(value, Mapping):
        return {key: typed(item, nested or isinstance(item, Mapping | list)) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item, True) for item in value]
    if nested and isinstance(value, str):
        try:
            read = yaml.safe_load(value)
        except yaml.YAMLError:
            return value
        return read if isinstance(read, bool | int | float) or value in ("null", "~") else value
    return value


def expand_runs(config: dict) -> dict[str, dict]:
    """Map every run's identifier, `{name}-s{seed}`, to its settings; `seed` takes the place of `seeds`."""
    return {
        f"{run['name']}-s{seed}": {**{key: value for key, value in run.items() if key != "seeds"}, "seed": seed}
        for run in config["runs"]
        for seed in run["seeds"]
    }


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
                f"config corpora.{name}.path: {corpus['path']} does not exist; "
                "put the data there or change the path (the README says where the data come from)"
            )
        for part, file in corpus.get("splits", {}).items() if "path" in corpus and not made_later else ():
            if not Path(corpus["path"], file).is_file():
                raise UserError(
                    f"config corpora.{name}.splits.{part}: {file} is no file of {corpus['path']}; put it there or "
                    "change the name"
                )
    for position, run in enumerate(config["runs"]):
        _check_labels(f"config runs[{position}]", run, config["models"][run["model"]], config["corpora"][run["corpus"]])
        _check_thresholds(config["corpora"][run["corpus"]], run, f"config runs[{position}]")
    for name, suite in config["suites"].items():
        if (
            any(name in run.get("suites", config["suites"]) for run in config["runs"])
            and not Path(suite["path"]).is_file()
            and not made_later
        ):
            raise UserError(
                f"config suites.{name}.path: {suite['path']} is no file; put the pairs there or change the path"
            )
    for position, task in enumerate(config["prompting"]["tasks"] if config["companions"] and not made_later else []):
        for part in ("train", "test"):
            if task["source"] == "files" and not Path(task[part]).is_file():
                raise UserError(
                    f"config prompting.tasks[{position}].{part}: {task[part]} is no file; put the data there or change "
                    "the path (the README says where the data come from)"
                )


def _read_blocks(config: dict) -> None:
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


def _check_labels(where: str, run: dict, model: dict, corpus: dict) -> None:
    """That an adopted classifier fits its corpus, as far as both can be read before anything runs."""
    if run["training"] != "none":
        return
    names, given = class_names(corpus), run.get("labels", {})
    check_given(given, names, where)
    if "path" in model:
        labels = labels_of(Path(model["path"]), has_several(corpus))
        matched(labels, names, given, corpus["source"] == "calibration", where)


def _with_defaults(schema: dict) -> jsonschema.protocols.Validator:
    """A validator that writes each property's `default` into the objects that lack it before checking them."""
    base = jsonschema.Draft202012Validator

    def properties(validator, definitions, instance, schema):
        if validator.is_type(instance, "object"):
            for name, definition in definitions.items():
                if isinstance(definition, dict) and "default" in definition:
                    instance.setdefault(name, deepcopy(definition["default"]))
        yield from base.VALIDATORS["properties"](validator, definitions, instance, schema)

    return jsonschema.validators.extend(base, {"properties": properties})(schema)


def _where(path: Any) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "(top level)"


def _explain(error: jsonschema.ValidationError) -> str:
    if error.validator == "additionalProperties":
        unknown = next(key for key in error.instance if key not in error.schema["properties"])
        return f"unknown key {unknown!r}{_suggest(unknown, error.schema['properties'])}"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"key {missing!r} is missing"
    if error.validator == "enum":
        known = ", ".join(map(str, error.validator_value))
        return f"{error.instance!r} is not one of: {known}{_suggest(error.instance, error.validator_value)}"
    if error.validator == "type":
        written = json.dumps(error.instance, default=str)
        return f"{written} is not of type {error.validator_value}{_hint(error.instance, error.validator_value)}"
    if error.validator == "pattern":
        return f"{json.dumps(error.instance)} does not do: {error.schema['description']}"
    if error.validator == "not":
        return f"{json.dumps(error.instance)} is taken; choose another name"
    return error.message.splitlines()[0]


def _hint(value: Any, wanted: str | list[str]) -> str:
    """Why YAML may have read another type than was meant, and what to write instead."""
    if isinstance(value, str) and wanted in ("number", "integer"):
        return " (YAML reads 5e-5 as text: write 5.0e-5)" if "e" in value.lower() else " (remove the quotes)"
    if wanted != "string" or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return " (YAML reads yes, no, on and off as true and false: put it in quotes)"
    return " (put it in quotes)"


def _suggest(word: Any, known: Any) -> str:
    close = difflib.get_close_matches(str(word), list(map(str, known)), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(map(str, known))}"


def _check_names(config: dict) -> None:
    for name in config["companions"]:
        if name not in config["models"]:
            raise UserError(f"config companions: {name!r} is not under `models`{_suggest(name, config['models'])}")
        if config["models"][name]["source"] in ("scratch", "copier"):
            raise UserError(
                f"config companions: {name!r} has not read any text; name a model of source hub, package or path"
            )
        if "family" in config["models"][name]:
            raise UserError(
                f"config companions: {name!r} is described by `family`, which only classifiers can be; name a language "
                "model of a family in docs/families.md"
            )
        _check_attention(config, name, "`companions`")
    if (corpus := config["attention"]["corpus"]) not in config["corpora"]:
        hint = _suggest(corpus, config["corpora"])
        raise UserError(f"config attention.corpus: {corpus!r} is not under `corpora`{hint}")
    _check_corpora(config["corpora"])
    _check_tasks(config["prompting"]["tasks"])
    _check_residual(config)
    _check_copier(config)
    seen = set()
    for position, run in enumerate(config["runs"]):
        for key, section in (("corpus", "corpora"), ("model", "models")):
            if run[key] not in config[section]:
                hint = _suggest(run[key], config[section])
                raise UserError(f"config runs[{position}].{key}: {run[key]!r} is not under `{section}`{hint}")
        for suite in run.get("suites", ()):
            if suite not in config["suites"]:
                hint = _suggest(suite, config["suites"])
                raise UserError(f"config runs[{position}].suites: {suite!r} is not under `suites`{hint}")
        model = config["models"][run["model"]]
        if (block := config["flips"]["traced_block"]) >= model["blocks"]:
            raise UserError(
                f"config flips.traced_block: {block}, but the model {run['model']!r} of run {run['name']!r} has blocks "
                f"0 to {model['blocks'] - 1}; name one of them"
            )
        if model["source"] == "copier":
            raise UserError(
                f"config runs[{position}].model: {run['model']!r} knows no words; name a model of another source"
            )
        if model["source"] == "scratch":
            _check_width(run["model"], model)
        _check_attention(config, run["model"], f"run {run['name']!r}")
        if run["name"] in seen:
            raise UserError(f"config runs[{position}].name: {run['name']!r} is used twice; give every run its own name")
        _check_training(f"config runs[{position}]", run, model["source"])
        _check_several(config["corpora"][run["corpus"]], run, f"config runs[{position}]")
        _check_kept(config["corpora"][run["corpus"]], run, f"config runs[{position}]")
        seen.add(run["name"])


def _check_training(where: str, run: dict, source: str) -> None:
    """What only a run that trains may say, and what only one that takes its classifier as it is."""
    if run["training"] != "none":
        if "labels" in run:
            raise UserError(
                f"{where}.labels: they are for a classifier that is taken as it is; write `training: none`, or leave "
                "them out"
            )
        batch_size, gpus = run["training"]["batch_size"], run["training"]["gpus"]
        if batch_size % gpus:
            raise UserError(
                f"{where}.training.batch_size: {gpus} GPUs cannot share {batch_size} texts evenly; make it a multiple "
                "of `gpus`"
            )
        return
    if len(run["seeds"]) > 1:
        raise UserError(
            f"{where}.seeds: {len(run['seeds'])} seeds, but with `training: none` each would give the same classifier; "
            "leave `seeds` out"
        )
    if source == "scratch":
        raise UserError(
            f"{where}.training: none, but the weights of the model {run['model']!r} are random; name a trained one"
        )


def _check_several(corpus: dict, run: dict, where: str) -> None:
    """What only texts with several labels have, or cannot have."""
    several, asked = has_several(corpus), run.get("thresholds")
    if asked is not None and not several:
        raise UserError(f"{where}.thresholds: a text of {run['corpus']!r} has one label, the most probable; remove it")
    if several and run["training"] != "none" and run["training"]["balance"] == "downsample":
        raise UserError(
            f"{where}.training.balance: downsample cuts classes to one size, but a text of {run['corpus']!r} may stand "
            "in several; use weights, or none"
        )
    if asked == "validation" and corpus["split"]["method"] == "shuffled":
        raise UserError(
            f"{where}.thresholds: {run['corpus']!r} is cut into training and test texts alone; choose thresholds on a "
            "validation part of its own (`split: {method: given}`), or write a number"
        )


def _check_kept(corpus: dict, run: dict, where: str) -> None:
    """That there may be texts to choose an epoch by, as far as the settings tell."""
    if run["training"] == "none" or run["training"].get("keep") != "best":
        return
    if corpus["split"]["method"] == "shuffled":
        lack = f"{run['corpus']!r} is cut into training and test texts alone"
    elif corpus["split"].get("validation") == "train":
        lack = f"the validation part of {run['corpus']!r} is trained on"
    elif "splits" in corpus and "validation" not in corpus["splits"]:
        lack = f"`splits` of {run['corpus']!r} names no validation part"
    else:
        return
    raise UserError(
        f"{where}.training.keep: {lack}; leave `keep` out, or give the corpus such a part (`split: {{method: given}}`)"
    )


def _check_thresholds(corpus: dict, run: dict, where: str) -> None:
    """The labels that thresholds are for; their names may stand in a file."""
    asked = run.get("thresholds")
    for name in asked if isinstance(asked, dict) else ():
        if name not in (known := class_names(corpus)):
            raise UserError(f"{where}.thresholds: {name!r} is no label of {run['corpus']!r}{_suggest(name, known)}")


def _check_attention(config: dict, name: str, user: str) -> None:
    """Heads of the attention pages, as far as they can be judged without the model."""
    model, attention = config["models"][name], config["attention"]
    for place, chosen in enumerate(attention["heads"]):
        for part, number in zip(("block", "head"), chosen, strict=True):
            if number >= (count := model.get(f"{part}s", number + 1)):
                raise UserError(
                    f"config attention.heads[{place}]: {part} {number}, but the model {name!r} of {user} has "
                    f"{part}s 0 to {count - 1}; name one of them"
                )


def _check_corpora(corpora: dict[str, dict]) -> None:
    for name, corpus in corpora.items():
        if "labels" in corpus and "multilabel" in corpus:
            raise UserError(
                f"config corpora.{name}: `labels` names columns of 0 and 1, `multilabel` means one column of lists; "
                "write one of them"
            )
        if "splits" in corpus and corpus["split"]["method"] == "shuffled":
            raise UserError(
                f"config corpora.{name}.splits: a test part is named, but `split` would cut all rows anew; "
                "write `split: {method: given}`"
            )


def _check_tasks(tasks: list[dict]) -> None:
    for position, task in enumerate(tasks):
        where = f"config prompting.tasks[{position}]"
        if task["name"] in [other["name"] for other in tasks[:position]]:
            raise UserError(f"{where}.name: {task['name']!r} is used twice; give every task its own name")
        if task["source"] != "generated" and ("labels" in task) == ("classes" in task):
            raise UserError(
                f"{where}: name either `classes`, if each text has one, or `labels`, the columns of 0 and 1"
            )
        labels = [task["alone"]] if task.get("task") == "emotion" else task.get("labels", [])
        if task["alone"] and task["alone"] not in labels:
            hint = _suggest(task["alone"], labels) if labels else "; it has classes, of which none can stand alone"
            raise UserError(f"{where}.alone: {task['alone']!r} is not among the labels of this task{hint}")


def _check_residual(config: dict) -> None:
    residual, autoencoder = config["residual"], config["residual"]["autoencoder"]
    if not config["companions"]:
        return
    if (corpus := residual["corpus"]) not in config["corpora"]:
        hint = _suggest(corpus, config["corpora"])
        raise UserError(f"config residual.corpus: {corpus!r} is not under `corpora`{hint}")
    where = "config residual.autoencoder"
    for small, large in (("active", "features"), ("patched", "held_out")):
        if autoencoder[small] > autoencoder[large]:
            raise UserError(f"{where}.{small}: {autoencoder[small]} is more than `{large}`, {autoencoder[large]}")
    block = autoencoder["block"]
    for name in config["companions"]:
        if block >= (blocks := config["models"][name]["blocks"]):
            raise UserError(f"{where}.block: {block}, but {name!r} has blocks 0 to {blocks - 1}; name one of them")


def _check_copier(config: dict) -> None:
    if (name := config["induction"]["control"]) is None:
        return
    if config["models"].get(name, {}).get("source") != "copier":
        copiers = [model for model, entry in config["models"].items() if entry["source"] == "copier"]
        raise UserError(f"config induction.control: {name!r} is not a model of source copier{_suggest(name, copiers)}")
    model, longest = config["models"][name], config["induction"]["lengths"][0]
    _check_width(name, model)
    if 1 + 2 * longest > model["context"] or longest >= model["vocabulary"]:
        raise UserError(
            f"config models.{name}: BOS and two halves of {longest} tokens (induction.lengths) need a `context` of "
            f"{1 + 2 * longest} and a `vocabulary` above {longest}"
        )


def _check_width(name: str, model: dict) -> None:
    if model["width"] % model["heads"]:
        raise UserError(f"config models.{name}.width: {model['width']} is not a multiple of `heads`, {model['heads']}")
