"""The sentences of a page: passages of its template, and the findings that they quote."""

import pandas as pd
from markupsafe import Markup

from emoscope.reporting import html
from emoscope.reporting.templates import environment


class Findings:
    """A table of findings by name, to be quoted: `name, value, low, high, note`."""

    def __init__(self, table: pd.DataFrame):
        self.rows = table.set_index("name")

    def __contains__(self, name: str) -> bool:
        return name in self.rows.index

    def __getitem__(self, name: str) -> pd.Series:
        return self.rows.loc[name]

    def get(self, name: str) -> pd.Series | None:
        """The finding, None where there is none of the name."""
        return self.rows.loc[name] if name in self.rows.index else None

    def value(self, name: str) -> float:
        return float(self[name]["value"])

    def shown(self, name: str, form=html.number) -> Markup:
        """The value with its interval."""
        return html.cell(self[name], form)

    def note(self, name: str) -> str:
        """The remark on it; empty if there is none."""
        note = self[name]["note"]
        return "" if pd.isna(note) else note


def passage(page: str, name: str, **values) -> Markup:
    """Fill one block of a page's template, `pages/{page}.html.j2`; every value that is not Markup is escaped."""
    template = environment().get_template(f"pages/{page}.html.j2")
    return Markup("".join(template.blocks[name](template.new_context(values))).strip())
