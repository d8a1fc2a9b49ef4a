"""What surrounds mutmut, which is not a dependency: the copy stands alone, and counts are those of its lines."""

import subprocess
import sys

import pytest

from benchmarks import operators


@pytest.mark.slow
def test_the_copy_stands_alone(tmp_path):
    operators.write_project(tmp_path, ("auc", "rates"))
    settings = (tmp_path / "pyproject.toml").read_text()
    assert "only_mutate = ['src/emoscope/statistics/auc.py', 'src/emoscope/statistics/rates.py']" in settings
    broken = tmp_path / "src/emoscope/statistics/auc.py"
    command = [sys.executable, "-m", "pytest", "-q", "tests/test_auc.py", "tests/test_sample_size.py"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
    broken.write_text(broken.read_text().replace("0.5 +", "0.4 +"))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 1, "its own copy is tested"


def test_counts_are_those_of_mutmuts_lines():
    lines = """    emoscope.statistics.auc.x_rank_auc__mutmut_1: killed
    emoscope.statistics.auc.x_rank_auc__mutmut_2: survived
    emoscope.statistics.rates.x_holm__mutmut_3: no tests
    emoscope.statistics.rates.x_holm__mutmut_4: timeout"""
    assert operators.outcome(lines) == {
        "tried": 4,
        "killed": 1,
        "survived": 1,
        "without_a_test": 1,
        "survivors": ["auc.x_rank_auc__mutmut_2"],
        "too_long": ["rates.x_holm__mutmut_4"],
    }
    with pytest.raises(SystemExit, match="not checked"):
        operators.outcome(f"{lines}\n    emoscope.statistics.auc.x_rank_auc__mutmut_5: not checked")


def test_what_is_missing_is_said_before_anything_is_run(monkeypatch):
    with pytest.raises(SystemExit, match=r"has no rate$"):
        operators.measure("rate")
    monkeypatch.setattr(operators.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"pip install mutmut==3\.8\.1"):
        operators.measure("rates")
