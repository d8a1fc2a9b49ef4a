"""Coloured words in a real browser: by mouse and keyboard they show what the table holds; nothing else runs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup

from emoscope.experiments.words.methods import SPECIAL
from emoscope.experiments.words.viewer import viewer, viewer_data
from emoscope.reporting.html import signed
from emoscope.reporting.templates import TEMPLATES, fill

selenium = pytest.importorskip("selenium", reason="the browser tests need the package selenium")
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select  # noqa: E402

from browser.driving import barriers, screen  # noqa: E402
from made_up import BARE  # noqa: E402

TEXTS = [
    "i feel happy",
    "<img src=x onerror=alert(1)> \N{GRINNING FACE} bad day",
    *(f"text number {n}" for n in range(30)),
]
FLIPPED = "\N{GRINNING FACE} <b>she</b> feels happy"
METHODS = ("integrated_padding", "shapley")


def made_up(classes: int) -> tuple[pd.DataFrame, list[dict], list[str]]:
    """Scores of TEXTS for two of so many classes each, two methods, and what is said of each text; the second is a
    mistake."""
    rng, names = np.random.default_rng(0), [f"feeling {number}" for number in range(classes)]
    rows, texts = [], []
    for number, text in enumerate(TEXTS):
        places, at = [], 0
        for word in text.split():
            places.append((text.index(word, at), text.index(word, at) + len(word)))
            at = places[-1][1]
        kinds = [names[number % classes], names[(number + 1) % classes]]
        for kind in kinds:
            values = rng.normal(size=(len(places) + 1, 2))
            ends = [(word, *place) for word, place in enumerate(places)] + [(SPECIAL, 0, 0)]
            rows += [(number, *end, kind, *value) for end, value in zip(ends, values, strict=True)]
        about = {"id": number, "text": text, "said": [kinds[0]], "true": [kinds[number == 1]], "mistake": number == 1}
        after = [0.25, 0.75, *[0.5] * (classes - 2)]
        flip = {"axis": "gender", "text": FLIPPED, "changed": [[5, 8]], "probabilities": after}
        flips = [flip] if number == 0 else []
        texts.append(about | {"confidence": 0.9, "probabilities": [0.5] * classes, "flips": flips})
    table = pd.DataFrame(rows, columns=["id", "word", "start", "end", "class", *METHODS])
    return table, texts, names


@pytest.fixture(scope="module", params=[6, 28])
def shown(request, tmp_path_factory) -> tuple[Path, pd.DataFrame, list[str]]:
    scores, texts, names = made_up(request.param)
    path = tmp_path_factory.mktemp("words") / "words.html"
    parts = BARE | {"title": "Words", "run": "made up"}
    script = Markup((TEMPLATES / "words_viewer.js").read_text(encoding="utf-8"))
    body = Markup("<h1>Words</h1>") + viewer(viewer_data(scores, texts, names, "shapley"))
    path.write_text(fill("page.html.j2", body=body, script=script, **parts), encoding="utf-8")
    return path, scores, names


@pytest.fixture
def page(shown) -> Path:
    return shown[0]


def items(browser):
    return browser.find_elements(By.CSS_SELECTOR, "#words-viewer .explained li")


def words(item):
    return item.find_elements(By.CSS_SELECTOR, ".word")


def choose(browser, place: int, value: str) -> None:
    Select(browser.find_elements(By.CSS_SELECTOR, "#words-viewer select")[place]).select_by_value(value)


def held(scores, number, method, kind) -> list[str]:
    rows = scores[(scores["id"] == number) & (scores["class"] == kind) & (scores["word"] != SPECIAL)]
    return [signed(round(value, 3)) for value in rows[method]]


def test_scores_are_those_of_the_table_by_method_and_class(browser, shown):
    _, scores, names = shown
    assert [word.get_attribute("title") for word in words(items(browser)[0])] == held(scores, 0, "shapley", names[0])
    choose(browser, 0, "integrated_padding")
    told = [word.get_attribute("title") for word in words(items(browser)[0])]
    assert told == held(scores, 0, "integrated_padding", names[0])
    choose(browser, 1, names[1])
    told = [word.get_attribute("title") for word in words(items(browser)[0])]
    assert told == held(scores, 0, "integrated_padding", names[1])
    against = [word.get_attribute("class") == "word against" for word in words(items(browser)[0])]
    assert against == [value.startswith("\N{MINUS SIGN}") for value in told]


def test_only_texts_of_which_the_class_is_explained_are_shown(browser, shown):
    _, scores, names = shown
    choose(browser, 1, names[2])
    wanted = scores.loc[scores["class"] == names[2], "id"].nunique()
    assert (
        browser.find_element(By.CSS_SELECTOR, "#words-viewer [role=status]").text == f"{wanted} of {len(TEXTS)} texts"
    )
    assert len(items(browser)) == min(wanted, 20)


def test_filter_search_and_more(browser):
    assert len(items(browser)) == 20
    browser.find_element(By.CSS_SELECTOR, "#words-viewer button").click()
    assert len(items(browser)) == len(TEXTS)
    choose(browser, 2, "mistakes")
    assert len(items(browser)) == 1 and "bad day" in items(browser)[0].text
    choose(browser, 2, "all")
    browser.find_element(By.ID, "words-search").send_keys("HAPPY")
    assert len(items(browser)) == 1 and "P(feeling 0) 50.0 %" in items(browser)[0].text


def test_words_against_the_class_are_underlined_on_a_dark_screen_too(browser):
    style = "const it = getComputedStyle(document.querySelector('{}'));"
    style += "return [it.color, it.textDecorationColor, it.textDecorationLine]"
    for scheme in ("light", "dark"):
        with screen(browser, scheme):
            for where in (".coloured .against", ".sample.against"):
                ink, line, kind = browser.execute_script(style.format(where))
                assert (ink, kind) == (line, "underline"), (scheme, where)


def test_it_bars_nobody(browser):
    assert not barriers(browser)


def test_by_keyboard(browser, shown):
    _, scores, names = shown
    values = held(scores, 0, "shapley", names[0])
    first = words(items(browser)[0])[0]
    browser.execute_script("arguments[0].focus()", first)
    value = browser.find_element(By.CSS_SELECTOR, "#words-viewer .value")
    assert values[0] in value.text and "\u201ci\u201d" in value.text
    browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert browser.switch_to.active_element.text == "feel" and values[1] in value.text
    browser.switch_to.active_element.send_keys(Keys.END)
    assert browser.switch_to.active_element.text == "happy" and values[2] in value.text
    browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT, Keys.HOME)
    assert browser.switch_to.active_element.text == "i"


def test_a_hostile_text_is_only_text_and_signs_beyond_the_plane_count_as_one(browser):
    second = items(browser)[1]
    assert second.find_element(By.CSS_SELECTOR, ".coloured").text == TEXTS[1]
    assert [word.text for word in words(second)] == TEXTS[1].split()


def test_each_text_shows_its_flips_with_what_changed_and_the_change_of_the_chosen_class(browser, shown):
    _, _, names = shown
    [flip] = browser.find_elements(By.CSS_SELECTOR, "#words-viewer .flip")
    change = "50.0 % \u2192 25.0 % (\N{MINUS SIGN}0.250)"
    assert flip.text == f"gender flipped: \u201c{FLIPPED}\u201d; P({names[0]}) {change}"
    assert [mark.text for mark in flip.find_elements(By.TAG_NAME, "mark")] == ["she"]
    assert flip.find_element(By.XPATH, "..").find_element(By.CSS_SELECTOR, ".coloured").text == TEXTS[0]
    choose(browser, 1, names[1])
    [flip] = browser.find_elements(By.CSS_SELECTOR, "#words-viewer .flip")
    assert flip.text.endswith(f"P({names[1]}) 50.0 % \u2192 75.0 % (+0.250)")


def test_numbers_beside_names_from_right_to_left_keep_their_order(chromium, tmp_path):
    scores, texts, names = made_up(6)
    path, hebrew = tmp_path / "words.html", {"feeling 0": "שמחה"}
    texts = [text | {key: [hebrew.get(name, name) for name in text[key]] for key in ("said", "true")} for text in texts]
    data = viewer_data(scores.replace(hebrew), texts, [hebrew.get(name, name) for name in names], "shapley")
    script = Markup((TEMPLATES / "words_viewer.js").read_text(encoding="utf-8"))
    body = Markup("<h1>Words</h1>") + viewer(data)
    path.write_text(fill("page.html.j2", body=body, script=script, **BARE | {"title": "Words"}), encoding="utf-8")
    chromium.get(path.as_uri())
    before, after = chromium.execute_script("""
        const text = document.querySelector(".flip").lastChild;
        return ["50.0", "25.0"].map((number) => {
          const range = document.createRange(), at = text.data.indexOf(number);
          range.setStart(text, at);
          range.setEnd(text, at + number.length);
          return range.getBoundingClientRect().left;
        });""")
    assert before < after
