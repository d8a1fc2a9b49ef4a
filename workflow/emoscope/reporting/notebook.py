"""What a report notebook reads and shows: tables in, escaped HTML and figures out."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
from IPython.display import HTML, display
from markupsafe import Markup
from matplotlib.figure import Figure

from emoscope.reporting.plots import svg
from emoscope.storage.files import read_csv, read_json

READERS = {".parquet": pd.read_parquet, ".csv": read_csv, ".json": read_json}


def load(paths: dict[str, str | list[str]]) -> SimpleNamespace:
    """Read files by name; the files of a list are rows of one table."""
    return SimpleNamespace(**{name: _read(path) for name, path in paths.items()})


def show(*parts: Markup) -> None:
    """Show HTML; a plain string is text and gets escaped."""
    display(HTML(Markup("\n").join(parts)))


def show_figure(figure: Figure, name: str, caption: str) -> None:
    """Show a figure; the report saves it as `{name}.svg` and prints the caption below it."""
    kind = "image/svg+xml"
    display({kind: svg(figure)}, raw=True, metadata={kind: {"name": name, "caption": caption}})


def _read(path: str | list[str]):
    if isinstance(path, list):
        return pd.concat([_read(part) for part in path], ignore_index=True)
    return READERS[Path(path).suffix](Path(path))
