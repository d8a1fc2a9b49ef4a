"""Write configuration.md, every key of the configuration, from its schema: `python docs/write_configuration.py`."""

import json
from collections.abc import Iterator
from pathlib import Path

import yaml

HERE = Path(__file__).parent
SCHEMA = HERE.parent / "workflow" / "schemas" / "config.schema.yaml"
HEADER = """\
# Every key of the configuration

<!-- written from workflow/schemas/config.schema.yaml by docs/write_configuration.py -->

`config.yaml` is the embedded default; a file given with `--configfile`, or a module's configuration, is always laid
over it, and keys that neither names have the default below. `config.yaml` sets two otherwise, as they name its models:
`companions` and `induction.control`. A key without a default may be left out unless it is *needed*.
`workflow/configs` has examples.
"""


def configuration(schema: dict) -> str:
    """The page for a schema, in Markdown."""
    parts = [HEADER]
    for name, entry in schema["properties"].items():
        parts += [f"## {name}\n", *_section(schema, entry)]
    return "\n".join(parts)


def _section(schema: dict, entry: dict) -> Iterator[str]:
    """What is said of one key: its meaning, a table of the keys below it, and one for each kind of its entries."""
    if "description" in entry:
        yield entry["description"].strip() + "\n"
    if rows := list(_rows(schema, entry)):
        yield "\n".join(["| key | meaning | default |", "|---|---|---|", *rows]) + "\n"
    elif isinstance(entry.get("default"), list):
        yield f"Default: {_value(entry['default'])}.\n"
    for heading, kind in dict([*_kinds(schema, entry), *_below(schema, entry)]).items():
        yield f"### {heading}\n"
        yield from _section(schema, kind)


def _kinds(schema: dict, entry: dict) -> Iterator[tuple[str, dict]]:
    """Headings and definitions of the kinds of entries that a list or a mapping holds, and of what these share."""
    held = entry.get("items") or entry.get("additionalProperties")
    if isinstance(held, dict):
        held = _resolved(schema, held)
        kinds = list(_variants(schema, held)) or ([held] if "properties" in held else [])
        yield from ((kind.get("title", "each entry"), kind) for kind in kinds)
        shared = [_resolved(schema, below) for kind in kinds for below in kind["properties"].values()]
        yield from ((below["title"], below) for below in shared if "title" in below)


def _below(schema: dict, entry: dict) -> Iterator[tuple[str, dict]]:
    """The kinds of entries of the lists among the keys below, such as prompting.tasks."""
    for key, below in entry.get("properties", {}).items():
        yield from ((f"{key}: {heading}", kind) for heading, kind in _kinds(schema, _resolved(schema, below)))


def _variants(schema: dict, entry: dict) -> Iterator[dict]:
    """The titled definitions that an entry is one of, as its conditions name them."""
    for branch in (*entry.get("allOf", []), *(entry[key] for key in ("then", "else") if key in entry)):
        found = _resolved(schema, branch)
        if "title" in found:
            yield found
        else:
            yield from _variants(schema, found)


def _rows(schema: dict, entry: dict, prefix: str = "") -> Iterator[str]:
    """A table's row for each key, and for each key below it."""
    for key, below in entry.get("properties", {}).items():
        below = _resolved(schema, below)
        default = (
            "*needed*" if key in entry.get("required", []) else _value(below["default"]) if "default" in below else ""
        )
        if "title" in below:
            yield f"| `{prefix}{key}` | See below. | |"
            continue
        if "description" in below:
            yield f"| `{prefix}{key}` | {_meaning(below)} | {'' if default == '`{}`' else default} |"
        nested = _resolved(schema, below.get("else", below))
        yield from _rows(schema, nested, f"{prefix}{key}.")


def _meaning(entry: dict) -> str:
    held = entry.get("items", {})
    values, count = (entry["enum"], "One") if "enum" in entry else (held.get("enum", []), "Any")
    of = f" {count} of {', '.join(map(_value, values))}." if values else ""
    return (" ".join(entry["description"].split()) + of).replace("|", "&#124;")


def _value(value: object) -> str:
    return (
        f"`{json.dumps(value, ensure_ascii=False)}`".replace("|", "&#124;")
        if not isinstance(value, str)
        else f"`{value}`"
    )


def _resolved(schema: dict, entry: dict | bool) -> dict:
    """An entry with the definition that it refers to; what it says itself goes before. True allows anything: {}."""
    if entry is True:
        return {}
    if "$ref" not in entry:
        return entry
    definition = _resolved(schema, schema["$defs"][entry["$ref"].rsplit("/", 1)[1]])
    return {**definition, **{key: value for key, value in entry.items() if key != "$ref"}}


if __name__ == "__main__":
    page = configuration(yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))
    (HERE / "configuration.md").write_text(page, encoding="utf-8")
