"""The claims page: a browser without a script, and published samples that were too small."""

import numpy as np
import pandas as pd
from bs4 import BeautifulSoup

from emoscope.verdicts.claims import page as claims_report
from made_up import NASTY, tags


def test_claims_can_be_filtered_without_a_script():
    claims = pd.DataFrame({
        "id": ["masking.a", "flips.b"], "source": "table 1", "published": ["0.1", "none"], "ours": [0.2, np.nan],
        "low": np.nan, "high": np.nan, "verdict": ["artefact", "not testable here"], "note": [NASTY, "b"],
        "run": "run-s1", "margin": [np.nan, 0.02], "detectable": [np.nan, 0.05], "equivalence_p": [np.nan, 0.26],
    })  # fmt: skip
    html = claims_report.browser(claims)
    assert not tags(html) & {"script", "img"}
    assert "±0.02" in html and "p = 0.26" in html and "0.050" in html
    soup = BeautifulSoup(html, "html.parser")
    assert [label.get_text(strip=True) for label in soup.select("label")] == ["all", "artefact", "not testable here"]
    assert [group["data-group"] for group in soup.select("details")] == ["masking", "flips"]
    assert '[data-verdict="artefact"])) { display: none; }' in soup.style.get_text()


MARGIN = 0.02


def test_the_page_says_which_published_samples_were_too_small():
    samples = pd.DataFrame({
        "claim": ["few", "parts", "parts", "many"], "statement": "<b>Nothing.</b>", "drawn_from": "texts",
        "texts": [17, 100, 600, 1000], "spread": [np.nan, 0.28, 0.28, np.nan], "source": "here",
    })  # fmt: skip
    table = claims_report.published_power(samples, MARGIN, alpha=0.05)
    assert "19.5 %" in table and "0.079" in table and "<b>" not in table
    reading = claims_report.published_reading(samples, MARGIN, alpha=0.05)
    assert "affected: few." in reading and "all of it: parts." in reading and "Enough: many." in reading
    assert "1 of these 3" in reading
