"""Made-up tables and hostile texts for tests of what is told about them."""

import numpy as np
import pandas as pd
from bs4 import BeautifulSoup

from emoscope.models.logits import prediction_table

CLASSES = ["sadness", "joy", "love"]
NASTY = '<script>alert("x")</script>&amp; </td><img src=http://example.org/a.png onerror=alert(1)>'

BARE = {"title": "", "run": "", "kind": "run", "links": {}, "adopted": [], "documents": {}, "provenance": {}}  # a page


def tags(html: str) -> set[str]:
    """The names of all elements."""
    return {tag.name for tag in BeautifulSoup(html, "html.parser").find_all()}


def words(html: str) -> str:
    """The text of a passage, however its template breaks lines."""
    return " ".join(BeautifulSoup(html, "html.parser").get_text().split())


def pairs(count: int) -> pd.DataFrame:
    """Pairs in which `he` becomes `she`, joined with scores; the k-th moves P(anger) by k percent."""
    moved = np.arange(count) / 100
    return pd.DataFrame({
        "id": range(count), "axis": "gender", "origin": "natural", "term": "",
        "text": [f"he said {NASTY} {k}" for k in range(count)],
        "perturbed": [f"she said {NASTY} {k}" for k in range(count)], "label": 0, "spans": [[[0, 2, 0, 3]]] * count,
        "n_changed": 1, "flags": [[] if k % 2 else ["uncertain"] for k in range(count)], "direction": "male to female",
        "before_joy": 0.5, "before_anger": 0.5, "after_joy": 0.5 - moved, "after_anger": 0.5 + moved,
    })  # fmt: skip


def summary_of(origin: str = "natural", term: str = "", verdict: str = "", **measures: tuple) -> pd.DataFrame:
    """A summary of effects with (value, low, high) of each measure."""
    rows = [(origin, term, name, *value, np.nan, verdict, 50, 50) for name, value in measures.items()]
    names = ["origin", "term", "measure", "value", "low", "high", "p_adjusted", "verdict", "texts", "clusters"]
    return pd.DataFrame(rows, columns=names)


def predictions(rows: int, seed: int = 0, scale: float = 4.0) -> pd.DataFrame:
    """Random predictions of random labels; the larger the scale of the logits, the more confident."""
    rng = np.random.default_rng(seed)
    texts = pd.DataFrame({"id": range(rows), "label": rng.integers(0, 3, rows).astype("int8")})
    return prediction_table(texts, rng.normal(scale=scale, size=(rows, 3)).astype("float32"), CLASSES)
