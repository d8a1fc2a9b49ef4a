"""Filling the templates of workflow/report."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from emoscope.reporting import html

WORDING = (
    "added",
    "badge",
    "cell",
    "estimate",
    "listed",
    "number",
    "p_value",
    "percent",
    "plural",
    "signed",
    "some",
    "unsigned",
)
TEMPLATES = Path(__file__).parents[2] / "report"
MARKUP = re.compile(r"[\\`*\[\]<>|~$]|&(?=#?\w+;)|(?<!\w)_|_(?!\w)")  # of Markdown, also within a table; `a_b` is none


def fill(template: str, **values) -> str:
    """Fill one of our templates; in a page, .html.j2, every value that is not Markup is escaped."""
    return environment().get_template(template).render(**values)


@cache
def environment() -> jinja2.Environment:
    """Where our templates are, and how they are filled; they word numbers with the functions of `html` in WORDING."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=lambda name: name.endswith(".html.j2"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals |= {function: getattr(html, function) for function in WORDING}
    found.filters |= {"digest": digest, "plain": plain, "code": code}
    return found


def script_for(body: str, own: str = "") -> Markup:
    """The script of a page: what its tables need to be sorted, and its own, if it has one."""
    sort = (TEMPLATES / "sort_tables.js").read_text(encoding="utf-8") if '<table class="sortable">' in body else ""
    return Markup(sort + own)


def digest(script: str) -> str:
    """How a content security policy names a script: the hash of its text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def plain(text: str) -> str:
    """A text in Markdown that is read as it is, whatever signs are in it."""
    return MARKUP.sub(r"\\\g<0>", text)


def code(text: str) -> str:
    """A text as code in a cell of a Markdown table, whatever signs are in it (CommonMark 6.1, GFM 4.10)."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}".replace("|", r"\|")
