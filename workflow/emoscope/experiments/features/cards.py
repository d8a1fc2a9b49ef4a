"""Cards of features: how often they are active, how much of that the token tells, whether other seeds find them."""

from collections.abc import Iterator

import torch
from torch import Tensor

from emoscope.experiments.features.choice import Chosen, random_directions
from emoscope.models.features.autoencoder import TopKAutoencoder
from emoscope.models.features.lookups import fit_lookups

RANDOM_MATCHES = 100  # draws, to be averaged
Codes = tuple[Tensor, Tensor]  # activations of the chosen features (tokens, chosen), and ids (tokens, 2)
CARDS = ["feature", "class", "estimate", "rate", "by_token", "match", "random_match"]


def cards_of(
    autoencoders: list[TopKAutoencoder],
    chosen: list[Chosen],
    taught: Codes,
    asked: Codes,
    names: list[str],
    config: dict,
) -> Iterator[tuple]:
    """CARDS of the first autoencoder's features, by their activations in training and in test texts.

    `rate` is the share of the test tokens at which it is active, `by_token` the share of its variance over these that
    the mean of the same token in training texts explains; `match` is the largest cosine with a feature of another seed,
    averaged over these, and `random_match` that of random directions.
    """
    own, (new, ids) = autoencoders[0], asked
    averages = fit_lookups(*taught)
    error = (new - averages.by_token(ids)).square().sum(dim=0)
    spread = (new - averages.mean).square().sum(dim=0)
    matches = best_matches(own.decoder[[one.feature for one in chosen]], autoencoders[1:])
    drawn = random_directions(RANDOM_MATCHES, own.decoder.shape[1], [config["seed"]]).to(own.decoder)
    random_match = best_matches(drawn, autoencoders[1:]).mean()
    for place, one in enumerate(chosen):
        rate, explained = (new[:, place] > 0).double().mean(), 1 - error[place] / spread[place]
        numbers = rate, explained, matches[place], random_match
        yield one.feature, names[one.label], one.estimate, *map(float, numbers)


def best_matches(directions: Tensor, others: list[TopKAutoencoder]) -> Tensor:
    """The largest cosine of each of (n, width) unit directions with a feature of another autoencoder, averaged over
    these, (n,); NaN without any."""
    if not others:
        return torch.full((len(directions),), torch.nan)
    return torch.stack([(directions @ other.decoder.T).amax(dim=1) for other in others]).mean(dim=0)
