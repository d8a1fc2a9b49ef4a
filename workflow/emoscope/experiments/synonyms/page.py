"""What the synonyms report says: tables and sentences over word counts and replaced words."""

from functools import partial

import pandas as pd
from markupsafe import Markup, escape

from emoscope.experiments.synonyms.summarise import SURPRISING
from emoscope.perturbation.pair_tables import beyond, found
from emoscope.perturbation.pairs import LARGE
from emoscope.perturbation.single_words import VISIBLE
from emoscope.reporting.html import added, badge, cell, html_table, isolated, listed, number, p_value, percent
from emoscope.reporting.passages import passage
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.equivalence import largest

say = partial(passage, "synonyms")
NEUTRAL = "neutral words"


def main_result(summary: pd.DataFrame) -> Markup:
    """The headline: how many predictions change, under the published procedure and word by word."""
    published = summary[summary["origin"] == "published"]
    return say(
        "main_result",
        changed=found(published, "changed"),
        beyond=beyond(published),
        flagged=flagged_words(summary),
        words=len(word_verdicts(summary)),
        untold=untold_words(summary),
        neutral=neutral_rate(summary),
    )


def word_verdicts(summary: pd.DataFrame) -> pd.DataFrame:
    """The rate of changed predictions of each word replaced alone and whether it is flagged, the strongest first."""
    rates = summary[(summary["origin"] == "word") & (summary["measure"] == "changed")]
    return rates.sort_values("value", ascending=False)


def flagged_words(summary: pd.DataFrame) -> list[str]:
    """The words whose replacement changes more predictions than neutral words do, by more than the margin."""
    words = word_verdicts(summary)
    return words.loc[words["verdict"] == "flagged", "term"].tolist()


def untold_words(summary: pd.DataFrame) -> int:
    """Of how many words it cannot be told."""
    return int((word_verdicts(summary)["verdict"] == "cannot tell").sum())


def neutral_rate(summary: pd.DataFrame) -> pd.Series | None:
    """The rate of changed predictions when neutral words are swapped in texts that hold one of the words; None if none
    of them offers any."""
    return found(summary[summary["origin"] == "word"], "control_changed")


def word_lists(words: pd.DataFrame, table3: pd.DataFrame) -> Markup:
    """Each class's most frequent words: the paper's, ours with its stop words, ours with stripped ones left out too."""
    parts = []
    for name in dict.fromkeys(words["class"]):
        here = words[words["class"] == name].sort_values("rank")
        paper = table3[table3["class"] == name]
        lists = {
            **({"paper": paper.rename(columns={"count_in_test_set": "count"})} if len(paper) else {}),
            "paper's stop words": here[here["stop_words"] == "published"],
            "and contractions out": here[here["stop_words"] == "stripped"],
        }
        rows = [
            {"": rank + 1, **{title: _word(table, rank, set(paper["word"])) for title, table in lists.items()}}
            for rank in range(max(map(len, lists.values())))
        ]
        parts.append(html_table(rows, Markup("<strong>{}</strong>").format(name), text=lists))
    return Markup('<div class="grid">{}</div>').format(Markup("\n").join(parts))


def overlap(words: pd.DataFrame, table3: pd.DataFrame) -> Markup:
    """How many of the paper's words each list here shares, class by class, where the paper has the class."""
    known = words[words["class"].isin(table3["class"])]
    shared = {
        kind: listed(
            f"{len(set(part['word']) & set(table3.loc[table3['class'] == name, 'word']))} of {len(part)} for {name}"
            for name, part in rows.groupby("class", sort=False)
        )
        for kind, rows in known.groupby("stop_words")
    }
    return say("overlap", shared=shared)


def published_findings(summary: pd.DataFrame, pairs: pd.DataFrame) -> Markup:
    """What the published procedure changes."""
    published = summary[summary["origin"] == "published"]
    return say(
        "published_findings",
        replaced=pairs.loc[pairs["origin"] == "published", "n_changed"],
        changed=found(published, "changed"),
        large=found(published, "large"),
        threshold=LARGE,
        fair=found(published, "excess_changed"),
    )


def word_findings(summary: pd.DataFrame, margin: float) -> Markup:
    """Which words move predictions, and whether the paper's two exceptions are among them."""
    alone = summary[summary["origin"] == "word"]
    return say(
        "word_findings",
        exceptions={word: found(alone[alone["term"] == word], "changed") for word in SURPRISING},
        others=[word for word in flagged_words(summary) if word not in SURPRISING],
        untold=untold_words(summary),
        neutral=neutral_rate(summary),
        margin=margin,
        enough=FEWEST_CLUSTERS,
        visible=VISIBLE,
    )


def word_rates(summary: pd.DataFrame) -> pd.DataFrame:
    """The rate of changed predictions by word and of neutral words as a forest plot takes it."""
    words = word_verdicts(summary)
    series = words["term"].map(lambda word: "the paper's exceptions" if word in SURPRISING else "other words")
    neutral = summary[(summary["origin"] == "word") & (summary["measure"] == "control_changed")]
    named = [words.assign(name=words["term"], series=series), neutral.assign(name=NEUTRAL, series=NEUTRAL)]
    return pd.concat(named)[["name", "series", "value", "low", "high"]]


def word_table(summary: pd.DataFrame, pairs: pd.DataFrame, alpha: float) -> Markup:
    """What replacing each word does, wherever it stands; those that change most predictions first."""
    rows = []
    for word in word_verdicts(summary).to_dict("records"):
        part = summary[(summary["origin"] == "word") & (summary["term"] == word["term"])]
        changes = part[part["measure"].str.startswith("change_")]
        place, (low, high) = largest(*changes[["value", "low", "high"]].to_numpy(dtype=float).T, alpha)
        most = changes.iloc[place]
        most = {"value": most["value"], "low": low, "high": high, "class": most["measure"].removeprefix("change_")}
        rows.append(
            {
                "word": word["term"],
                "replaced by": replacements(pairs, word["term"]),
                "texts": number(int(word["texts"])),
                "prediction changes": cell(found(part, "changed"), percent),
                "adjusted p": p_value(word["p_adjusted"]),
                "beyond neutral words of its texts": cell(found(part, "excess_changed"), added),
                "verdict": "" if word["verdict"] == "not flagged" else badge(word["verdict"]),
                f"moves by {percent(LARGE, 0)} or more": cell(found(part, "large"), percent),
                "largest mean change": Markup("P({}) {}").format(isolated(most["class"]), cell(most)),
            }
        )
    return html_table(rows, say("word_table"), text=("word", "replaced by", "verdict"))


def replacements(pairs: pd.DataFrame, term: str) -> str:
    """What stands in place of a word, the most frequent forms first."""
    rows = pairs[(pairs["origin"] == "word") & (pairs["term"] == term)]
    forms = pd.Series(
        [
            text[int(span[2]) : int(span[3])]
            for text, spans in zip(rows["perturbed"], rows["spans"], strict=True)
            for span in spans
        ],
        dtype=object,
    )
    return ", ".join(forms.value_counts().index[:2])


def _word(table: pd.DataFrame, rank: int, known: set[str]) -> Markup:
    """A word with its count, marked if the paper has it too; nothing beyond the end of the list."""
    if rank >= len(table):
        return Markup()
    row = table.iloc[rank]
    word = Markup("<mark>{}</mark>").format(row["word"]) if row["word"] in known else escape(row["word"])
    return Markup('{} <span class="interval">{}</span>').format(word, number(int(row["count"])))
