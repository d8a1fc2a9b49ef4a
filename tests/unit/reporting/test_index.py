"""The index: what was found in ten lines, every page once as a picture, and how the claims fared."""

import hashlib
from html import escape
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

from emoscope.reporting.index import LINES, PICTURED, beginning, render_index
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


def index_of(reports: Path, on_demand: tuple[str, ...] = ()) -> BeautifulSoup:
    asked = [reports / name for name in on_demand]
    pages = sorted({*reports.glob("*/*.html"), *reports.glob("[!i]*.html")} - {*asked})
    names = [str("reports" / page.relative_to(reports)) for page in [*pages, reports / "claims.csv"]]
    render_index(pages, asked, reports / "claims.csv", names, [Path("docs/nulls.md")], reports / "index.html")
    return BeautifulSoup((reports / "index.html").read_text(encoding="utf-8"), "html.parser")


def add(reports: Path, *pages: str, run: str = "") -> None:
    for name in pages:
        (reports / run / f"{name}.html").write_text(PAGE.format(run=run, title=name, found=f"{name} found."))


def lines(part: Tag) -> list[str]:
    """The text of the lines that are not folded inside a part that is not, or are inside one that is."""
    shown = [line for line in part.select(".found li") if line.find_parent("details") in (None, part)]
    return [" ".join(line.get_text().split()) for line in shown]


def test_what_was_found_is_told_in_ten_lines_the_planted_first(reports):
    add(reports, "claims", "doses", "ground_truth")
    add(reports, *(f"more{number}" for number in range(6)), run="two-s1")
    soup = index_of(reports)
    told, found = lines(soup), " ".join(NASTY.split())
    assert told[:3] == ["ground_truth: ground_truth found.", "claims: claims found.", "doses: doses found."]
    assert told[3] == f"Masking Run one-s1: one-s1 {found} found."
    of_two = (f"more{number} Run two-s1: more{number} found." for number in range(4))
    assert told[5:] == [f"Masking Run two-s1: two-s1 {found} found.", *of_two]
    assert len(told) == LINES == 10
    [folded] = soup.select("section details")
    assert folded.find_parent("section")["data-run"] == "Run two-s1"
    assert lines(folded) == ["more4: more4 found.", "more5: more5 found.", f"Synonyms: two-s1 {found} found."]
    hrefs = [a["href"] for a in soup.select(".found a")]
    assert sorted(hrefs) == sorted(card["href"] for card in soup.select(".cards a")), "each page is told of once"


def test_pages_on_demand_are_linked_if_they_are_there_and_not_quoted(reports):
    asked = ("one-s1/probing.html", "two-s1/probing.html")
    before = index_of(reports, asked)
    assert not before.select(".asked")
    add(reports, "probing", run="one-s1")
    soup = index_of(reports, asked)
    [link] = soup.select(".asked a")
    assert link["href"] == asked[0] and link.find_parent("section")["data-run"] == "Run one-s1"
    assert "probing found" not in soup.get_text() and len(soup.select(".cards li")) == 4
    assert "probing" in soup.select("fieldset")[1].get_text()
    assert soup.footer.get_text() == before.footer.get_text(), "it is no input"


def test_each_page_has_a_picture_under_its_run(reports):
    soup = index_of(reports)
    assert [section["data-run"] for section in soup.select("section")] == ["Run one-s1", "Run two-s1"]
    for section, run in zip(soup.select("section"), ("one-s1", "two-s1"), strict=True):
        assert [card["href"] for card in section.select(".cards a")] == [f"{run}/masking.html", f"{run}/synonyms.html"]
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
        ("One. “A” is. Three.", "One. “A” is."),
        ("all one; two; three", "all one; two ..."),
        ("a sentence much longer than that", "a sentence much longer than that"),
    ],
)
def test_only_the_beginning_of_a_headline_is_quoted(monkeypatch, text, kept):
    monkeypatch.setattr("emoscope.reporting.index.LONGEST", 14)
    assert beginning(text) == kept


def test_an_index_of_many_pages_has_no_pictures_and_can_be_opened(reports):
    large = PAGE.replace("AA==", "A" * 100_000)
    for number in range(PICTURED + 1 - 4):
        (reports / "one-s1" / f"more{number}.html").write_text(large.format(run="one-s1", title=number, found="x"))
    soup = index_of(reports)
    assert len(soup.select(".cards li")) == PICTURED + 1 and not soup.select("img, .thumbnail")
    assert (reports / "index.html").stat().st_size < 200_000
    (reports / "one-s1" / "more0.html").unlink()
    assert len(index_of(reports).select("img")) == PICTURED
