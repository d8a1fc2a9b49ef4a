"""The whole DAG on a user's own CSV and model folder, for families other than the default's."""

import pandas as pd
import pytest
import torch
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM

from emoscope.data.planted import generate
from emoscope.experiments.masking.conditions import BLOCKS, HEADS
from emoscope.training.finetune import train_tokenizer
from project import copy_project, snakemake
from random_models import train_wordpiece

SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
FAMILIES = {
    "bert": lambda size: BertModel(BertConfig(vocab_size=size, **SIZES)),
    "llama": lambda size: LlamaForCausalLM(LlamaConfig(vocab_size=size, num_key_value_heads=1, **SIZES)),
}
CONFIG = """
corpora: {mine: {source: csv, path: mine.csv, text: tweet, label: emotion, duplicates: group}}
models: {mine: {source: path, path: model, blocks: %d}}
runs: [{name: mine, corpus: mine, model: mine, training: {epochs: 1, batch_size: 64, learning_rate: 1.0e-3}}]
samples: {per_class: 5, by: label}
statistics: {resamples: 200}
companions: []
"""


def project_with(tmp_path, family, blocks=2):
    project = copy_project(tmp_path / "project")
    texts, _ = generate(1200, 3)
    names = ["sadness", "joy", "love", "anger", "fear", "surprise"]
    table = pd.DataFrame({"tweet": texts["text"], "emotion": [names[label] for label in texts["label"]]})
    table.to_csv(project / "mine.csv", index=False)
    torch.manual_seed(0)
    if family == "bert":
        tokenizer = train_wordpiece(texts["text"], 400)
    else:
        tokenizer = train_tokenizer(texts["text"], {"vocabulary": 400, "context": 64})
    tokenizer.save_pretrained(project / "model")
    FAMILIES[family](len(tokenizer)).save_pretrained(project / "model")
    (project / "mine.yaml").write_text(CONFIG % blocks)
    return project


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_every_experiment_works_on_the_family(tmp_path, family):
    project = project_with(tmp_path, family)
    found = snakemake(project, "all", config="mine.yaml")
    assert found.returncode == 0, found.stdout
    masks = pd.read_parquet(project / "results" / "mine-s1" / "masking" / "block_1.parquet")
    conditions = {*BLOCKS, *HEADS}
    assert set(masks["condition"]) == (conditions if family == "bert" else conditions - {"published"})
    attention = pd.read_parquet(project / "results" / "mine-s1" / "attention" / "weights.parquet")
    assert (attention["target"] > attention["source"]).any() == (family == "bert")
    assert (project / "reports" / "mine-s1" / "attention.html").exists()
    assert (project / "reports" / "index.html").exists()
    again = snakemake(project, "all", config="mine.yaml")
    assert "Nothing to be done" in again.stdout


def test_a_wrong_number_of_blocks_is_named_before_training(tmp_path):
    project = project_with(tmp_path, "bert", blocks=3)
    found = snakemake(project, "results/mine-s1/training.json", config="mine.yaml")
    assert found.returncode == 1
    assert "the model has 2 blocks but the config says 3; set `blocks: 2`" in found.stdout
    assert "Traceback" not in found.stdout
