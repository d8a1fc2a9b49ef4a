"""A whole run on hostile texts, in a real browser: every one is shown as text, and none becomes part of a page."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

selenium = pytest.importorskip("selenium", reason="the browser tests need the package selenium")
import emoscope  # noqa: E402
from browser.driving import requests_of  # noqa: E402
from project import copy_project, snakemake  # noqa: E402

pytestmark = pytest.mark.slow
HOSTILE = [
    "<script>window.owned=1</script>",
    "<img src=x onerror=window.owned=1>",
    '"><svg onload=window.owned=1>',
    "'-window.owned=1-'",
    "</td></tr></table></main><h1>owned</h1>",
    '<a href="javascript:window.owned=1">owned</a>',
    "![owned](http://example.org/a.png) [owned](javascript:window.owned=1)",
    "<iframe src=http://example.org></iframe>",
    "<style>body{display:none}</style><base href=http://example.org>",
    "&lt;b&gt; &amp;amp; &#60;script&#62;",
    "{{ 7 * 7 }} {% raw %} {0} %s ${HOME} `id` $(id)",
    r"$\frac{owned}$ \(owned\) $$",
    "-->owned<!-- ]]> <![CDATA[",
    '=HYPERLINK("http://example.org") @SUM(A1) +1 -1',
    "\N{RIGHT-TO-LEFT OVERRIDE}denwo \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{ROCKET} \U0001f1e9\U0001f1ea e\u0301\u0302\u0303\u0304",
    "\a\b\x1b[31mred\x1b[0m\x7f\x85\u2028\u2029\ufeff\ufffe",
]
OF_A_RUN = ("performance", "masking", "flips", "synonyms", "suites", "fairness", "tracing", "words", "attention")
SCRIPTS = {path.stem: path.read_text() for path in (Path(emoscope.__file__).parents[1] / "report").glob("*.js")}
OURS = {script.strip() for script in SCRIPTS.values()}
OURS |= {(SCRIPTS["sort_tables"] + script).strip() for script in SCRIPTS.values()}  # a viewer's beside tables to sort
PAGES = [
    *(f"reports/tiny-s1/{page}.html" for page in OF_A_RUN),
    *(f"reports/models/language/{page}.html" for page in ("attention", "prompting", "residual")),
]
FEELINGS = {
    "sadness": "sad and alone",
    "joy": "happy and glad",
    "love": "love and tender",
    "anger": "angry and mad",
    "fear": "afraid and nervous",
    "surprise": "surprised and amazed",
}
SUBJECTS = ["he told her that", "my white friend and his mother feel that", "she knows that a black man says", "i feel"]


def hostile_project(folder: Path) -> Path:
    """A tiny project whose corpus, sentences and tasks are hostile."""
    project = copy_project(folder)
    rows = [
        {"text": f"{subject} i am {words} {attack} {'so ' * again}", "label": label}
        for label, words in FEELINGS.items()
        for attack in HOSTILE
        for subject in SUBJECTS
        for again in range(2)
    ]
    marks = ("<b>", "<i>", "</p>", "=1+", "{{", "&lt;", r"\(", "-->")
    rows += [{"text": mark + words.split()[0], "label": label} for label, words in FEELINGS.items() for mark in marks]
    table = pd.DataFrame(rows).sample(frac=1, random_state=1)
    table.loc[table.index[0], "text"] += " long" * 20_000
    table.to_csv(project / "hostile.csv", index=False)
    table.tail(60).to_csv(project / "others.csv", index=False)
    tiny = yaml.safe_load((project / "tiny.yaml").read_text())
    tiny["corpora"] = {"hostile": {"source": "csv", "path": "hostile.csv"}}
    tiny["runs"][0]["corpus"] = "hostile"
    tiny["flips"]["traced_pairs"] = 3  # one may be of a text that does no harm
    pairs = [(f"he said {attack} {k}", f"she said {attack} {k}", attack) for attack in HOSTILE for k in range(8)]
    pd.DataFrame(pairs, columns=["before", "after", "kind"]).assign(goal="joy").to_csv(
        project / "pairs.csv", index=False
    )
    suite = {"source": "csv", "path": "pairs.csv", "group": "kind", "direction": "goal"}
    tiny["suites"] = {"hostile": suite}
    tiny["attention"] |= {"corpus": "hostile", "sentences": HOSTILE[:3]}
    tiny["residual"]["corpus"] = "hostile"
    files = {"source": "files", "train": "hostile.csv", "test": "others.csv", "classes": list(FEELINGS)}
    tiny["prompting"]["tasks"] = [{"name": "hostile", **files, "train_rows": 60, "test_rows": 60}]
    (project / "tiny.yaml").write_text(yaml.safe_dump(tiny))
    return project


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> Path:
    """The pages that show texts, of a finished run of it."""
    project = hostile_project(tmp_path_factory.mktemp("hostile") / "project")
    found = snakemake(project, *PAGES)
    assert found.returncode == 0, found.stdout
    return project / "reports"


@pytest.fixture(scope="module")
def pages(reports) -> list[Path]:
    found = [reports.parent / page for page in PAGES]
    assert all(page.is_file() for page in found)
    return found


def test_no_text_becomes_part_of_a_page(chromium, pages):
    for page in pages:
        chromium.get(page.as_uri())
        assert chromium.execute_script("return window.owned") is None, page
        assert not [url for url in requests_of(chromium) if not url.startswith(("file://", "data:"))], page
        assert not chromium.get_log("browser"), page  # a policy that has to stop something would say so
        injected = "svg, iframe, object, embed, base, a[href^=javascript], img:not([src^='data:']), body style"
        assert chromium.execute_script(f'return document.querySelectorAll("{injected}").length') == 0, page
        assert chromium.execute_script("return document.querySelectorAll('h1').length") == 1, page
        run = "return [...document.scripts].filter(s => s.type != 'application/json').map(s => s.textContent.trim())"
        assert set(chromium.execute_script(run)) <= OURS, page
        handlers = "return [...document.all].some(e => [...e.attributes].some(a => a.name.startsWith('on')))"
        assert not chromium.execute_script(handlers), page
        drawn = chromium.execute_script("return [...document.images].every(i => i.complete && i.naturalWidth)")
        assert drawn, page


def test_the_texts_are_shown_as_they_are(chromium, reports):
    shown = {}
    for page in ("tracing", "synonyms"):
        chromium.get((reports / "tiny-s1" / f"{page}.html").as_uri())
        for closed in chromium.find_elements("css selector", "details:not([open]) > summary"):
            closed.click()
        shown[page] = chromium.execute_script("return document.body.textContent")
    for page, text in shown.items():
        assert any(attack in text for attack in HOSTILE[:14]), page  # those without control characters


def test_no_cell_of_a_csv_is_a_formula(reports):
    tables = sorted(reports.parent.rglob("*.csv"))
    written = [path for path in tables if path.is_relative_to(reports) or "results" in path.parts]
    assert len(written) > 5
    for path in written:
        for text in pd.read_csv(path, dtype=str, keep_default_na=False).to_numpy().ravel():
            if text.startswith(("=", "+", "-", "@", "\t", "\r")):
                float(text)
