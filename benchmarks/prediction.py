"""Prediction: emoscope beside the transformers pipeline, one text at a time (the authors' way) and in batches of 64."""

import numpy as np
import torch
from scipy.special import softmax
from transformers import pipeline

from benchmarks.measuring import as_loaded, ceilings, gpt2_small, operations_per_token, sentences, side_by_side
from emoscope.models.loading import classes_of
from emoscope.models.logits import predict_logits

TEXTS = 512


def measure() -> dict:
    plain, tokenizer = gpt2_small()
    model = as_loaded(plain, tokenizer)
    texts = sentences(TEXTS)
    classify = pipeline("text-classification", model=plain, tokenizer=tokenizer, top_k=None)
    classes = classes_of(model)
    few = texts[: TEXTS // 8]
    found: dict[str, np.ndarray] = {}

    def in_order(scored: list[list[dict]]) -> np.ndarray:
        """Probabilities in the order of the classes; the pipeline sorts them."""
        return np.array([[{one["label"]: one["score"] for one in text}[name] for name in classes] for text in scored])

    with torch.inference_mode():
        took = side_by_side(
            {
                "pipeline": lambda: [classify(text) for text in few],
                "pipeline in batches": lambda: found.update(batched=in_order(classify(texts, batch_size=64))),
                "emoscope": lambda: found.update(ours=softmax(predict_logits(model, tokenizer, texts, 8192), axis=1)),
            },
            rounds=5,
        )
    limits = ceilings()
    tokens = sum(map(len, tokenizer(texts)["input_ids"]))
    speed = {name: (len(few) if name == "pipeline" else TEXTS) / time for name, time in took.items()}
    return {
        "texts_per_s": {name: round(rate, 1) for name, rate in speed.items()},
        "over_one_text": round(speed["emoscope"] / speed["pipeline"], 2),
        "over_batched": round(speed["emoscope"] / speed["pipeline in batches"], 2),
        "tokens_per_s": round(tokens / took["emoscope"]),
        "of_fp32_ceiling": round(
            tokens / took["emoscope"] * operations_per_token(model) / limits["fp32_gflops"] / 1e9, 3
        ),
        "largest_difference": float(np.abs(found["ours"] - found["batched"]).max()),
        "ceilings": limits,
    }
