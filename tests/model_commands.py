"""Every command that runs a model, on tables so small that it is done in a moment: in the order in which each finds
what it reads."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification, PreTrainedTokenizerBase

from emoscope.experiments.circuits.measure import find_circuits
from emoscope.experiments.circuits.measure_edges import find_edges
from emoscope.experiments.circuits.orders import MASKS
from emoscope.experiments.features.measure import learn_features
from emoscope.experiments.features.moves import move_features
from emoscope.experiments.features.switches import switch_features
from emoscope.experiments.masking.conditions import BLOCKS, HEADS
from emoscope.experiments.masking.head_pairs.measure import mask_pairs
from emoscope.experiments.masking.measure import mask_all_but, mask_block
from emoscope.experiments.masking.reference import masking_reference
from emoscope.experiments.masking.samples import select_confident
from emoscope.experiments.masking.screening.screen import screen_heads
from emoscope.experiments.probing.erasing.erasure import erase_concept
from emoscope.experiments.probing.measure import read_concepts
from emoscope.experiments.probing.steering import steer_concept
from emoscope.experiments.tracing.measure import trace_pairs
from emoscope.experiments.words.faithfulness import measure_faithfulness
from emoscope.experiments.words.measure import attribute_words
from emoscope.models.inside.exactness import check_exactness
from emoscope.models.inside.nodes import nodes_in
from emoscope.models.logits import predict
from emoscope.models.planted.circuit import CLASSES
from emoscope.models.planted.compiled import tokenizer_for
from emoscope.models.planted.texts import sentences
from emoscope.perturbation.scored_pairs import score_perturbation
from emoscope.storage.files import write_json
from emoscope.storage.names import WHOLE_BLOCK
from emoscope.training.start import train_tokenizer
from emoscope.writeups.attention.measure import attention_weights, block_attention
from emoscope.writeups.induction.ablation import ablate_heads, ablate_mlps
from emoscope.writeups.induction.composition import compose_heads
from emoscope.writeups.induction.copier import train_copier
from emoscope.writeups.induction.measure import score_heads
from emoscope.writeups.prompting.baselines import score_baselines
from emoscope.writeups.prompting.measure import score_prompts
from emoscope.writeups.prompting.training import train_prompts
from emoscope.writeups.residual.autoencoder import train_autoencoder
from emoscope.writeups.residual.autoencoder_scores import evaluate_autoencoder, twin_autoencoder
from emoscope.writeups.residual.measure import read_residual
from emoscope.writeups.residual.write_directions import measure_writes
from planted_gender import flips, swaps_of
from random_models import TEXTS

BLOCKS_THERE, HEADS_THERE, SEED = 2, 2, 1
SIZES = {  # by layout
    "gpt2": {"n_embd": 16, "n_layer": BLOCKS_THERE, "n_head": HEADS_THERE, "n_positions": 64},
    "bert": {"hidden_size": 16, "num_hidden_layers": BLOCKS_THERE, "num_attention_heads": HEADS_THERE},
}
SIZES["bert"] |= {"intermediate_size": 32, "max_position_embeddings": 64}
SIZES["llama"] = SIZES["bert"] | {"num_key_value_heads": 1}
PREDICTION = {"prediction": {"tokens_per_batch": 256}}  # several batches
STATISTICS = {"statistics": {"confidence": 0.95, "margin": 0.02, "seed": 0, "resamples": 20}}


class Step(NamedTuple):
    """A command: by parameter the files that it is given and makes (lists where it takes several), its settings, and by
    how much its numbers may differ from device to device."""

    command: Callable
    given: Mapping[str, str | Sequence[str]]
    made: Mapping[str, str]
    settings: Mapping[str, Any]
    tolerance: float = 1e-4

    def run(self, known: Path, made: Path) -> None:
        """Read in one folder, write in another."""
        given = {
            name: known / files if isinstance(files, str) else [known / file for file in files]
            for name, files in self.given.items()
        }
        self.command(**given, **{name: made / file for name, file in self.made.items()}, **self.settings)


def tables(*names: str, of: str = "") -> dict[str, str]:
    """Files of these names by parameter; `of` sets apart those of a command that makes some by usual names."""
    return {name: f"{of}{name}.parquet" for name in names}


MODEL, SETTINGS = {"model": "model"}, {"seed": SEED}
TEXT_FILES, EXACT = tables("train", "test"), {"exactness": "exactness.json"}
MASKED = {"means": "means.safetensors", "texts": "reference.parquet"}
MASKING = {"block_conditions": [*BLOCKS], "head_conditions": [*HEADS], "resample_draws": 1}
CIRCUITS = {"config": {"pairs": 4, "steps": 2, "checked": 2, "random_orders": 1, "seed": SEED}, **PREDICTION}
PROBING = {"learned": 18, "judged": 18, "controls": 1, "depths": 2, "random": 1, "doses": [1], "seed": SEED}
FEATURES = {"block": 0, "features": 16, "active": 4, "steps": 3, "seeds": 2, "learned": 30, "judged": 20, "chosen": 3}
FEATURES |= {"random": 1, "doses": [1], "pairs": 6, "seed": SEED}
LEARNED = {"weights": "features.safetensors", "random_weights": "random_features.safetensors"}
ATTENTION = {"sentences": ["she was so glad", "the boat"], "heads": [], "texts": 2}

CLASSIFIER = {
    "predict": Step(
        predict, MODEL | TEXT_FILES, {"output": "predictions.parquet"},
        {"shard": "1-of-1", "config": PREDICTION["prediction"]},
    ),
    "check exactness": Step(check_exactness, MODEL | tables("test"), {"output": "exactness.json"}, {}),
    "select samples": Step(
        select_confident, {"predictions": ["predictions.parquet"], **tables("test")}, {"output": "samples.parquet"},
        {"config": {"per_class": 3, "by": "predicted"}},
    ),
    "average for masks": Step(
        masking_reference, MODEL | TEXT_FILES, MASKED, {"masking": {"reference_texts": 8}, **SETTINGS, **PREDICTION}
    ),
    "screen heads": Step(
        screen_heads, MODEL | tables("samples") | MASKED | EXACT, {"output": "screen.parquet"},
        {"masking": MASKING | {"screened_heads": 2}, **SETTINGS, **PREDICTION},
    ),
    "mask a block": Step(
        mask_block, MODEL | tables("samples") | MASKED | EXACT, {"output": "masked.parquet"},
        {"block": 1, "masking": MASKING, **SETTINGS, **PREDICTION},
    ),
    "mask all but one": Step(
        mask_all_but, MODEL | tables("samples") | MASKED | EXACT, {"output": "all_but.parquet"},
        {"masking": {name: MASKING[name] for name in ("block_conditions", "resample_draws")}, **SETTINGS, **PREDICTION},
    ),
    "mask pairs": Step(
        mask_pairs, MODEL | tables("samples") | MASKED | EXACT | {"blocks": ["masked.parquet"]},
        {"output": "masked_pairs.parquet"}, {"paired_heads": 2, **PREDICTION},
    ),
    "score pairs": Step(
        score_perturbation, MODEL | tables("pairs"), {"output": "scores.parquet"}, {"shard": "1-of-1", **PREDICTION}
    ),
    "trace": Step(
        trace_pairs, MODEL | tables("pairs", "scores", "test") | EXACT,
        tables("traces", "patching", "attribution", "lens", "averaged", "effects", "changes", of="traced_"),
        {"config": {"traced_pairs": 1, "traced_block": 1, "averaged_pairs": 2, "seed": SEED}, **PREDICTION},
    ),
    "circuits": Step(
        find_circuits, MODEL | tables("pairs", "changes") | EXACT,
        tables("sample", "effects", "checked", "curves", of="circuit_"), CIRCUITS,
    ),
    "edges": Step(
        find_edges, MODEL | tables("pairs", "changes") | {"sample": "circuit_sample.parquet"},
        tables("effects", "checked", "curves", "followed", of="edge_"), CIRCUITS,
    ),
    "probes": Step(
        read_concepts, MODEL | TEXT_FILES | EXACT | {"taught": ["taught.parquet"], "pairs": ["pairs.parquet"]},
        tables("readings", "texts", of="probed_"), {"axes": ["gender"], "config": PROBING, **PREDICTION},
    ),
    "erasure": Step(
        erase_concept, MODEL | TEXT_FILES | EXACT | tables("taught", "pairs"),
        tables("answers", "probes", "accuracy", of="erased_"), {"config": PROBING | {"depths": 1}, **PREDICTION},
    ),
    "steering": Step(
        steer_concept, MODEL | EXACT | tables("train", "taught", "pairs"), tables("steered"),
        {"config": PROBING, **PREDICTION},
    ),
    "learn features": Step(
        learn_features, MODEL | TEXT_FILES | EXACT, LEARNED | tables("judged", "rates", of="features_"),
        {"config": FEATURES, **PREDICTION},
    ),
    "move features": Step(
        move_features, MODEL | TEXT_FILES | {"weights": LEARNED["weights"]},
        tables("moves", "cards", "texts", of="moved_"), {"config": FEATURES, **PREDICTION},
    ),
    "switch features": Step(
        switch_features, MODEL | LEARNED | tables("pairs"), tables("switches"), {"config": FEATURES, **PREDICTION}
    ),
    "words": Step(
        attribute_words, MODEL | tables("test") | EXACT,
        tables("scores", "texts", "accounts", "steadiness", "cuts", of="words_"),
        {"config": {"texts": 2, "cut": 2, "classes": 1, "steps": 4, "orders": 1}, **SETTINGS, **PREDICTION},
    ),
    "words taken away": Step(
        measure_faithfulness, MODEL | {"texts": "words_texts.parquet", "scores": "words_scores.parquet"},
        tables("curves", "faithfulness", of="words_"), {**SETTINGS, **PREDICTION},
    ),
    "attention": Step(
        attention_weights, MODEL | {"exactness": ["exactness.json"]},
        tables("weights", "averages", "tokens", of="attention_"), {"config": ATTENTION},
    ),
    "blocked attention": Step(
        block_attention, MODEL | {"exactness": ["exactness.json"], "texts": "test.parquet"},
        tables("blocked", "looks", "silenced"), {"config": ATTENTION, **STATISTICS},
    ),
}  # fmt: skip

INDUCTION = {"lengths": [8], "sequences": 3, "random_models": 1, "ablated_sequences": 2, "ablated_positions": 2}
INDUCTION |= {"ablated_heads": [1], "random_heads": 1, "best_pairs": 2, "random_pairs": 1, "composed_tokens": 20}
INDUCTION = {"blocks": BLOCKS_THERE, "config": INDUCTION | SETTINGS}
COPIER = {"blocks": 2, "heads": 2, "width": 16, "vocabulary": 24, "context": 25, "batch_size": 4, "seed": SEED}
PROMPTING = {"tokens": 3, "epochs": [1], "batch_size": 8, "learning_rate": 0.02, "max_tokens": 30, "checked_texts": 3}
PROMPTING |= {"cache_gb": 1.0, "seed": SEED, "precision": "fp32"}
RESIDUAL = {"block": 0, "features": 32, "active": 4, "tokens": 60, "steps": 3, "held_out": 8, "patched": 4}
RESIDUAL = {"config": {"autoencoder": RESIDUAL, "lens_texts": 4, **SETTINGS}, **PREDICTION}
DICTIONARY = {"weights": "autoencoder.safetensors", "lookups": "lookups.safetensors"}

LANGUAGE = {
    "score heads": Step(score_heads, MODEL, tables("predictions", "heads", "patterns"), INDUCTION),
    "ablate MLPs": Step(ablate_mlps, MODEL, {"output": "ablated_mlps.parquet"}, INDUCTION),
    "ablate heads": Step(ablate_heads, MODEL | tables("heads"), {"output": "ablated_heads.parquet"}, INDUCTION),
    "compose heads": Step(compose_heads, MODEL | tables("heads"), {"output": "composed.parquet"}, INDUCTION),
    "train a copier": Step(
        train_copier, {}, {"output": "copier"}, {"config": {**COPIER, "steps": 3, "learning_rate": 0.01}}
    ),
    "train prompts": Step(
        train_prompts, MODEL | {"train": "task.parquet", "about": "task.json"},
        {"prompts": "prompts.safetensors", "history": "prompts.csv", "means": "means.safetensors"},
        {"config": PROMPTING},
    ),
    "train prompts in bf16": Step(
        train_prompts, MODEL | {"train": "task.parquet", "about": "task.json"},
        {"prompts": "coarse_prompts.safetensors", "history": "coarse.csv", "means": "coarse_means.safetensors"},
        {"config": PROMPTING | {"precision": "bf16"}}, 1e-2,
    ),
    "score prompts": Step(
        score_prompts, MODEL | {"tests": ["task.parquet"], "about": ["task.json"], "prompts": ["prompts.safetensors"]},
        {"scores": "prompted.parquet", "checks": "prompted_checks.parquet", "means": "test_means.safetensors"},
        {"config": PROMPTING},
    ),
    "cheapest beside prompts": Step(
        score_baselines,
        MODEL | {"trains": ["task.parquet"], "tests": ["task.parquet"], "about": ["task.json"]}
        | {"train_means": ["means.safetensors"], "test_means": "test_means.safetensors"},
        {"scores": "baselines.parquet"}, {"config": PROMPTING},
    ),
    "residual stream": Step(
        read_residual, MODEL | tables("corpus"), tables("positions", "sentences", "lens"), RESIDUAL
    ),
    "write directions": Step(
        measure_writes, MODEL, tables("overlaps", "histogram"), {"config": SETTINGS, **STATISTICS}
    ),
    "train an autoencoder": Step(
        train_autoencoder, MODEL | tables("corpus"), DICTIONARY | {"history": "autoencoder.csv"}, RESIDUAL
    ),
    "judge an autoencoder": Step(
        evaluate_autoencoder, MODEL | tables("corpus") | {"audit": "audit.json"} | DICTIONARY,
        tables("reconstruction", "patched", "features", "texts", "associations", "shuffles", "chosen", of="judged_"),
        RESIDUAL | STATISTICS,
    ),
    "an autoencoder of random weights": Step(
        twin_autoencoder, MODEL | tables("corpus"), {"output": "twin.parquet"}, RESIDUAL
    ),
    "attention": Step(
        attention_weights, {**MODEL, "exactness": []}, tables("weights", "averages", "tokens", of="attention_"),
        {"config": ATTENTION},
    ),
    "blocked attention": Step(
        block_attention, {**MODEL, "exactness": [], "texts": "corpus.parquet"}, tables("blocked", "looks", "silenced"),
        {"config": ATTENTION, **STATISTICS},
    ),
}  # fmt: skip


def _saved(folder: Path, kind: type, layout: str, tokenizer: PreTrainedTokenizerBase, **settings: object) -> None:
    """A random model of this layout, with its tokenizer."""
    torch.manual_seed(0)
    ends = {"pad_token_id": 0, "bos_token_id": None, "eos_token_id": None, "initializer_range": 0.1, **settings}
    model = kind.from_config(AutoConfig.for_model(layout, vocab_size=len(tokenizer), **ends, **SIZES[layout]))
    for part in (model, tokenizer):
        part.save_pretrained(folder / "model")


def write_classifier(folder: Path, layout: str) -> None:
    """A random classifier, texts, and pairs: all that the first commands read."""
    named = {"id2label": dict(enumerate(CLASSES)), "label2id": {name: number for number, name in enumerate(CLASSES)}}
    _saved(folder, AutoModelForSequenceClassification, layout, tokenizer_for(layout), **named)
    for number, (name, count) in enumerate({"train": 40, "test": 30}.items()):
        table = sentences(count, number)
        table.assign(id=range(1000 * number, 1000 * number + count)).to_parquet(folder / f"{name}.parquet")
    flips(14, 3).to_parquet(folder / "taught.parquet")
    own = flips(14, 4)
    pd.concat([own, swaps_of(own)], ignore_index=True).to_parquet(folder / "pairs.parquet")
    nodes = nodes_in(BLOCKS_THERE, HEADS_THERE)
    masks = [(MASKS[site], block, head if site == "head" else WHOLE_BLOCK) for site, block, head in nodes]
    changes = pd.DataFrame(masks, columns=["condition", "block", "head"])
    changes.assign(change=np.linspace(-1, 1, len(nodes))).to_parquet(folder / "changes.parquet")


def write_language_model(folder: Path, layout: str) -> None:
    """A random language model, and a task's texts."""
    tokenizer = train_tokenizer(pd.Series(TEXTS * 3), {"vocabulary": 320, "context": 64})
    _saved(folder, AutoModelForCausalLM, layout, tokenizer)
    texts = [f"{text} {end}" for end in ("now", "today", "at home", "and so on") for text in TEXTS]
    table = pd.DataFrame({"id": range(len(texts)), "text": texts, "label": np.arange(len(texts)) % len(CLASSES)})
    table.to_parquet(folder / "corpus.parquet")
    write_json({"classes": list(CLASSES)}, folder / "audit.json")
    happy = np.array(["love" in text or "happy" in text for text in texts], dtype="int8")
    long = np.array([len(text) > 30 for text in texts], dtype="int8")
    table.drop(columns="label").assign(is_joy=happy, is_long=long).to_parquet(folder / "task.parquet")
    task = {"name": "mood", "kind": "multiple", "classes": ["joy", "long"], "alone": "joy"}
    write_json(task, folder / "task.json")
