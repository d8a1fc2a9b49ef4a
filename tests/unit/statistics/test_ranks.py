"""Agreement of ranks is scipy's."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from emoscope.statistics.ranks import rank_agreement, top_agreement


def test_rank_agreement_is_spearmans():
    rng = np.random.default_rng(0)
    maps, effects = rng.random((2, 8, 8)), rng.random((8, 8)).round(1)  # some ties
    effects[np.triu_indices(8, 1)] = np.nan  # a source cannot look at what follows
    effects[:, 0] = np.nan
    found, tops = rank_agreement(maps, effects), top_agreement(maps, effects)
    assert np.isnan(found[:, :4]).all() and np.isnan(tops[:, :4]).all()
    for source in range(4, 8):
        wanted = [spearmanr(row[source, 1 : source + 1], effects[source, 1 : source + 1])[0] for row in maps]
        assert np.allclose(found[:, source], wanted)
        same = maps[:, source, 1 : source + 1].argmax(-1) == effects[source, 1 : source + 1].argmax()
        assert (tops[:, source] == same).all()
    heads = np.stack([maps, maps[::-1], maps], axis=1)  # (blocks, heads, source, target)
    for agreement, of_maps in ((rank_agreement, found), (top_agreement, tops)):
        np.testing.assert_array_equal(agreement(heads, effects), np.stack([of_maps, of_maps[::-1], of_maps], axis=1))


@pytest.mark.parametrize("alike", ["weights", "effects"])
def test_what_is_all_alike_agrees_with_nothing(alike):
    varied, same = np.arange(36.0).reshape(1, 6, 6), np.full((1, 6, 6), 0.2)
    maps, effects = (same, varied) if alike == "weights" else (varied, same)
    assert (rank_agreement(maps, effects[0]) == 0).all()
