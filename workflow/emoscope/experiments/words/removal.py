"""Which words decide, by taking them away: what is left of the answer without a token, a word, or many."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from scipy.special import logsumexp
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.words.gradients import at_embeddings, baseline, embedded, inputs_of, padding_of
from emoscope.experiments.words.methods import SPECIAL
from emoscope.experiments.words.read_texts import Reading, rewritten
from emoscope.models.batches import token_batches
from emoscope.models.inside.integration import centred
from emoscope.models.logits import gives_several, predict_logits

AT_ONCE = 500_000  # words of texts without one word each, half as many for each order: 560 MB in ten orders
Removal = tuple[int, np.ndarray]  # a text's number, and which of its words, or tokens, stay: bool
Told = Callable[[PreTrainedModel, np.ndarray], np.ndarray]  # what is said of logits (..., classes), of the same shape


class Reader:
    """A classifier that reads texts and altered ones. Logits (texts, classes)."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, tokens_per_batch: int):
        self.model, self.tokenizer, self.tokens_per_batch = model, tokenizer, tokens_per_batch
        # a tokenizer without special tokens makes nothing of an empty text, which a model cannot read
        self._nothing = "" if tokenizer("")["input_ids"] else tokenizer.pad_token or tokenizer.eos_token

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Logits of texts, each of which is read once, however often it is given."""
        texts = [text or self._nothing for text in texts]
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        found = predict_logits(self.model, self.tokenizer, list(places), self.tokens_per_batch)
        return found[[places[text] for text in texts]]

    def without(
        self,
        readings: Sequence[Reading],
        removals: Sequence[Removal],
        instead: Sequence[Sequence[str]] | None = None,
    ) -> np.ndarray:
        """Logits of texts of which only the words of each removal stay; the others are cut out, or replaced."""
        return self.logits([rewritten(readings[row], kept, instead and instead[row]) for row, kept in removals])

    @torch.no_grad()
    def padded(self, readings: Sequence[Reading], removals: Sequence[Removal]) -> np.ndarray:
        """Logits of texts of whose tokens, special ones aside, only those of each removal stay: the others are embedded
        as padding is, where they are, and still attended to."""
        logits = np.empty((len(removals), self.model.config.num_labels), dtype=np.float32)
        lengths = [len(readings[row].owners) for row, _ in removals]
        with tqdm(total=len(removals), desc="padded texts", unit="text", mininterval=2) as progress:
            for batch in token_batches(lengths, self.tokens_per_batch):
                chosen = [removals[number] for number in batch]
                inputs, fixed = inputs_of(self.tokenizer, [readings[row] for row, _ in chosen], self.model.device)
                for place, (_, kept) in enumerate(chosen):
                    fixed[place, : len(kept)] |= torch.from_numpy(kept).to(fixed.device)
                values = baseline(self.model, padding_of(self.model), embedded(self.model, inputs), fixed, "padding")
                with at_embeddings(self.model, values):
                    logits[batch] = self.model(**inputs).logits.cpu().numpy()
                progress.update(len(batch))
        return logits


def by_removal(reader: Reader, readings: Sequence[Reading], method: str, orders: int, seed: int) -> list[np.ndarray]:
    """What one method of the kind `removal` says of each text, (words + 1, classes), those of special tokens last."""
    rng = np.random.default_rng(seed)
    return [scores for part in parts_of(readings) for scores in _by_removal(reader, part, method, orders, rng)]


def parts_of(readings: Sequence[Reading]) -> Iterator[Sequence[Reading]]:
    """So many readings at a time as may have their altered texts in memory together."""
    part: list[Reading] = []
    words = 0
    for reading in readings:
        own = len(reading.words) ** 2  # a text has as many altered ones as words, and most of its words stay in each
        if part and words + own > AT_ONCE:
            yield part
            part, words = [], 0
        part.append(reading)
        words += own
    if part:
        yield part


def _by_removal(
    reader: Reader, readings: Sequence[Reading], method: str, orders: int, rng: np.random.Generator
) -> list[np.ndarray]:
    match method:
        case "occlusion_token":
            tokens = occluded_tokens(reader, readings)
            return [reading.by_word(scores) for reading, scores in zip(readings, tokens, strict=True)]
        case "occlusion_word":
            found = occluded_words(reader, readings)
        case "shapley":
            found = shapley(reader, readings, orders, rng)
        case _:
            raise ValueError(f"no such method of removal: {method}")
    return [np.pad(scores, ((0, 1), (0, 0))) for scores in found]  # special tokens stay where they are


def occluded_tokens(reader: Reader, readings: Sequence[Reading]) -> list[np.ndarray]:
    """How much each token adds to what is explained, (tokens, classes) for each text: its fall when it is padded.
    Special tokens, which stay, have 0."""
    sizes = [len(one.owners) for one in readings]
    places = [(row, token) for row, one in enumerate(readings) for token in np.flatnonzero(one.owners != SPECIAL)]
    return _falls(partial(centred, reader.model), partial(reader.padded, readings), sizes, places)


def occluded_words(reader: Reader, readings: Sequence[Reading], told: Told = centred) -> list[np.ndarray]:
    """How much each word adds to what is `told`, (words, classes) for each text: its fall when it is cut out."""
    sizes = [len(one.words) for one in readings]
    places = [(row, word) for row, size in enumerate(sizes) for word in range(size)]
    return _falls(partial(told, reader.model), partial(reader.without, readings), sizes, places)


def log_odds(model: PreTrainedModel, logits: np.ndarray) -> np.ndarray:
    """The log-odds of each class, (..., classes): its logit less the logsumexp of all others'; of several labels the
    logit itself. Where another's logit rises and its own stays, a class falls."""
    if gives_several(model):
        return logits
    others = [logsumexp(np.delete(logits, place, axis=-1), axis=-1) for place in range(logits.shape[-1])]
    return logits - np.stack(others, axis=-1)


def shapley(reader: Reader, readings: Sequence[Reading], orders: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Shapley values of the words of each text, (words, classes), where words that are absent are cut out.

    Means of what a word adds to those before it, over `orders` random orders and their reverses: Castro, Gómez and
    Tejada (2009), "Polynomial calculation of the Shapley value based on sampling".
    """
    removals, drawn = [], []
    for row, reading in enumerate(readings):
        words = len(reading.words)
        for order in (order for _ in range(orders) for one in [rng.permutation(words)] for order in (one, one[::-1])):
            ranks = np.argsort(order)
            removals += [(row, ranks < count) for count in range(words + 1)]
            drawn.append((row, order))
    found = centred(reader.model, reader.without(readings, removals))
    values = [np.zeros((len(reading.words), found.shape[1])) for reading in readings]
    at = 0
    for row, order in drawn:
        values[row][order] += np.diff(found[at : at + len(order) + 1], axis=0) / (2 * orders)
        at += len(order) + 1
    return values


def _falls(
    told: Callable[[np.ndarray], np.ndarray],
    left_by: Callable[[Sequence[Removal]], np.ndarray],
    sizes: Sequence[int],
    places: Sequence[tuple[int, int]],
) -> list[np.ndarray]:
    """What is told when nothing is taken away minus what is left when one word or token is, by its place.

    Both are read in the same way, since taking words away changes the blanks between the others, too.
    """
    whole = [(row, np.ones(size, dtype=bool)) for row, size in enumerate(sizes)]
    found = told(left_by(whole + [(row, np.arange(sizes[row]) != place) for row, place in places]))
    scores = [np.zeros((size, found.shape[1])) for size in sizes]
    for (row, place), left in zip(places, found[len(whole) :], strict=True):
        scores[row][place] = found[row] - left
    return scores
