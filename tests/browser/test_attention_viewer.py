"""The attention viewer in a real browser: by mouse and keyboard it shows what the tables hold; nothing else runs."""

import time
from pathlib import Path

import pandas as pd
import pytest
import torch
from markupsafe import Markup
from transformers import GPT2Config, GPT2LMHeadModel

from emoscope.reporting.templates import TEMPLATES, fill
from emoscope.training.start import train_tokenizer
from emoscope.writeups.attention.measure import attention_weights
from emoscope.writeups.attention.viewer import viewer
from made_up import BARE
from random_models import FAMILIES, TEXTS, train_wordpiece

selenium = pytest.importorskip("selenium", reason="the browser tests need the package selenium")
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select  # noqa: E402

from browser.driving import TELEPHONE, barriers  # noqa: E402

HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(1)</script>"
SENTENCES = ["i feel happy about the dog and i feel happy about it", HOSTILE]
BLOCKS, HEADS = 3, 4
LAPTOP = {"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": False}
SCRIPT = TEMPLATES / "attention_viewer.js"


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> dict[str, pd.DataFrame]:
    """The tables of a small random GPT-2."""
    folder = tmp_path_factory.mktemp("attention")
    tokenizer = train_tokenizer(pd.Series(TEXTS * 3), {"vocabulary": 320, "context": 128})
    torch.manual_seed(0)
    sizes = {"n_embd": 24, "n_layer": BLOCKS, "n_head": HEADS, "n_positions": 128, "initializer_range": 0.3}
    GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), **sizes)).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    paths = {name: folder / f"{name}.parquet" for name in ("weights", "averages", "tokens")}
    attention_weights(folder / "model", [], {"sentences": SENTENCES, "heads": []}, **paths)
    return {name: pd.read_parquet(path) for name, path in paths.items()}


@pytest.fixture(scope="module")
def tables_ahead(tmp_path_factory) -> dict[str, pd.DataFrame]:
    """The tables of a small random BERT classifier, whose heads look at later tokens, too."""
    folder = tmp_path_factory.mktemp("bert")
    tokenizer = train_wordpiece(TEXTS * 3, 300)
    torch.manual_seed(0)
    FAMILIES["bert"](len(tokenizer)).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    paths = {name: folder / f"{name}.parquet" for name in ("weights", "averages", "tokens")}
    attention_weights(folder / "model", [], {"sentences": SENTENCES[:1], "heads": []}, **paths)
    return {name: pd.read_parquet(path) for name, path in paths.items()}


@pytest.fixture(scope="module")
def page(tables, tmp_path_factory) -> Path:
    return page_of(tables, tmp_path_factory.mktemp("page") / "attention.html")


def page_of(tables, path) -> Path:
    """A page that holds the viewer and nothing else."""
    parts = BARE | {"title": "Attention", "run": "random", "kind": "language model"}
    script = Markup(SCRIPT.read_text(encoding="utf-8"))
    path.write_text(
        fill(
            "page.html.j2",
            body=Markup("<h1>Attention</h1>") + viewer("random", **tables, start=(0, 1, 2)),
            script=script,
            **parts,
        ),
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def driver(driver, tmp_path_factory):
    """On a laptop's screen, with a folder for what it saves."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", LAPTOP)
    downloads = tmp_path_factory.mktemp("downloads")
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    driver.downloads = downloads
    return driver


def status(browser) -> str:
    return browser.find_element(By.CSS_SELECTOR, "#attention-viewer .value").text


def choices(browser) -> list[Select]:
    return [Select(element) for element in browser.find_elements(By.CSS_SELECTOR, ".choices select")]


def cell(browser, source: int, target: int):
    return browser.find_element(By.CSS_SELECTOR, f'.map [data-source="{source}"][data-target="{target}"]')


def held(table: pd.DataFrame, digits: int = 4, **key) -> str:
    """The one weight that a table holds for a key, as the viewer writes it."""
    rows = table[(table[list(key)] == list(key.values())).all(axis=1)]
    assert len(rows) == 1
    return f"{rows['weight'].iloc[0]:.{digits}f}"


def test_it_begins_where_it_was_told(browser, tables):
    assert status(browser).startswith("block 1, head 2: ")
    assert [choice.first_selected_option.text for choice in choices(browser)] == [SENTENCES[0], "1", "2"]
    last = tables["tokens"].query("sentence == 0")["position"].max()
    assert status(browser).endswith(held(tables["weights"], sentence=0, block=1, head=2, source=last, target=0))


@pytest.mark.parametrize(("block", "head"), [(0, 0), (2, 3), (1, 1)])
def test_every_cell_shows_what_the_table_holds(browser, tables, block, head):
    _, blocks, heads = choices(browser)
    blocks.select_by_visible_text(str(block))
    heads.select_by_visible_text(str(head))
    rows = tables["weights"].query("sentence == 0 and block == @block and head == @head")
    cells = browser.execute_script(
        "return [...document.querySelectorAll('.map .cell')]"
        ".map(cell => [+cell.dataset.source, +cell.dataset.target, cell.ariaLabel])"
    )
    shown = {(source, target): label for source, target, label in cells}
    assert len(shown) == len(rows) > 100
    for row in rows.itertuples():
        expected = f"{row.source_token} ({row.source}) → {row.target_token} ({row.target}): {row.weight:.4f}"
        assert shown[row.source, row.target] == expected


def test_averages_rollout_and_effects_are_the_tables(browser, tables):
    averages, (_, blocks, heads) = tables["averages"], choices(browser)
    blocks.select_by_visible_text("2")
    place = {"sentence": 0, "source": 6, "target": 3}
    cell(browser, 6, 3).click()
    for shown, view in (("mean of heads", "mean"), ("rollout", "rollout")):
        heads.select_by_visible_text(shown)
        assert status(browser).startswith(f"block 2, {shown}")
        assert status(browser).endswith(": " + held(averages, view=view, block=2, **place))
    heads.select_by_visible_text("effect of blocking")
    assert status(browser).startswith("all blocks, effect of blocking")
    assert status(browser).endswith(": " + held(averages, 3, view="effect", **place))
    heads.select_by_visible_text("mean of heads")
    assert status(browser).startswith("all blocks, mean of heads")
    assert status(browser).endswith(": " + held(averages, view="overall", **place))
    heads.select_by_visible_text("1")
    assert status(browser).startswith(f"block {BLOCKS - 1}, head 1"), "a head belongs to a block"


def test_hovering_shows_a_value_and_its_whole_row(browser, tables):
    ActionChains(browser).move_to_element(cell(browser, 5, 4)).perform()
    rows = tables["weights"].query("sentence == 0 and block == 1 and head == 2 and source == 5")
    assert status(browser).endswith(f"(4): {rows['weight'].iloc[4]:.4f}")
    listed = [[part.text for part in row.find_elements(By.CSS_SELECTOR, "th, td")][:2]
              for row in browser.find_elements(By.CSS_SELECTOR, ".list tbody tr")]  # fmt: skip
    assert listed == [[row.target_token, f"{row.weight:.4f}"] for row in rows.itertuples()]
    ActionChains(browser).move_to_element(browser.find_element(By.CSS_SELECTOR, ".choices")).perform()
    assert "(5)" not in status(browser), "what was only pointed at does not stay"


def test_the_overview_is_clicked(browser, tables):
    buttons = browser.find_elements(By.CSS_SELECTOR, ".overview button")
    assert len(buttons) == BLOCKS * (HEADS + 2) + 2
    browser.find_element(By.CSS_SELECTOR, '.overview [data-block="2"][data-column="0"]').click()
    assert status(browser).startswith("block 2, head 0: ")
    assert [choice.first_selected_option.text for choice in choices(browser)[1:]] == ["2", "0"]
    pressed = browser.find_elements(By.CSS_SELECTOR, '.overview [aria-pressed="true"]')
    assert [button.get_attribute("aria-label") for button in pressed] == ["block 2, head 0"]


def test_everything_can_be_reached_by_keyboard(browser, tables):
    sentence, block, head = (choice._el for choice in choices(browser))
    sentence.send_keys(Keys.TAB)
    assert browser.switch_to.active_element == block
    block.send_keys("0")
    head.send_keys("3")
    assert status(browser).startswith("block 0, head 3: ")
    head.send_keys(Keys.TAB)
    browser.switch_to.active_element.send_keys(Keys.TAB)  # past the button that saves
    focused = browser.switch_to.active_element
    assert focused.get_attribute("aria-label") == "block 0, head 3"
    focused.send_keys(Keys.ARROW_DOWN)
    browser.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
    assert browser.switch_to.active_element.get_attribute("aria-label") == "block 1, head 2"
    assert status(browser).startswith("block 1, head 2: ")
    for _ in range(BLOCKS):
        browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert status(browser).startswith("all blocks, mean of heads: ")
    browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert status(browser).startswith("all blocks, effect of blocking: ")
    for _ in range(2):
        browser.switch_to.active_element.send_keys(Keys.ARROW_UP)
    assert status(browser).startswith(f"block {BLOCKS - 2}, mean of heads: ")
    browser.switch_to.active_element.send_keys(Keys.TAB)
    for key in (Keys.ARROW_UP, Keys.ARROW_UP, Keys.END, Keys.ARROW_LEFT):
        browser.switch_to.active_element.send_keys(key)
    last = tables["tokens"].query("sentence == 0")["position"].max()
    expected = held(tables["averages"], view="mean", sentence=0, block=BLOCKS - 2, source=last - 2, target=last - 3)
    assert f"({last - 2}) → " in status(browser) and status(browser).endswith(f"({last - 3}): {expected}")


def test_heads_that_look_ahead(driver, tables_ahead, tmp_path):
    driver.get(page_of(tables_ahead, tmp_path / "attention.html").as_uri())
    rows = tables_ahead["weights"].query("block == 1 and head == 2")
    last = rows["source"].max()
    assert len(driver.find_elements(By.CSS_SELECTOR, ".map .cell")) == len(rows) == (last + 1) ** 2
    assert not driver.find_elements(By.CSS_SELECTOR, ".map .later")
    cell(driver, 0, last).click()
    row = rows.query("source == 0 and target == @last").iloc[0]
    assert status(driver).endswith(f"[CLS] (0) → [SEP] ({last}): {row['weight']:.4f}")
    assert len(driver.find_elements(By.CSS_SELECTOR, ".list tbody tr")) == last + 1
    driver.switch_to.active_element.send_keys(Keys.HOME)
    driver.switch_to.active_element.send_keys(Keys.END)
    assert f"→ [SEP] ({last})" in status(driver)
    _, _, heads = choices(driver)
    heads.select_by_visible_text("effect of blocking")
    effects = tables_ahead["averages"].query("view == 'effect'")["weight"]
    digits = 6 if effects.max() < 0.065 else 3
    assert status(driver).endswith(held(tables_ahead["averages"], digits, view="effect", source=0, target=last))


def test_it_bars_nobody(browser):
    assert not barriers(browser)


def test_a_hostile_sentence_is_only_text(browser, tables):
    choices(browser)[0].select_by_visible_text(HOSTILE)
    own = tables["tokens"].query("sentence == 1")
    labels = [
        span.get_attribute("textContent")
        for span in browser.find_elements(By.CSS_SELECTOR, ".map tr > th[scope=row] span")
    ]
    assert labels == own["label"].tolist() and "".join(labels).replace("·", " ").strip() == HOSTILE
    assert not browser.find_elements(By.CSS_SELECTOR, "#attention-viewer img, #attention-viewer script")
    kinds = browser.execute_script("return [...document.scripts].map(s => s.type)")
    assert kinds == ["application/json", ""]


def test_no_other_script_may_run(driver, page):
    """The policy itself, not only our care: a script and a handler that got into the page do nothing."""
    driver.get(page.as_uri())
    driver.execute_script(
        "const s = document.createElement('script'); "
        "s.textContent = 'document.title = \"gone\"'; document.body.append(s);"
        "const b = document.createElement('b'); b.setAttribute('onclick', 'document.title = \"gone\"');"
        "document.body.append(b); b.click();"
    )
    assert driver.title.startswith("Attention")
    refused = [entry["message"] for entry in driver.get_log("browser")]
    assert len(refused) == 2 and all("Content Security Policy" in message for message in refused)


def test_a_picture_is_saved(browser, tables):
    browser.find_element(By.CSS_SELECTOR, ".choices .save").click()
    wanted = browser.downloads / "attention_random_sentence_0_block_1_head_2.svg"
    for _ in range(100):
        if wanted.exists():
            break
        time.sleep(0.1)
    drawing = wanted.read_text(encoding="utf-8")
    rows = tables["weights"].query("sentence == 0 and block == 1 and head == 2")
    assert drawing.startswith("<svg") and drawing.count("<title>") == len(rows)
    row = rows.iloc[-1]
    assert f"{row.target_token} ({row.target}): {row.weight:.4f}</title>" in drawing


def test_it_fits_a_laptop_and_a_telephone(browser):
    box = browser.find_element(By.ID, "attention-viewer").rect
    assert box["width"] <= 1280 and box["height"] <= 720
    scrolled = browser.execute_script(
        "const part = document.querySelector('.picture .scroll'); return part.scrollWidth > part.clientWidth"
    )
    assert not scrolled, "the map is seen whole"
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", TELEPHONE)
    try:
        assert browser.execute_script("return document.documentElement.scrollWidth") <= TELEPHONE["width"]
    finally:
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", LAPTOP)
