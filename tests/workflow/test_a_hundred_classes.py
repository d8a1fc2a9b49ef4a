"""With a hundred classes every page is made and can be opened, and no sentence names them all."""

import json

import pytest
from bs4 import BeautifulSoup

from other_classes import CONFIG, tweets
from project import copy_project, snakemake

CLASSES = [f"feeling{number:02}" for number in range(100)]
LARGEST = 12e6  # bytes of a page, figures included: what a browser opens without waiting
MOST_NAMED = 15  # classes in one paragraph


@pytest.mark.release
def test_a_hundred_classes(tmp_path):
    project = copy_project(tmp_path / "project")
    tweets(CLASSES, 20_000).to_csv(project / "mine.csv", index=False)
    (project / "mine.yaml").write_text(CONFIG % ", ".join(CLASSES))
    found = snakemake(project, "all", config="mine.yaml")
    assert found.returncode == 0, found.stdout
    assert json.loads((project / "results/mine-s1/metrics.json").read_text())["classes"] == CLASSES
    pages = sorted((project / "reports").rglob("*.html"))
    assert len(pages) > 8
    assert {str(page): page.stat().st_size for page in pages if page.stat().st_size > LARGEST} == {}
    wordy = {}
    for page in pages:
        for paragraph in BeautifulSoup(page.read_text(), "html.parser").find_all(["p", "li", "figcaption", "caption"]):
            named = sum(name in paragraph.get_text(" ") for name in CLASSES)
            if named > MOST_NAMED:
                wordy[page.name] = paragraph.get_text(" ")[:200]
    assert wordy == {}
