"""Chromium, driven by tests; a module of tests or a fixture that imports this is skipped where it is not installed."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

import pytest
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
TELEPHONE = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}

if not (CHROMIUM and DRIVER):
    pytest.skip("chromium and chromedriver are not installed", allow_module_level=True)


class Chrome(webdriver.Chrome):
    """A browser that has read the whole page when it says so: chromedriver's own says so in one case of a hundred, on a
    busy machine, while a large file is still being read."""

    def get(self, url: str) -> None:
        super().get(url)
        WebDriverWait(self, 60).until(lambda _: self.execute_script("return document.readyState") == "complete")


@contextmanager
def chrome() -> Iterator[Chrome]:
    """A browser that keeps what it asks for and complains of."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(300)  # axe-core reads a large page; a busy machine is not a failure
    yield driver
    driver.quit()


def requests_of(driver: webdriver.Chrome) -> list[str]:
    """The addresses that the browser has asked for since the last call."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


@contextmanager
def screen(driver: webdriver.Chrome, scheme: str) -> Iterator[None]:
    """A screen whose owner prefers `light` or `dark` pages."""
    prefer = lambda value: {"features": [{"name": "prefers-color-scheme", "value": value}]}  # noqa: E731
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", prefer(scheme))
    try:
        yield
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", prefer(""))


def barriers(driver: webdriver.Chrome) -> list[tuple[str, str, str]]:
    """What axe-core says bars someone from reading a page, on a light screen, and of colours on a dark one: the screen,
    the rule, and where it is broken first."""
    axe = resources.files(pytest.importorskip("axe_core_python")).joinpath("axe.min.js").read_text(encoding="utf-8")
    driver.execute_script(axe)
    found = []
    only = "resultTypes: ['violations']"  # or it describes each of the thousands of elements in which all is well
    for scheme, asked in (("light", only), ("dark", f"{only}, runOnly: ['color-contrast']")):
        with screen(driver, scheme):
            broken = driver.execute_async_script(f"axe.run({{{asked}}}).then(arguments[0])")["violations"]
        found += [(scheme, one["id"], one["nodes"][0]["html"][:200]) for one in broken]
    return found
