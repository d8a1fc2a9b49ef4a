"""What the synonyms report says: tables and sentences over word counts and replaced words."""

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from emoscope.markup import badge, estimate, headline, html_table, listed, number, outcome, percent, prose
from emoscope.pair_tables import found
from emoscope.pairs import LARGE

EXCEPTIONS = ("overwhelmed", "surprised")  # the two words that the paper says do change predictions
CERTAIN = 0.02  # a word changes predictions for certain if the interval of its rate lies above this


def main_result(summary: pd.DataFrame) -> Markup:
    """The headline: how many predictions change, under the published procedure and word by word."""
    published = summary[summary["origin"] == "published"]
    moving = moving_words(summary)
    return headline(
        "{all_at_once} Taken one by one, {words} of {n} words change more than {least} of the predictions{which}.",
        all_at_once=Markup("The published replacement changes the prediction of {} of the texts it rewrites.").format(
            estimate(*found(published, "changed"), form=percent)
        )
        if len(published)
        else "The published replacement finds nothing to replace.",
        words=len(moving),
        least=percent(CERTAIN, 0),
        n=summary.loc[summary["origin"] == "word", "term"].nunique(),
        which=f": {listed(moving if len(moving) < 6 else [*moving[:5], 'others'])}" if moving else "",
    )


def moving_words(summary: pd.DataFrame) -> list[str]:
    """The words whose replacement changes more than a few predictions for certain, the strongest first."""
    rates = summary[(summary["origin"] == "word") & (summary["measure"] == "changed")]
    return rates[rates["low"] > CERTAIN].sort_values("value", ascending=False)["term"].tolist()


def word_lists(words: pd.DataFrame, table3: pd.DataFrame) -> Markup:
    """Each class's most frequent words: the paper's, ours with its stop words, ours with stripped ones left out too."""
    parts = []
    for name in dict.fromkeys(words["class"]):
        here = words[words["class"] == name].sort_values("rank")
        paper = table3[table3["class"] == name]
        lists = {
            "paper": paper.rename(columns={"count_in_test_set": "count"}),
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
    """How many of the paper's words each list here shares."""
    shared = {
        kind: listed(
            f"{len(set(part['word']) & set(table3.loc[table3['class'] == name, 'word']))} of {len(part)} for {name}"
            for name, part in rows.groupby("class", sort=False)
        )
        for kind, rows in words.groupby("stop_words")
    }
    return prose(
        "With the paper's stop words, the lists here share with the paper's {published}. Tweets are written without "
        "apostrophes, so the stop word <em>don't</em> does not catch <em>dont</em>; with such forms left out as well, "
        "{stripped}.",
        published=shared.get("published", "nothing"),
        stripped=shared.get("stripped", "nothing"),
    )


def published_findings(summary: pd.DataFrame, pairs: pd.DataFrame) -> Markup:
    """What the published procedure changes."""
    published = summary[summary["origin"] == "published"]
    if published.empty:
        return prose("No text of this corpus holds a word of the paper's table under the class that it is listed for.")
    replaced = pairs[pairs["origin"] == "published"]
    return prose(
        "Applied as published, it rewrites {n} texts with {words} words each on average. The predicted class "
        "changes in {changed}, and in {large} some class's probability moves by {threshold} or more.",
        n=number(len(replaced)),
        words=number(replaced["n_changed"].mean(), 1),
        changed=estimate(*found(published, "changed"), form=percent),
        large=estimate(*found(published, "large"), form=percent),
        threshold=percent(LARGE, 0),
    )


def word_findings(summary: pd.DataFrame) -> Markup:
    """Which words move predictions, and whether the paper's two exceptions are among them."""
    moving, parts = moving_words(summary), []
    for word in EXCEPTIONS:
        rows = summary[(summary["origin"] == "word") & (summary["term"] == word)]
        rate = Markup("in {} of its texts").format(estimate(*found(rows, "changed"), form=percent))
        parts.append(Markup("<em>{}</em> {}").format(word, rate if len(rows) else "stands in no text"))
    others = [word for word in moving if word not in EXCEPTIONS]
    return prose(
        "The paper reports that only two words change predictions. Here, {exceptions}. Beside these two, {others} for "
        "certain (interval above {least}).",
        exceptions=Markup(", ").join(parts),
        least=percent(CERTAIN, 0),
        others=f"{listed(others)} change{'s' if len(others) == 1 else ''} predictions"
        if others
        else "no word changes predictions",
    )


def word_rates(summary: pd.DataFrame) -> pd.DataFrame:
    """The rate of changed predictions by word as `name, series, value, low, high`, the strongest first."""
    rates = summary[(summary["origin"] == "word") & (summary["measure"] == "changed")]
    series = rates["term"].map(lambda word: "the paper's exceptions" if word in EXCEPTIONS else "other words")
    return rates.assign(name=rates["term"], series=series).sort_values("value", ascending=False)


def word_table(summary: pd.DataFrame, pairs: pd.DataFrame) -> Markup:
    """What replacing each word does, wherever it stands; those that change most predictions first."""
    rows = []
    for term in word_rates(summary)["term"]:
        part = summary[(summary["origin"] == "word") & (summary["term"] == term)]
        changes = part[part["measure"].str.startswith("change_")]
        most = changes.loc[changes["value"].abs().idxmax()]
        rows.append(
            {
                "word": term,
                "replaced by": replacements(pairs, term),
                "texts": number(int(part["texts"].max())),
                "predicted class changes": estimate(*found(part, "changed"), form=percent),
                f"moves by {percent(LARGE, 0)} or more": estimate(*found(part, "large"), form=percent),
                "largest mean change": Markup("P({}) {}").format(
                    most["measure"].removeprefix("change_"), estimate(most["value"], most["low"], most["high"])
                ),
                "no effect?": badge(most["verdict"]),
            }
        )
    caption = (
        "Every text that holds the word, whatever its label, with this one word replaced; the verdict is on the "
        "class whose probability moves most."
    )
    return html_table(rows, caption, text=("word", "replaced by", "no effect?"))


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


def controls(truth: dict, summary: pd.DataFrame) -> list:
    """Planted: plain words and their synonyms mean the same, two words of surprise have misleading ones."""
    rates = summary[(summary["origin"] == "word") & (summary["measure"] == "changed")].set_index("term")
    plain = rates.drop(index=[word for word in EXCEPTIONS if word in rates.index])
    moved = plain.index[plain["low"] > CERTAIN]
    rows = [
        {
            "planted": "Synonyms say the same as the words they replace, two apart: no prediction changes.",
            "found": f"{len(moved)} of {len(plain)} words change more than {percent(CERTAIN, 0)} of their predictions"
            + (f": {listed(moved[:6])}" if len(moved) else ""),
            "verdict": outcome(0 < len(plain) >= 20 * len(moved), missed=len(moved) > 0),
        }
    ]
    for word in EXCEPTIONS:
        share = truth["effects"]["misleading_synonyms"]["size"]
        value = tuple(rates.loc[word, ["value", "low", "high"]]) if word in rates.index else (np.nan,) * 3
        rows.append(
            {
                "planted": f"The synonym of {word} means another class: {percent(share, 0)} of predictions change.",
                "found": estimate(*value, form=percent),
                "verdict": outcome(value[1] > 0.5, partly=value[1] > CERTAIN, missed=value[2] < 0.5),
            }
        )
    return rows


def _word(table: pd.DataFrame, rank: int, known: set[str]) -> Markup:
    """A word with its count, marked if the paper has it too; nothing beyond the end of the list."""
    if rank >= len(table):
        return Markup()
    row = table.iloc[rank]
    word = Markup("<mark>{}</mark>").format(row["word"]) if row["word"] in known else escape(row["word"])
    return Markup('{} <span class="interval">{}</span>').format(word, number(int(row["count"])))
