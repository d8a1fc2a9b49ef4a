"""Verdicts on features, each of which can come out in three ways."""

import json

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.features.measure import learn_features
from emoscope.experiments.features.moves import move_features
from emoscope.experiments.features.names import (
    ACTS,
    AS_MUCH,
    DOES_NOT,
    FEATURE,
    LESS,
    MEANS,
    MODEL,
    MORE,
    NOT_SETTLED,
    NOT_SHOWN,
    NOT_TOLD,
    RANDOM,
    RANDOM_WEIGHTS,
    STAYS,
    SWITCHED,
)
from emoscope.experiments.features.page import ACTING, IDLE, OPEN, main_result, say, verdict
from emoscope.experiments.features.page import switched_table as shown_switches
from emoscope.experiments.features.summarise import (
    BEYOND_MEANS,
    BEYOND_RANDOM,
    effects_found,
    effects_table,
    left_out,
    summarise_features,
    switched_table,
    switches_found,
)
from emoscope.experiments.features.switches import switch_features
from emoscope.reporting.refusals import refusals
from emoscope.storage.names import NONE
from made_up import words
from planted_features import CONFIG, PREDICTION, STATISTICS
from random_models import write_exactness


def moves(texts: int = 400, spread: float = 0.02, draws: int = 39, **falls: tuple[float, float, float]) -> pd.DataFrame:
    """Of features by name, what falls along themselves, random directions and the means, in each of so many texts."""
    rng, parts = np.random.default_rng(1), []
    for feature, each in falls.items():
        for way, fall in zip((FEATURE, RANDOM, MEANS), each, strict=True):
            after = 0.6 - fall + rng.uniform(-spread, spread, texts)
            table = pd.DataFrame({"way": way, "text": range(texts), "before": 0.6, "after": after})
            table = table.assign(feature=feature, dose=np.nan, logit_before=0.0, logit_after=-fall)
            parts += [table.assign(draw=draw) for draw in range(draws if way == RANDOM else 1)]
    return pd.concat(parts, ignore_index=True).assign(**{"class": "joy"})


def verdicts(table: pd.DataFrame, measure: str) -> dict[str, str]:
    return table[table["measure"] == measure].set_index("feature")["verdict"].to_dict()


def test_a_feature_acts_if_it_does_more_than_random_directions_and_more_than_nothing():
    table = effects_table(
        moves(more=(0.2, 0.05, 0.0), as_random=(0.2, 0.2, 0.0), nothing=(0.0, 0.0, 0.0),
              backwards=(-0.2, 0.0, 0.0), beside_worse=(0.0, -0.2, 0.0)),
        STATISTICS,
    )  # fmt: skip
    found = verdicts(table, BEYOND_RANDOM)
    assert found == {"more": ACTS} | dict.fromkeys(("as_random", "nothing", "backwards", "beside_worse"), DOES_NOT)


def test_few_texts_show_neither():
    found = verdicts(
        effects_table(moves(10, more=(0.1, 0.05, 0.0), nothing=(0.0, 0.0, 0.0)), STATISTICS), BEYOND_RANDOM
    )
    assert found == {"more": NOT_SHOWN, "nothing": NOT_SHOWN}


def test_p_values_are_adjusted_over_the_features():
    one = effects_table(moves(24, draws=399, a=(0.3, 0.0, 0.0)), STATISTICS)  # so many that texts decide
    many = effects_table(moves(24, draws=399, **{name: (0.3, 0.0, 0.0) for name in "abcde"}), STATISTICS)
    p = [table.loc[table["measure"] == BEYOND_RANDOM, "p_adjusted"].iloc[0] for table in (one, many)]
    assert p[1] == pytest.approx(min(1, 5 * p[0]), rel=0.5) and p[1] > 3 * p[0]


def test_beside_the_means_it_is_more_as_much_or_less():
    table = effects_table(moves(a=(0.3, 0.0, 0.1), b=(0.3, 0.0, 0.3), c=(0.3, 0.0, 0.5)), STATISTICS)
    assert verdicts(table, BEYOND_MEANS) == {"a": MORE, "b": AS_MUCH, "c": LESS}
    few = effects_table(moves(10, a=(0.3, 0.0, 0.25)), STATISTICS)
    assert verdicts(few, BEYOND_MEANS) == {"a": NOT_TOLD}


def test_a_feature_acts_only_above_every_random_direction():
    """However many texts show that it does more than their mean."""
    table = moves(more=(0.2, 0.05, 0.0), nothing=(0.0, 0.0, 0.0))
    assert verdicts(effects_table(table, STATISTICS), BEYOND_RANDOM) == {"more": ACTS, "nothing": DOES_NOT}
    one = (table["feature"] == "more") & (table["way"] == RANDOM) & (table["draw"] == 17)
    above = table.assign(after=table["after"].mask(one, 0.35))
    few = table[table["draw"] < 38]
    for changed in (above, few):
        assert verdicts(effects_table(changed, STATISTICS), BEYOND_RANDOM)["more"] == NOT_SHOWN
    ninety = effects_table(table[table["draw"] < 19], STATISTICS | {"confidence": 0.9})
    assert verdicts(ninety, BEYOND_RANDOM)["more"] == ACTS, "of nineteen, by rounded levels"


def test_draws_of_random_directions_are_averaged():
    table = moves(a=(0.2, 0.0, 0.0))
    table = table[table["draw"] == 0]
    other = table[table["way"] == RANDOM].assign(draw=1, after=lambda rows: rows["after"] - 0.2)
    found = effects_table(pd.concat([table, other]), STATISTICS).set_index("measure")["value"]
    assert found[RANDOM] == pytest.approx(0.1, abs=0.01) and found[BEYOND_RANDOM] == pytest.approx(0.1, abs=0.01)


def test_without_chosen_features_nothing_is_said():
    table = effects_table(moves(a=(0.2, 0.0, 0.0)).head(0), STATISTICS)
    assert table.empty and [finding.value for finding in effects_found(table)] == [0, 0]


def switches(rates: dict[int, tuple[float, float]], pairs: int = 400) -> pd.DataFrame:
    """In so many flips, the shares in which a feature is active in the text of the first group, and of the second; of
    neutral swaps, the reverse."""
    parts = []
    for feature, (first, second) in rates.items():
        sides = [np.arange(pairs) < share * pairs for share in (first, second)]
        for kind, (one, other) in (("flip", sides), ("neutral", sides[::-1])):
            table = pd.DataFrame({"pair": range(pairs), "first": one, "second": other})
            parts.append(
                table.assign(
                    weights=MODEL, kind=kind, feature=feature, cluster=[f"text {pair}" for pair in range(pairs)]
                )
            )
    return pd.concat(parts, ignore_index=True)


def test_a_flip_switches_a_feature_or_it_stays():
    table = switched_table(switches({3: (0.9, 0.1), 5: (0.1, 0.9), 8: (0.5, 0.5), 9: (0.0, 0.0)}), STATISTICS)
    table = table.set_index("feature")
    assert table["verdict"].to_dict() == {3: SWITCHED, 5: SWITCHED, 8: STAYS, 9: STAYS}
    assert table["value"].round(3).to_dict() == {3: 0.8, 5: -0.8, 8: 0, 9: 0}, (
        "the first group's text minus the other's"
    )
    few = switched_table(switches({3: (0.2, 0.1), 9: (0.0, 0.0)}, pairs=20), STATISTICS)
    assert set(few["verdict"]) == {NOT_SETTLED}


def test_beside_the_model_stands_one_with_random_weights_by_itself():
    """A count of its own, adjusted over its own features, and none of its features is named."""
    own, twin = switches({3: (0.9, 0.1), 4: (0.0, 0.0)}), switches({3: (0.9, 0.1), 4: (0.1, 0.9)})
    table = switched_table(pd.concat([own, twin.assign(weights=RANDOM_WEIGHTS)]), STATISTICS)
    assert table[table["weights"] == MODEL].reset_index(drop=True).equals(switched_table(own, STATISTICS))
    found = {one.name: one.value for one in switches_found("gender", table)}
    assert found["gender.switched"] == 1 and found["gender.switched.random_weights"] == 2
    assert found["gender.stay"] == 1 and found["gender.stay.random_weights"] == 0
    assert "gender.switched.3" in found and "gender.switched.4" not in found
    findings = pd.DataFrame([(name, value, "") for name, value in found.items()], columns=["name", "value", "note"])
    caption = words(shown_switches("gender", table, findings))
    assert "Gender: of 2 features, 1 is shown to be switched by 400 flips" in caption
    assert "of the same model with random weights, in which another word is another state, too, 2 are shown" in caption
    assert "left out" not in caption


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_exchanged_where_nothing_is_looked_for_is_left_out_and_told(kept):
    own = switches({3: (0.9, 0.1)}) if kept else switches({3: (0.9, 0.1)}, pairs=0)
    gone = pd.DataFrame(
        {"weights": MODEL, "kind": ["flip", "flip", "neutral"], "pair": [500, 501, 500], "feature": NONE}
    )
    both = pd.concat([own, gone.assign(cluster="", first=False, second=False)], ignore_index=True)
    [told], table = left_out("gender", both), switched_table(both, STATISTICS)
    assert told.name == "gender.left_out" and told.value == 2
    assert table["pairs"].tolist() == [400] * kept
    numbers = [("gender.left_out", 2.0, ""), ("gender.switched.random_weights", 0.0, ""), ("gender.switched", 1.0, "")]
    said = words(shown_switches("gender", table, pd.DataFrame(numbers, columns=["name", "value", "note"])))
    assert (
        "2 flips exchange words at just that first token or beyond the model's context, and are left out." in said
    ) == kept
    assert ("no flips but 2 of what the classifier does not read" in said) != kept


def test_the_headline_comes_out_in_three_ways(found):
    assert verdict(pd.Series([ACTS, DOES_NOT, NOT_SHOWN])) == ACTING
    assert verdict(pd.Series([DOES_NOT, DOES_NOT])) == IDLE
    assert verdict(pd.Series([DOES_NOT, NOT_SHOWN])) == verdict(pd.Series([], dtype=object)) == OPEN
    assert said(found).startswith("Features act: 12 features were chosen")
    idle = found.effects.assign(verdict=found.effects["verdict"].replace(ACTS, NOT_SHOWN))
    assert "That features act is not shown: 12" in said(found, idle) and "Of none of them it is shown" in said(
        found, idle
    )
    assert "Without" not in said(found, idle) and "Without 2 of them, that class is shown to lose" in said(found)


def said(found, effects: pd.DataFrame | None = None, cards: pd.DataFrame | None = None) -> str:
    """The headline in one line."""
    tables = found.effects if effects is None else effects, found.cards if cards is None else cards
    return " ".join(main_result(*tables, found.findings, ["gender"]).striptags().split())


def test_the_headline_knows_chosen_features_that_are_in_no_test_text(found):
    nothing, some = found.effects.head(0), found.effects[found.effects["feature"] == found.effects["feature"].iloc[0]]
    assert "12 features were chosen, and none of them is active in the test texts" in said(found, nothing)
    assert "so none was chosen" in said(found, nothing, found.cards.head(0))
    assert "of which 1 is active in the test texts" in said(found, some)
    assert "of which" not in said(found)


def test_a_model_that_cannot_be_resumed_gets_no_verdict(found, tmp_path):
    """Nor anything that would have to be computed with it."""
    files = {name: tmp_path / f"{name}.parquet" for name in ("judged", "rates", "moves", "cards", "texts", "switches")}
    shared = {"model": found.folder / "model", "config": CONFIG, "prediction": PREDICTION}
    texts = {name: found.folder / f"{name}.parquet" for name in ("train", "test")}
    weights = {name: tmp_path / f"{name}.safetensors" for name in ("weights", "random_weights")}
    exactness = write_exactness(tmp_path, "resumed")
    learn_features(**texts, **shared, exactness=exactness, **weights, judged=files["judged"], rates=files["rates"])
    move_features(
        **texts, **shared, weights=weights["weights"], **{name: files[name] for name in ("moves", "cards", "texts")}
    )
    switch_features(**shared, **weights, pairs=found.folder / "gender.parquet", switches=files["switches"])
    assert all(pd.read_parquet(file).empty for file in files.values())
    made = {name: tmp_path / f"{name}.parquet" for name in ("replaced", "effects", "doses")}
    summarise_features(
        files["judged"], files["rates"], files["moves"], ["gender"], [files["switches"]], STATISTICS,
        **made, switched=[tmp_path / "switched.parquet"], findings=tmp_path / "findings.csv",
    )  # fmt: skip
    findings = pd.read_csv(tmp_path / "findings.csv")
    told = main_result(pd.read_parquet(made["effects"]), pd.read_parquet(files["cards"]), findings, ["gender"])
    assert "Nothing can be said of features" in told
    refused = str(refusals(json.loads(exactness.read_text()), "features", "probing"))
    assert "a run resumed at any block" in refused and "Probing" not in refused


def test_what_goes_on_as_often_as_off_does_not_stay():
    """In a tenth of the flips, half of them either way."""
    table = switches({3: (0.5, 0.5), 4: (0.0, 0.0)}, pairs=6000)
    flips = (table["kind"] == "flip") & (table["feature"] == 3)
    table.loc[flips & (table["pair"] < 300), "second"] = False
    table.loc[flips & (table["pair"] >= 5700), "second"] = True
    found = switched_table(table, STATISTICS).set_index("feature")
    assert found.loc[3, "flips"] == pytest.approx(0.1) and found.loc[3, "value"] == pytest.approx(0)
    assert found["verdict"].to_dict() == {3: NOT_SETTLED, 4: STAYS}


def test_of_many_features_none_does_more_than_the_means_by_chance():
    """Each alone is just past its interval beside the means."""
    one = moves(100, spread=0.25, a=(0.3, 0.0, 0.2))
    alone = effects_table(one, STATISTICS)
    assert verdicts(alone, BEYOND_MEANS) == {"a": MORE}
    many = pd.concat([one.assign(feature=name) for name in "abcdefghij"], ignore_index=True)
    assert set(verdicts(effects_table(many, STATISTICS), BEYOND_MEANS).values()) == {NOT_TOLD}


def test_the_table_says_how_many_random_directions_were_drawn():
    assert "(7 were drawn; at 95 % it takes 39 at least)" in " ".join(say("effects", random=7).split())
