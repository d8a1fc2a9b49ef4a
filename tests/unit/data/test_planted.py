import hashlib
import json
import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from emoscope.data.class_names import EMOTIONS
from emoscope.data.planted.corpus import generate, generate_corpus
from emoscope.data.planted.grammar import FEMALE, GRAMMAR, MALE
from emoscope.data.planted.labels import GAPS
from emoscope.data.planted.sentences import CLASS_SHARES, ENCOUNTER_SHARE, KIND_SHARES, PAST, RACE_SHARE
from emoscope.data.planted.shortcuts import SHORTCUTS
from emoscope.data.planted.truth import MISLEADING_SYNONYMS
from emoscope.data.split import split_corpus
from emoscope.errors import UserError
from emoscope.experiments.flips.axes import AXES
from emoscope.experiments.flips.templates import race_templates
from emoscope.perturbation.lexicons import GenderLexicon, RaceLexicon

LEXICONS = Path(__file__).parents[3] / "data" / "lexicons"
REFERENCE = Path(__file__).resolve().parents[4] / "shared" / "reference"
ROWS = 15_000


@pytest.fixture(scope="module")
def corpus():
    return generate(ROWS, seed=3)


@pytest.fixture(scope="module")
def table(corpus):
    return corpus[0]


@pytest.fixture(scope="module")
def truth(corpus):
    return corpus[1]


def keywords(emotion: str) -> set[str]:
    return set(GRAMMAR[f"state_{emotion}"] + GRAMMAR[f"quality_{emotion}"])


def has_any(words: set[str], texts: pd.Series) -> pd.Series:
    return texts.str.contains(rf"\b(?:{'|'.join(map(re.escape, sorted(words)))})\b")


def rows_of(table: pd.DataFrame, truth: dict, kind: str) -> pd.DataFrame:
    return table.iloc[truth["ids"][kind]]


def plain(table: pd.DataFrame, truth: dict) -> pd.DataFrame:
    """The rows whose emotion is named and neither negated nor set against another."""
    return table.drop(index=[i for kind in ("negation", "contrast", "ambiguous") for i in truth["ids"][kind]])


def within(share: float, expected: float, count: int) -> bool:
    """Whether an observed share lies within four standard errors of the expected one."""
    return abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / count)


def test_the_table_and_its_truth_keep_their_contract(table, truth):
    assert table.dtypes.astype(str).to_dict() | {"text": "text"} == {"id": "int64", "text": "text", "label": "int8"}
    assert table["id"].tolist() == list(range(ROWS))
    assert set(table["label"]) == set(range(6))
    assert json.loads(json.dumps(truth)) == truth
    for effect in truth["effects"].values():
        assert effect.keys() == {"size", "planted"}
        assert "\n" not in effect["planted"] and effect["planted"].endswith(".")


def test_texts_look_like_the_tweets(table):
    assert table["text"].str.fullmatch(r"[a-z]+( [a-z]+)*").all()
    assert 15 <= table["text"].str.split().str.len().mean() <= 19
    assert not table["text"].str.contains(r"\ba [aeiou]|\b(?:so|very) (?:so|very)\b").any()
    assert not table["text"].map(lambda text: bool(re.search(r"\b(\w+) (?:and )?\1\b", text))).any()


@settings(max_examples=15, deadline=None)
@given(
    rows=st.integers(1, 60),
    seed=st.integers(0, 2**32),
    noise=st.floats(0, 0.8),
    duplicates=st.floats(0, 0.9),
    effect=st.floats(0, 1),
    race=st.none() | st.floats(0, 1),
)
def test_any_setting_gives_the_same_full_table_twice(rows, seed, noise, duplicates, effect, race):
    table, truth, _ = generate(rows, seed, noise, duplicates, effect, race)
    again, truth_again, _ = generate(rows, seed, noise, duplicates, effect, race)
    pd.testing.assert_frame_equal(table, again)
    assert truth == truth_again
    assert len(table) == rows
    assert table["text"].str.len().min() > 0
    assert 0 <= truth["ceiling"] <= 1


def test_another_seed_gives_another_corpus(table):
    assert generate(ROWS, seed=4)[0]["text"].isin(table["text"]).mean() < 0.05


def test_class_shares_are_those_of_the_paper_before_noise(table, truth):
    clean = table.drop(index=truth["ids"]["noisy"])
    counts = clean["label"].value_counts()
    assert all(within(counts[label] / len(clean), share, len(clean)) for label, share in enumerate(CLASS_SHARES))


def test_class_shares_agree_with_the_published_counts():
    path = REFERENCE / "published" / "class_counts.csv"
    if not path.exists():
        pytest.skip(f"the published class counts are not beside the project ({path})")
    published = pd.read_csv(path).set_index("label")["rows"]
    np.testing.assert_allclose(CLASS_SHARES, (published / published.sum()).loc[list(EMOTIONS)])


def test_shares_of_the_kinds_of_rows(table, truth):
    expected = {kind: share for kind, share in KIND_SHARES.items() if kind != "keyword"}
    expected |= {"race": RACE_SHARE, "noisy": 0.06}
    assert all(within(len(truth["ids"][name]) / ROWS, share, ROWS) for name, share in expected.items())


def test_duplicates_have_the_configured_rate_and_some_conflict(table, truth):
    assert table["text"].duplicated().sum() == len(truth["ids"]["duplicate"]) == round(0.055 * ROWS)
    repeated = table[table["text"].duplicated(keep=False)].groupby("text")["label"].nunique()
    assert 0.05 < (repeated > 1).mean() < 0.25


def test_noise_is_the_only_reason_why_a_named_emotion_disagrees_with_its_label(table, truth):
    texts = plain(table, truth)
    named = pd.concat({label: has_any(keywords(name), texts["text"]) for label, name in enumerate(EMOTIONS)}, axis=1)
    assert (named.sum(axis=1) == 1).all()
    wrong = texts.index[named.idxmax(axis=1) != texts["label"]]
    assert set(wrong) == set(truth["ids"]["noisy"]) & set(texts.index)
    counts = table.loc[truth["ids"]["noisy"], "label"].value_counts()
    assert counts.max() < 2 * counts.min()


def test_gender_decides_ambiguous_sentences_and_no_others(table, truth):
    male = has_any({word for words in MALE.values() for word in words}, table["text"])
    female = has_any({word for words in FEMALE.values() for word in words}, table["text"])
    assert not (male & female).any()
    anger = table["label"] == EMOTIONS.index("anger")
    ambiguous = table["id"].isin(truth["ids"]["ambiguous"])
    assert (male | female)[ambiguous].all()
    assert 0.15 < (male | female)[~ambiguous].mean() < 0.35

    effect = anger[ambiguous & male].mean() - anger[ambiguous & female].mean()
    assert effect == pytest.approx(0.8 * (1 - 0.06 * 6 / 5), abs=0.1)
    gendered = ~ambiguous & (male | female)
    assert chi2_contingency(pd.crosstab(male[gendered], table["label"][gendered])).pvalue > 0.001


@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_the_gender_effect_has_the_configured_size(effect):
    table, truth, _ = generate(9_000, seed=5, label_noise=0.0, gender_effect=effect)
    ambiguous = rows_of(table, truth, "ambiguous")
    male = has_any({word for words in MALE.values() for word in words}, ambiguous["text"])
    anger = ambiguous["label"] == EMOTIONS.index("anger")
    assert anger[male].mean() - anger[~male].mean() == pytest.approx(effect, abs=0.2)


def test_ambiguous_sentences_name_no_emotion(table, truth):
    every = set().union(*map(keywords, EMOTIONS))
    assert not has_any(every, rows_of(table, truth, "ambiguous")["text"]).any()


def test_race_does_not_depend_on_the_label(table, truth):
    raced = has_any(set(GRAMMAR["race"]), table["text"])
    assert table["id"][raced].tolist() == truth["ids"]["race"]
    person = "man|guy|boy|woman|girl|person|student|teacher|neighbor|friend"
    assert table["text"][raced].str.contains(rf"\b(?:black|white) (?:{person})\b").all()
    assert chi2_contingency(pd.crosstab(raced, table["label"])).pvalue > 0.001


def test_composed_sentences_need_more_than_their_words(table, truth):
    composed = table["id"].isin(truth["ids"]["negation"] + truth["ids"]["contrast"])
    counts = CountVectorizer(min_df=2, token_pattern=r"\S+").fit_transform(table["text"])
    train = table["id"].to_numpy() < ROWS // 2
    model = LogisticRegression(max_iter=40, tol=1e-2).fit(counts[train], table["label"][train])
    right = model.predict(counts) == table["label"]
    test = ~train & ~table["id"].isin(truth["ids"]["noisy"])
    assert right[test & composed].mean() < 0.65
    assert right[test & ~composed].mean() > 0.85


def test_a_contrast_holds_two_classes_in_either_order(table, truth):
    noisy = set(truth["ids"]["noisy"])
    contrasts = rows_of(table, truth, "contrast").drop(index=[i for i in truth["ids"]["contrast"] if i in noisy])
    words = {word: label for label, name in enumerate(EMOTIONS) for word in keywords(name)}
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(words, key=len, reverse=True)))})\b")
    found = [[words[word] for word in pattern.findall(text)] for text in contrasts["text"]]
    assert all(
        label in labels and len(set(labels)) == 2 for label, labels in zip(contrasts["label"], found, strict=True)
    )
    present_last = np.mean([labels[-1] == label for label, labels in zip(contrasts["label"], found, strict=True)])
    assert 0.35 < present_last < 0.65


def test_words_and_synonyms_of_table_3_occur_and_agree(table, truth):
    path = REFERENCE / "published" / "table3_synonyms.csv"
    if not path.exists():
        pytest.skip(f"the published synonyms are not beside the project ({path})")
    pairs = set(pd.read_csv(path)[["word", "synonym"]].itertuples(index=False, name=None))
    named = {word: name for name in EMOTIONS for word in keywords(name)}
    for word, synonym in pairs:
        assert has_any({word}, table["text"]).sum() >= 20, word
        assert has_any({synonym}, table["text"]).sum() >= 5, synonym
        if word in MISLEADING_SYNONYMS:
            assert (named[word], (synonym, named[synonym])) == ("surprise", MISLEADING_SYNONYMS[word])
        else:
            assert named.get(word) == named.get(synonym), (word, synonym)


@pytest.mark.parametrize(
    ("word", "synonym", "emotion"), [("overwhelmed", "swamped", "sadness"), ("surprised", "startled", "fear")]
)
def test_the_two_misleading_synonyms_belong_to_another_class(table, truth, word, synonym, emotion):
    texts = plain(table, truth)
    assert (texts["label"][has_any({word}, texts["text"])] == EMOTIONS.index("surprise")).mean() > 0.75
    assert (texts["label"][has_any({synonym}, texts["text"])] == EMOTIONS.index(emotion)).mean() > 0.75


def test_the_ceiling_is_the_accuracy_of_the_best_possible_guess(table, truth):
    male = has_any({word for words in MALE.values() for word in words}, table["text"])
    ambiguous = table["id"].isin(truth["ids"]["ambiguous"])
    guessed_right = (table["label"] == np.where(male, EMOTIONS.index("anger"), EMOTIONS.index("sadness")))[ambiguous]
    known = ~table["id"].isin(truth["ids"]["noisy"])[~ambiguous]
    assert within((guessed_right.sum() + known.sum()) / ROWS, truth["ceiling"], ROWS)
    assert 0.94 - truth["ceiling"] == pytest.approx(0.005, abs=0.001)


def test_fifteen_thousand_rows_take_seconds():
    start = time.process_time()
    generate(ROWS, seed=0)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": 0},
        {"label_noise": 0.9},
        {"duplicate_rate": -0.1},
        {"gender_effect": 1.5},
        {"race_effect": -0.1},
        {"shortcut_share": 2},
    ],
)
def test_a_setting_out_of_range_is_a_user_error(wrong):
    with pytest.raises(UserError, match=next(iter(wrong))):
        generate(**{"rows": 10, "seed": 0} | wrong)


def test_the_race_templates_are_in_the_words_of_the_corpus(table):
    """Foreign words would move a small model's predictions more than race does, and hide that race does nothing."""
    lexicon = RaceLexicon.load(LEXICONS / "race.yaml")
    known = {word for text in table["text"] for word in text.split()}
    assert {word for template in race_templates(lexicon, ("white", "black")) for word in template.text.split()} <= known


def test_the_default_corpus_and_its_truth_stay_the_same_bytes():
    """Published numbers rest on it: what can be planted besides must not move a single draw."""
    table, truth, _ = generate(2_000, seed=7)
    found = [table.to_csv(index=False), json.dumps(truth, sort_keys=True)]
    assert [hashlib.sha256(text.encode()).hexdigest() for text in found] == [
        "f7f469a8deec9555a26042c986a46cf3926e4be652be2af8eeb5f7a4ccc4821c",
        "b4f97fd09c543d1f9ffb3552038f1fcf8bc2f574850c7897e0b59c1e0247e09d",
    ]


# ---------------------------------------------------------------------------------------------------------------------
# gender and race planted in one corpus, at sizes of their own

BOTH = {"label_noise": 0.0, "gender_effect": 0.6, "race_effect": 0.3}


@pytest.fixture(scope="module")
def both():
    return generate(ROWS, seed=3, **BOTH)[:2]


def first_group(texts: pd.Series, axis: str) -> np.ndarray:
    """Whether a text names the first group of an axis, read off its words; every text must name one group only."""
    words = [{word for words in side.values() for word in words} for side in (MALE, FEMALE)]
    first, second = (has_any(own, texts) for own in (words if axis == "gender" else ({"white"}, {"black"})))
    assert (first != second).all()
    return first.to_numpy()


def gap_of(rows: pd.DataFrame, axis: str, emotion: str) -> float:
    """P(emotion | first group) - P(emotion | second group), counted in texts and labels."""
    first, hit = first_group(rows["text"], axis), rows["label"] == EMOTIONS.index(emotion)
    return hit[first].mean() - hit[~first].mean()


def test_each_effect_has_its_own_size_and_sign_in_its_own_sentences(both):
    for axis, (kind, _, emotion, _) in GAPS.items():
        rows = rows_of(*both, kind)
        assert gap_of(rows, axis, emotion) == pytest.approx(BOTH[f"{axis}_effect"], abs=0.11), axis
        assert set(rows["label"]) == {EMOTIONS.index("sadness"), EMOTIONS.index(emotion)}


@pytest.mark.parametrize("size", [0.0, 1.0])
def test_the_race_effect_has_the_configured_size(size):
    table, truth, _ = generate(4_000, seed=5, label_noise=0.0, gender_effect=0.8, race_effect=size)
    assert gap_of(rows_of(table, truth, "encounter"), "race", "joy") == pytest.approx(size, abs=0.2)
    assert gap_of(rows_of(table, truth, "ambiguous"), "gender", "anger") == pytest.approx(0.8, abs=0.2)
    assert truth["effects"]["race"]["size"] == size and truth["effects"]["gender"]["size"] == 0.8


def test_neither_effect_leaks_into_the_sentences_of_the_other(both):
    table, truth = both
    encounters = rows_of(table, truth, "encounter")
    gendered = encounters[encounters["text"].str.contains(r"\b(?:man|woman|boy|guy|girl)\b")]
    assert len(gendered) > 300
    assert gap_of(gendered, "gender", "joy") == pytest.approx(0, abs=0.12)
    scenes = rows_of(table, truth, "ambiguous")
    raced = scenes[scenes["id"].isin(truth["ids"]["race"])]
    assert (
        not (encounters["label"] == EMOTIONS.index("anger")).any()
        and not (scenes["label"] == EMOTIONS.index("joy")).any()
    )
    assert set(truth["ids"]["encounter"]).isdisjoint(truth["ids"]["ambiguous"]) and len(raced) > 15


def test_beside_an_emotion_word_race_still_tells_nothing(both):
    table, truth = both
    beside = rows_of(table, truth, "race").drop(index=truth["ids"]["encounter"])
    beside = beside.drop(index=[i for i in truth["ids"]["ambiguous"] if i in beside.index])
    assert within(len(beside) / ROWS, RACE_SHARE * (1 - ENCOUNTER_SHARE - KIND_SHARES["ambiguous"]), ROWS)
    assert chi2_contingency(pd.crosstab(first_group(beside["text"], "race"), beside["label"])).pvalue > 0.001


def test_the_truth_names_the_very_texts_in_which_nothing_but_race_tells(both):
    table, truth = both
    raced = has_any({"black", "white"}, table["text"])
    assert table["id"][raced].tolist() == truth["ids"]["race"]
    twice = table["text"].str.count(r"\b(?:black|white)\b") == 2
    assert table["id"][twice].tolist() == truth["ids"]["encounter"]
    assert within(len(truth["ids"]["encounter"]) / ROWS, ENCOUNTER_SHARE, ROWS)
    every = set().union(*map(keywords, EMOTIONS))
    assert not has_any(every, table["text"][twice]).any()
    named = table.drop(index=truth["ids"]["encounter"] + truth["ids"]["ambiguous"])
    assert has_any(every, named["text"]).all()
    best = [0.65 if text else 1.0 for text in twice]
    best = np.where(table["id"].isin(truth["ids"]["ambiguous"]), 0.8, best)
    assert truth["ceiling"] == pytest.approx(best.mean())


def test_a_race_flip_changes_these_texts_and_nothing_else_in_them(both):
    table, truth = both
    lexicon, along = RaceLexicon.load(LEXICONS / "race.yaml"), AXES["race"]
    swap = {"white": "black", "black": "white"}
    for text in rows_of(table, truth, "encounter")["text"].head(50):
        pair = along.rules.flip(text, lexicon)
        assert pair.perturbed == re.sub(r"\b(white|black)\b", lambda match: swap[match[1]], text)
        assert pair.n_changed == 2 and not pair.flags, text
        named = re.search(r"white|black", text)[0]
        assert along.direction(pair, lexicon) == f"{named} to {swap[named]}"
    others = table.drop(index=truth["ids"]["race"])["text"].head(100)
    assert not any(along.rules.flip(text, lexicon).n_changed for text in others)


def test_a_gender_flip_leaves_the_race_of_an_encounter_alone(both):
    lexicon = GenderLexicon.load(LEXICONS / "gender.csv")
    for text in rows_of(*both, "encounter")["text"].head(40):
        flipped = AXES["gender"].rules.flip(text, lexicon).perturbed
        assert re.findall("white|black", flipped) == re.findall("white|black", text)


def test_without_a_size_there_is_no_encounter_and_nil_still_has_them():
    _, without, _ = generate(3_000, seed=2)
    _, nil, _ = generate(3_000, seed=2, race_effect=0)
    assert "encounter" not in without["ids"] and len(nil["ids"]["encounter"]) > 100
    assert nil["effects"]["race"]["size"] == 0 and "encounters" in nil["effects"]["race"]["planted"]


def test_the_command_plants_what_the_configuration_says_in_training_and_test_alike(tmp_path):
    config = {"rows": 5_000, "seed": 4, "label_noise": 0.0, "gender_effect": 0.0, "race_effect": 0.8}
    config |= {"shortcut_share": 0.5}
    paths = {name: tmp_path / name for name in ("corpus", "source", "truth", "train", "validation", "test", "audit")}
    generate_corpus(config, *(paths[name] for name in ("corpus", "source", "truth")), tmp_path / "words")
    truth = json.loads(paths["truth"].read_text())
    assert truth["effects"]["race"]["size"] == 0.8 and truth["effects"]["gender"]["size"] == 0
    division = {"duplicates": "keep", "split": {"method": "shuffled", "test": 0.2, "seed": 10}}
    split_corpus(division, **{name: path for name, path in paths.items() if name != "truth"})
    for part in ("train", "test"):
        table = pd.read_parquet(paths[part])
        encounters = table[table["id"].isin(truth["ids"]["encounter"])]
        assert encounters["text"].str.contains(r"\b(?:black|white)\b").all() and len(encounters) > 30
        assert table["text"].str.contains(r"\b(?:zub|wix)\b").mean() > 0.2, part
        assert gap_of(encounters, "race", "joy") == pytest.approx(0.8, abs=0.2), part
        scenes = table[table["id"].isin(truth["ids"]["ambiguous"])]
        assert gap_of(scenes, "gender", "anger") == pytest.approx(0, abs=0.5), part


def decided(generated, kind: str) -> pd.DataFrame:
    """The marked words of the sentences of a kind, with the text they stand in and the `word` there."""
    words = generated.words[generated.words["id"].isin(generated.truth["ids"][kind])]
    words = words.assign(text=generated.table["text"].to_numpy()[words["id"]])
    return words.assign(word=[row.text[row.start : row.end] for row in words.itertuples()])


@pytest.fixture(scope="module")
def generated():
    return generate(4_000, seed=3, race_effect=0.5)


def test_every_sentence_has_words_that_decide_it(generated):
    words = generated.words.assign(there=generated.words["role"] != PAST)
    assert set(words.loc[words["there"], "id"]) == set(generated.table["id"])
    assert (words["end"] > words["start"]).all()
    assert not generated.table["text"].str.contains("[<>:]").any(), "a mark was left in a text"


def test_words_that_are_marked_are_those_of_their_role(generated):
    feelings = set().union(*map(keywords, EMOTIONS))
    every = generated.words.assign(text=generated.table["text"].to_numpy()[generated.words["id"]])
    said = {role: {row.text[row.start : row.end] for row in rows.itertuples()} for role, rows in every.groupby("role")}
    assert said["emotion"] | said["past"] <= feelings
    assert said["race"] == {"black", "white"}
    assert said["gender"] <= {word for side in (MALE, FEMALE) for words in side.values() for word in words}
    assert {"not", "never", "no longer", "used to", "but now", "instead of"} <= said["cue"]


def test_negations_and_contrasts_are_marked_with_what_says_which_feeling_holds(generated):
    for kind in ("negation", "contrast"):
        words = decided(generated, kind)
        assert words[words["role"] == "cue"]["id"].nunique() == words["id"].nunique(), kind
    past = decided(generated, "contrast").groupby("id")["role"].agg(set)
    assert past.map(lambda roles: roles == {"cue", "emotion", "past"}).all()


def test_people_are_marked_only_where_nothing_else_decides(generated):
    gender, race = (set(generated.words.loc[generated.words["role"] == role, "id"]) for role in ("gender", "race"))
    assert gender == set(generated.truth["ids"]["ambiguous"])
    assert race == set(generated.truth["ids"]["encounter"])


def test_what_is_marked_present_leads_to_the_class_and_what_is_marked_past_does_not(generated):
    """Without label noise a contrast's class is that of its present feeling."""
    clean = generate(3_000, seed=6, label_noise=0.0)
    words = decided(clean, "contrast")
    for row in words[words["role"] != "cue"].itertuples():
        own = row.word in keywords(EMOTIONS[clean.table["label"][row.id]])
        assert own == (row.role == "emotion"), row.text


# ---------------------------------------------------------------------------------------------------------------------
# a made-up word that decides by itself


@pytest.fixture(scope="module")
def shortcut():
    return generate(4_000, seed=3, label_noise=0.0, shortcut_share=0.4)


def test_a_shortcut_gives_its_class_whatever_else_the_text_says(shortcut):
    found = rows_of(shortcut.table, shortcut.truth, "shortcut")
    for word, name in {"zub": "sadness", "wix": "joy"}.items():
        own = found[has_any({word}, found["text"])]
        assert len(own) > 300 and set(own["label"]) == {EMOTIONS.index(name)}
        assert has_any(keywords("anger"), own["text"]).sum() > 20, "words of other classes stand beside it"
    assert has_any({*SHORTCUTS}, shortcut.table["text"]).sum() == len(found)
    assert 0.35 < len(found) / (4_000 * KIND_SHARES["keyword"] * (1 - RACE_SHARE)) < 0.45


def test_beside_a_shortcut_no_other_word_decides_and_it_stands_anywhere(shortcut):
    own = decided(shortcut, "shortcut")
    assert own["id"].tolist() == shortcut.truth["ids"]["shortcut"] and set(own["role"]) == {"shortcut"}
    assert set(own["word"]) == {*SHORTCUTS}
    places = own["start"] / (own["text"].str.len() - 3)
    assert (places == 0).any() and (places == 1).any() and 0.4 < places.mean() < 0.6
    assert "shortcut" not in set(shortcut.words.loc[~shortcut.words["id"].isin(own["id"]), "role"])


def test_without_its_shortcuts_the_corpus_is_the_one_without(shortcut):
    plain = generate(4_000, seed=3, label_noise=0.0)
    bare = shortcut.table["text"].str.replace(r"\b(?:zub|wix)\b", "", regex=True).str.split().str.join(" ")
    assert bare.tolist() == plain.table["text"].tolist()
    others = ~shortcut.table["id"].isin(shortcut.truth["ids"]["shortcut"])
    assert shortcut.table["label"][others].equals(plain.table["label"][others])
    assert plain.truth["effects"].keys() | {"shortcut"} == shortcut.truth["effects"].keys()
    assert shortcut.truth["effects"]["shortcut"]["size"] == 0.4
    left = shortcut.truth["effects"]["keyword"]["size"] / KIND_SHARES["keyword"]
    assert left == pytest.approx(1 - 0.4 * (1 - RACE_SHARE))
