"""Rules hand each command what its options name: no training texts for test texts, no scores for pairs."""

import re
from pathlib import Path

import pytest

RULES = {
    found[1]: found[0]
    for file in (Path(__file__).parents[3] / "workflow" / "rules").glob("*.smk")
    for found in re.finditer(r"^rule (\w+):.*?(?=^\S|\Z)", file.read_text(), flags=re.M | re.S)
}
# Options that are named otherwise than what they get: of a rule with several outputs, the first.
RENAMED = {("output", "metrics"), ("output", "model"), ("output", "html"), ("shard", "scatteritem")}
RENAMED |= {("count", "suggestions")}
# The rules that may read training texts. Whatever judges a model reads the test texts.
TRAINING_TEXTS = {
    "split_corpus",  # writes them
    "finetune",
    "masking_reference",
    "predict",
    "evaluate",
    "assess_ground_truth",
    "prepare_task",
    "train_prompts",
    "train_autoencoder",
    "read_residual",
    "evaluate_autoencoder",
    "twin_autoencoder",
}


@pytest.mark.parametrize("rule", RULES)
def test_every_option_gets_what_it_names(rule):
    options = re.findall(r"--([\w-]+) \{(?:input|output|params|wildcards)\.(\w+)(?::q)?\}", RULES[rule])
    assert {(option, given) for option, given in options if option.replace("-", "_") != given} <= RENAMED


@pytest.mark.parametrize("rule", RULES)
def test_inputs_called_train_and_test_are_that(rule):
    for name, given in re.findall(r"^ {8}(trains?|tests?)=(.*)$", RULES[rule], flags=re.M):
        part = name.removesuffix("s")
        other = {"train": "test", "test": "train"}[part]
        assert f"{part}.parquet" in given and f"{other}.parquet" not in given, (name, given)


def test_training_texts_are_read_where_something_learns_and_nowhere_else():
    assert {rule for rule, text in RULES.items() if re.search(r"\btrain\.parquet", text)} == TRAINING_TEXTS
