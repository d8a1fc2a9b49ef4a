"""Ablated heads and MLPs, each against a plain second route."""

from contextlib import ExitStack

import numpy as np
import pandas as pd
import pytest
import torch

from emoscope.errors import UserError
from emoscope.models.interventions import changing_input, changing_output, recording
from emoscope.models.parts import feed_forward_of, projection_of
from emoscope.writeups.induction.ablation import (
    _mean_outputs,
    _without_heads,
    ablate_heads,
    ablate_mlps,
    mlp_losses,
    sets_to_silence,
)
from emoscope.writeups.induction.copier import word_tokenizer
from emoscope.writeups.induction.measure import score_heads
from emoscope.writeups.induction.repeats import log_probabilities, repeated_tokens
from emoscope.writeups.induction.summarise import BEYOND, silenced_of

VOCABULARY, LENGTH = 60, 12
STATISTICS = {"seed": 0, "resamples": 200, "confidence": 0.95}


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    model.save_pretrained(folder)
    word_tokenizer(VOCABULARY, 64).save_pretrained(folder)
    return folder


def test_mlp_losses_equal_those_of_whole_runs(model):
    """Keeping the keys of earlier positions and resuming at the block change nothing."""
    tokens = repeated_tokens(VOCABULARY, 0, LENGTH, 3, seed=1)
    baseline, found = mlp_losses(model, tokens, LENGTH, [0, 7, -1])
    assert len(found) == 3 * 3

    def loss():
        with torch.inference_mode():
            return -log_probabilities(model(tokens).logits, tokens)[:, LENGTH:]

    torch.testing.assert_close(baseline, loss(), atol=1e-5, rtol=0)
    for (block, offset), expected in found.items():
        with recording(feed_forward_of(model, block)) as seen, torch.inference_mode():
            model(tokens)
        changed = seen["output"].clone()
        alike = [place for place in range(LENGTH, 2 * LENGTH) if (tokens[:, place] == tokens[:, place - LENGTH]).all()]
        assert alike == list(range(LENGTH + 1, 2 * LENGTH)), "before BOS there is no such token"
        for place in alike if offset == -1 else [LENGTH + offset]:
            changed[:, place] = seen["output"][:, place - LENGTH]
        with changing_output(feed_forward_of(model, block), lambda _, new=changed: new):
            torch.testing.assert_close(expected, loss(), atol=1e-5, rtol=0)
        assert (expected - baseline).abs().max() > 1e-4
        if offset == -1:
            assert torch.equal(expected[:, 0], baseline[:, 0]), "the seam keeps its own output"


def test_silencing_is_told_apart_by_kind_and_paired_by_sequence(folder, tmp_path):
    config = {"lengths": [LENGTH], "sequences": 3, "random_models": 1, "seed": 0}
    paths = [tmp_path / f"{name}.parquet" for name in ("predictions", "heads", "patterns")]
    score_heads(folder, 3, config, *paths)
    more = {"ablated_sequences": 3, "ablated_heads": [1, 2], "random_heads": 2}
    ablate_heads(folder, 3, paths[1], config | more, tmp_path / "silenced.parquet")
    silenced = pd.read_parquet(tmp_path / "silenced.parquet")
    assert silenced.groupby(["kind", "heads"]).size().to_dict() == {
        **{("none", 0): 3, ("induction", 1): 3, ("induction", 2): 3, ("previous", 1): 3, ("previous", 2): 3},
        **{("random", 1): 6, ("random", 2): 6},
    }
    summary = silenced_of(silenced, STATISTICS).set_index(["measure", "kind", "heads", "draw"])
    means = silenced.groupby(["kind", "heads"])["loss"].mean()
    expected = means["induction", 2] - means["none", 0]
    assert summary.loc[("loss", "induction", 2, 0), "value"] == pytest.approx(expected, abs=1e-6)
    assert abs(expected) > 1e-4


def scores_of(blocks: int, heads: int) -> pd.DataFrame:
    """Two sequences; the first heads are the best induction heads, the last ones the best previous-token heads."""
    block, head = np.divmod(np.arange(blocks * heads), heads)
    table = pd.DataFrame({"block": block, "head": head, "previous": np.arange(blocks * heads)})
    return pd.concat([table.assign(sequence=number, induction=-table["previous"]) for number in range(2)])


def counted(sets) -> dict[tuple[str, int], int]:
    return pd.Series([(kind, len(heads)) for kind, _, heads in sets]).value_counts(sort=False).to_dict()


@pytest.mark.parametrize(
    ("counts", "compared"),
    [
        ([1, 4], [1, 4]),
        ([4, 1], [1, 4]),
        ([1, 4, 8, 12], [1, 4]),  # twelve heads: beside the best four of both kinds there are four others
        ([5, 7], []),
        ([1, 4, 16, 32], [1, 4]),  # as many as two models in one run ask for, one of which is small
        ([12], []),
    ],
)
def test_whatever_number_of_heads_the_model_has_is_silenced_and_compared_if_there_are_as_many_others(counts, compared):
    sets = sets_to_silence(scores_of(3, 4), counts, draws=3, seed=0)
    fitting = [count for count in counts if count <= 12]
    wanted = {("none", 0): 1} | {(kind, count): 1 for count in fitting for kind in ("induction", "previous")}
    assert counted(sets) == wanted | {("random", count): 3 for count in compared}
    heads = [(block, head) for block in range(3) for head in range(4)]
    for kind, _, chosen in sets:
        if kind == "random":
            assert len(set(chosen)) == len(chosen) and set(chosen) <= set(heads[4:8])
        else:
            assert set(chosen) == set({"none": [], "induction": heads, "previous": heads[::-1]}[kind][: len(chosen)])


def test_random_heads_are_drawn_anew():
    sets = [heads for kind, _, heads in sets_to_silence(scores_of(4, 10), [3], draws=9, seed=0) if kind == "random"]
    assert len({tuple(sorted(heads)) for heads in sets}) > 5
    other = [heads for kind, _, heads in sets_to_silence(scores_of(4, 10), [3], draws=9, seed=1) if kind == "random"]
    assert sets != other


def test_more_heads_than_there_are_cannot_be_silenced():
    with pytest.raises(UserError, match=r"induction.ablated_heads: 13 or more heads .* the model has 12; name a small"):
        sets_to_silence(scores_of(3, 4), [30, 13], draws=3, seed=0)


def test_numbers_of_heads_that_a_model_does_not_have_are_no_rows(model, folder, tmp_path):
    """Two of them: cut to all the heads there are, they would be told as one."""
    heads = scores_of(3, 4).assign(weights="trained", length=LENGTH)
    heads.to_parquet(tmp_path / "heads.parquet")
    config = {"lengths": [LENGTH], "ablated_sequences": 2, "random_heads": 1, "seed": 0}
    config["ablated_heads"] = [1, 8, 13, 99]
    ablate_heads(folder, 3, tmp_path / "heads.parquet", config, tmp_path / "silenced.parquet")
    silenced = pd.read_parquet(tmp_path / "silenced.parquet")
    assert sorted(silenced["heads"].unique()) == [0, 1, 8]
    assert set(silenced_of(silenced, STATISTICS)["kind"]) == {"none", "induction", "previous", "random", BEYOND}


def test_the_loss_at_the_replaced_position_is_told_apart_from_the_mean_of_the_half(model, folder, tmp_path):
    config = {"lengths": [LENGTH], "ablated_sequences": 3, "ablated_positions": 2, "seed": 0}
    ablate_mlps(folder, 3, config, tmp_path / "mlps.parquet")
    found = pd.read_parquet(tmp_path / "mlps.parquet")
    tokens = repeated_tokens(VOCABULARY, 0, LENGTH, 3, seed=1)  # a draw of its own
    baseline, losses = mlp_losses(model, tokens, LENGTH, [0, LENGTH - 1, -1])
    for (block, offset), loss in losses.items():
        rows = found[(found["block"] == block) & (found["offset"] == offset)].sort_values("sequence")
        rise = (loss - baseline).numpy()
        np.testing.assert_allclose(rows["change"], rise.mean(axis=1), atol=1e-5)
        np.testing.assert_allclose(rows["own"], rise[:, offset] if offset >= 0 else np.nan, atol=1e-5)
        if offset > 0:  # at the last position nothing else can change
            np.testing.assert_allclose(rows["own"], LENGTH * rows["change"], atol=1e-4)
    assert found["own"].abs().max() > 1e-3


def test_silenced_heads_are_fixed_at_their_mean_over_all_tokens(model, folder, tmp_path):
    """The blocks that are not run again change nothing: each set by a whole run with a hook of our own."""
    best = {"induction": [(2, 1), (0, 2)], "previous": [(1, 3), (2, 0)]}
    heads = pd.DataFrame([
        {"weights": "trained", "length": LENGTH, "sequence": 0, "block": block, "head": head}
        | {kind: float((block, head) in places) for kind, places in best.items()}
        for block in range(3)
        for head in range(4)
    ])  # fmt: skip
    heads.to_parquet(tmp_path / "heads.parquet")
    config = {"lengths": [LENGTH], "ablated_sequences": 3, "ablated_heads": [2], "random_heads": 1, "seed": 0}
    ablate_heads(folder, 3, tmp_path / "heads.parquet", config, tmp_path / "silenced.parquet")
    found = pd.read_parquet(tmp_path / "silenced.parquet").set_index(["kind", "sequence"])
    tokens, width = repeated_tokens(VOCABULARY, 0, LENGTH, 3, seed=1), 24 // 4
    with ExitStack() as stack, torch.inference_mode():
        seen = [stack.enter_context(recording(projection_of(model, block))) for block in range(3)]
        model(tokens)
    for kind, places in {"none": [], **best}.items():
        with ExitStack() as stack, torch.inference_mode():
            for block, head in places:
                where = slice(head * width, (head + 1) * width)
                mean = seen[block]["input"][..., where].mean(dim=(0, 1))

                def silence(heads, where=where, mean=mean):
                    heads = heads.clone()
                    heads[..., where] = mean
                    return heads

                stack.enter_context(changing_input(projection_of(model, block), silence))
            logits = model(tokens).logits
        loss = -log_probabilities(logits, tokens)[:, LENGTH:].mean(dim=1)
        right = (logits[:, LENGTH:-1].argmax(dim=-1) == tokens[:, LENGTH + 1 :]).float().mean(dim=1)
        np.testing.assert_allclose(found.loc[kind, "loss"], loss, atol=1e-5)
        np.testing.assert_allclose(found.loc[kind, "accuracy"], right, atol=1e-6)
    assert (found.loc["induction", "loss"] - found.loc["none", "loss"]).abs().max() > 1e-4


def test_of_a_set_only_the_second_half_is_asked_and_of_no_heads_nothing(model):
    tokens = repeated_tokens(VOCABULARY, 0, LENGTH, 3, seed=1)
    means, asked = _mean_outputs(model, tokens), []

    def count(logits):
        asked.append(tuple(logits.shape))
        return logits

    with changing_output(model.get_output_embeddings(), count):
        found = list(_without_heads(model, tokens, LENGTH, [[], [(1, 0)], []], means))
    assert len(found) == 3 and torch.equal(found[0][0], found[2][0])
    assert asked == [(3, LENGTH + 1, VOCABULARY)] * 2
