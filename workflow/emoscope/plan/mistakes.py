"""Mistakes in the configuration in words: where, what, and how to fix it."""

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema


def where(path: Any) -> str:
    """A place in the configuration, such as `runs[0].training`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "(top level)"


def explain(error: jsonschema.ValidationError, default: Mapping[str, Any]) -> str:
    """What the schema found wrong, and how to fix it; `default` is what the user's settings are laid over."""
    if error.validator == "additionalProperties":
        unknown = next(key for key in error.instance if key not in error.schema["properties"])
        ours = _at(error.absolute_path, default)
        if unknown in ours and ours.get("source") != error.instance.get("source"):
            return (
                f"unknown key {unknown!r}, which is from the entry of this name in config.yaml, over which yours is "
                "laid; choose another name"
            )
        return f"unknown key {unknown!r}{suggest(unknown, error.schema['properties'])}"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"key {missing!r} is missing"
    if error.validator == "enum":
        known = ", ".join(map(str, error.validator_value))
        return f"{error.instance!r} is not one of: {known}{_meant(error.instance, error.validator_value)}"
    if error.validator == "type":
        written = json.dumps(error.instance, default=str)
        return f"{written} is not of type {error.validator_value}{_hint(error.instance, error.validator_value)}"
    if error.validator == "pattern":
        return f"{json.dumps(error.instance)} does not do: {error.schema['description']}"
    if error.validator == "not":
        return f"{json.dumps(error.instance)} is taken; choose another name"
    return error.message.splitlines()[0]


def _at(path: Iterable[str | int], config: Any) -> Mapping[str, Any]:
    """What stands at a place of a configuration; nothing if there is no such place."""
    for part in path:
        config = config.get(part) if isinstance(config, Mapping) else None
    return config if isinstance(config, Mapping) else {}


def _hint(value: Any, wanted: str | list[str]) -> str:
    """Why YAML may have read another type than was meant, and what to write instead."""
    if isinstance(value, str) and wanted in ("number", "integer"):
        return " (YAML reads 5e-5 as text: write 5.0e-5)" if "e" in value.lower() else " (remove the quotes)"
    if isinstance(value, float) and value.is_integer() and "integer" in wanted:
        return f" (write {int(value)})"
    if wanted != "string" or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return " (YAML reads yes, no, on and off as true and false: put it in quotes)"
    return " (put it in quotes)"


def suggest(word: Any, known: Any) -> str:
    """The known name that a misspelt one may mean; if none is close, all of them."""
    return _meant(word, known) or f"; known: {', '.join(map(str, known))}"


def _meant(word: Any, known: Any) -> str:
    close = difflib.get_close_matches(str(word), list(map(str, known)), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
