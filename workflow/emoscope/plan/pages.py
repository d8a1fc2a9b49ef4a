"""The report pages: what each one reads and says, from which its files, links, parameters and provenance follow.

Imported by the Snakefile: nothing heavy in here.
"""

import json
import posixpath
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from emoscope.plan.subjects import Model, Run

INDEX, CLAIMS = "reports/index.html", "reports/claims.html"
EXPLAIN_ALL = ("statistics.md", "glossary.md")  # the documents below docs that explain every page
EXPLAIN_INDEX = ("targets.md", *EXPLAIN_ALL)


@dataclass(frozen=True, eq=False)
class Overview:
    """What one page is about that compares or collects runs; `about` is what it says of settings."""

    about: Mapping[str, Any]
    kind: ClassVar = "overview"
    name: ClassVar = ""
    place: ClassVar = "."

    def page_tables(self) -> dict[str, str]:
        return {}


Subject = Run | Model | Overview
Tables = dict[str, str | list[str]]


@dataclass(frozen=True)
class Page:
    """One kind of page, drawn by the notebook of its name.

    subjects: what there is a page about. tables: the files that the notebook reads for one of them, by the name under
    which it knows them. sections: the sections of the configuration that it mentions. script: the
    file of a script that it runs. explained: the documents below docs that say how its numbers are measured, besides
    those that explain every page. on_demand: it is made only if asked for, and no other page leads to it but the index,
    to those that are there.
    """

    name: str
    subjects: Iterable[Subject]
    tables: Callable[[Subject], Tables]
    sections: tuple[str, ...] = ()
    script: str = ""
    explained: tuple[str, ...] = ()
    on_demand: bool = False

    @property
    def documents(self) -> tuple[str, ...]:
        """The documents below docs that explain it, its own first."""
        return (*self.explained, *EXPLAIN_ALL)

    def html(self, subject: Subject) -> str:
        return f"reports/{subject.place}/{self.name}.html".replace("/./", "/")

    def paths(self, subject: Subject) -> Tables:
        """All that the page of a subject reads; ValueError if there is none about it."""
        if subject not in self.subjects:
            raise ValueError(f"there is no page {self.name} about {subject.name or 'all runs'}")
        return subject.page_tables() | self.tables(subject)

    def all_html(self) -> list[str]:
        return [self.html(subject) for subject in self.subjects]

    def asked(self, lacking: str) -> Callable[[Any], list[str]]:
        """What the target of this name wants, as an input function; where there is no such page, the run ends with what
        is `lacking`, and how to get it."""
        # of a UserError in an input function Snakemake would make a traceback
        return lambda wildcards: self.all_html() or sys.exit(f"emoscope: {lacking}")


class Pages(dict[str, Page]):
    """The pages of a workflow by name, in the order in which readers find them."""

    def add(self, page: Page) -> None:
        self[page.name] = page

    def about(self, subject: Subject) -> list[Page]:
        """The pages of a subject that are always made."""
        return [page for page in self.values() if subject in page.subjects and not page.on_demand]

    def html(self, subjects: Iterable[Subject]) -> list[str]:
        """The pages of these subjects, one subject after the other."""
        return [page.html(subject) for subject in subjects for page in self.about(subject)]

    def html_on_demand(self) -> list[str]:
        """The pages that are made only if asked for, whether or not they are."""
        return [html for page in self.values() if page.on_demand for html in page.all_html()]

    def parameters(self, name: str, subject: Subject, config: Mapping[str, Any]) -> str:
        """All that a subject's page of this name is made from, as `reporting.render` wants it, as JSON."""
        page = self[name]
        sections = {section: config[section] for section in (*page.sections, "statistics")}
        links = {other.name.capitalize(): other.html(subject) for other in self.about(subject) if subject.name}
        links = {"All reports": INDEX, **links, "Claims": CLAIMS}
        parameters = {
            "run": subject.name,
            "kind": subject.kind,
            "paths": page.paths(subject),
            "settings": {**subject.about, **sections},
            "links": {label: _address(other, page.html(subject)) for label, other in links.items()},
        }
        return json.dumps(parameters | ({"script": page.script} if page.script else {}))

    def read_about(self, subject: Subject) -> list[str]:
        """Every file that the pages of a subject read, sorted."""
        return sorted({file for page in self.about(subject) for file in files_in(page.paths(subject))})


def where_to_look(made: Iterable[str]) -> list[str]:
    """Of the files that a run made, those to open first: the index, which leads to the others, or else every page."""
    pages = sorted(file for file in made if file.startswith("reports/") and file.endswith(".html"))
    return [INDEX] if INDEX in pages else pages


def _address(target: str, page: str) -> str:
    """A file as an address on a page, relative to it; empty for the page itself."""
    return "" if target == page else posixpath.relpath(target, posixpath.dirname(page))


def files_in(tables: Tables) -> list[str]:
    """The files of tables, of which each is one file or several."""
    return [file for named in tables.values() for file in ([named] if isinstance(named, str) else named)]
