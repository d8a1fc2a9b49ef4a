"""Which texts reach which command: read from the rule files, where training and test texts are easily exchanged."""

import re

import pytest

from emoscope.plan.code_inputs import PACKAGE


def inputs_of(file: str, rule: str) -> dict[str, str]:
    """The named inputs of a rule, as they are written."""
    text = (PACKAGE.parent / "rules" / f"{file}.smk").read_text(encoding="utf-8")
    body = re.search(rf"^rule {rule}:\n(.*?)(?=^rule |\Z)", text, re.MULTILINE | re.DOTALL)[1]
    own = re.search(r"^    input:\n((?:        .*\n)+)", body, re.MULTILINE)[1]
    return dict(re.findall(r"^        (\w+)=(.*),$", own, re.MULTILINE))


TRAIN, TEST = (f'expand("data/tasks/{{task}}/{part}.parquet", task=TASKS)' for part in ("train", "test"))
MEANS = "results/models/{{model}}/prompting/{task}/means.safetensors"


@pytest.mark.parametrize(
    ("file", "rule", "wanted"),
    [
        ("prompting", "train_prompts", {"train": '"data/tasks/{task}/train.parquet"'}),
        ("prompting", "score_prompts", {"tests": TEST}),
        ("prompting", "score_baselines", {
            "trains": TRAIN, "tests": TEST, "train_means": f'expand("{MEANS}", task=TASKS)',
            "test_means": '"results/models/{model}/prompting/means.safetensors"',
        }),
        ("prompting", "summarise_prompting", {
            "tests": TEST, "scores": '"results/models/{model}/prompting/scores.parquet"',
            "baselines": '"results/models/{model}/prompting/baselines.parquet"',
        }),
        ("performance", "predict_baselines", {
            part: f'"data/corpora/{{corpus}}/{part}.parquet"' for part in ("train", "test")
        }),
        ("performance", "evaluate", {
            name: f'corpus_of("{name}.parquet")' for name in ("baselines", "train", "test")
        }),
        ("attention", "summarise_attention", {
            name: f'"results/{{subject}}/attention/{name}.parquet"' for name in ("blocked", "looks", "silenced")
        }),
    ],
)  # fmt: skip
def test_texts_reach_the_command_that_is_to_have_them(file, rule, wanted):
    found = inputs_of(file, rule)
    assert {name: found.get(name) for name in wanted} == wanted
