"""The residual write-up: every measure against another route to it, on small random models of both families."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from emoscope.errors import UserError
from emoscope.models.batches import padded_batches
from emoscope.models.families import blocks_of, family_of, unembed, write_directions
from emoscope.models.interventions import changing_input
from emoscope.plan.config import complete
from emoscope.reporting.plots import svg
from emoscope.writeups.residual import autoencoder, autoencoder_scores, feature_labels
from emoscope.writeups.residual import figures as residual_figures
from emoscope.writeups.residual import page as residual_report
from emoscope.writeups.residual import positions as position_tables
from emoscope.writeups.residual import summarise as residual_summary
from emoscope.writeups.residual.measure import first_choices, lens_table, residual_stream
from emoscope.writeups.residual.stream import check_block, gather
from emoscope.writeups.residual.summarise import position_findings
from emoscope.writeups.residual.write_directions import overlap, pairwise_cosines, random_cosine, shuffled
from random_models import TEXTS

ROOT = Path(__file__).parents[4]
STATISTICS = {"seed": 0, "resamples": 200, "confidence": 0.95}
PUBLISHED = pd.read_csv(ROOT / "data" / "reference" / "notebook_positions.csv").astype({"column": "Int64"})
MODELS = {
    "gpt2": lambda size: GPT2LMHeadModel(
        GPT2Config(vocab_size=size, n_positions=64, n_embd=24, n_layer=3, n_head=4, pad_token_id=0)
    ),
    "llama": lambda size: LlamaForCausalLM(
        LlamaConfig(
            vocab_size=size,
            hidden_size=24,
            intermediate_size=40,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=64,
            pad_token_id=0,
        )
    ),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request, tokenizer):
    torch.manual_seed(0)
    model = MODELS[request.param](len(tokenizer)).eval().requires_grad_(False)
    for name, parameter in model.named_parameters():
        if "norm" not in name and "ln_" not in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return model


def own_loss(model, tokenizer, text):
    """Summed loss of a text's predictions, that of the first position left out."""
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    logits = model(ids).logits[0, 1:-1]
    return torch.nn.functional.cross_entropy(logits, ids[0, 2:], reduction="sum").item()


def a_dictionary(model, features=32, active=4, block=1):
    width = model.config.hidden_size
    found = autoencoder.TopKAutoencoder(width, features, active)
    found.start(torch.randn(100, width), torch.Generator().manual_seed(0))
    found.requires_grad_(False)
    samples = torch.randn(features, width)
    return autoencoder.Trained(found, block, torch.rand(features), torch.randn(width), torch.eye(width), samples)


def test_the_lens_at_the_last_depth_is_the_model(model, tokenizer):
    inputs = next(padded_batches(tokenizer, TEXTS, 10_000, torch.device("cpu")))[1]
    with torch.inference_mode():
        streams = residual_stream(model, inputs)
        torch.testing.assert_close(unembed(model, streams[-1]), model(**inputs).logits, atol=1e-4, rtol=0)
    assert len(streams) == len(blocks_of(model)) + 1
    assert (unembed(model, streams[-2]) - unembed(model, streams[-1])).abs().max() > 1e-2


def test_lens_table_says_what_the_model_says(model, tokenizer):
    table = lens_table(model, tokenizer, TEXTS, 40).set_index(["row", "position", "depth"]).sort_index()
    last = len(blocks_of(model))
    for row, text in enumerate(TEXTS):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        probabilities = model(ids).logits[0].softmax(-1)
        final = table.xs(last, level="depth").loc[row]
        np.testing.assert_allclose(final["p_prediction"], probabilities.max(-1).values, rtol=1e-4)
        assert (final["rank_prediction"] == 1).all()
        following = probabilities[:-1].gather(1, ids[0, 1:, None])[:, 0]
        np.testing.assert_allclose(final["p_next"].to_numpy()[:-1], following, rtol=1e-4)
        assert np.isnan(final["p_next"].iloc[-1])
        rank = (probabilities[:-1] > following[:, None]).sum(-1) + 1
        np.testing.assert_array_equal(final["rank_next"].to_numpy()[:-1], rank)
        embedding = model(ids, output_hidden_states=True).hidden_states[0][0]
        np.testing.assert_allclose(table.xs(0, level="depth").loc[row]["norm"], embedding.norm(dim=-1), rtol=1e-5)


def test_first_choices_cover_every_depth_and_position(model, tokenizer):
    found = first_choices(model, tokenizer, TEXTS[0])
    tokens = len(tokenizer(TEXTS[0])["input_ids"])
    assert len(found) == tokens * (len(blocks_of(model)) + 1)
    assert found["probability"].between(0, 1).all()
    assert "".join(found[found["depth"] == 0]["token"]).strip() == TEXTS[0]


def test_a_sentence_longer_than_the_context_is_refused_in_one_line(model, tokenizer):
    with pytest.raises(UserError, match=r"has \d+ tokens.*at most 64"):
        position_tables.encode_sentence(model, tokenizer, "a long sentence " * 40)


def test_position_tables_follow_the_model(model, tokenizer):
    tables = position_tables.position_tables(model, tokenizer)
    assert set(tables["text"]) == set(position_tables.TEXTS)
    for name, text in position_tables.TEXTS.items():
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        probabilities = model(ids).logits[0].softmax(-1)
        own = tables[(tables["text"] == name) & (tables["table"] == "probability")]
        found = own.pivot(index="row", columns="column", values="value")
        np.testing.assert_allclose(found, probabilities[:, ids[0]].T, rtol=1e-4)


@pytest.mark.parametrize("text", ["text1", "text2", "text3"])
def test_our_formulas_give_the_notebooks_numbers_from_its_probabilities(text):
    published = PUBLISHED[PUBLISHED["text"] == text]
    probabilities = published[published["table"] == "probability"].pivot(index="row", columns="column", values="value")
    ids = published.loc[published["table"] == "input_id", "value"].to_numpy()
    ours = position_tables.derived(ids, probabilities.to_numpy(dtype=float))
    both = published.merge(ours, on=["table", "row", "column"], suffixes=("", "_ours"))
    assert len(both) == len(published)
    np.testing.assert_allclose(both["value_ours"], both["value"], atol=2e-3)  # it prints few digits


def test_claims_name_findings_that_the_notebooks_probabilities_bear_out():
    claims = yaml.safe_load((ROOT / "data" / "reference" / "claims.yaml").read_text())
    claims = [claim for claim in claims if claim["id"].startswith("residual.")]
    tables = []
    for text, rows in PUBLISHED.groupby("text"):
        probabilities = rows[rows["table"] == "probability"].pivot(index="row", columns="column", values="value")
        ids = rows.loc[rows["table"] == "input_id", "value"].to_numpy()
        tables.append(position_tables.derived(ids, probabilities.to_numpy(dtype=float)).assign(text=text))
    found = {finding.name: finding.value for finding in position_findings(pd.concat(tables))}
    named = {claim["measure"]["name"]: claim["published"] for claim in claims if claim["id"].split(".")[1] != "mlp"}
    assert len(named) > 10
    for name, published in named.items():
        assert found[name] == pytest.approx(published, abs=2e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"corpus": "calibrate"}, "residual.corpus: 'calibrate' is not under `corpora`; did you mean 'calibration'"),
        ({"autoencoder": {"block": 30}}, "residual.autoencoder.block: 30, but 'smollm2' has blocks 0 to 29"),
        (
            {"autoencoder": {"active": 99, "features": 64}},
            "residual.autoencoder.active: 99 is more than `features`, 64",
        ),
        ({"autoencoder": {"features": "many"}}, "residual.autoencoder.features.*not of type integer"),
        ({"lens_text": 3}, "residual: unknown key 'lens_text'; did you mean 'lens_texts'"),
    ],
)
def test_a_mistake_in_the_config_is_one_line(change, message):
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    config["residual"] = change
    with pytest.raises(UserError, match=message) as error:
        complete(config)
    assert "\n" not in str(error.value)


def test_the_schemas_defaults_are_those_of_the_config_file():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert complete({**config, "residual": {}})["residual"] == config["residual"]


def test_the_summary_finds_what_the_tables_hold():
    rows = [
        {"id": text, "position": position, "depth": depth, "norm": 100.0 if position == 0 else 2.0}
        | {"p_prediction": depth / 4, "rank_prediction": 5.0 - depth, "p_next": depth / 8, "rank_next": 8.0}
        for text in range(12)
        for position in range(3)
        for depth in range(5)
    ]
    lens = pd.DataFrame(rows)
    lens.loc[lens["position"] == 2, ["p_next", "rank_next"]] = np.nan
    curves = residual_summary.depth_curves(lens, STATISTICS)
    chosen = curves.set_index(["measure", "of", "depth"])["value"]
    assert chosen["probability", "prediction", 2] == pytest.approx(0.5)
    assert chosen["probability", "next", 4] == pytest.approx(0.5)
    assert chosen["rank", "prediction", 1] == pytest.approx(4)
    assert chosen["first", "prediction", 4] == 1
    norms = residual_summary.position_norms(lens, STATISTICS)
    found = {
        finding.name: finding
        for finding in [*residual_summary.lens_findings(curves, lens), *residual_summary.norm_findings(norms)]
    }
    assert found["lens.half_settled"].value == 4
    assert found["norm.first"].value == pytest.approx(100)
    assert found["norm.others"].value == pytest.approx(2)


def test_recovered_loss_is_relative_to_the_ablation():
    losses = {"original": 2.0, "autoencoder": 3.0, "mean": 6.0, "zero": 12.0}
    patched = pd.DataFrame([
        {"condition": condition, "id": text, "tokens": 10, "loss": 10 * loss + text}
        for condition, loss in losses.items()
        for text in range(8)
    ])  # fmt: skip
    found = {finding.name: finding.value for finding in residual_summary.loss_findings(patched, STATISTICS)}
    assert found["recovered.autoencoder.zero"] == pytest.approx(0.9)
    assert found["recovered.autoencoder.mean"] == pytest.approx(0.75)
    assert found["loss.original"] == pytest.approx(2.35)


def test_texts_and_tokens_are_escaped_on_the_page():
    texts = pd.DataFrame([{"feature": 3, "place": 1, "text": "<script>x</script>", "start": 0, "end": 8}])
    features = pd.DataFrame([{"feature": 3, "rate": 0.1, "held_out": 0.2}])
    assert "<script>" not in residual_report.features_by_lot(features, texts, 0)
    assert "<mark>&lt;script&gt;</mark>" in residual_report.features_by_lot(features, texts, 0)
    sentence = pd.DataFrame([
        {"position": 0, "token": "\x00<b>", "depth": depth, "predicted": "-->\x05$x$", "probability": 0.5}
        for depth in range(2)
    ])  # fmt: skip
    ElementTree.fromstring(svg(residual_figures.first_choices(sentence)))  # a control character is no XML


def test_write_directions_are_what_a_neuron_adds(model, tokenizer):
    inputs = next(padded_batches(tokenizer, TEXTS, 10_000, torch.device("cpu")))[1]
    last = len(blocks_of(model)) - 1
    projection = blocks_of(model)[last].get_submodule(family_of(model).neurons)

    def more(values, neuron=5):
        values = values.clone()
        values[..., neuron] += 2
        return values

    before = residual_stream(model, inputs)[-1]
    with changing_input(projection, more):
        after = residual_stream(model, inputs)[-1]
    expected = (2 * write_directions(model, last)[5]).expand_as(before)
    torch.testing.assert_close(after - before, expected, atol=1e-4, rtol=0)


def test_random_directions_overlap_no_more_than_chance():
    directions = torch.randn(600, 64, generator=torch.Generator().manual_seed(1))
    found = overlap(pairwise_cosines(directions), 64, 0.05)
    assert found["mean_square"] * 64 == pytest.approx(1, abs=0.03)
    assert found["neurons_beyond"] <= 2 / 600
    doubled = overlap(pairwise_cosines(torch.cat([directions, -directions[:30]])), 64, 0.05)
    assert doubled["neurons_beyond"] >= 60 / 630
    assert doubled["opposite"] == pytest.approx(1, abs=0.1)
    assert doubled["closest"] == pytest.approx(1, abs=1e-5)


def test_cosine_of_random_directions_has_the_stated_distribution():
    vectors = torch.nn.functional.normalize(torch.randn(40_000, 12, generator=torch.Generator().manual_seed(0)), dim=1)
    for cosine in (0.1, 0.4, 0.7):
        assert (vectors[:, 0] > cosine).float().mean().item() == pytest.approx(random_cosine(12).sf(cosine), abs=0.006)


@given(st.integers(2, 40), st.integers(2, 12), st.integers(0, 1000))
def test_no_directions_overlap_less_than_welchs_bound(neurons, width, seed):
    directions = torch.randn(neurons, width, generator=torch.Generator().manual_seed(seed))
    found = overlap(pairwise_cosines(directions), width, 0.05)
    assert found["welch"] - 1e-6 <= found["mean_square"] <= 1 + 1e-6
    assert 1 - 1e-6 <= found["dimensions"] <= min(neurons, width) + 1e-3


def test_shuffling_keeps_every_dimension():
    weights = torch.randn(50, 6)
    found = shuffled(weights, torch.Generator().manual_seed(0))
    torch.testing.assert_close(found.sort(dim=0).values, weights.sort(dim=0).values)
    assert (found != weights).any()


def test_activations_are_the_residual_stream_without_the_first_position(model, tokenizer):
    found = gather(model, tokenizer, TEXTS, 1, 20)
    for row, text in enumerate(TEXTS):
        stream = residual_stream(model, tokenizer(text, return_tensors="pt"))[2, 0, 1:]
        torch.testing.assert_close(found.values[found.text == row], stream, atol=1e-5, rtol=1e-5)
        assert found.position[found.text == row].tolist() == list(range(1, len(stream) + 1))


def test_a_block_that_is_not_there_is_refused(model):
    with pytest.raises(UserError, match="no block 3: the model's blocks are 0 to 2"):
        check_block(model, 3)


@pytest.mark.parametrize("block", [0, 2])
def test_patched_losses(model, tokenizer, block):
    trained = a_dictionary(model, block=block)
    found = autoencoder_scores.patched_losses(
        model, tokenizer, TEXTS, trained, {"same": lambda units: units, "autoencoder": trained.autoencoder}, 30
    ).pivot(index="text", columns="condition", values="loss")
    for row, text in enumerate(TEXTS):
        assert found.loc[row, "original"] == pytest.approx(own_loss(model, tokenizer, text), rel=1e-4)
    np.testing.assert_allclose(found["same"], found["original"], rtol=1e-4)
    for condition in ("autoencoder", "mean", "zero"):
        assert (found[condition] - found["original"]).abs().max() > 1e-2


def test_a_token_never_has_more_features_than_allowed(model):
    codes = a_dictionary(model, active=4).autoencoder.encode(torch.randn(50, 24))
    assert (codes >= 0).all()
    assert ((codes > 0).sum(dim=1) <= 4).all()
    assert (codes > 0).any()


def test_training_finds_sparse_structure_that_other_dictionaries_miss():
    generator = torch.Generator().manual_seed(0)
    truth = torch.nn.functional.normalize(torch.randn(48, 16, generator=generator), dim=1)
    codes = autoencoder.strongest(torch.rand(4000, 48, generator=generator), 2)
    units = autoencoder.scaled(codes @ truth)
    settings = {"features": 48, "active": 2, "steps": 150}
    found, errors = autoencoder.train(units[:3000], settings, seed=0)
    axes = autoencoder.principal_axes(units[:3000])
    trained = autoencoder.Trained(found, 0, torch.zeros(48), units.mean(dim=0), axes, units[:48])
    left = {
        name: (reconstruct(units[3000:]) - units[3000:]).square().sum().item()
        for name, reconstruct in autoencoder_scores.reconstructions(trained, seed=1).items()
    }
    assert errors[-1] < errors[0] / 2
    assert left["autoencoder"] < 0.7 * min(value for name, value in left.items() if name != "autoencoder")


def test_an_autoencoder_survives_the_disk(model, tmp_path):
    trained = a_dictionary(model, block=2)
    autoencoder.save(trained, tmp_path / "a.safetensors")
    found = autoencoder.load(tmp_path / "a.safetensors", torch.device("cpu"))
    units = torch.randn(5, 24)
    assert torch.equal(found.autoencoder(units), trained.autoencoder(units))
    assert torch.equal(found.rate, trained.rate)
    assert (found.block, found.autoencoder.active) == (2, 4)
    for number in range(8):
        autoencoder.save(trained, tmp_path / f"{number}.safetensors")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_least_squares_is_exact_within_its_directions():
    directions = torch.nn.functional.normalize(torch.randn(6, 10, generator=torch.Generator().manual_seed(0)), dim=1)
    values = torch.randn(7, 6, generator=torch.Generator().manual_seed(1)) @ directions
    torch.testing.assert_close(autoencoder_scores.least_squares(values, directions, 6), values, atol=1e-2, rtol=0)


def test_held_out_texts_are_never_trained_on(tokenizer, tmp_path):
    rows = [{"id": number, "text": f"{text} {number % 40}", "label": 0} for number, text in enumerate(TEXTS * 20)]
    corpus = tmp_path / "train.parquet"
    pd.DataFrame(rows).to_parquet(corpus)
    settings = {"held_out": 12, "tokens": 100}
    held_out = autoencoder.held_out_texts(corpus, settings, 3)["text"]
    training = autoencoder.training_texts(corpus, tokenizer, settings, 3)
    assert len(held_out) == 12
    assert set(held_out).isdisjoint(training)
    with pytest.raises(UserError, match=r"not 100,000; lower residual\.autoencoder\.tokens"):
        autoencoder.training_texts(corpus, tokenizer, settings | {"tokens": 100_000}, 3)


def test_auc_and_p_agree_with_scikit_learn_and_scipy():
    rng = np.random.default_rng(0)
    scores = np.round(rng.random((60, 4)), 1) * (rng.random((60, 4)) < 0.7)  # ties, many of them at zero
    labels = rng.integers(0, 3, 60)
    area, p = feature_labels.rank_auc(scores, labels[:, None] == np.arange(3))
    for column in range(4):
        for label in range(3):
            inside, outside = (scores[(labels == label) == kind, column] for kind in (True, False))
            assert area[column, label] == pytest.approx(roc_auc_score(labels == label, scores[:, column]))
            expected = mannwhitneyu(inside, outside, method="asymptotic", use_continuity=False).pvalue
            assert p[column, label] == pytest.approx(expected)
    assert np.isnan(feature_labels.rank_auc(np.zeros((60, 1)), labels[:, None] == np.arange(3))[1]).all()


def test_only_a_planted_direction_is_found_and_survives_the_other_half():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    scores = rng.random((400, 30))
    scores[:, 7] += labels
    found = feature_labels.label_associations(scores, labels, ["no", "yes"])
    assert set(found.loc[found["p_adjusted"] < 0.01, "feature"]) == {7}
    assert feature_labels.shuffled_labels(scores, labels, 0.05, 0)["found"].max() < 3
    chosen = feature_labels.chosen_directions({"feature": scores}, labels, ["no", "yes"], STATISTICS)
    best = chosen.set_index("label").loc["yes"]
    assert best["number"] == 7
    assert best["low"] <= best["auc"] <= best["high"]
    assert best["auc"] > 0.9


def test_text_scores_take_the_largest_of_a_texts_tokens():
    values = torch.tensor([[0.0, 2.0], [1.0, -3.0], [-1.0, -5.0]])
    found = feature_labels.text_scores(values, np.array([0, 0, 2]), 3)
    np.testing.assert_array_equal(found, [[1, 2], [0, 0], [0, 0]])


def test_top_texts_point_at_the_token(model, tokenizer):
    activations = gather(model, tokenizer, TEXTS, 1, 100)
    codes = a_dictionary(model).autoencoder.encode(autoencoder.scaled(activations.values))
    found = autoencoder_scores.top_texts(codes, activations, tokenizer, TEXTS)
    for _, rows in found.groupby("feature"):
        assert rows["activation"].is_monotonic_decreasing
        assert rows["row"].is_unique
        first = rows.iloc[0]
        assert first["activation"] == pytest.approx(codes[:, first["feature"]].max().item())
        own = codes[activations.text == first["row"], first["feature"]]
        offsets = tokenizer(first["text"], return_offsets_mapping=True)["offset_mapping"]
        assert (first["start"], first["end"]) == offsets[1 + int(own.argmax())]
