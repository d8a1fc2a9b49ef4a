"""The suites page: what it says of rates, gaps and goals."""

from types import SimpleNamespace

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.experiments.suites import page as report
from emoscope.experiments.suites.goals import COLUMNS as GOALS
from emoscope.perturbation.null.balance import COLUMNS as BALANCE
from made_up import NASTY, pairs, summary_of, tags, words

NAN = float("nan")
GOAL = ("", "follows", 0.8, 0.7, 0.9, 0.5, 0.3, 0.2, 0.4, 0.001, 0.6, "up", 50, 40, NAN, NAN, NAN)
GOAL += (0.7, 0.6, 0.75, 0.1, 0.02, 0.18, 0.001, "mine")
SAME = {"chance": NAN, "lead": NAN, "lead_low": NAN, "lead_high": NAN, "p": NAN, "p_adjusted": NAN, "always": 1.0}
SAME |= {"opposite": 0.1, "opposite_low": 0.05, "opposite_high": 0.2}


def goals(**changes) -> pd.DataFrame:
    return pd.DataFrame([GOAL], columns=[*GOALS, "p_adjusted", "suite"]).assign(**changes)


def suites(summary: pd.DataFrame, goal: pd.DataFrame, **columns) -> dict[str, report.Scored]:
    table = pairs(12).assign(**{"origin": "suite", "goal": "", "cluster": "c", "known": False, "people": ""} | columns)
    every = pd.concat([table, table[:2].assign(origin="suite control")], ignore_index=True)
    measured = [name for name in every if name.startswith(("before_", "after_"))]
    key = ["id", "axis", "origin", "term"]
    tables = SimpleNamespace(
        mine_pairs=every.drop(columns=measured), mine_scores=every[key + measured],
        mine_summary=summary, mine_balance=pd.DataFrame(columns=BALANCE), goals=goal,
    )  # fmt: skip
    return report.suites_of(tables, {"mine": {"source": "csv", "path": f"folder/{NASTY}"}, "other": {"path": "x"}})


SUMMARY = summary_of("suite", changed=(0.03, 0.01, 0.05)).assign(pairs=60)


def test_only_suites_of_the_run_are_told_of_and_controls_are_no_pairs():
    found = suites(SUMMARY, goals())
    assert list(found) == ["mine"] and set(found["mine"].pairs["origin"]) == {"suite"}
    assert found["mine"].sides == ("male", "female")


def test_the_sides_of_a_gap_are_told_whichever_way_all_pairs_go():
    """A gap is of the first group less the second, also where every pair goes from the second to the first."""
    for direction in ("male to female", "female to male"):
        assert suites(SUMMARY, goals(), direction=direction)["mine"].sides == ("male", "female")
    assert suites(SUMMARY, goals(), direction=["male to female"] * 6 + ["black to white"] * 6)["mine"].sides is None


def test_suites_and_groups_of_which_nothing_is_read_are_named():
    """Of `mine`, one of two groups; of `whole`, all pairs, and of `read` one. Controls are no pairs."""
    table = pairs(4).assign(origin="suite", flags=[[]] * 4, term=["short", "short", "long", "long"])
    every = pd.concat([table, table.assign(origin="suite control")], ignore_index=True)
    measured = [name for name in every if name.startswith(("before_", "after_"))]
    scores = every[["id", "axis", "origin", "term", *measured]]
    cut = {"mine": [False, False, True, True], "whole": [True] * 4, "read": [False, True, False, False]}
    tables = SimpleNamespace()
    for suite, lost in cut.items():
        setattr(tables, f"{suite}_pairs", every.drop(columns=measured))
        setattr(tables, f"{suite}_scores", scores.assign(beyond_context=[*lost, *[True] * 4]))
    assert report.unread_suites(tables, {suite: {} for suite in (*cut, "other")}) == {
        ("mine", "long"): 2,
        ("whole",): 4,
    }


def test_the_headline_says_what_follows_and_what_would_by_chance():
    told = words(report.main_result(suites(SUMMARY, goals())))
    assert (
        "In mine, the second text changes the prediction in 3.0 % [1.0, 5.0] of 60 pairs. No text offers neutral words"
        in told
    )
    assert "Of those that ask for something, 80.0 % [70.0, 90.0] go that way, 50.0 % by chance, 70.0 % by a bag" in told
    told = words(report.main_result(suites(SUMMARY, goals(**SAME))))
    assert "go that way, which is the same in all of them, 70.0 % by a bag" in told
    assert "chance" not in told
    assert "ask for" not in words(report.main_result(suites(SUMMARY, goals()[:0])))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "follows more often than either"),
        ({"low": 0.55}, "more often than by chance; whether more often than the commonest goal"),
        ({"high": 0.85, "always": 0.9}, "more often than by chance, but less often than it would by always doing"),
        ({"low": 0.45, "p_adjusted": 0.3}, "Whether it follows more often than by chance is not settled."),
        (
            {"low": 0.4, "high": 0.55, "p_adjusted": 0.3},
            "is not settled; it follows less often than it would by always",
        ),
        ({"low": 0.1, "lead": -0.3}, "goes against what is asked"),
    ],
)
def test_what_is_said_of_following_is_what_was_found(changes, said):
    told = words(report.goal_findings(suites(SUMMARY, goals(**changes)), 0.05))
    assert (
        said in told and f"commonest goal (up) asks whatever the pair, {100 * changes.get('always', 0.6):.1f} %" in told
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "In 10.0 % [5.0, 20.0] it moves the opposite way, less often than as asked."),
        ({"low": 0.02, "high": 0.04}, "it moves the opposite way, more often than as asked."),
        ({"low": 0.1}, "opposite way, and which of the two is more frequent is not settled."),
        ({"opposite": NAN}, "such pairs cannot tell. A bag of words"),
    ],
)
def test_of_pairs_that_all_ask_for_the_same_no_exchange_is_told(changes, said):
    """Neither that it follows more often than by chance nor that this is not settled."""
    found = suites(SUMMARY, goals(**SAME | changes))
    told = words(report.goal_findings(found, 0.05))
    assert said in told and "All of them ask for the same (up), so goals cannot be exchanged" in told
    assert "chance" not in told and "n/a" not in told and "commonest" not in told
    assert report.goal_rows(found)["series"].tolist() == ["the pairs' own goals"]
    assert ("the opposite" in words(report.goal_table(found))) == ("opposite" not in changes)
    assert "the opposite" not in words(report.goal_table(suites(SUMMARY, goals())))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            "of these pairs, less often than the classifier: the classifier's rate minus its own is +10.0 % [+2.0",
        ),
        ({"above_low": -0.01}, "asked in 70.0 % [60.0, 75.0] of these pairs, not shown to differ from the classifier:"),
        ({"above_low": -0.2, "above_high": -0.1}, "of these pairs, more often than the classifier:"),
    ],
)
def test_a_bag_of_words_stands_beside_the_classifier(changes, said):
    found = suites(SUMMARY, goals(**changes))
    assert said in words(report.goal_findings(found, 0.05)) and "70.0 %" in words(report.goal_table(found))


def test_a_gap_names_its_sides_in_their_order():
    gap = summary_of("suite", gap_anger=(0.2, 0.1, 0.3), verdict="different")
    told = words(report.gap_findings(suites(pd.concat([SUMMARY, gap]), goals())))
    assert "mine (male minus female): shown to differ in P(anger) +0.200 [+0.100, +0.300]." in told
    assert report.gap_findings(suites(SUMMARY, goals())) == ""
    within = words(report.gap_findings(suites(pd.concat([SUMMARY, gap.assign(verdict="equivalent")]), goals())))
    assert "no class is shown to differ (differences within the margin do not count)." in within


def test_groups_are_shown_under_their_names_and_the_whole_first():
    summary = pd.concat([SUMMARY, SUMMARY.assign(term="food"), SUMMARY.assign(term=NASTY)])
    found = suites(summary, goals())
    assert list(report.kinds(found)) == [("mine", "all"), ("mine", "food"), ("mine", NASTY)]
    assert list(report.whole(found)) == ["mine"]


def test_it_is_told_how_many_pairs_have_a_text_that_was_trained_on():
    table = BeautifulSoup(report.setting(suites(SUMMARY, goals(), known=[True] * 5 + [False] * 7)), "html.parser")
    told = dict(
        zip(
            *([cell.get_text() for cell in table.select(f"{part} > tr > *")] for part in ("thead", "tbody")),
            strict=True,
        )
    )
    assert told["of these with a text that stands in the training set"] == "2" and told["pairs"] == "6", (
        "uncertain ones apart"
    )


def test_nothing_that_a_suite_holds_is_an_element():
    hostile = suites(SUMMARY, goals(group=NASTY), term=NASTY, direction="")
    shown = [report.setting(hostile), report.goal_table(hostile), report.strongest(hostile, ["joy", "anger"])]
    for part in shown:
        assert not tags(part) & {"script", "img"} and "alert" in words(part)


def test_it_is_said_where_all_sentences_share_their_people():
    summary = pd.concat([SUMMARY, summary_of("suite", gap_joy=(0.1, 0, 0.2), verdict="underpowered").assign(pairs=12)])
    assert "names or nouns" not in words(report.gap_findings(suites(summary, goals())))
    told = words(report.gap_findings(suites(summary, goals(), people=[f"he {k % 5}" for k in range(12)])))
    assert "about the same 5 pairs of names or nouns" in told and "only what both show is shown" in told
