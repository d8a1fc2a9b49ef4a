"""What a run reaches on its test set, beside what the cheapest classifiers do on the same texts."""

import pandas as pd

from emoscope.experiments.performance.names import METHODS, OF_SEVERAL, WORDS

SCORES = ("accuracy", "macro_f1", "auc_ovr", OF_SEVERAL)  # the last of several labels a text
CLASS_SCORES = ("recall", "precision")
CLASS_PREFIXES = tuple(f"{score}_" for score in CLASS_SCORES)
CHEAP = {f"accuracy.{method}": method for method in METHODS}
ABOVE = f"accuracy.above_{WORDS}"


def performance(metrics: dict) -> pd.DataFrame:
    """Scores on the test set, of all rows and of the distinct ones that are not known from training.

    Those of SCORES that there are, for each class CLASS_SCORES as `{score}_{class}`; beside them CHEAP,
    accuracies of the cheapest classifiers, and ABOVE, the model's minus that of a bag of words.
    """
    rows = []
    for kind, found in metrics["test"].items():
        scores = [(name, name, found) for name in SCORES if name in found]
        scores += [(f"{name}_{of}", name, own) for of, own in found["per_class"].items() for name in CLASS_SCORES]
        beside = {method: metrics["baselines"][method][kind] for method in METHODS}
        scores += [(measure, "accuracy", beside[method]) for measure, method in CHEAP.items()]
        scores.append((ABOVE, "difference", beside[WORDS]))
        for measure, name, source in scores:
            low, high = source[f"{name}_interval"]
            rows.append({"origin": kind, "measure": measure, "value": source[name], "low": low, "high": high})
    return pd.DataFrame(rows).assign(topic="performance").astype({"value": float, "low": float, "high": float})
