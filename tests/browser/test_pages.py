"""Finished reports in a real browser: nothing is fetched, nothing fails, every part is there, also on a telephone."""

from pathlib import Path

import pytest

selenium = pytest.importorskip("selenium", reason="the browser tests need the package selenium")
from selenium.webdriver.common.by import By  # noqa: E402

from browser.driving import TELEPHONE, barriers, requests_of  # noqa: E402

PAPER = {"width": 720, "height": 1020, "deviceScaleFactor": 1, "mobile": False}  # A4 between its margins


@pytest.fixture(scope="session")
def reports(finished) -> Path:
    return finished / "reports"


@pytest.fixture(scope="session")
def pages(reports) -> list[Path]:
    found = sorted(reports.rglob("*.html"))
    assert reports / "index.html" in found
    return found


def test_no_request_leaves_a_page_and_nothing_fails(chromium, pages):
    for page in pages:
        chromium.get(page.as_uri())
        leaving = [url for url in requests_of(chromium) if not url.startswith(("file://", "data:"))]
        assert not leaving, page
        assert not chromium.get_log("browser"), page


def test_every_page_has_title_navigation_figures_and_provenance(chromium, pages, reports):
    for page in set(pages) - {reports / "index.html"}:
        chromium.get(page.as_uri())
        assert chromium.title and chromium.find_element(By.TAG_NAME, "h1").text
        assert chromium.find_element(By.CLASS_NAME, "headline").text
        assert chromium.find_elements(By.CSS_SELECTOR, "nav a")
        chromium.find_element(By.CSS_SELECTOR, ".provenance summary").click()
        assert "settings" in chromium.find_element(By.CLASS_NAME, "provenance").text
        assert chromium.find_elements(By.CSS_SELECTOR, "figure img"), page
        drawn = chromium.execute_script("return [...document.images].every(i => i.complete && i.naturalWidth && i.alt)")
        assert drawn, page


def test_no_page_bars_anyone_from_reading_it(chromium, pages):
    """By axe-core: contrast, names of what can be operated, headings, tables, regions that scroll."""
    for page in pages:
        chromium.get(page.as_uri())
        assert not barriers(chromium), page


def test_every_link_leads_to_a_file(chromium, pages):
    for page in pages:
        chromium.get(page.as_uri())
        links = chromium.execute_script("return [...document.querySelectorAll('a')].map(a => decodeURI(a.href))")
        assert links
        for link in links:
            assert Path(link.split("#")[0].removeprefix("file://")).is_file(), (page, link)


def test_the_index_leads_to_every_page(chromium, pages, reports):
    index = reports / "index.html"
    chromium.get(index.as_uri())
    cards = chromium.execute_script("return [...document.querySelectorAll('.cards a')].map(a => decodeURI(a.href))")
    assert sorted(cards) == sorted(f"file://{page}" for page in pages if page != index)
    assert len(chromium.find_elements(By.CSS_SELECTOR, ".thumbnail img")) == len(cards)


def test_no_page_is_wider_than_a_telephone(chromium, pages):
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", TELEPHONE)
    for page in pages:
        chromium.get(page.as_uri())
        assert chromium.execute_script("return document.documentElement.scrollWidth") <= TELEPHONE["width"], page


def test_the_index_on_paper_asks_for_nothing_and_fits(chromium, reports):
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PAPER)
    chromium.get((reports / "index.html").as_uri())
    assert chromium.execute_script("return document.documentElement.scrollWidth") <= PAPER["width"]
    assert not any(choice.is_displayed() for choice in chromium.find_elements(By.CSS_SELECTOR, "fieldset"))
    badges, cards = (chromium.find_elements(By.CSS_SELECTOR, kind) for kind in (".badge", ".cards li"))
    assert {badge.value_of_css_property("color") for badge in badges} == {"rgba(0, 0, 0, 1)"}
    assert {card.value_of_css_property("break-inside") for card in cards} == {"avoid"}


def test_claims_can_be_narrowed_to_one_verdict(chromium, reports):
    chromium.get((reports / "claims.html").as_uri())
    buttons = chromium.find_elements(By.CSS_SELECTOR, 'input[name="verdict"]')
    assert len(buttons) > 2, "a run should earn more than one kind of verdict"
    wanted = buttons[1].find_element(By.XPATH, "..").text
    buttons[1].click()
    badges = chromium.find_elements(By.CSS_SELECTOR, ".claims li .badge")
    assert {badge.text for badge in badges if badge.is_displayed()} == {wanted}
    buttons[0].click()
    assert all(badge.is_displayed() for badge in badges)
