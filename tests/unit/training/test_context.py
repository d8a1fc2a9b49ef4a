"""How many texts are cut."""

from emoscope.training.context import cut_texts
from random_models import TEXTS


def test_texts_that_just_fit_are_not_cut(tokenizer, monkeypatch):
    length = len(tokenizer(TEXTS[2])["input_ids"])
    for longest, cut in ((length, 0), (length - 1, 2)):
        monkeypatch.setattr(tokenizer, "model_max_length", longest)
        assert cut_texts(tokenizer, [TEXTS[2], TEXTS[1], TEXTS[2]]) == cut
