"""Reports: a notebook is executed, its cells become HTML, and a template of ours makes a page of them.

A page is one file: style and figures lie inside it, and its content security policy lets nothing be fetched, and
nothing be run but what we wrote: what sorts long tables, and the one script that a page may have of its own.
"""

import base64
import sys
from collections.abc import Mapping
from pathlib import Path

import papermill
from bs4 import BeautifulSoup
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from emoscope.reporting.documents import links_to
from emoscope.reporting.templates import fill, script_for
from emoscope.storage.files import replacing, write_text
from emoscope.storage.integrity import check_whole
from emoscope.storage.provenance import files_of, page_facts

SVG = "image/svg+xml"
SAFE_PATH = "--InteractiveShellApp.ignore_cwd=True"  # or a notebook would import a pandas.py of the working folder


class Kernel(AsyncKernelManager):
    """A kernel of the Python that runs this, which the warm process may run: what Jupyter finds by a kernel's name may
    be another Python, of JUPYTER_PATH or of the user's own."""

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-m", "emoscope.warm.kernel", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


def render_report(
    notebook: Path,
    parameters: dict,
    tables: list[Path],
    documents: list[Path],
    executed: Path,
    figures: Path,
    output: Path,
) -> None:
    """Execute a notebook and write it as one HTML page, and its figures as SVG files into the folder `figures`.

    `parameters` holds `run`, `paths` (tables by name) and `settings` for the notebook, `links` (label to address) for
    the navigation, `kind` of what the page is about (by default a run), and `script` (a file) if a page needs one.
    `tables` are the files that `paths` names, in that order: from a storage they come under names of its own.
    `documents` are those that explain the page.
    `executed` is the executed notebook; it stays, with the traceback, when a cell fails.
    """
    check_whole(tables)
    executed.parent.mkdir(parents=True, exist_ok=True)
    paths = placed(parameters["paths"], tables)
    inputs = {name: parameters[name] for name in ("run", "settings")} | {"paths": paths}
    cells = papermill.execute_notebook(
        notebook,
        executed,
        parameters=inputs,
        kernel_name="python3",
        extra_arguments=[SAFE_PATH],
        kernel_manager_class=Kernel,
    )
    with replacing(figures) as folder:
        folder.mkdir()
        for name, drawing in take_figures(cells).items():
            (folder / f"{name}.svg").write_text(drawing, encoding="utf-8")
    body = export(cells)
    page = fill(
        "page.html.j2",
        title=BeautifulSoup(body, "html.parser").h1.get_text(),
        run=parameters["run"],
        kind=parameters.get("kind", "run"),
        body=body,
        links=parameters["links"],
        adopted=adopted_runs(parameters["settings"]),
        documents=links_to(documents, output),
        provenance=page_facts(paths, parameters["settings"], files_of(parameters["paths"])),
        script=script_for(
            body, Path(parameters["script"]).read_text(encoding="utf-8") if "script" in parameters else ""
        ),
    )
    write_text(page, output)


def placed(paths: dict[str, str | list[str]], files: list[Path]) -> dict[str, str | list[str]]:
    """The same tables by name, each where its file lies; `files` are in the order of `paths`."""
    given = map(str, files)
    return {
        name: next(given) if isinstance(named, str) else [next(given) for _ in named] for name, named in paths.items()
    }


def adopted_runs(settings: Mapping) -> list[str]:
    """The names of those runs that a page is about whose classifiers were trained elsewhere."""
    entries = [settings["run"]] if "run" in settings else [*settings.get("runs", {}).values()]
    return [entry["name"] for entry in entries if entry.get("training") == "none"]


def take_figures(notebook: NotebookNode) -> dict[str, str]:
    """Turn every figure of an executed notebook into captioned HTML, in place; return the drawings by name.

    A drawing is shown as an image, so that nothing inside it can run or clash with another's names.
    """
    drawings = {}
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", ()))
    for output in outputs:
        if SVG in output.get("data", {}):
            drawing, about = output["data"].pop(SVG), output["metadata"][SVG]
            drawings[about["name"]] = drawing
            source = "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()
            output["data"]["text/html"] = Markup(
                '<figure id="{name}"><img src="{source}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'
            ).format(source=source, **about)
    return drawings


def export(notebook: NotebookNode) -> Markup:
    """The cells as HTML: text and results, without code and without what was printed to standard error."""
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # papermill draws one at random
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    exporter = HTMLExporter(
        template_name="basic", exclude_input=True, exclude_output_prompt=True, exclude_anchor_links=True
    )
    return Markup(exporter.from_notebook_node(notebook)[0])
