"""Planted tasks: answers agree with the words."""

from emoscope.data.class_names import EMOTIONS
from emoscope.data.planted.grammar import GRAMMAR
from emoscope.writeups.prompting.planted_tasks import VALENCE, generate_task


def test_generated_labels_are_the_emotions_that_the_words_name():
    table = generate_task("emotion", 400, seed=3)
    words = {name: {*GRAMMAR[f"state_{name}"], *GRAMMAR[f"quality_{name}"]} for name in EMOTIONS}
    affirmed = table[~table["text"].str.contains("dont feel|never feel|was not")]
    for name in EMOTIONS:
        only = words[name].difference(*(words[other] for other in EMOTIONS if other != name))
        told = affirmed["text"].map(lambda text, only=only: any(f" {word} " in f" {text} " for word in only))
        assert affirmed[name][told].all(), name
    assert (table[list(EMOTIONS)].sum(axis=1) > 1).mean() > 0.3
    assert not table["text"].duplicated().any()
    assert table.equals(generate_task("emotion", 400, seed=3))


def test_sentiment_follows_from_the_emotions():
    table = generate_task("sentiment", 400, seed=3)
    balance = sum(table[name].astype(int) * VALENCE[name] for name in EMOTIONS)
    assert ((balance > 0) == (table["good"] == 1)).all()
    assert ((balance < 0) == (table["good"] == 0)).all()
    assert 0.4 < table["good"].mean() < 0.6
    for name in EMOTIONS:
        assert table[name].corr(table["good"]) * VALENCE[name] >= 0.2 * abs(VALENCE[name]), name
