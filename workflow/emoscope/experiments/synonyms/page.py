"""What the synonyms report says: tables and sentences over word counts and replaced words."""

import pandas as pd
from markupsafe import Markup, escape

from emoscope.perturbation.pair_tables import beyond, found
from emoscope.perturbation.pairs import LARGE
from emoscope.reporting.html import badge, estimate, headline, html_table, listed, number, p_value, percent, prose

NEUTRAL = "neutral words"
EXCEPTIONS = ("overwhelmed", "surprised")  # the two words that the paper says do change predictions


def main_result(summary: pd.DataFrame) -> Markup:
    """The headline: how many predictions change, under the published procedure and word by word."""
    published = summary[summary["origin"] == "published"]
    words, flagged = word_verdicts(summary), flagged_words(summary)
    at_once = "The published replacement changes the prediction of {} of the texts it rewrites, {}."
    return headline(
        "{at_once} Taken one by one, {flagged} of {n} words are flagged as changing predictions{which}.",
        at_once=Markup(at_once).format(estimate(*found(published, "changed"), form=percent), beyond(published))
        if len(published)
        else "The published replacement finds nothing to replace.",
        flagged=len(flagged),
        n=len(words),
        which=f": {listed(flagged if len(flagged) < 6 else [*flagged[:5], 'others'])}" if flagged else "",
    )


def word_verdicts(summary: pd.DataFrame) -> pd.DataFrame:
    """The rate of changed predictions of each word replaced alone and whether it is flagged, the strongest first."""
    rates = summary[(summary["origin"] == "word") & (summary["measure"] == "changed")]
    return rates.sort_values("value", ascending=False)


def flagged_words(summary: pd.DataFrame) -> list[str]:
    """The words whose replacement changes more predictions than neutral words do, by more than the margin."""
    words = word_verdicts(summary)
    return words.loc[words["verdict"] == "flagged", "term"].tolist()


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
    words = words[words["class"].isin(table3["class"])]
    if words.empty:
        return prose("The paper has none of these classes.")
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


def word_findings(summary: pd.DataFrame, margin: float) -> Markup:
    """Which words move predictions, and whether the paper's two exceptions are among them."""
    flagged, parts = flagged_words(summary), []
    for word in EXCEPTIONS:
        rows = summary[(summary["origin"] == "word") & (summary["term"] == word)]
        rate = Markup("in {} of its texts").format(estimate(*found(rows, "changed"), form=percent))
        parts.append(Markup("<em>{}</em> {}").format(word, rate if len(rows) else "stands in no text"))
    others = [word for word in flagged if word not in EXCEPTIONS]
    return prose(
        "The paper reports that only two words change predictions. Here, {exceptions}. Beside these two, {others}. "
        "Swapping neutral words in texts that hold one of the words changes {neutral} of the predictions. A word is "
        "flagged if its rate is above that by more than {margin}, with allowance for the number of words.",
        exceptions=Markup(", ").join(parts),
        neutral=estimate(*found(summary[summary["origin"] == "word"], "control_changed"), form=percent),
        margin=percent(margin, 0),
        others=f"{listed(others)} {'is' if len(others) == 1 else 'are'} flagged" if others else "no word is flagged",
    )


def word_rates(summary: pd.DataFrame) -> pd.DataFrame:
    """The rate of changed predictions by word and of neutral words as a forest plot takes it."""
    words = word_verdicts(summary)
    series = words["term"].map(lambda word: "the paper's exceptions" if word in EXCEPTIONS else "other words")
    neutral = summary[(summary["origin"] == "word") & (summary["measure"] == "control_changed")]
    named = [words.assign(name=words["term"], series=series), neutral.assign(name=NEUTRAL, series=NEUTRAL)]
    return pd.concat(named)[["name", "series", "value", "low", "high"]]


def word_table(summary: pd.DataFrame, pairs: pd.DataFrame) -> Markup:
    """What replacing each word does, wherever it stands; those that change most predictions first."""
    rows = []
    for word in word_verdicts(summary).to_dict("records"):
        part = summary[(summary["origin"] == "word") & (summary["term"] == word["term"])]
        changes = part[part["measure"].str.startswith("change_")]
        most = changes.loc[changes["value"].abs().idxmax()]
        rows.append(
            {
                "word": word["term"],
                "replaced by": replacements(pairs, word["term"]),
                "texts": number(int(word["texts"])),
                "predicted class changes": estimate(*found(part, "changed"), form=percent),
                "adjusted p": p_value(word["p_adjusted"]),
                "": badge("flagged") if word["verdict"] == "flagged" else "",
                f"moves by {percent(LARGE, 0)} or more": estimate(*found(part, "large"), form=percent),
                "largest mean change": Markup("P({}) {}").format(
                    most["measure"].removeprefix("change_"), estimate(most["value"], most["low"], most["high"])
                ),
            }
        )
    caption = (
        "Every text that holds the word, whatever its label, with this one word replaced; Wilson and bootstrap "
        "intervals. p: exact binomial test of a rate above that of neutral words by more than the margin, adjusted "
        "over the words by Holm's method."
    )
    return html_table(rows, caption, text=("word", "replaced by", ""))


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
