"""The split keeps its promises, and the audit counts repeats."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from emoscope.data.known_texts import keys_of
from emoscope.data.split import Parts, audit_corpus, audit_split, split, split_corpus
from emoscope.errors import UserError
from emoscope.storage.files import read_json, write_json, write_table

CLASSES = ["sadness", "joy"]
TABLES = st.lists(st.tuples(st.sampled_from("abcdefgßあ\U0001f600"), st.integers(0, 1)), min_size=10, max_size=60).map(
    lambda rows: pd.DataFrame(rows, columns=["text", "label"]).assign(part="").reset_index(names="id")
)


@given(TABLES, st.sampled_from(["keep", "drop", "group"]))
def test_the_split_keeps_its_promises(table, duplicates):
    if table["text"].nunique() < 4:
        return
    training, _, testing = split(table, duplicates, "shuffled", 0.25, 3)
    both = pd.concat([training, testing])
    assert both["id"].is_unique
    pd.testing.assert_frame_equal(both.set_index("id"), table.set_index("id").loc[both["id"], ["text", "label"]])
    assert len(both) == (table["text"].nunique() if duplicates == "drop" else len(table))
    leaked = audit_split(Parts(training, table[:0], testing))["leaked_test_rows"]
    assert leaked == testing["text"].isin(training["text"]).sum()
    if duplicates != "keep":
        assert leaked == 0


@given(TABLES, st.sampled_from([0.1, 0.2, 0.25, 1 / 3, 0.5, 0.9]), st.integers(0, 2**32 - 1))
def test_rows_are_cut_as_scikit_learn_cuts_them(table, test, seed):
    training, _, testing = split(table, "keep", "shuffled", test, seed)
    theirs = train_test_split(table["id"], test_size=test, random_state=seed)
    assert [training["id"].tolist(), testing["id"].tolist()] == [rows.tolist() for rows in theirs]
    texts = table["text"].nunique()
    if math.ceil(test * texts) < texts:
        training, _, testing = split(table, "group", "shuffled", test, seed)
        cut = GroupShuffleSplit(n_splits=1, test_size=test, random_state=seed)
        theirs = next(cut.split(table, groups=keys_of(table["text"])))
        assert [training["id"].tolist(), testing["id"].tolist()] == [rows.tolist() for rows in theirs]


@pytest.mark.parametrize("part", ["eval", "trial", "test_hard", "challenge", ""])
def test_a_part_of_another_name_is_refused_and_not_trained_on(part):
    parts = ["train", "Training-2", "test", "Dev", part]
    table = pd.DataFrame({"id": range(5), "text": list("abcde"), "label": 0, "part": parts})
    with pytest.raises(UserError, match=f"given does not say what the part '{part}' is for; call it train"):
        split(table, "keep", "given", 0.25, 3)
    found = split(table[:4], "keep", "given", 0.25, 3)
    assert [found.train["id"].tolist(), found.validation["id"].tolist()] == [[0, 1], [3]]


@pytest.mark.parametrize("method", ["shuffled", "given"])
@pytest.mark.parametrize("duplicates", ["drop", "group"])
def test_a_text_in_other_capitals_falls_on_one_side(method, duplicates):
    texts = [f"{text} {k}" for k in range(20) for text in ("so sad", "So  Sad")]
    parts = ["train", "test", "test", "train"] * 10
    table = pd.DataFrame({"id": range(40), "text": texts, "label": 0, "part": parts})
    found = split(table, duplicates, method, 0.25, 3)
    assert audit_split(found)["leaked_test_rows"] == 0
    assert sum(map(len, found)) == (20 if duplicates == "drop" else 40)
    assert audit_corpus(table, CLASSES)["duplicate_rows"] == 20


def test_the_papers_split_size():
    table = pd.DataFrame({"id": range(416_809), "text": "x", "label": 0, "part": ""})
    training, _, testing = split(table, "keep", "shuffled", 0.2, 10)
    assert (len(training), len(testing)) == (333_447, 83_362)  # the authors' notebook has 83,362 test rows


def test_the_audit_counts_repeats_and_conflicts():
    table = pd.DataFrame({"text": list("aaabbc"), "label": [0, 0, 1, 0, 0, 1]})
    audit = audit_corpus(table, CLASSES)
    assert audit["class_counts"] == {"sadness": 4, "joy": 2}
    assert (audit["duplicate_rows"], audit["duplicate_texts"], audit["conflicting_texts"]) == (3, 2, 1)


def test_rows_are_shuffled_by_the_seed():
    table = pd.DataFrame({"id": range(100), "text": [f"text {k}" for k in range(100)], "label": 0, "part": ""})
    one, again, other = (split(table, "keep", "shuffled", 0.2, seed).test["id"].tolist() for seed in (1, 1, 2))
    assert one == again != other
    assert one != sorted(one) and {*one} != {*range(80, 100)}


def test_the_test_part_that_a_corpus_brings_along_is_the_test_set():
    table = pd.DataFrame({"id": range(5), "text": list("abcda"), "label": 0, "part": ["train"] * 3 + ["test"] * 2})
    training, _, testing = split(table, "keep", "given", 0.2, 1)
    assert training["id"].tolist() == [0, 1, 2] and testing["id"].tolist() == [3, 4]
    training, _, testing = split(table, "group", "given", 0.2, 1)
    assert training["id"].tolist() == [1, 2] and testing["id"].tolist() == [0, 3, 4]


def test_validation_texts_of_another_part_are_counted():
    parts = Parts(*(pd.DataFrame({"text": texts}) for texts in (["a", "b"], ["B", "c", "c", "d"], ["c", "e"])))
    audit = audit_split(parts)
    assert (audit["validation_rows_in_train"], audit["validation_rows_in_test"]) == (1, 2)


def test_a_leak_is_counted_in_test_rows():
    training, testing = (pd.DataFrame({"text": list(texts)}) for texts in ("aaab", "acd"))
    audit = audit_split(Parts(training, training[:0], testing))
    assert audit == {"train_rows": 4, "test_rows": 3, "leaked_test_rows": 1, "leaked_share": 1 / 3}


def in_parts(texts: str, parts: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"id": range(len(texts)), "text": list(texts), "label": 0, "part": parts})


@pytest.mark.parametrize("name", ["val", "valid", "validation", "dev"])
def test_a_validation_part_is_kept_apart_or_trained_on(name):
    table = in_parts("abcdef", ["train", "train", name, name, "test", "test"])
    parts = split(table, "keep", "given", 0.2, 1, "keep")
    assert [part["id"].tolist() for part in parts] == [[0, 1], [2, 3], [4, 5]]
    assert audit_split(parts)["validation_rows"] == 2
    parts = split(table, "keep", "given", 0.2, 1, "train")
    assert [part["id"].tolist() for part in parts] == [[0, 1, 2, 3], [], [4, 5]]
    assert "validation_rows" not in audit_split(parts)


def test_grouped_texts_go_to_the_test_part_first_then_to_the_validation_part():
    table = in_parts("abcabcd", ["train", "train", "train", "val", "val", "test", "test"])
    parts = split(table, "group", "given", 0.2, 1, "keep")
    assert [part["id"].tolist() for part in parts] == [[], [0, 1, 3, 4], [2, 5, 6]]
    table = in_parts("aabb", ["val", "test", "val", "train"])
    parts = split(table, "group", "given", 0.2, 1, "keep")
    assert [part["id"].tolist() for part in parts] == [[], [2, 3], [0, 1]]


SEVERAL = pd.DataFrame({"text": list("aaabbc"), "labels": [[0], [0], [0, 1], [1], [1], []]})


def test_a_text_with_several_labels_counts_for_each_of_them():
    audit = audit_corpus(SEVERAL, CLASSES)
    assert audit["class_counts"] == {"sadness": 3, "joy": 3}
    assert (audit["duplicate_rows"], audit["duplicate_texts"], audit["conflicting_texts"]) == (3, 2, 1)
    assert (audit["rows"], audit["unlabelled_rows"]) == (6, 1)


def split_files(folder, table, **origin) -> Parts:
    write_table(table, folder / "corpus.parquet")
    write_json({"classes": CLASSES, **origin}, folder / "source.json")
    paths = {name: folder / f"{name}.parquet" for name in ("corpus", *Parts._fields)}
    config = {"duplicates": "keep", "split": {"method": "given", "test": 0.2, "seed": 1, "validation": "keep"}}
    split_corpus(config, source=folder / "source.json", audit=folder / "corpus.json", **paths)
    return Parts(*(pd.read_parquet(paths[name]) for name in Parts._fields))


def test_tables_of_several_labels_a_text(tmp_path):
    parts = ["train"] * 3 + ["dev"] + ["test"] * 2
    table = SEVERAL.assign(text=list("abcdef"), id=range(6), part=parts)
    table["labels"] = [[0], [1], [], [0, 1], [0, 1], []]
    found = split_files(tmp_path, table, multilabel=True)
    assert [list(part.columns) for part in found] == [["id", "text", "labels"]] * 3
    assert [[list(own) for own in part["labels"]] for part in found] == [[[0], [1], []], [[0, 1]], [[0, 1], []]]
    about = read_json(tmp_path / "corpus.json")
    assert about["multilabel"] is True and about["class_counts"] == {"sadness": 3, "joy": 3}
    with pytest.raises(UserError, match="no text of class 'joy' in the test set"):
        split_files(tmp_path, table.assign(labels=[[0], [1], [], [0, 1], [0], []]), multilabel=True)


def test_no_validation_part_is_a_table_without_rows(tmp_path):
    table = in_parts("abcd", ["train"] * 2 + ["test"] * 2).assign(label=[0, 1, 0, 1])
    parts = split_files(tmp_path, table)
    assert len(parts.validation) == 0 and list(parts.validation.columns) == ["id", "text", "label"]
    assert "validation_rows" not in read_json(tmp_path / "corpus.json")


@pytest.mark.parametrize("part", ["train", "val"])
def test_a_test_set_without_a_new_text_is_refused(tmp_path, part):
    """As where one file serves for validation and test; what differs in capitals is not new."""
    table = in_parts("abcdEf", ["train"] * 2 + [part] * 2 + ["test"] * 2).assign(label=[0, 1] * 3)
    split_files(tmp_path, table)
    with pytest.raises(UserError, match="every test text also stands in the training or validation set; set"):
        split_files(tmp_path, table.assign(text=list("abcdCD")))


def grouped(groups: list[str]) -> pd.DataFrame:
    return pd.DataFrame({
        "id": range(8), "text": [f"text {k}" for k in range(8)], "label": [0, 1] * 4,
        "part": ["train"] * 4 + ["test"] * 4, "group": groups,
    })  # fmt: skip


def divided(folder, table: pd.DataFrame) -> tuple[pd.DataFrame, dict]:
    write_table(table, folder / "corpus.parquet")
    write_json({"classes": CLASSES, "group": "dialect"}, folder / "source.json")
    files = {name: folder / f"{name}.parquet" for name in ("corpus", "train", "validation", "test")}
    config = {"duplicates": "keep", "split": {"method": "given", "test": 0.2, "seed": 1}}
    split_corpus(config, source=folder / "source.json", audit=folder / "corpus.json", **files)
    return pd.read_parquet(files["test"]), read_json(folder / "corpus.json")


def test_groups_go_with_their_texts_and_are_counted(tmp_path):
    test, audit = divided(tmp_path, grouped(["n", "s", "n", "", "s", "s", "n", ""]))
    assert test["group"].tolist() == ["s", "s", "n", ""]
    assert audit["group"] == "dialect" and audit["group_counts"] == {"": 2, "n": 3, "s": 3}


def test_a_test_set_of_one_group_is_refused(tmp_path):
    with pytest.raises(UserError, match="texts of fewer than 2 groups of column 'dialect'; leave `group`"):
        divided(tmp_path, grouped(["n", "s", "n", "s", "s", "s", "", "s"]))
