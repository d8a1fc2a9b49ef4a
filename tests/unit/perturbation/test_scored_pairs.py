"""Scores of a pair: before is what the classifier says of the text, after of its counterpart."""

import pandas as pd
import torch

from emoscope.perturbation.pairs import BEYOND, PAIR_KEY, countable, largest_change, scored
from emoscope.perturbation.scored_pairs import score_perturbation
from random_models import TEXTS


def test_before_is_the_text_and_after_its_counterpart(classifier, tokenizer, tmp_path):
    for part in (classifier, tokenizer):
        part.save_pretrained(tmp_path / "model")
    others = [*TEXTS[1:], TEXTS[0]]
    keys = {key: range(len(TEXTS)) if key == "id" else "x" for key in PAIR_KEY}
    pd.DataFrame({**keys, "text": TEXTS, "perturbed": others}).to_parquet(tmp_path / "pairs.parquet")
    file = tmp_path / "scores.parquet"
    score_perturbation(tmp_path / "model", tmp_path / "pairs.parquet", "1-of-1", {"tokens_per_batch": 64}, file)
    found = pd.read_parquet(file)
    for row, text, other in zip(found.itertuples(), TEXTS, others, strict=True):
        for when, said in (("before", text), ("after", other)):
            with torch.no_grad():
                wanted = classifier(**tokenizer(said, return_tensors="pt")).logits[0].softmax(0).tolist()
            scored = [getattr(row, f"{when}_{name}") for name in ("sadness", "joy", "love")]
            assert max(abs(a - b) for a, b in zip(scored, wanted, strict=True)) < 1e-5, (when, said)


def test_a_pair_that_differs_where_the_model_does_not_read_is_told_from_one_that_changes_nothing(
    classifier, tokenizer, tmp_path, monkeypatch
):
    classifier.save_pretrained(tmp_path / "model")
    monkeypatch.setattr(tokenizer, "model_max_length", 8)
    tokenizer.save_pretrained(tmp_path / "model")
    long = TEXTS[2]
    texts, others = [long, long, TEXTS[0]], [long.replace("street", "house"), long.replace("he", "they", 1), TEXTS[1]]
    keys = {key: range(3) if key == "id" else "x" for key in PAIR_KEY}
    pairs = pd.DataFrame({**keys, "text": texts, "perturbed": others, "flags": [[], [], ["name"]]})
    pairs.to_parquet(tmp_path / "pairs.parquet")
    file = tmp_path / "scores.parquet"
    score_perturbation(tmp_path / "model", tmp_path / "pairs.parquet", "1-of-1", {"tokens_per_batch": 64}, file)
    table = scored(pairs, pd.read_parquet(file))
    assert largest_change(table)[0] < 1e-6 < largest_change(table)[1:].min()
    assert table["flags"].tolist() == [[BEYOND], [], ["name"]] and countable(table).tolist() == [False, True, True]
    assert set(table) == {*pairs, *pd.read_parquet(file)} - {"beyond_context"}
