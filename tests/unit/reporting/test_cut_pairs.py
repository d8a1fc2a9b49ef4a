"""Pairs that a model does not tell apart are told where there are any."""

import pandas as pd

from emoscope.reporting.cut_pairs import beyond_context
from made_up import summary_of, words


def test_how_many_pairs_the_model_does_not_tell_apart_is_said_where_there_are_any():
    words_of = [
        summary_of("word", term, changed=(0, 0, 1)).assign(beyond_context=k, pairs=40) for k, term in enumerate("abc")
    ]
    kinds = {
        ("as published",): summary_of(changed=(0, 0, 1), control_changed=(0, 0, 1)),
        ("word by word",): pd.concat(words_of),
    }
    kinds["as published",] = kinds["as published",].assign(beyond_context=1, pairs=50)
    told = words(beyond_context(kinds, {}))
    assert "both texts. as published: 1 pair is left out, 50 counted; word by word: 3 pairs are left out, 120" in told
    assert not beyond_context({("x",): kinds["as published",].assign(beyond_context=0)}, {})


def test_kinds_of_which_nothing_is_read_are_named_with_how_many_pairs_they_have():
    one = {("mine", "short"): summary_of(changed=(0, 0, 1)).assign(beyond_context=2, pairs=50)}
    told = words(beyond_context(one, {("mine", "long"): 1, ("other",): 1200}))
    assert "mine, short: 2 pairs are left out, 50 counted; mine, long: 1 pair left out, none counted" in told
    assert "other: 1,200 pairs left out, none counted" in told
    assert "other: 1,200 pairs left out" in words(beyond_context({}, {("other",): 1200}))
