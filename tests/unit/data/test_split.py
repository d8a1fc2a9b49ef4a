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
