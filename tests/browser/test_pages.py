"""Finished reports in a real browser: nothing is fetched, nothing fails, every part is there, also on a telephone."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pytest

selenium = pytest.importorskip("selenium", reason="the browser tests need the package selenium")
from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PAPER = {"width": 720, "height": 1020, "deviceScaleFactor": 1, "mobile": False}  # A4 between its margins
TELEPHONE = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")


@pytest.fixture(scope="session")
def reports(finished) -> Path:
    return finished / "reports"


@pytest.fixture(scope="session")
def pages(reports) -> list[Path]:
    found = sorted(reports.rglob("*.html"))
    assert reports / "index.html" in found
    return found


@contextmanager
def chrome() -> Iterator[webdriver.Chrome]:
    """A browser that keeps what it asks for and complains of."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    with chrome() as driver:
        yield driver


def requests_of(driver: webdriver.Chrome) -> list[str]:
    """The addresses that the browser has asked for since the last call."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


def test_no_request_leaves_a_page_and_nothing_fails(browser, pages):
    for page in pages:
        browser.get(page.as_uri())
        leaving = [url for url in requests_of(browser) if not url.startswith(("file://", "data:"))]
        assert not leaving, page
        assert not browser.get_log("browser"), page


def test_every_page_has_title_navigation_figures_and_provenance(browser, pages, reports):
    for page in set(pages) - {reports / "index.html"}:
        browser.get(page.as_uri())
        assert browser.title and browser.find_element(By.TAG_NAME, "h1").text
        assert browser.find_element(By.CLASS_NAME, "headline").text
        assert browser.find_elements(By.CSS_SELECTOR, "nav a")
        browser.find_element(By.CSS_SELECTOR, ".provenance summary").click()
        assert "settings" in browser.find_element(By.CLASS_NAME, "provenance").text
        assert browser.find_elements(By.CSS_SELECTOR, "figure img"), page
        drawn = browser.execute_script("return [...document.images].every(i => i.complete && i.naturalWidth && i.alt)")
        assert drawn, page


def test_no_page_bars_anyone_from_reading_it(browser, pages):
    """By axe-core: contrast, names of what can be operated, headings, tables, regions that scroll."""
    axe = resources.files(pytest.importorskip("axe_core_python")).joinpath("axe.min.js").read_text(encoding="utf-8")
    for page in pages:
        browser.get(page.as_uri())
        browser.execute_script(axe)
        found = browser.execute_async_script("axe.run().then(arguments[0])")["violations"]
        assert not [(one["id"], one["nodes"][0]["html"][:200]) for one in found], page


def test_every_link_leads_to_a_file(browser, pages):
    for page in pages:
        browser.get(page.as_uri())
        links = browser.execute_script("return [...document.querySelectorAll('a')].map(a => decodeURI(a.href))")
        assert links
        for link in links:
            assert Path(link.split("#")[0].removeprefix("file://")).is_file(), (page, link)


def test_the_index_leads_to_every_page(browser, pages, reports):
    index = reports / "index.html"
    browser.get(index.as_uri())
    cards = browser.execute_script("return [...document.querySelectorAll('.cards a')].map(a => decodeURI(a.href))")
    assert sorted(cards) == sorted(f"file://{page}" for page in pages if page != index)
    assert len(browser.find_elements(By.CSS_SELECTOR, ".thumbnail img")) == len(cards)


def test_no_page_is_wider_than_a_telephone(browser, pages):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", TELEPHONE)
    for page in pages:
        browser.get(page.as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") <= TELEPHONE["width"], page


def test_the_index_on_paper_asks_for_nothing_and_fits(browser, reports):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PAPER)
    browser.get((reports / "index.html").as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PAPER["width"]
    assert not any(choice.is_displayed() for choice in browser.find_elements(By.CSS_SELECTOR, "fieldset"))
    badges, cards = (browser.find_elements(By.CSS_SELECTOR, kind) for kind in (".badge", ".cards li"))
    assert {badge.value_of_css_property("color") for badge in badges} == {"rgba(0, 0, 0, 1)"}
    assert {card.value_of_css_property("break-inside") for card in cards} == {"avoid"}


def test_claims_can_be_narrowed_to_one_verdict(browser, reports):
    browser.get((reports / "claims.html").as_uri())
    buttons = browser.find_elements(By.CSS_SELECTOR, 'input[name="verdict"]')
    assert len(buttons) > 2, "a run should earn more than one kind of verdict"
    wanted = buttons[1].find_element(By.XPATH, "..").text
    buttons[1].click()
    badges = browser.find_elements(By.CSS_SELECTOR, ".claims [data-verdict]")
    assert {badge.text for badge in badges if badge.is_displayed()} == {wanted}
    buttons[0].click()
    assert all(badge.is_displayed() for badge in badges)
