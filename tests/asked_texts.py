"""Two made-up tasks of prompts, one of several labels, and texts for them."""

import numpy as np
import pandas as pd

CLASSES = ["anger", "joy", "trust"]
TASKS = {
    "mood": {"name": "mood", "kind": "multiple", "classes": CLASSES},
    "view": {"name": "view", "kind": "single", "classes": ["bad", "good"]},
}


def texts_of(truth: np.ndarray, classes: list[str]) -> pd.DataFrame:
    """Distinct texts with these labels, bool (texts, classes)."""
    table = pd.DataFrame({"text": [f"text {row}" for row in range(len(truth))]})
    table[[f"is_{name}" for name in classes]] = truth.astype(int)
    return table
