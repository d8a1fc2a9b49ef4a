"""What the cheapest classifiers say of the test texts, trained on the same texts as the prompts.

`constant` gives every text the answer that suits most training texts, `words` is a logistic regression of words, and
`probe` one of the mean of the frozen model's final states of a text's tokens. `random probe` is a probe of a model of
random weights: the first blocks of the model's twin, of which each looks like the others.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from emoscope.models.language_models import load_language_model
from emoscope.models.loading import random_twin
from emoscope.storage.files import read_json, write_table
from emoscope.training.baselines import best_constant, log_odds, state_features, word_features
from emoscope.writeups.prompting.soft_prompts import Texts

RANDOM_BLOCKS = 6


def score_baselines(
    model: Path,
    trains: list[Path],
    tests: list[Path],
    about: list[Path],
    train_means: list[Path],
    test_means: Path,
    config: dict,
    scores: Path,
) -> None:
    """Write the logits of every baseline on each task's own test texts: `texts, id, method, class, logit`.

    `trains`, `tests`, `about` and `train_means` list the tasks in the same order; means are the trained model's.
    """
    language_model, tokenizer = load_language_model(model)
    twin = random_twin(language_model, config["seed"], RANDOM_BLOCKS)
    tested, parts = load_file(test_means), []
    for train, test, path, means in zip(trains, tests, about, train_means, strict=True):
        task, tables = read_json(path), [pd.read_parquet(file) for file in (train, test)]
        name = task["name"]
        random = [
            Texts(twin, tokenizer, table["text"], config["max_tokens"], budget=0).means().cpu().numpy()
            for table in tables
        ]
        states = {"probe": (load_file(means)[name], tested[name]), "random probe": tuple(random)}
        for method, logits in baselines(*tables, task, states).items():
            ids, classes = np.repeat(tables[1]["id"].to_numpy(), len(task["classes"])), task["classes"]
            own = {"id": ids, "method": method, "class": np.tile(classes, len(logits)), "logit": logits.ravel()}
            parts.append(pd.DataFrame({"texts": name, **own}))
    write_table(pd.concat(parts, ignore_index=True), scores)


def baselines(
    train: pd.DataFrame, test: pd.DataFrame, task: dict, states: dict[str, tuple[np.ndarray, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Logits of every baseline on the test texts, (texts, classes); `states` are of training and test texts, by method.

    Labels of a task of several are weighted as in the loss of its prompts.
    """
    truth = train[[f"is_{name}" for name in task["classes"]]].to_numpy()
    single = task["kind"] == "single"
    constant = np.where(best_constant(truth, single), 1.0, -1.0)
    features = {"words": word_features(train["text"], test["text"])}
    features |= {method: state_features(*means) for method, means in states.items()}
    learnt = {method: log_odds(own, truth, asked, not single) for method, (own, asked) in features.items()}
    return {"constant": np.tile(constant, (len(test), 1)), **learnt}
