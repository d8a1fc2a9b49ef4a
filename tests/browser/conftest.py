"""Browsers for tests; `browser.driving` is imported as late as that, for it skips what imports it without Chromium."""

import pytest


@pytest.fixture
def chromium():
    """A browser of its own for one test."""
    from browser.driving import chrome

    with chrome() as driver:
        yield driver


@pytest.fixture(scope="module")
def driver():
    """One browser for all tests of a module."""
    from browser.driving import chrome

    with chrome() as driver:
        yield driver


@pytest.fixture
def browser(driver, page):
    """The module's `page` freshly opened; whatever a test did, nothing was fetched and nothing failed."""
    from browser.driving import requests_of

    driver.get_log("browser"), driver.get_log("performance")
    driver.get(page.as_uri())
    yield driver
    assert not driver.get_log("browser")
    assert not [url for url in requests_of(driver) if not url.startswith((page.as_uri(), "data:", "blob:"))]
