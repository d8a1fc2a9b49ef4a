"""Two commits side by side: which is before, what only one of them measured, and a benchmark that fails."""

import json
from pathlib import Path

import pytest

from benchmarks import since


def checkout(folder: Path, speed: int) -> Path:
    """A checkout whose benchmarks are one script that prints `speed`, or fails without one."""
    (folder / "benchmarks").mkdir(parents=True)
    found = json.dumps({"benchmark": "speed", "cores": 2, "each": {"ours": speed}})
    script = f"print({found!r})" if speed else "raise SystemExit(3)"
    (folder / "benchmarks" / "__main__.py").write_text(script, encoding="utf-8")
    return folder


def test_the_earlier_commit_comes_first(monkeypatch, tmp_path):
    monkeypatch.setattr(since, "ROOT", checkout(tmp_path / "today", speed=9))
    monkeypatch.setattr(since, "clone_of", lambda commit, folder: checkout(folder / commit, speed=4))
    found = since.measure("abc", "speed")
    assert found == {"before": "abc", "before_and_after": {"speed": {"each.ours": [4, 9]}}}


def test_what_did_not_end_leaves_a_gap(monkeypatch, tmp_path):
    monkeypatch.setattr(since, "ROOT", checkout(tmp_path / "today", speed=9))
    monkeypatch.setattr(since, "clone_of", lambda commit, folder: checkout(folder / commit, speed=0))
    assert since.measure("abc", "speed")["before_and_after"] == {"speed": {"each.ours": [None, 9]}}


@pytest.mark.parametrize(
    ("found", "names"),
    [
        ({"a": 1, "b": {"c": 2.5}}, {"a": 1, "b.c": 2.5}),
        ({"rows": [10, 20]}, {"rows.0": 10, "rows.1": 20}),
        ({"commit": "abc", "equal": True, "none": None}, {}),
    ],
)
def test_numbers_are_named_by_what_leads_to_them(found, names):
    assert dict(since.numbers(found)) == names
