"""Patching, attribution and the lens in every family that allows them: what must hold of every pair."""

import numpy as np
import pytest

from benchmarks.families import CONFIGS, LABELS, TEXTS, random_model, word_pieces
from emoscope.experiments.tracing.aggregate import aggregate
from emoscope.models.inside.structure import prepared
from emoscope.models.parts import blocks_of
from traced_pair import BUDGET, LONG, SHORT, drawn

TOKENIZER = word_pieces([*TEXTS, *SHORT[:2], *LONG[:2]])
EXACT = [name for name in CONFIGS if name not in ("deberta-v2 with a convolution", "modernbert that pools the mean")]


@pytest.mark.parametrize("name", EXACT)
def test_all_of_the_difference_goes_in_at_the_changed_words_and_comes_out_where_the_head_reads(name):
    model = prepared(random_model(name, len(TOKENIZER)))
    end = len(blocks_of(model))
    pairs = [drawn(model, TOKENIZER, *pair, number) for number, pair in enumerate((SHORT, LONG))]
    table, effects = aggregate(model, pairs, [*LABELS["id2label"].values()], BUDGET)
    for row in table.itertuples():
        own = effects[effects["pair"] == row.pair]
        assert row.total > 1e-3
        tolerance = 1e-3 * max(1, row.total)
        parts = own[own["measure"] == "attribution"]
        np.testing.assert_allclose(parts["effect"].sum(), row.total, atol=tolerance)
        lens = own[own["measure"] == "lens"].set_index("block")["effect"]
        np.testing.assert_allclose(lens[end], row.total, atol=tolerance)
        for place, first, last in (("changed", 1, 0), ("others", 0, 0), ("pooled", 0, 1)):
            residual = own[(own["site"] == "residual") & (own["place"] == place)]
            for block, share in ((0, first), (end, last)):
                found = residual.loc[residual["block"] == block, "effect"]
                np.testing.assert_allclose(found, share * row.total, atol=tolerance, err_msg=f"{place} {block}")
    heads = effects[(effects["site"] == "head") & (effects["measure"] == "patching")]
    assert (heads.groupby("block")["effect"].apply(lambda values: values.abs().max()) > 1e-4).all()
