"""What a notebook loads, and that notebooks are committed clean."""

from pathlib import Path

import nbformat
import pandas as pd
import pytest

from emoscope.reporting import notebook

NOTEBOOKS = sorted((Path(__file__).parents[3] / "workflow" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_clean(path):
    cells = nbformat.read(path, as_version=4)
    assert cells.metadata.kernelspec.name == "python3"
    assert [cell.metadata.get("tags") for cell in cells.cells].count(["parameters"]) == 1
    assert not [cell for cell in cells.cells if cell.get("outputs") or cell.get("execution_count")]
    assert cells.cells[0].source.startswith("# ")


def test_tables_are_loaded_by_name(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "x.parquet")
    (tmp_path / "y.json").write_text("{}")
    tables = notebook.load({"x": [str(tmp_path / "x.parquet")] * 2, "y": str(tmp_path / "y.json")})
    assert tables.x["a"].tolist() == [1, 1] and tables.y == {}
