"""The index in a real browser: with one page chosen, runs that have none of it are not shown either."""

from pathlib import Path

import pytest

from emoscope.reporting.index import render_index

selenium = pytest.importorskip("selenium", reason="the browser tests need the package selenium")
from selenium.webdriver.common.by import By  # noqa: E402

from browser.driving import barriers  # noqa: E402

PAGE = '<body data-run="{run}" data-kind="run"><h1>{title}</h1><p>What?</p><p class="headline">Found.</p></body>'
TITLES = {"one": ("Masking", "Flips"), "two": ("Flips",)}


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    pages = [folder / run / f"{title}.html" for run, titles in TITLES.items() for title in titles]
    asked = folder / "two" / "Probing.html"
    for path in [*pages, asked]:
        path.parent.mkdir(exist_ok=True)
        path.write_text(PAGE.format(run=path.parent.name, title=path.stem), encoding="utf-8")
    claims, index = folder / "claims.csv", folder / "index.html"
    claims.write_text("id,verdict,impossible\na,reproduced,False\n")
    render_index(pages, [asked], claims, [path.stem for path in [*pages, claims]], [], index)
    return index


def shown(browser) -> list[str]:
    parts = browser.find_elements(By.CSS_SELECTOR, ".index h2, .index strong, .index .demand p, .asked a")
    return [part.text for part in parts if part.is_displayed()]


@pytest.mark.parametrize(
    ("title", "left"),
    [
        ("all", ["Run one", "Masking", "Flips", "Run two", "Flips", "Made on demand:", "Probing"]),
        ("Masking", ["Run one", "Masking"]),
        ("Flips", ["Run one", "Flips", "Run two", "Flips"]),
        ("Probing", ["Run two", "Made on demand:", "Probing"]),
    ],
)
def test_only_runs_that_have_the_page_are_left(browser, title, left):
    [label] = [
        label
        for label in browser.find_elements(By.XPATH, "//fieldset[legend='Show page']/label")
        if label.text == title
    ]
    label.click()
    assert shown(browser) == left


def test_the_index_bars_nobody(browser):
    assert not barriers(browser)
