"""Claims in a real browser: with one verdict and one run chosen, those are left of which that run has that verdict."""

from pathlib import Path

import pandas as pd
import pytest
from markupsafe import Markup

from emoscope.reporting.templates import fill
from emoscope.verdicts.claims.page import browser as claims_browser

selenium = pytest.importorskip("selenium", reason="the browser tests need the package selenium")
from selenium.webdriver.common.by import By  # noqa: E402

from browser.driving import barriers  # noqa: E402
from made_up import BARE  # noqa: E402

VERDICTS = {  # of runs one and two
    "masking.a": ("reproduced", "artefact"),
    "masking.b": ("artefact", "reproduced"),
    "flips.c": ("artefact", "not testable here"),
    "flips.d": ("not testable here", "reproduced"),
}


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    rows = [(name, *pair) for name, found in VERDICTS.items() for pair in zip(("one", "two"), found, strict=True)]
    claims = pd.DataFrame(rows, columns=["id", "run", "verdict"]).assign(
        source="table 1", says="So it is.", ours=0.2, low=0.1, high=0.3, published="0.1", note="so", impossible=False,
        margin=float("nan"), detectable=0.05, equivalence_p=float("nan"),
    )  # fmt: skip
    parts = BARE | {"title": "Claims", "links": {"x": ""}}
    path = tmp_path_factory.mktemp("claims") / "claims.html"
    body = Markup("<h1>Claims</h1><h2>All</h2>") + claims_browser(claims)
    path.write_text(fill("page.html.j2", body=body, script="", **parts), encoding="utf-8")
    return path


def choose(browser, kind: str, name: str) -> None:
    labels = browser.find_elements(By.XPATH, f"//fieldset[legend='Show {kind}']/label")
    [label] = [label for label in labels if label.text == name]
    label.click()


def shown(browser) -> list[str]:
    """The claims that can be seen, each of which has a line that can be, in a group that can be."""
    found = []
    for article in browser.find_elements(By.CSS_SELECTOR, ".claims article"):
        lines = [line.is_displayed() for line in article.find_elements(By.TAG_NAME, "li")]
        assert article.is_displayed() is any(lines), article.text
        if article.is_displayed():
            found.append(article.find_element(By.TAG_NAME, "code").text)
    for group in browser.find_elements(By.CSS_SELECTOR, ".claims section"):
        inside = group.find_elements(By.TAG_NAME, "article")
        assert group.is_displayed() is any(article.is_displayed() for article in inside)
    return found


@pytest.mark.parametrize("verdict", ["all", "reproduced", "artefact"])
@pytest.mark.parametrize("run", ["all", "one", "two"])
def test_claims_are_narrowed_by_verdict_and_run_together(browser, verdict, run):
    choose(browser, "verdict", verdict)
    choose(browser, "run", run)
    wanted = {"all": {"reproduced", "artefact"}}.get(verdict, {verdict})
    runs = {"one": slice(0, 1), "two": slice(1, 2)}.get(run, slice(None))
    assert shown(browser) == [name for name, found in VERDICTS.items() if wanted & {*found[runs]}]


def test_the_filters_bar_nobody(browser):
    assert not barriers(browser)
