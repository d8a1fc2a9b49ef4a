"""Pages: what a reader finds on one, and that it fetches and runs nothing."""

import base64
import hashlib
import json
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from markupsafe import Markup, escape

from emoscope.reporting import render as reports
from emoscope.reporting.documents import links_to
from emoscope.reporting.html import SORTABLE, html_table
from emoscope.reporting.templates import fill, script_for
from made_up import BARE, NASTY


def executed(*outputs: dict) -> nbformat.NotebookNode:
    """A notebook with a heading and one executed cell, as papermill leaves it."""
    cell = nbformat.v4.new_code_cell("secret_code()")
    cell.outputs = [nbformat.v4.new_output("display_data", **output) for output in outputs]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Masking\n\nWhat it asks."), cell])


def figure_output(name: str = "one", caption: str = "A caption.") -> dict:
    return {"data": {reports.SVG: "<svg/>"}, "metadata": {reports.SVG: {"name": name, "caption": caption}}}


def html_output(html: str) -> dict:
    return {"data": {"text/html": html}, "metadata": {}}


@pytest.fixture
def page(tmp_path: Path, monkeypatch) -> Path:
    """A page made from a finished notebook; executing notebooks takes seconds and is the workflow's test."""
    cells = executed(
        html_output(Markup('<p class="headline">Accuracy {}.</p>').format(NASTY)), figure_output(caption=NASTY)
    )
    monkeypatch.setattr(reports.papermill, "execute_notebook", lambda *args, **kwargs: cells)
    audit = {"source": "calibration", "revision": "seed 1", "rows": 1200, "sha256": "ab" * 32}
    training = {
        "seconds": 12.3,
        "device": "cpu",
        "precision": "fp32",
        "steps": 15,
        "parameters": 9,
        "versions": {"torch": "2"},
    }
    for name, content in (("audit", audit), ("training", training)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    output = tmp_path / "reports" / "run-s1" / "masking.html"
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "nulls.md").write_text("# A fair null")
    reports.render_report(
        Path("masking.ipynb"),
        {
            "run": "run-s1",
            "paths": {name: f"results/{name}.json" for name in ("audit", "training")},
            "settings": {"run": {"seed": 7}, "masking": {"head_conditions": ["zero"]}},
            "links": {"All reports": "../index.html", "Masking": ""},
        },
        [tmp_path / f"{name}.json" for name in ("audit", "training")],  # where a storage put them
        [tmp_path / "docs" / name for name in ("nulls.md", "lost.md")],
        tmp_path / "logs" / "masking.ipynb",
        tmp_path / "reports" / "figures" / "masking",
        output,
    )
    return output


def test_a_page_has_title_navigation_result_and_provenance(page):
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    assert soup.title.get_text() == "Masking - run-s1"
    assert [a["href"] for a in soup.nav.find_all("a")] == ["../index.html"]
    assert soup.nav.select_one("[aria-current]").get_text() == "Masking"
    provenance = soup.footer.get_text()
    for fact in ("ab" * 32, "12.3 s on cpu", "torch 2", "head_conditions", "calibration (seed 1)"):
        assert fact in provenance
    audit = page.parents[2] / "audit.json"
    assert f"{hashlib.sha256(audit.read_bytes()).hexdigest()}  results/audit.json" in provenance
    assert "secret_code" not in str(soup)


def test_a_page_leads_to_the_documents_that_explain_it(page):
    line = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").select_one("footer .documents")
    assert " ".join(line.get_text().split()) == "How this is measured: docs/nulls.md, docs/lost.md"
    assert [a["href"] for a in line.find_all("a")] == ["../../docs/nulls.md"]
    assert (page.parent / "../../docs/nulls.md").is_file()


def test_where_a_link_would_not_last_a_document_is_named_only(tmp_path, monkeypatch):
    (tmp_path / "checkout" / "docs").mkdir(parents=True)
    (tmp_path / "checkout" / "docs" / "nulls.md").touch()
    monkeypatch.chdir(tmp_path / "checkout")
    there, page = Path("docs/nulls.md"), "reports/models/small/flips.html"
    assert links_to([there], Path(page)) == {"docs/nulls.md": "../../../docs/nulls.md"}
    for elsewhere in (f".snakemake/storage/s3/bucket/{page}", f"../module/{page}", "mine/flips.html"):
        assert links_to([there], Path(elsewhere)) == {"docs/nulls.md": ""}
    (tmp_path / "module" / ".snakemake").mkdir(parents=True)
    (tmp_path / "module" / ".snakemake" / "emoscope").symlink_to(tmp_path / "checkout")
    monkeypatch.chdir(tmp_path / "module")
    assert links_to([Path(".snakemake/emoscope/docs/nulls.md")], Path(page)) == {"docs/nulls.md": ""}


def test_tables_keep_their_names_wherever_their_files_lie():
    named = {"one": "a.csv", "several": ["b.csv", "c.csv"], "none": [], "last": "d.csv"}
    files = [Path(f"storage/{letter}.csv") for letter in "abcd"]
    assert reports.placed(named, files) == {
        "one": "storage/a.csv",
        "several": ["storage/b.csv", "storage/c.csv"],
        "none": [],
        "last": "storage/d.csv",
    }


def test_a_page_fetches_and_runs_nothing(page):
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    assert not soup.find_all(["script", "iframe", "object", "embed", "base"])
    assert all(tag["src"].startswith("data:") for tag in soup.find_all(src=True))
    assert not [name for tag in soup.find_all() for name in tag.attrs if name.startswith("on")]
    policy = soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert "default-src 'none'" in policy and "script" not in policy


def test_a_page_with_a_long_table_runs_what_sorts_it_and_its_own_script():
    long = html_table([{"a": n} for n in range(SORTABLE)], "")
    assert script_for("<table>") == "" and script_for("<table>", "own()") == "own()"
    script = script_for(f"<p>{long}</p>", "own()")
    assert script.endswith("own()") and "aria-sort" in script
    assert script_for(escape(str(long))) == ""  # a text that looks like a table is none
    soup = BeautifulSoup(fill("page.html.j2", script=script, body=long, **BARE), "html.parser")
    policy = soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    digest = base64.b64encode(hashlib.sha256(soup.script.string.encode()).digest()).decode()
    assert soup.script.string == script and f"script-src 'sha256-{digest}'" in policy


def test_figures_are_saved_and_described(page):
    image = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").select_one("figure img")
    saved = page.parents[1] / "figures" / "masking" / "one.svg"
    assert base64.b64decode(image["src"].split(",")[1]).decode() == saved.read_text() == "<svg/>"
    assert image["alt"] == NASTY


def test_what_goes_to_standard_error_stays_in_the_log():
    cells = executed(html_output("<p>result</p>"))
    cells.cells[1].outputs += [
        nbformat.v4.new_output("stream", name="stderr", text="a warning"),
        nbformat.v4.new_output("stream", name="stdout", text="a remark"),
    ]
    html = reports.export(cells)
    assert "result" in html and "a remark" in html and "a warning" not in html


def test_pages_about_classifiers_that_were_trained_elsewhere_are_known():
    adopted, trained = {"name": "theirs", "training": "none"}, {"name": "ours", "training": {"epochs": 1}}
    assert reports.adopted_runs({"run": adopted}) == ["theirs"] and reports.adopted_runs({"run": trained}) == []
    assert reports.adopted_runs({"runs": {"ours-s1": trained, "theirs-s1": adopted}}) == ["theirs"]
    assert reports.adopted_runs({}) == []
