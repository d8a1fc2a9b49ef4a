"""The index: every page once, in a line and as a picture, and how the claims fared."""

import hashlib
from html import escape
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from emoscope.reporting.index import beginning, render_index
from made_up import NASTY, tags

PAGE = """<body data-run="{run}" data-kind="run"><h1>{title}</h1><p>What it asks.</p>
<p class="headline">{found}</p><figure><img src="data:image/svg+xml;base64,AA==" alt="a"></figure></body>"""


@pytest.fixture
def reports(tmp_path) -> Path:
    for run in ("one-s1", "two-s1"):
        for title in ("Masking", "Synonyms"):
            path = tmp_path / run / f"{title.lower()}.html"
            path.parent.mkdir(exist_ok=True)
            path.write_text(PAGE.format(run=run, title=title, found=escape(f"{run} {NASTY} found.")))
    (tmp_path / "claims.csv").write_text(
        "id,verdict,impossible\na,reproduced,False\nb,contradicted,False\nc,reproduced,False\nd,artefact,True\nd,artefact,True\n"
    )
    return tmp_path


def index_of(reports: Path) -> BeautifulSoup:
    pages = sorted(reports.glob("*/*.html"))
    names = [f"reports/{page.parent.name}/{page.name}" for page in pages]
    render_index(pages, reports / "claims.csv", [*names, "reports/claims.csv"], reports / "index.html")
    return BeautifulSoup((reports / "index.html").read_text(encoding="utf-8"), "html.parser")


def test_each_page_has_a_line_and_a_picture_under_its_run(reports):
    soup = index_of(reports)
    assert [section["data-run"] for section in soup.select("section")] == ["Run one-s1", "Run two-s1"]
    for section, run in zip(soup.select("section"), ("one-s1", "two-s1"), strict=True):
        assert [card["href"] for card in section.select(".cards a")] == [f"{run}/masking.html", f"{run}/synonyms.html"]
        lines = [line.get_text() for line in section.select(".found li")]
        assert lines == [f"{title}: {run} {' '.join(NASTY.split())} found." for title in ("Masking", "Synonyms")]
        assert all(card.img["src"].startswith("data:image/svg+xml") for card in section.select(".cards a"))
    assert "script" not in tags(str(soup))


def test_verdicts_are_counted_and_files_known_by_their_hash(reports):
    soup = index_of(reports)
    counted = [" ".join(span.get_text().split()) for span in soup.select(".verdicts > span")]
    assert counted == ["reproduced 2", "contradicted 1", "besides, 1 claim that the authors' own log rules out"]
    assert soup.find("a", href="claims.csv")
    for file in (reports / "one-s1" / "masking.html", reports / "claims.csv"):
        name = Path("reports", file.relative_to(reports))
        assert f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {name}" in soup.footer.get_text()


def test_what_there_is_only_one_of_cannot_be_chosen(reports):
    assert len(index_of(reports).select("fieldset")) == 2
    for path in (reports / "two-s1").iterdir():
        path.unlink()
    assert [field.legend.get_text() for field in index_of(reports).select("fieldset")] == ["Show page"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Accuracy 0.9. More follows.", "Accuracy 0.9."),
        ("One. Two. Threehundred.", "One. Two."),
        ("all one; two; three", "all one; two ..."),
        ("a sentence much longer than that", "a sentence much longer than that"),
    ],
)
def test_only_the_beginning_of_a_headline_is_quoted(text, kept):
    assert beginning(text, longest=14) == kept
