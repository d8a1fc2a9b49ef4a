"""Agreement of ranks is scipy's."""

import numpy as np
from scipy.stats import spearmanr

from emoscope.statistics.ranks import rank_agreement, top_agreement


def test_rank_agreement_is_spearmans():
    rng = np.random.default_rng(0)
    maps, effects = rng.random((2, 8, 8)), rng.random((8, 8)).round(1)  # some ties
    effects[np.triu_indices(8, 1)] = np.nan  # a source cannot look at what follows
    effects[:, 0] = np.nan
    found = rank_agreement(maps, effects)
    assert np.isnan(found[:, :4]).all()
    for source in range(4, 8):
        wanted = [spearmanr(row[source, 1 : source + 1], effects[source, 1 : source + 1])[0] for row in maps]
        assert np.allclose(found[:, source], wanted)
        same = maps[:, source, 1 : source + 1].argmax(-1) == effects[source, 1 : source + 1].argmax()
        assert (top_agreement(maps, effects)[:, source] == same).all()
