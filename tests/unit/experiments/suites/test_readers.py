"""Pairs that others wrote, read: twins beside twins, goals and groups as the file has them, and bad files refused."""

import itertools
import re
from pathlib import Path

import pandas as pd
import pytest

from acceptance import DATA_SETS
from emoscope.errors import UserError
from emoscope.experiments.suites.readers import COLUMNS, read_suite
from emoscope.statistics.bounded import SHARE, bounded_interval

CLASSES = ["sadness", "joy", "anger"]
COLUMN_KEYS = dict.fromkeys(("group", "cluster", "direction", "label"))
NOUNS = {
    "male": ["he", "my son"],
    "female": ["my daughter", "she"],
}  # in another order, as twins are not found by place
NAMES = {
    ("male", "European"): ["Adam", "Harry"],
    ("female", "European"): ["Amanda", "Betsy"],
    ("male", "African-American"): ["Alonzo", "Jamel"],
    ("female", "African-American"): ["Ebony", "Jasmine"],
}


def read(folder: Path, rows: pd.DataFrame, classes=CLASSES, **columns: str) -> pd.DataFrame:
    path = folder / "pairs.csv"
    rows.to_csv(path, index=False)
    entry = {"source": "csv", "path": str(path), "before": "before", "after": "after"} | COLUMN_KEYS | columns
    return read_suite(entry, classes)


def pairs(count: int = 10, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({
        "before": [f"he is late {k}" for k in range(count)], "after": [f"she is late {k}" for k in range(count)],
    }).assign(**columns)  # fmt: skip


def eec(folder: Path, **changes: str) -> Path:
    """A file of the shape of the Equity Evaluation Corpus: two templates, eight emotion words, twelve persons."""
    people = [(name, gender, "") for gender, names in NOUNS.items() for name in names]
    people += [(name, gender, race) for (gender, race), names in NAMES.items() for name in names]
    words = [
        ("angry", "anger"),
        ("glad", "joy"),
        ("scared", "fear"),
        ("sad", "sadness"),
        *((f"odd{k}", "joy") for k in range(4)),
    ]
    rows = []
    for template, (word, emotion), (person, gender, race) in itertools.product(
        ("<person subject> feels <emotion word>.", "I saw <person object> yesterday."), words, people
    ):
        if "saw" in template and word != "angry":
            continue
        sentence = template.replace("<person subject>", person.capitalize()).replace("<emotion word>", word)
        sentence = sentence.replace("<person object>", person)
        said = ("", "") if "saw" in template else (emotion, word)
        rows.append((f"2018-{len(rows)}", sentence, template, person, gender, race, *said))
    names = ["ID", "Sentence", "Template", "Person", "Gender", "Race", "Emotion", "Emotion word"]
    path = folder / "Equity-Evaluation-Corpus.csv"
    pd.DataFrame(rows, columns=names).replace({"Person": changes}).to_csv(path, index=False)
    return path


def test_a_file_of_ones_own(tmp_path):
    table = pairs(
        group=["a to b"] * 5 + ["b to a"] * 5, template=range(10), wanted=["up", "stays", "", "unknown", "joy"] * 2
    )
    table["emotion"] = ["joy", ""] * 5
    found = read(tmp_path, table, group="group", cluster="template", direction="wanted", label="emotion")
    assert list(found.columns) == COLUMNS
    assert found["before"].tolist() == table["before"].tolist() and found["after"].tolist() == table["after"].tolist()
    assert set(found["group"]) == {"a and b"}  # both directions of one contrast are one group
    assert found["direction"].tolist() == table["group"].tolist()
    assert found["cluster"].tolist() == [str(k) for k in range(10)]
    assert found["goal"].tolist() == ["up", "stays", "", "", "joy"] * 2
    assert found["label"].tolist() == [1, -1] * 5


def test_without_columns_for_them_texts_are_clusters_and_nothing_is_asked(tmp_path):
    found = read(tmp_path, pairs())
    assert found["cluster"].tolist() == found["before"].tolist()
    assert (found[["group", "direction", "goal", "people"]] == "").all(axis=None) and (found["label"] == -1).all()


def mirrored(table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table, table.rename(columns={"before": "after", "after": "before"})])


def test_a_pair_in_both_directions_tells_no_more_than_in_one(tmp_path):
    once, twice = read(tmp_path, pairs()), read(tmp_path, mirrored(pairs()))
    assert len(twice) == 20 and twice["cluster"].tolist() == once["cluster"].tolist() * 2
    moved = [k < 3 for k in range(10)]
    one, other = (
        bounded_interval(events, found["cluster"].to_numpy(), SHARE)
        for events, found in ((moved, once), (moved * 2, twice))
    )
    assert one == pytest.approx(other)
    with pytest.raises(UserError, match="4 independent pairs"):
        read(tmp_path, mirrored(pairs(4)))


def test_pairs_that_share_a_text_by_way_of_others_are_one_unless_a_cluster_is_named(tmp_path):
    chain = pd.DataFrame([("x", "y"), ("z", "Y "), ("z", "w"), ("w", "v")], columns=["before", "after"])
    table = pd.concat([pairs(), chain], ignore_index=True)
    assert read(tmp_path, table)["cluster"].tolist()[10:] == ["x"] * 4
    named = table.assign(template=[*"abcdefghij", "", "", "mine", ""])
    assert read(tmp_path, named, cluster="template")["cluster"].tolist()[10:] == ["mine"] * 4
    apart = table.assign(template=[*"abcdefghij", "k", "", "", "l"])
    assert read(tmp_path, apart, cluster="template")["cluster"].tolist()[10:] == ["k", "k", "k", "l"]


def test_labels_are_numbers_only_where_classes_are_numbered(tmp_path):
    path = tmp_path / "pairs.csv"
    entry = {"source": "csv", "path": str(path), "before": "before", "after": "after"} | COLUMN_KEYS
    entry["label"] = "emotion"
    pairs(emotion=1).to_csv(path, index=False)
    assert set(read_suite(entry, CLASSES)["label"]) == {1}
    with pytest.raises(UserError, match=r"unknown label '1'.* write its name, since this model numbers them otherwise"):
        read_suite(entry, CLASSES, numbered=False)
    pairs(emotion=CLASSES[1]).to_csv(path, index=False)
    assert set(read_suite(entry, CLASSES, numbered=False)["label"]) == {1}


def test_of_classes_that_the_classifier_lacks_nothing_is_asked(tmp_path):
    path = tmp_path / "pairs.csv"
    pairs(goal=["envy", "up"] * 5, emotion=["envy", CLASSES[1]] * 5).to_csv(path, index=False)
    entry = {"source": "csv", "path": str(path), "before": "before", "after": "after"} | COLUMN_KEYS
    entry |= {"direction": "goal", "label": "emotion"}
    found = read_suite(entry, CLASSES, left_out=["envy"])
    assert found["goal"].tolist() == ["", "up"] * 5 and found["label"].tolist() == [-1, 1] * 5
    with pytest.raises(UserError, match="'envy' is no class"):
        read_suite(entry, CLASSES)


def test_gaps_in_columns_that_are_no_text(tmp_path):
    goal, label = pd.Categorical(["up", None] * 5), pd.array([1, None] * 5, dtype="Int64")
    pairs(goal=goal, emotion=label).to_parquet(tmp_path / "pairs.parquet")
    entry = {"source": "parquet", "path": str(tmp_path / "pairs.parquet"), "before": "before", "after": "after"}
    found = read_suite(entry | COLUMN_KEYS | {"direction": "goal", "label": "emotion"}, CLASSES)
    assert found["goal"].tolist() == ["up", ""] * 5 and found["label"].tolist() == [1, -1] * 5


@pytest.mark.parametrize(
    ("role", "cell", "said"),
    [
        ("before", 3, "row 4: float, not text, in the column 'first'"),  # as beside missing ones it is read
        ("after", 2.5, "row 4: float, not text, in the column 'second'"),
        ("before", ["he", "is"], "row 4: ndarray, not text, in the column 'first'"),
        ("after", b"she", "row 4: bytes, not text, in the column 'second'"),
        ("group", ["a", "b"], "row 4: ndarray, not text, in the column 'kind'"),
        ("cluster", {"of": 1}, "row 4: dict, not text, in the column 'template'"),
        ("direction", ["up"], "row 4: ndarray, not text, in the column 'goal'"),
        ("before", None, "row 4: the text before is missing"),
    ],
)
def test_a_cell_that_is_no_text_is_named_with_its_row_and_column(tmp_path, role, cell, said):
    table = pairs().rename(columns={"before": "first", "after": "second"}).assign(kind="a", template="b", goal="up")
    names = dict(zip(("before", "after", "group", "cluster", "direction"), table.columns, strict=True))
    if cell is None:
        table.loc[4, names[role]] = None
    else:
        table[names[role]] = [None] * 4 + [cell] * 6  # a column of parquet holds one kind of cells
    table.to_parquet(tmp_path / "pairs.parquet")
    entry = {"source": "parquet", "path": str(tmp_path / "pairs.parquet")} | COLUMN_KEYS | names
    with pytest.raises(UserError, match=re.escape(said)) as error:
        read_suite(entry, CLASSES)
    assert len(str(error.value).splitlines()) == 1


def test_numbers_name_groups_and_clusters(tmp_path):
    table = pairs(kind=1, template=[float(number) for number in range(10)])
    table.to_parquet(tmp_path / "pairs.parquet")
    entry = {"source": "parquet", "path": str(tmp_path / "pairs.parquet"), "before": "before", "after": "after"}
    found = read_suite(entry | COLUMN_KEYS | {"group": "kind", "cluster": "template"}, CLASSES)
    assert found["group"].tolist() == ["1"] * 10 and found["cluster"].nunique() == 10


def test_a_kind_of_pair_is_no_direction(tmp_path):
    found = read(tmp_path, pairs(group="food"), group="group")
    assert set(found["group"]) == {"food"} and set(found["direction"]) == {""}


@pytest.mark.parametrize(
    ("table", "columns", "said"),
    [
        (pairs(after=["she is late", ""] * 5), {}, "pairs.csv: row 3: the text after is missing; fill it in or remove"),
        (pairs(before=[" ", *"abcdefghi"]), {}, "row 2: the text before is missing"),
        (pairs(before=["x ", *"abcdefghi"], after=["x", *"jklmnopqr"]), {}, "row 2: both texts are the same"),
        (pairs().drop(columns="after"), {}, "no column 'after'; it has: before; name the right one as `after`"),
        (pairs(), {"group": "kind"}, "no column 'kind'"),
        (pairs(goal="hapiness"), {"direction": "goal"}, "row 2: 'hapiness' is no class and no direction; known: up,"),
        (pairs(emotion="rage"), {"label": "emotion"}, "row 2: unknown label 'rage'; known: sadness, joy, anger"),
        (pairs(7), {}, "7 independent pairs"),
        (pairs(20, template=list("abcd") * 5), {"cluster": "template"}, "4 independent pairs"),
        (pairs(20, kind=["few"] * 7 + ["many"] * 13), {"group": "kind"}, "group 'few' has 7 independent pairs; an"),
        (pairs(20, kind=["many"] * 19 + [""]), {"group": "kind"}, "row 21: no group; fill in 'kind'"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_in_one_line(tmp_path, table, columns, said):
    with pytest.raises(UserError, match=re.escape(said)) as error:
        read(tmp_path, table, **columns)
    assert len(str(error.value).splitlines()) == 1 and "pairs.csv" in str(error.value)


def test_the_equity_corpus_pairs_noun_phrases_by_meaning_and_names_by_place(tmp_path):
    found = read_suite({"preset": "eec", "path": str(eec(tmp_path)), "between": "gender"}, CLASSES)
    twins = {(row.before, row.after) for row in found.itertuples() if "angry" in row.before}
    assert twins == {
        ("He feels angry.", "She feels angry."),
        ("My son feels angry.", "My daughter feels angry."),
        ("Adam feels angry.", "Amanda feels angry."),
        ("Harry feels angry.", "Betsy feels angry."),
        ("Alonzo feels angry.", "Ebony feels angry."),
        ("Jamel feels angry.", "Jasmine feels angry."),
    }
    assert set(found["direction"]) == {"male to female"} and len(found) == 9 * 6
    assert found["cluster"].nunique() == 9 and found["group"].nunique() == 2
    people = found.groupby("people")["cluster"].nunique()
    assert {"he and she", "Harry and Betsy", "my son and my daughter"} < {*people.index} and people.eq(9).all()
    by_word = found.set_index("before")["label"]
    assert by_word["He feels angry."] == 2 and by_word["He feels scared."] == -1  # fear is no class here


def test_the_equity_corpus_pairs_names_of_two_races_within_a_gender(tmp_path):
    found = read_suite({"preset": "eec", "path": str(eec(tmp_path)), "between": "race"}, CLASSES)
    twins = {(row.before, row.after) for row in found.itertuples() if "sad" in row.before}
    assert twins == {
        ("Adam feels sad.", "Alonzo feels sad."),
        ("Harry feels sad.", "Jamel feels sad."),
        ("Amanda feels sad.", "Ebony feels sad."),
        ("Betsy feels sad.", "Jasmine feels sad."),
    }
    assert set(found["direction"]) == {"European to African-American"}
    assert set(found["people"]) == {"Adam and Alonzo", "Harry and Jamel", "Amanda and Ebony", "Betsy and Jasmine"}


def test_a_person_without_a_counterpart_is_named(tmp_path):
    with pytest.raises(UserError, match=r"row 3: 'my niece' \(male\) has no counterpart"):
        read_suite(
            {"preset": "eec", "path": str(eec(tmp_path, **{"my son": "my niece"})), "between": "gender"}, CLASSES
        )


OCCUPATIONS = ("cook", "nurse", "guard", "clerk", "baker", "judge", "tutor", "pilot")


def winogender(folder: Path) -> Path:
    rows = ["sentid\tsentence"]
    for occupation, referent in itertools.product(OCCUPATIONS, "01"):
        for participant in ("guest", "someone"):
            for gender, pronoun in (("neutral", "they"), ("female", "she"), ("male", "he")):
                name = f"{occupation}.{participant}.{referent}.{gender}.txt"
                rows.append(f"{name}\tThe {occupation} told the {participant} that {pronoun} had {referent} left.")
    path = folder / "all_sentences.tsv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_winogender_sets_he_beside_she(tmp_path):
    found = read_suite({"preset": "winogender", "path": str(winogender(tmp_path))}, CLASSES)
    assert len(found) == 32 and set(found["cluster"]) == {*OCCUPATIONS}, "both sentences about one are alike"
    assert (found["before"].str.replace(" he ", " she ") == found["after"]).all()
    assert set(found["direction"]) == {"male to female"}


def test_a_sentence_without_its_name_is_refused(tmp_path):
    path = winogender(tmp_path)
    path.write_text(path.read_text().replace("nurse.guest.1.male.txt", "nurse.guest.male"))
    with pytest.raises(UserError, match=r"'nurse\.guest\.male' is no name such as"):
        read_suite({"preset": "winogender", "path": str(path)}, CLASSES)


def cebab(folder: Path) -> Path:
    edits = (("food", "Positive"), ("noise", "Negative"), ("food", "unknown"))
    rows = [
        (f"r{k}", aspect, goal, f"the {aspect} was fine {k}", f"the {aspect} was {goal} {k}")
        for k in range(9)
        for aspect, goal in edits
    ]
    rows.append(("r1", "food", "Positive", "same", "same "))
    path = folder / "pairs.csv"
    pd.DataFrame(rows, columns=["original_id", "aspect", "goal", "before", "after"]).to_csv(path, index=False)
    return path


def test_reviews_should_rise_and_fall_as_they_were_edited(tmp_path, capsys):
    found = read_suite({"preset": "cebab", "path": str(cebab(tmp_path))}, ["1", "2"])
    goals = {row.after.split()[3]: row.goal for row in found.itertuples()}
    assert goals == {"Positive": "up", "Negative": "down", "unknown": ""}
    assert len(found) == 27 and set(found["group"]) == {"food", "noise"} and found["cluster"].nunique() == 9
    assert "1 of 28 edits change nothing" in capsys.readouterr().out


@pytest.mark.skipif(not DATA_SETS.is_dir(), reason="the data sets are not here")
@pytest.mark.parametrize(
    ("preset", "file", "rows", "clusters"),
    [("winogender", "winogender/all_sentences.tsv", 240, 60), ("cebab", "cebab/pairs.csv", 2811, 544)],
)
def test_the_authors_files_are_read(preset, file, rows, clusters):
    found = read_suite({"preset": preset, "path": str(DATA_SETS / file)}, list("12345"))
    assert len(found) == rows and found["cluster"].nunique() == clusters
