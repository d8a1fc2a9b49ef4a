"""Reading YAML as fast as PyYAML can. The Snakefile imports it: nothing heavy in here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # of libyaml, ten times as fast, where PyYAML has it


def read_yaml(path: str | Path) -> Any:
    """What a file holds; OSError and yaml.YAMLError as they come."""
    return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=LOADER)


def repeated_keys(text: str) -> Iterator[tuple[str, int, int]]:
    """Every key that a mapping of a YAML or JSON text holds again, the line of the former and its own, from 1 on.

    Loaders keep the last of them without a word. yaml.YAMLError if the text is neither.
    """
    left, seen = [yaml.compose(text.replace("\t", " "), Loader=LOADER)], set()  # JSON may be indented by tabs
    while left:
        node = left.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))  # an alias is the node that it stands for
        if isinstance(node, yaml.SequenceNode):
            left += node.value
            continue
        first = {}
        for key, value in node.value:
            left.append(value)
            if isinstance(key, yaml.ScalarNode):
                mark = first.setdefault((key.tag, key.value), key.start_mark)
                if mark is not key.start_mark:
                    yield key.value, mark.line + 1, key.start_mark.line + 1
