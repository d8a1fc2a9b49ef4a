"""Tables in a real browser: a reader sorts them by mouse and keyboard, and reads and hears which column they go by."""

from pathlib import Path

import pytest
from markupsafe import Markup

from emoscope.reporting.html import badge, estimate, html_table, p_value, percent, signed
from emoscope.reporting.templates import fill, script_for

selenium = pytest.importorskip("selenium", reason="the browser tests need the package selenium")
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

from browser.driving import barriers  # noqa: E402
from made_up import BARE  # noqa: E402

HOSTILE = "<img src=x onerror=alert(1)>"
CHANGES = [0.25, -0.3, float("nan"), 1.7e-7, -2e-6, 0.0, 0.1, -0.05, 12.5]
NAMES = ["block 10", "block 9", HOSTILE, "block 1", "Ärger", "anger", "block 2", "fear", "joy"]
ROWS = [
    {
        "word": name,
        "change": estimate(change, change - 1, change + 1),
        "rate": percent(abs(change)),
        "p": p_value(abs(change)),
        "texts": f"{1000 * place + 7:,}",
        "most": Markup("P({}) {}").format("joy [x]: 7", signed(change)),
        "first": Markup("male: {}").format(percent(change)),
        "verdict": badge("found"),
    }
    for place, (name, change) in enumerate(zip(NAMES, CHANGES, strict=True))
]
ASCENDING = [1, 7, 4, 5, 3, 6, 0, 8, 2]  # rows by their change; the one that is not known comes last
DESCENDING = [8, 0, 6, 3, 5, 4, 7, 1, 2]


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sorted") / "page.html"
    caption, text = "What changes.", ("word", "verdict")
    tables = [html_table(ROWS, caption, text), html_table(ROWS[:3], "A short one.", text)]
    body = Markup("<h1>Tables</h1>") + Markup().join(tables)
    parts = BARE | {"title": "Tables", "links": {"x": ""}}
    path.write_text(fill("page.html.j2", body=body, script=script_for(body), **parts), encoding="utf-8")
    return path


def button(browser, column: str):
    return browser.find_element(By.XPATH, f"//table[1]//th/button[text()='{column}']")


def order(browser) -> list[int]:
    rows = browser.find_elements(By.CSS_SELECTOR, "table.sortable tbody tr")
    assert len(rows) == len(ROWS)
    return [NAMES.index(row.find_element(By.TAG_NAME, "th").text) for row in rows]


def heard(browser) -> dict[str, str]:
    """The columns that say by themselves how they are sorted."""
    sorted_by = browser.find_elements(By.CSS_SELECTOR, "th[aria-sort]")
    return {heading.text.split()[0]: heading.get_attribute("aria-sort") for heading in sorted_by}


@pytest.mark.parametrize("column", ["most", "first"])
def test_a_number_behind_what_it_is_of_counts(browser, column):
    button(browser, column).click()
    known = [place for place in order(browser) if place != 2]
    changes = [round(CHANGES[place], 3) for place in known]
    assert changes == sorted(changes) and order(browser)[-1] == 2


def test_numbers_go_up_down_and_back(browser):
    assert order(browser) == list(range(len(ROWS))) and heard(browser) == {}
    for expected, said in ((ASCENDING, "ascending"), (DESCENDING, "descending")):
        button(browser, "change").click()
        assert order(browser) == expected and heard(browser) == {"change": said}
    button(browser, "change").click()
    assert order(browser) == list(range(len(ROWS))) and heard(browser) == {}


@pytest.mark.parametrize("column", ["rate", "p"])
def test_percentages_and_probabilities_are_numbers(browser, column):
    button(browser, column).click()
    known = [abs(CHANGES[place]) for place in order(browser)][:-1]
    assert [round(value, 3) for value in known] == sorted(round(value, 3) for value in known)
    assert order(browser)[-1] == 2


def test_thousands_are_more_than_hundreds(browser):
    button(browser, "texts").click()
    assert order(browser) == list(range(len(ROWS)))
    button(browser, "texts").click()
    assert order(browser) == list(range(len(ROWS)))[::-1]


def test_words_are_sorted_as_a_reader_would_and_stay_words(browser):
    button(browser, "word").click()
    words = [NAMES[place] for place in order(browser) if NAMES[place] != HOSTILE]
    assert words == ["anger", "Ärger", "block 1", "block 2", "block 9", "block 10", "fear", "joy"]
    assert not browser.find_elements(By.TAG_NAME, "img")


def test_another_column_begins_anew(browser):
    button(browser, "change").click()
    button(browser, "texts").click()
    assert heard(browser) == {"texts": "ascending"} and order(browser) == list(range(len(ROWS)))


def test_by_keyboard(browser):
    browser.execute_script("arguments[0].focus()", button(browser, "change"))
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert order(browser) == ASCENDING and browser.switch_to.active_element.text.startswith("change")
    browser.switch_to.active_element.send_keys(Keys.SPACE)
    assert order(browser) == DESCENDING


def test_short_tables_are_as_they_were(browser):
    assert not browser.find_elements(By.CSS_SELECTOR, "table:not(.sortable) button")
    assert signed(CHANGES[0]) in browser.find_elements(By.TAG_NAME, "table")[1].text


def test_a_sorted_table_bars_nobody(browser):
    button(browser, "change").click()
    assert not barriers(browser)


def test_on_paper_badges_are_read_without_colour_and_nothing_asks_to_be_clicked(browser):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        ink, ground = browser.execute_script(
            "const it = getComputedStyle(document.querySelector('.badge')); return [it.color, it.backgroundColor]"
        )
        assert (ink, ground) == ("rgb(0, 0, 0)", "rgba(0, 0, 0, 0)")  # browsers leave out backgrounds
        arrows = "return [...document.querySelectorAll('th button')].map(b => getComputedStyle(b, '::after').content)"
        assert set(browser.execute_script(arrows)) == {'""'}
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
