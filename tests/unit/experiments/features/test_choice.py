"""Which features are chosen, for which class, and where the directions beside them point."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from emoscope.experiments.features.choice import best_of, choose, pushes, random_directions
from emoscope.experiments.features.names import FEATURE, MEANS, RANDOM
from emoscope.models.features.autoencoder import TopKAutoencoder, scaled
from emoscope.models.features.stream import TokenActivations
from emoscope.models.logits import predict_logits
from emoscope.models.planted.circuit import CLASSES, GENDER, GENDER_STRENGTH, plan
from emoscope.models.planted.compiled import DECIDED, compiled, tokenizer_for
from emoscope.models.planted.texts import KIND_OF, sentences
from emoscope.storage.decisions import SEVERAL
from planted_features import FEATURES, planted

CONFIG = {"chosen": 3, "random": 4, "seed": 0}
ANSWERS = np.eye(3, dtype=bool)[[0, 1, 1, 0]]  # of three classes, one is no answer
# what each of five features adds to the classes' logits, all texts together
ADDS = torch.tensor([[8.0, -4, 9], [4.0, -8, 0], [1.0, 2, 0], [3.0, 1, 0], [-1.0, -2, 3]])


@pytest.fixture
def chosen():
    autoencoder = TopKAutoencoder(5, 5, 5)
    with torch.no_grad():
        autoencoder.decoder.copy_(torch.eye(5))
        autoencoder.encoder.copy_(torch.eye(5))
    autoencoder.requires_grad_(False)
    tokens = torch.rand(8, 5, generator=torch.Generator().manual_seed(1))
    text = np.arange(8) // 2
    taught = TokenActivations(tokens, text, np.arange(8) % 2, torch.zeros(8, 2, dtype=torch.long))
    values = torch.randn(5, 3, 5, generator=torch.Generator().manual_seed(2))
    values[torch.arange(5), :, torch.arange(5)] = ADDS
    codes = autoencoder.encode(scaled(tokens))
    return choose(autoencoder, taught, codes, values, ANSWERS, CONFIG), values, tokens


def test_the_first_of_every_class_comes_before_its_second(chosen):
    found, _, _ = chosen
    assert [(one.feature, one.label) for one in found] == [(0, 0), (2, 1), (1, 0)]
    assert [one.estimate for one in found] == [2, 0.5, 1], "in a text, of which there are four"


def test_all_directions_are_as_long_and_raise_the_class(chosen):
    for one in chosen[0]:
        assert set(one.directions) == {(FEATURE, 0), (MEANS, 0), *((RANDOM, draw) for draw in range(4))}
        for direction in one.directions.values():
            assert direction.norm() == pytest.approx(1)
            assert direction @ chosen[1][one.feature, one.label] >= 0
        assert one.directions[FEATURE, 0].tolist() == torch.eye(5)[one.feature].tolist()


def test_random_directions_are_the_best_of_as_many_as_there_are_features():
    """A dictionary of random directions raises its class no more than they do: both are chosen."""
    features, width, beyond = 64, 32, []
    for seed in range(20):
        own = TopKAutoencoder(width, features, features)
        generator = torch.Generator().manual_seed(seed)
        own.start(torch.randn(9, width, generator=generator), generator)
        own.requires_grad_(False)
        tokens = torch.randn(8, width, generator=generator)
        taught = TokenActivations(tokens, np.arange(8) // 2, np.arange(8) % 2, torch.zeros(8, 2, dtype=torch.long))
        values = torch.randn(1, 2, width, generator=generator).expand(features, 2, width)
        one, *_ = choose(
            own, taught, torch.rand(8, features), values, np.eye(2, dtype=bool)[[0, 1, 1, 0]], CONFIG | {"random": 1}
        )
        raises = {way: float(direction @ values[0, one.label]) for (way, _), direction in one.directions.items()}
        beyond.append(raises[FEATURE] - raises[RANDOM])
    assert abs(np.mean(beyond)) < 2 * np.std(beyond) / len(beyond) ** 0.5, beyond


def test_each_random_direction_is_the_best_of_a_set_of_its_own():
    """So the best of one set is not followed by its second."""
    own = TopKAutoencoder(8, 500, 500).requires_grad_(False)
    own.decoder.copy_(random_directions(500, 8, [9]))
    taught = TokenActivations(torch.eye(8), np.arange(8) // 2, np.arange(8) % 2, torch.zeros(8, 2, dtype=torch.long))
    values = torch.zeros(500, 3, 8)
    values[:, 0, 0], values[:, 1, 1], values[:, 2, 2] = 1, 1, 1
    one, *_ = choose(own, taught, torch.rand(8, 500), values, ANSWERS, CONFIG | {"chosen": 1})
    drawn = torch.stack([one.directions[RANDOM, draw] for draw in range(4)])
    for draw, direction in enumerate(drawn):
        fresh = random_directions(500, 8, [CONFIG["seed"], draw])
        assert (
            float(direction[one.label]) == pytest.approx(float(fresh[:, one.label].max()))
            and direction[one.label] > 0.7
        )


def test_a_random_direction_is_of_the_class_that_it_raises_most():
    drawn = torch.tensor([[5.0, 9], [4, 3], [3, -1]])
    assert best_of(drawn, torch.eye(2), 0).tolist() == [4, 3] and best_of(drawn, torch.eye(2), 1).tolist() == [5, 9]
    assert best_of(drawn[:1], torch.eye(2), 0).tolist() == [5, 9], "where none is of the class, of all"


def test_of_several_labels_the_thresholds_say_which_are_given():
    model, tokenizer, texts = compiled(plan(1), "gpt2"), tokenizer_for("gpt2"), sentences(40, 7)["text"].tolist()
    model.config.problem_type = SEVERAL
    said = 1 / (1 + np.exp(-predict_logits(model, tokenizer, texts, 512)))
    least = np.quantile(said, [0.3, 0.6, 0.9], axis=0).diagonal()
    _, answers = pushes(model, tokenizer, texts, 1, planted(), 512, least)
    assert (answers == (said >= least)).mean() > 0.98 and (answers.sum(axis=1) > 1).any()


def test_a_feature_and_its_means_are_of_texts_that_have_several_labels(chosen):
    """The last class is given to all texts but one, though it is never the largest."""
    _, values, tokens = chosen
    own = TopKAutoencoder(5, 5, 5).requires_grad_(False)
    own.decoder.copy_(torch.eye(5))
    given = np.array([[True, False, True], [False, True, False], [False, True, True], [True, False, True]])
    text = np.arange(8) // 2
    taught = TokenActivations(tokens, text, np.arange(8) % 2, torch.zeros(8, 2, dtype=torch.long))
    found = {one.label: one for one in choose(own, taught, torch.rand(8, 5), values, given, CONFIG)}
    member = torch.from_numpy(given[text, 2])
    apart = normalize(scaled(tokens)[member].mean(dim=0) - scaled(tokens)[~member].mean(dim=0), dim=0)
    assert found[2].feature == 0 and abs(float(found[2].directions[MEANS, 0] @ apart)) == pytest.approx(1)


def test_a_class_whose_texts_have_no_token_has_no_means_and_no_feature(chosen):
    _, values, tokens = chosen
    own = TopKAutoencoder(5, 5, 5).requires_grad_(False)
    text = np.array([0, 0, 0, 0, 3, 3, 3, 3])  # 1 and 2, the texts of class 1, are a token each that does not count
    taught = TokenActivations(tokens, text, np.arange(8), torch.zeros(8, 2, dtype=torch.long))
    assert choose(own, taught, torch.rand(8, 5), values, ANSWERS, CONFIG) == []


def test_the_means_are_those_of_the_class_and_of_the_others(chosen):
    found, _, tokens = chosen
    units = normalize(tokens, dim=1)
    member = torch.tensor([True, True, False, False, False, False, True, True])
    apart = normalize(units[member].mean(dim=0) - units[~member].mean(dim=0), dim=0)
    assert abs(float(found[0].directions[MEANS, 0] @ apart)) == pytest.approx(1)


def test_a_feature_adds_to_the_logits_what_the_planted_signal_does():
    model, tokenizer, texts = compiled(plan(1), "gpt2"), tokenizer_for("gpt2"), sentences(40, 7)["text"].tolist()
    values, answers = pushes(model, tokenizer, texts, 1, planted(), 512)
    adds = (values * planted().decoder[:, None]).sum(dim=2)
    whole = GENDER_STRENGTH * DECIDED * 2 / 3  # above the mean of three logits
    for kind, name in GENDER.items():
        named = sum(any(KIND_OF.get(word) == kind for word in text.split()) for text in texts)
        found = adds[FEATURES.index(f"answer {name}"), CLASSES.index(name)]
        assert named and float(found) == pytest.approx(named * whole, rel=0.01)
    truth = sentences(40, 7)["label"]
    assert answers.argmax(axis=1).tolist() == truth.tolist() and (answers.sum(axis=1) == 1).all()


def test_random_directions_are_not_those_that_an_autoencoder_begins_with():
    begun = normalize(torch.randn(3, 64, generator=torch.Generator().manual_seed(0)), dim=1)
    drawn = random_directions(3, 64, [0])
    assert (drawn * begun).sum(dim=1).abs().max() < 0.5
    assert drawn.norm(dim=1).numpy() == pytest.approx(1)
