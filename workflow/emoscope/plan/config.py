"""Completing and checking the configuration before anything runs. Imported by the Snakefile: nothing heavy in here."""

import math
from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from emoscope.errors import UserError
from emoscope.plan.agreement import check_names
from emoscope.plan.files import read_blocks
from emoscope.plan.mistakes import explain, where
from emoscope.storage.yaml_files import read_yaml, repeated_keys

SCHEMA = Path(__file__).parents[2] / "schemas" / "config.schema.yaml"
DEFAULT = Path(__file__).parents[3] / "config.yaml"


def check_keys(files: Iterable[str | Path]) -> None:
    """UserError if a configuration file holds a key twice in one place, of which all but the last would be lost."""
    for file in map(Path, files):
        if not file.is_file():  # a pipe can be read only once
            continue
        try:
            found = min(repeated_keys(file.read_text(encoding="utf-8")), key=lambda found: found[2], default=None)
        except (yaml.YAMLError, UnicodeDecodeError):  # Snakemake, which has read it, knows what it is
            continue
        if found:
            key, first, line = found
            raise UserError(
                f"{file}: line {line}: {key!r} stands there again, after line {first}, and only the last would count; "
                "put both under one, or remove one"
            )


def complete(config: dict) -> dict:
    """Return a copy of the configuration with the schema's defaults filled in; UserError at the first mistake."""
    completed = deepcopy(config)
    errors = sorted(_with_defaults(_schema()).iter_errors(completed), key=lambda error: list(map(str, error.path)))
    if errors:
        raise UserError(f"config {where(errors[0].absolute_path)}: {explain(errors[0], read_yaml(DEFAULT))}")
    for run in completed["runs"]:
        for key in ("labels", "thresholds"):
            if isinstance(run.get(key), Mapping):  # YAML takes a label that is called 0 for a number
                run[key] = {str(label): value for label, value in run[key].items()}
    read_blocks(completed)
    check_names(completed)
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


@cache
def _schema() -> dict:
    return read_yaml(SCHEMA)


def _whole(_: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(checker: Any, value: Any) -> bool:
    return _whole(checker, value) or (isinstance(value, float) and math.isfinite(value))


def _with_defaults(schema: dict) -> jsonschema.protocols.Validator:
    """A validator that writes each property's `default` into the objects that lack it before checking them.

    To JSON 1.0 is an integer, but to what is computed with it none; and not-a-number lies within any bounds.
    """
    base = jsonschema.Draft202012Validator
    kinds = base.TYPE_CHECKER.redefine_many({"integer": _whole, "number": _number})

    def properties(validator, definitions, instance, schema):
        if validator.is_type(instance, "object"):
            for name, definition in definitions.items():
                if isinstance(definition, dict) and "default" in definition:
                    instance.setdefault(name, deepcopy(definition["default"]))
        yield from base.VALIDATORS["properties"](validator, definitions, instance, schema)

    return jsonschema.validators.extend(base, {"properties": properties}, type_checker=kinds)(schema)
