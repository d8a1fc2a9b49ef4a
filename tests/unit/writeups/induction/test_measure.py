"""Head scores are of the model's own attention, and beside them those of a twin with random weights."""

import numpy as np
import pandas as pd
import torch

from emoscope.models.language_models import load_language_model, random_twin
from emoscope.writeups.induction.copier import word_tokenizer
from emoscope.writeups.induction.measure import score_heads
from emoscope.writeups.induction.repeats import repeated_tokens

VOCABULARY, LENGTH = 60, 12


def test_scores_are_of_the_model_and_of_its_random_twins(model, tmp_path):
    model.save_pretrained(tmp_path / "model")
    word_tokenizer(VOCABULARY, 64).save_pretrained(tmp_path / "model")
    paths = [tmp_path / f"{name}.parquet" for name in ("predictions", "heads", "patterns")]
    config = {"lengths": [LENGTH], "sequences": 10, "random_models": 2, "seed": 5}
    score_heads(tmp_path / "model", 3, config, *paths)
    predictions, heads, patterns = map(pd.read_parquet, paths)
    trained, _ = load_language_model(tmp_path / "model")
    tokens = repeated_tokens(VOCABULARY, 0, LENGTH, 10, 5)
    models = {"trained": trained, "0": random_twin(trained, 5), "1": random_twin(trained, 6)}
    assert set(heads["weights"]) == set(models)
    queries = torch.arange(LENGTH + 1, 2 * LENGTH + 1)
    for weights, network in models.items():
        with torch.inference_mode():
            output = network(tokens, output_attentions=True)
        attention = torch.stack(output.attentions, dim=1)  # (sequences, blocks, heads, tokens, tokens)
        own = heads[heads["weights"] == weights].set_index(["sequence", "block", "head"]).sort_index()
        induction = attention[..., queries, queries - LENGTH + 1].mean(dim=-1)
        previous = attention.diagonal(offset=-1, dim1=-2, dim2=-1).mean(dim=-1)
        np.testing.assert_allclose(own["induction"], induction.flatten(), atol=1e-5)
        np.testing.assert_allclose(own["previous"], previous.flatten(), atol=1e-5)
        if weights == "trained":
            chosen = output.logits[:, :-1].log_softmax(dim=-1).gather(-1, tokens[:, 1:, None])[..., 0]
            place = predictions.set_index(["sequence", "position"]).sort_index()
            np.testing.assert_allclose(place["log_prob"], chosen.flatten(), atol=1e-4)
            assert place.index[0] == (0, 1) and place.index[-1] == (9, 2 * LENGTH)
            best = induction.mean(dim=0).argmax().item()
            drawn = patterns[patterns["kind"] == "induction"].iloc[-1]
            assert (drawn["block"], drawn["head"]) == divmod(best, 4)
            shown = attention[0, best // 4, best % 4, int(drawn["query"]), int(drawn["key"])].item()
            assert drawn["attention"] == np.float32(shown)
