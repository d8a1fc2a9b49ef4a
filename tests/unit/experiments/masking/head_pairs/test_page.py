"""What the masking page says of pairs of heads."""

import pandas as pd
from bs4 import BeautifulSoup

from emoscope.experiments.masking.head_pairs import page
from made_up import words
from masking_tables import masking_summary, plain


def pair_summary() -> pd.DataFrame:
    """Four pairs of heads, each with another verdict, in two measures; the k-th interaction is (k + 1) / 10, and ten
    times less of accuracy."""
    kinds = ("redundant", "overlapping", "additive", "not settled")
    rows = [
        (0, 1, 2, number, measure, -0.3, -0.4, -0.9, scale * (number + 1), -1.0, 1.0, 0.01, kind)
        for measure, scale in (("margin", -0.1), ("accuracy", -0.01))
        for number, kind in enumerate(kinds)
    ]
    names = ["first_block", "first_head", "second_block", "second_head", "measure", "first", "second", "together"]
    return pd.DataFrame(rows, columns=[*names, "change", "low", "high", "p_adjusted", "verdict"])


def test_pairs_of_heads_are_told_apart_by_their_verdicts():
    pairs = pair_summary()
    summary = masking_summary(2, 1, ["joy"], ("described",))
    text = plain(words(page.pair_findings(pairs, summary, 0.05)))
    assert "whose silencing costs most logit margin" in text, "no head was replaced by its mean"
    mean = pd.concat([summary, summary[summary["head"] >= 0].assign(condition="mean")])
    assert "whose replacement by their mean costs" in words(page.pair_findings(pairs, mean, 0.05))
    replaced = pd.concat([summary, summary[summary["head"] < 0].assign(condition="mean")])
    assert "whose silencing" in words(page.pair_findings(pairs, replaced, 0.05)), "but for whole blocks"
    assert "The 5 heads" in text and "Of 4 pairs 1 are redundant" in text and "1 overlap" in text
    interaction = pairs[pairs["measure"] == "margin"].assign(low=lambda rows: rows["change"] - 0.1)
    interaction = interaction.assign(high=lambda rows: rows["change"] + 0.1)
    wide = plain(words(page.pair_findings(interaction, summary, 0.05)))
    assert "largest interaction is -0.400 [-0.500, -0.273], an interval for the largest of 4, of block" in wide
    assert "largest interaction is -0.400" in text and "block 0, head 1 with block 2, head 3" in text
    table = BeautifulSoup(page.pair_table(pairs, 0.05), "html.parser")
    second = [plain(td.get_text()) for td in table.select("tbody tr")[1].select("td, th")]
    assert second[:4] == ["0.1 and 2.1", "-0.300", "-0.400", "-0.900"]
    assert second[4].startswith("-0.200") and second[5] == "overlapping" and second[6].startswith("-0.020")
    assert "No pairs" in page.pair_findings(pairs[:0], summary, 0.05) and page.pair_table(pairs[:0], 0.05) == ""
