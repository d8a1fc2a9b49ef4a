"""Finished reports in a real browser: nothing is fetched, nothing fails, every part is there, also on a telephone."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

selenium = pytest.importorskip("selenium", reason="the browser tests need the package selenium")
from selenium.webdriver.common.by import By  # noqa: E402

from browser.driving import TELEPHONE, barriers, requests_of  # noqa: E402
from project import hard_links, snakemake  # noqa: E402

PAPER = {"width": 720, "height": 1020, "deviceScaleFactor": 1, "mobile": False}  # A4 between its margins


ON_DEMAND = pytest.param("on_demand", marks=pytest.mark.slow)
NOT_OF_ALL = {  # the pages that another project than the finished one is made for
    "on_demand": ("index", "tiny-s1/circuits", "tiny-s1/probing", "tiny-s1/features"),
    "several_runs": ("comparison", "doses", "tiny-s1/suites"),
}


@pytest.fixture(scope="session")
def several_runs(finished, made_once) -> Path:
    """A copy of the finished project with pairs that others wrote, a second seed, and a run of which another gap was
    planted."""

    def run(folder: Path) -> None:
        config = hard_links(finished, folder) / "tiny.yaml"
        settings = yaml.safe_load(config.read_text())
        settings["corpora"]["even"] = {"source": "calibration", "rows": 1200, "gender_effect": 0}
        [tiny] = settings["runs"]
        settings["runs"] = [tiny | {"seeds": [1, 2]}, tiny | {"name": "even", "corpus": "even"}]
        settings["suites"] = {"written": {"source": "csv", "path": "pairs.csv", "group": "kind", "direction": "goal"}}
        pairs = [(f"he said so {k}", f"she said so {k}", "people", "joy") for k in range(12)]
        pd.DataFrame(pairs, columns=["before", "after", "kind", "goal"]).to_csv(folder / "pairs.csv", index=False)
        config.unlink()  # written in place it would be that of the finished project
        config.write_text(yaml.safe_dump(settings))
        found = snakemake(folder, *(f"reports/{page}.html" for page in NOT_OF_ALL["several_runs"]))
        assert found.returncode == 0, found.stdout

    return made_once("several_runs", run)


@pytest.fixture(scope="session")
def reports(finished) -> Path:
    return finished / "reports"


@pytest.fixture(scope="session", params=["finished", ON_DEMAND, pytest.param("several_runs", marks=pytest.mark.slow)])
def pages(request) -> list[Path]:
    reports = request.getfixturevalue(request.param) / "reports"
    if request.param in NOT_OF_ALL:
        return [reports / f"{page}.html" for page in NOT_OF_ALL[request.param]]
    found = sorted(reports.rglob("*.html"))
    assert reports / "index.html" in found
    return found


def test_no_request_leaves_a_page_and_nothing_fails(driver, pages):
    driver.get_log("browser"), requests_of(driver)
    for page in pages:
        driver.get(page.as_uri())
        leaving = [url for url in requests_of(driver) if not url.startswith(("file://", "data:"))]
        assert not leaving, page
        assert not driver.get_log("browser"), page


def test_every_page_has_title_navigation_figures_and_provenance(driver, pages):
    for page in [page for page in pages if page.name != "index.html"]:
        driver.get(page.as_uri())
        assert driver.title and driver.find_element(By.TAG_NAME, "h1").text
        assert driver.find_element(By.CLASS_NAME, "headline").text
        assert driver.find_elements(By.CSS_SELECTOR, "nav a")
        driver.find_element(By.CSS_SELECTOR, ".provenance summary").click()
        assert "settings" in driver.find_element(By.CLASS_NAME, "provenance").text
        assert driver.find_elements(By.CSS_SELECTOR, "figure img"), page
        drawn = driver.execute_script("return [...document.images].every(i => i.complete && i.naturalWidth && i.alt)")
        assert drawn, page


@pytest.mark.slow  # a second or more a page; viewers, of which some pages consist, are asked in their own tests
def test_no_page_bars_anyone_from_reading_it(driver, pages):
    """By axe-core: contrast, names of what can be operated, headings, tables, regions that scroll."""
    for page in pages:
        driver.get(page.as_uri())
        assert not barriers(driver), page


def test_every_link_leads_to_a_file(driver, pages):
    for page in pages:
        driver.get(page.as_uri())
        links = driver.execute_script("return [...document.querySelectorAll('a')].map(a => decodeURI(a.href))")
        assert links
        for link in links:
            assert Path(link.split("#")[0].removeprefix("file://")).is_file(), (page, link)


@pytest.mark.parametrize("project", ["finished", ON_DEMAND])
def test_the_index_leads_to_every_page(driver, request, project):
    reports = request.getfixturevalue(project) / "reports"
    index = reports / "index.html"
    driver.get(index.as_uri())
    addresses = "return [...document.querySelectorAll(arguments[0])].map(a => decodeURI(a.href))"
    cards, asked = (driver.execute_script(addresses, f".{kind} a") for kind in ("cards", "asked"))
    assert sorted(cards + asked) == sorted(f"file://{page}" for page in reports.rglob("*.html") if page != index)
    assert len(driver.find_elements(By.CSS_SELECTOR, ".thumbnail img")) == len(cards)


def test_the_index_says_what_was_found_in_ten_lines(driver, reports):
    driver.get((reports / "index.html").as_uri())
    lines = driver.find_elements(By.CSS_SELECTOR, ".found li")
    shown = [line.text.split(":")[0] for line in lines if line.is_displayed()]
    assert len(shown) == 10 < len(lines) and shown[1] == "Claims"
    for folded in driver.find_elements(By.TAG_NAME, "summary"):
        folded.click()
    assert all(line.is_displayed() for line in lines)


WIDEST_CAPTION = """return Math.max(0, ...[...document.querySelectorAll("caption")].map((caption) =>
  caption.getBoundingClientRect().right))"""


def test_no_page_is_wider_than_a_telephone(chromium, pages):
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", TELEPHONE)
    for page in pages:
        chromium.get(page.as_uri())
        assert chromium.execute_script("return document.documentElement.scrollWidth") <= TELEPHONE["width"], page
        assert chromium.execute_script(WIDEST_CAPTION) <= TELEPHONE["width"], (
            f"{page}: a table moves, no caption has to"
        )


def test_the_index_on_paper_asks_for_nothing_and_fits(chromium, reports):
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PAPER)
    chromium.get((reports / "index.html").as_uri())
    assert chromium.execute_script("return document.documentElement.scrollWidth") <= PAPER["width"]
    assert not any(choice.is_displayed() for choice in chromium.find_elements(By.CSS_SELECTOR, "fieldset"))
    badges, cards = (chromium.find_elements(By.CSS_SELECTOR, kind) for kind in (".badge", ".cards li"))
    assert {badge.value_of_css_property("color") for badge in badges} == {"rgba(0, 0, 0, 1)"}
    assert {card.value_of_css_property("break-inside") for card in cards} == {"avoid"}


def test_claims_can_be_narrowed_to_one_verdict(driver, reports):
    driver.get((reports / "claims.html").as_uri())
    buttons = driver.find_elements(By.CSS_SELECTOR, 'input[name="verdict"]')
    assert len(buttons) > 2, "a run should earn more than one kind of verdict"
    wanted = buttons[1].find_element(By.XPATH, "..").text
    buttons[1].click()
    badges = driver.find_elements(By.CSS_SELECTOR, ".claims li .badge")
    assert {badge.text for badge in badges if badge.is_displayed()} == {wanted}
    buttons[0].click()
    assert all(badge.is_displayed() for badge in badges)
