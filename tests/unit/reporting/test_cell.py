import numpy as np
import pandas as pd
from bs4 import BeautifulSoup
from markupsafe import Markup

from emoscope.reporting.html import MINUS, added, cell, number, percent, signed, unsigned

ROW = {"value": -0.123, "change": 0.25, "low": -0.2, "high": 0.3}


def text(html: Markup) -> str:
    return BeautifulSoup(html, "html.parser").get_text()


def test_a_cell_is_an_estimate_from_a_mapping_or_a_series():
    assert text(cell(ROW)) == f"{MINUS}0.123 [{MINUS}0.200, +0.300]"
    assert cell(pd.Series(ROW)) == cell(ROW)


def test_a_cell_names_its_column_and_its_form():
    assert text(cell(ROW, percent, value="change")) == f"25.0 % [{MINUS}20.0, 30.0]"


def test_a_cell_can_be_bold():
    assert cell(ROW, strong=np.True_) == Markup("<strong>{}</strong>").format(cell(ROW))


def test_a_cell_without_a_row_or_an_interval():
    assert cell(None) == "n/a" and isinstance(cell(None), Markup)
    assert text(cell({"value": np.nan, "low": np.nan, "high": np.nan})) == "n/a"
    assert text(cell(ROW | {"low": np.nan})) == f"{MINUS}0.123"


def test_what_a_form_writes_is_escaped():
    assert "<b>" not in cell(ROW, lambda value: "<b>")


def test_what_is_rounded_to_nothing_has_no_minus():
    assert (percent(-0.0004), number(-0.0004), number(-0.0006)) == ("0.0 %", "0.000", f"{MINUS}0.001")


def test_a_difference_has_its_sign_in_whatever_form():
    assert [added(value) for value in (0.023, 0, -0.02, np.nan)] == ["+2.3 %", "0.0 %", f"{MINUS}2.0 %", "n/a"]
    assert added(0.0004) == added(-0.0004) == "0.0 %", "what is rounded to nothing has no sign"
    assert added(0.5, unsigned) == added(0.5, signed) == "+0.500"
