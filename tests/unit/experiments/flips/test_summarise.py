"""Findings of flips: of the axis, texts and class that they name, and of the right sign."""

import pandas as pd
import pytest

from emoscope.experiments.flips.summarise import findings_of


def pairs() -> pd.DataFrame:
    """Five natural pairs, of which one counts and moves by 10 % or more and one does not count; two published ones."""
    moves = [(0.6, 0.61), (0.6, 0.2), (0.6, 0.55), (0.7, 0.7), (0.9, 0.1)]
    rows = [
        {"text": f"he {number}", "term": "", "origin": "natural", "before": one, "after": two}
        for number, (one, two) in enumerate(moves)
    ]
    rows += [
        {"text": name, "term": name, "origin": "published", "before": one, "after": two}
        for name, one, two in (("jealous", 0.5, 0.7), ("dualla", 0.5, 0.4))
    ]
    table = pd.DataFrame([*rows, {**rows[1], "origin": "natural control"}])
    table["id"] = [0, 1, 2, 3, 4, 5, 6, 1]
    table["cluster"] = table["text"]
    table["flags"] = [["uncertain"] if text == "he 4" else [] for text in table["text"]]
    for when in ("before", "after"):
        chance = table.pop(when)
        table[f"{when}_joy"], table[f"{when}_anger"] = chance, 1 - chance
    return table


def found(table: pd.DataFrame) -> dict:
    return {finding.name: finding for finding in findings_of("gender", table, margin=0.02, alpha=0.05)}


def test_large_changes_are_counted_among_the_texts_that_count():
    findings = found(pairs())
    assert findings["gender.natural.large_changes"].value == pytest.approx(1 / 4)
    assert findings["gender.natural.large_changes"].note == "1 of 4 texts."
    assert findings["gender.natural.changed"].value == pytest.approx(1 / 4)
    assert not [name for name in findings if "control" in name]


def test_what_moves_far_and_what_changes_the_class_are_two_things():
    """Two pairs change the class by little, one moves far and keeps it."""
    table = pairs().head(4).assign(before_joy=[0.52, 0.53, 0.9, 0.7], after_joy=[0.48, 0.47, 0.6, 0.7])
    table = table.assign(before_anger=1 - table["before_joy"], after_anger=1 - table["after_joy"])
    still = {f"after_{name}": table[f"before_{name}"] for name in ("joy", "anger")}
    findings = found(pd.concat([table, table.assign(origin="natural control", **still)]))
    assert findings["gender.natural.changed"].value == 1 / 2
    assert findings["gender.natural.large_changes"].value == 1 / 4
    assert findings["gender.natural.large_changes_beyond_neutral"].value == 1 / 4


def test_flips_are_held_against_the_neutral_swaps_of_the_same_texts():
    """Of four flipped texts one moves, and two have a neutral swap, of which another moves: the third is no part."""
    table = pairs()
    swaps = table[table["id"].isin([1, 2]) & (table["origin"] == "natural")].assign(origin="natural control")
    swaps["after_joy"] = [0.6, 0.1]
    swaps["after_anger"] = 1 - swaps["after_joy"]
    flips = table[table["origin"] == "natural"]
    both = found(pd.concat([flips, swaps, swaps.assign(id=99, after_joy=0.0, after_anger=1.0)]))
    beyond = both["gender.natural.large_changes_beyond_neutral"]
    assert beyond.value == 0 and beyond.low < 0 < beyond.high
    assert beyond.note == "1 of 2 texts and 1 of their neutral swaps."
    only = found(pd.concat([flips, swaps.head(1)]))["gender.natural.large_changes_beyond_neutral"]
    assert only.value == 1.0, "flips minus swaps"
    assert "gender.natural.large_changes_beyond_neutral" not in found(flips)


def test_published_pairs_change_from_before_to_after():
    findings = found(pairs())
    assert findings["gender.published.jealous.joy"].value == pytest.approx(0.2)
    assert findings["gender.published.jealous.anger"].value == pytest.approx(-0.2)
    assert findings["gender.published.dualla.joy"].value == pytest.approx(-0.1)


def test_no_change_is_none():
    still = pairs()
    for name in ("joy", "anger"):
        still[f"after_{name}"] = still[f"before_{name}"]
    assert {finding.value for finding in found(still).values()} == {0.0}


def test_texts_of_one_template_tell_no_more_than_the_template():
    """Eighty sentences from ten templates, of which none changes."""
    numbers = range(80)
    flips = pd.DataFrame({"id": numbers, "text": [f"he {n}" for n in numbers], "term": "", "origin": "template"})
    flips = flips.assign(cluster=[f"frame {n % 10}" for n in numbers], flags=[[]] * 80, before_joy=0.9, after_joy=0.9)
    flips = flips.assign(before_anger=0.1, after_anger=0.1)
    findings = found(pd.concat([flips, flips.assign(origin="template control")]))
    for name in ("large_changes", "changed"):
        one = findings[f"gender.template.{name}"]
        assert one.texts == 10 and one.high > 0.2 and one.note.endswith("as 10 independent ones.")
    assert findings["gender.template.large_changes_beyond_neutral"].high > 0.2


def test_pairs_that_the_model_does_not_tell_apart_count_in_no_rate_and_are_told():
    table = pairs()
    table["flags"] = [
        ["beyond the context"] if text in ("he 0", "he 2") else own
        for text, own in zip(table["text"], table["flags"], strict=True)
    ]
    findings = found(table)
    assert findings["gender.natural.large_changes"].value == pytest.approx(1 / 2)
    assert findings["gender.natural.beyond_context"].value == 2
    assert "gender.natural.beyond_context" not in found(pairs())
