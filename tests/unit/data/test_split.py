"""The split keeps its promises, and the audit counts repeats."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from emoscope.data.split import audit_corpus, audit_split, split

CLASSES = ["sadness", "joy"]
TABLES = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 1)), min_size=10, max_size=60).map(
    lambda rows: pd.DataFrame(rows, columns=["text", "label"]).assign(part="").reset_index(names="id")
)


@given(TABLES, st.sampled_from(["keep", "drop", "group"]))
def test_the_split_keeps_its_promises(table, duplicates):
    if table["text"].nunique() < 4:
        return
    training, testing = split(table, duplicates, "shuffled", 0.25, 3)
    both = pd.concat([training, testing])
    assert both["id"].is_unique
    pd.testing.assert_frame_equal(both.set_index("id"), table.set_index("id").loc[both["id"], ["text", "label"]])
    assert len(both) == (table["text"].nunique() if duplicates == "drop" else len(table))
    leaked = audit_split(training, testing)["leaked_test_rows"]
    assert leaked == testing["text"].isin(training["text"]).sum()
    if duplicates != "keep":
        assert leaked == 0


def test_the_papers_split_size():
    table = pd.DataFrame({"id": range(416_809), "text": "x", "label": 0, "part": ""})
    training, testing = split(table, "keep", "shuffled", 0.2, 10)
    assert (len(training), len(testing)) == (333_447, 83_362)  # the authors' notebook has 83,362 test rows


def test_the_audit_counts_repeats_and_conflicts():
    table = pd.DataFrame({"text": list("aaabbc"), "label": [0, 0, 1, 0, 0, 1]})
    audit = audit_corpus(table, CLASSES)
    assert audit["class_counts"] == {"sadness": 4, "joy": 2}
    assert (audit["duplicate_rows"], audit["duplicate_texts"], audit["conflicting_texts"]) == (3, 2, 1)


def test_rows_are_shuffled_by_the_seed():
    table = pd.DataFrame({"id": range(100), "text": [f"text {k}" for k in range(100)], "label": 0, "part": ""})
    one, again, other = (split(table, "keep", "shuffled", 0.2, seed)[1]["id"].tolist() for seed in (1, 1, 2))
    assert one == again != other
    assert one != sorted(one) and {*one} != {*range(80, 100)}


def test_the_test_part_that_a_corpus_brings_along_is_the_test_set():
    table = pd.DataFrame({"id": range(5), "text": list("abcda"), "label": 0, "part": ["train"] * 3 + ["test"] * 2})
    training, testing = split(table, "keep", "given", 0.2, 1)
    assert training["id"].tolist() == [0, 1, 2] and testing["id"].tolist() == [3, 4]
    training, testing = split(table, "group", "given", 0.2, 1)
    assert training["id"].tolist() == [1, 2] and testing["id"].tolist() == [0, 3, 4]


def test_a_leak_is_counted_in_test_rows():
    training, testing = (pd.DataFrame({"text": list(texts)}) for texts in ("aaab", "acd"))
    audit = audit_split(training, testing)
    assert audit == {"train_rows": 4, "test_rows": 3, "leaked_test_rows": 1, "leaked_share": 1 / 3}
