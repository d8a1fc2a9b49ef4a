"""Pairs of the costliest heads, mean-ablated alone and together: what one does may hide that another can do it, too."""

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.masking.conditions import chooses_pairs
from emoscope.experiments.masking.masks import Mask, Substitutes, silence
from emoscope.experiments.masking.measures import MEASURES, PAIR, classes_in, judged, measures
from emoscope.experiments.masking.reference import Reference, read_reference
from emoscope.experiments.masking.shortcuts import spared, starts
from emoscope.models.batches import padded_batches
from emoscope.models.inside.allowed import exact_checks
from emoscope.models.loading import load_classifier
from emoscope.models.logits import prediction_columns, thresholds_of
from emoscope.models.parts import readers_of
from emoscope.models.positions import kinds_of
from emoscope.storage.files import write_table
from emoscope.storage.names import WHOLE_BLOCK

Head = tuple[int, int]  # block and head


def mask_pairs(
    model: Path,
    samples: Path,
    blocks: list[Path],
    means: Path,
    texts: Path,
    exactness: Path,
    paired_heads: int,
    prediction: dict,
    output: Path,
    thresholds: list[Path] = (),
) -> None:
    """Write `id, first_block, first_head, second_block, second_head, p_*, logit_*` for every pair of the heads that are
    costliest in one half of the texts, in the other half; a head paired with itself is ablated alone. No rows where no
    head was masked, or there is no other half."""
    classifier, tokenizer = load_classifier(model)
    least, table = thresholds_of(classifier, thresholds), pd.read_parquet(samples)
    choosing, masked = first_half(table), pd.concat(map(pd.read_parquet, blocks), ignore_index=True)
    asked, table = table[choosing], table[~choosing]
    heads = costliest_heads(asked, masked[masked["id"].isin(asked["id"])], paired_heads) if len(table) else []
    reference = read_reference(means, texts, 0, classifier.device)
    judged = table["text"].tolist()
    exact = exact_checks(exactness)
    scores = pair_scores(classifier, tokenizer, judged, heads, reference, prediction["tokens_per_batch"], exact)
    nothing = np.empty((0, classifier.config.num_labels), dtype=np.float32)
    parts = [_pair_table(classifier, least, table["id"][:0], nothing, (0, 0), (0, 0))]
    parts += [_pair_table(classifier, least, table["id"], logits, *pair) for pair, logits in scores.items()]
    write_table(pd.concat(parts, ignore_index=True), output)


def first_half(samples: pd.DataFrame) -> np.ndarray:
    """Every other text, bool (samples,), which is about half of each class's. Heads are chosen there: in the texts in
    which they look costliest they look costlier than they are, and their pairs less redundant."""
    return pd.factorize(samples["text"])[0] % 2 == 0


def costliest_heads(samples: pd.DataFrame, masked: pd.DataFrame, count: int) -> list[Head]:
    """The heads without which the logit margin falls most on average, the costliest first.

    They count as mean-ablated, if they were in this run, else as silenced.
    """
    heads = masked[masked["head"] != WHOLE_BLOCK]
    heads = heads[heads["condition"] == chooses_pairs(set(heads["condition"]))]
    heads = judged(samples, heads)
    margin = measures(heads, classes_in(samples))[:, MEASURES.index("margin")]
    left = pd.Series(margin).groupby([heads["block"], heads["head"]]).mean()
    return [(int(block), int(head)) for block, head in left.sort_values(kind="stable").index[:count]]


@torch.inference_mode()
def pair_scores(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    heads: Sequence[Head],
    reference: Reference,
    tokens_per_batch: int,
    exact: Collection[str],
) -> dict[tuple[Head, Head], np.ndarray]:
    """Logits (texts, classes) with every two of the heads replaced by their means, and each alone, as (head, head)."""
    pairs = [*((head, head) for head in heads), *combinations(sorted(heads), 2)]
    scores = {pair: np.empty((len(texts), model.config.num_labels), dtype=np.float32) for pair in pairs}
    blocks = sorted({block for block, _ in heads})
    batches = list(padded_batches(tokenizer, texts, tokens_per_batch, model.device)) if pairs else []
    for rows, inputs in tqdm(batches, desc="mask pairs of heads", unit="batch", mininterval=2):
        begun = starts(model, inputs, blocks, exact, known=readers_of)  # a masked head changes what others get
        substitutes = Substitutes(reference.means, kinds_of(model, inputs), {})
        for pair in pairs:
            with ExitStack() as stack:
                stack.enter_context(spared(model, inputs, begun[pair[0][0]], exact))
                for block, head in dict.fromkeys(pair):
                    stack.enter_context(silence(model, block, Mask(head, "mean"), substitutes))
                scores[pair][rows] = model(**inputs).logits.cpu().numpy()
    return scores


def _pair_table(
    model: PreTrainedModel, least: np.ndarray | None, ids: pd.Series, logits: np.ndarray, first: Head, second: Head
) -> pd.DataFrame:
    key = dict(zip(PAIR, (*first, *second), strict=True))
    return pd.DataFrame({"id": ids.to_numpy(), **key, **prediction_columns(model, logits, least)})
