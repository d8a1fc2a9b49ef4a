"""Reading YAML as fast as PyYAML can. The Snakefile imports it: nothing heavy in here."""

from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # of libyaml, ten times as fast, where PyYAML has it


def read_yaml(path: str | Path) -> Any:
    """What a file holds; OSError and yaml.YAMLError as they come."""
    return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=LOADER)
