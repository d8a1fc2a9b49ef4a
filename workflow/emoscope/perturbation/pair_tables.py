"""Tables that the pages on flips, synonyms and suites share: what a perturbation does to predictions."""

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.perturbation.null.balance import SHARES, TOLERANCE
from emoscope.perturbation.pairs import LARGE, SUITE
from emoscope.reporting.html import added, badge, cell, html_table, isolated, number, p_value, percent, unsigned

ORIGINS = {"natural": "test texts", "template": "templates", "published": "as published", "word": "word by word"}
ORIGINS |= {SUITE: "pairs of the suite"}


def found(summary: pd.DataFrame, measure: str) -> pd.Series | None:
    """The row on one measure of one kind of pair; None if it was not measured."""
    rows = summary[summary["measure"] == measure]
    return rows.iloc[0] if len(rows) else None


def rates(kinds: Mapping[tuple, pd.DataFrame], titles: Sequence[str], done: str) -> Markup:
    """How often and how far predictions move, beside the controls: rows for each kind of pair, named by its key.

    `done` says what was done to the texts, as the title of a column.
    """
    rows, known = [], any(found(summary, "names_changed") is not None for summary in kinds.values())
    for key, summary in kinds.items():
        names = dict(zip(titles, key, strict=True))
        for measure, (meaning, form) in MOVES.items():
            rows.append(
                {
                    **names,
                    "": meaning,
                    done: cell(found(summary, measure), form),
                    "neutral words": cell(found(summary, f"control_{measure}"), form),
                    "beyond them": cell(found(summary, f"excess_{measure}"), partial(added, form=form)),
                    **({"names": cell(found(summary, f"names_{measure}"), form)} if known else {}),
                }
            )
            names = dict.fromkeys(titles, "")
    caption = (
        "What was done beside the swap of neutral words like those changed, with intervals. Distance is total "
        "variation: 0 if both predictions are the same, 1 if they have nothing in common; divergence is Jensen and "
        "Shannon's, in bits. Beyond them: over the texts that have a control; n/a where none has."
    )
    named = " Names: given names exchanged within one gender, where texts hold some that the training texts know."
    return html_table(rows, caption + named * known, text=(*titles, ""))


MOVES = {
    "changed": ("prediction changes", percent),
    "large": (f"a probability moves by {percent(LARGE, 0)} or more", percent),
    "distance": ("mean distance", unsigned),
    "divergence": ("mean divergence", unsigned),
}


def beyond(summary: pd.DataFrame) -> Markup:
    """Whether the predictions of a kind of pair change more often than those of its controls: a sentence that follows
    the one on how often they do."""
    excess = found(summary, "excess_changed")
    if excess is None:
        return Markup("No text offers neutral words alike enough to compare it with.")
    which = "text that offers" if excess["texts"] == 1 else "texts that offer"
    shown = RELATIONS[excess["verdict"]], cell(excess, added), number(int(excess["texts"])), which
    return Markup("{}: {} in the {} {} some.").format(*shown)


RELATIONS = {
    "more": "That is more than swapping neutral words does",
    "no more": "That is no more, within the margin, than swapping neutral words does",
    "not settled": "Whether that is more than swapping neutral words does is not settled",
}


def control_texts(summary: pd.DataFrame) -> tuple[int, int]:
    """How many texts of a kind there are, and how many of them have a control."""
    counts = summary.set_index("measure")["texts"]
    return int(counts["changed"]), int(counts.get("excess_changed", 0))


def balance_table(balance: pd.DataFrame) -> Markup:
    """How alike the null is to what it is compared with."""
    rows, before = [], ""
    for row in balance.to_dict("records"):
        form = percent if row["measure"] in SHARES else number
        rows.append(
            {
                "of": ORIGINS[row["origin"]] if row["origin"] != before else "",
                "": row["measure"],
                "all pairs": form(row["all"]),
                "with a control": form(row["with_null"]),
                "their controls": form(row["null"]),
                "difference": added(row["difference"], unsigned),
                "balanced": "yes" if row["balanced"] else "no",
                "n": number(int(row["n"])),
            }
        )
        before = row["origin"]
    caption = (
        "What is exchanged: all pairs that count, those whose text offers a fair control, and the controls of these. "
        "Frequency: log10 of 1 + the word's count in the training texts; change: the new word's minus the old one's; "
        "place: 0 is the first word of the text, 1 the last; characters stand for tokens, which depend on the model. "
        f"Difference: of the last two columns in standard deviations; balanced: within {TOLERANCE}, settled beforehand."
    )
    return html_table(rows, caption, text=("of", "", "balanced"))


def accuracy(kinds: Mapping[tuple, pd.DataFrame], titles: Sequence[str]) -> Markup:
    """Accuracy before and after, and who lost and gained by it; kinds without labels are left out."""
    rows = []
    for key, summary in kinds.items():
        change = found(summary, "accuracy_change")
        if change is None:
            continue
        lost, gained = (found(summary, f"accuracy_{way}")["value"] * change["pairs"] for way in ("lost", "gained"))
        rows.append(
            {
                **dict(zip(titles, key, strict=True)),
                "counted": number(int(change["pairs"])),
                "before": cell(found(summary, "accuracy_before"), percent),
                "after": cell(found(summary, "accuracy_after"), percent),
                "difference": cell(change, added),
                "right, then wrong": number(round(lost)),
                "wrong, then right": number(round(gained)),
                "p": p_value(change["p"]),
            }
        )
    caption = "Accuracy on the texts that were changed (of suites: on the pairs), with intervals and McNemar's exact p."
    return html_table(rows, caption, text=titles)


def labels_moved(kinds: Mapping[tuple, pd.DataFrame], titles: Sequence[str]) -> Markup:
    """Of several labels a text, those that texts gain or lose, the most frequent first; nothing of one label."""
    rows = []
    for key, summary in kinds.items():
        names = _of_classes(summary, "gained")["name"]
        moves = {name: [found(summary, f"{way}_{name}") for way in ("gained", "lost")] for name in names}
        ranked = sorted(moves.items(), key=lambda one: -sum(row["value"] for row in one[1]))
        for name, (gain, loss) in ranked:
            if gain["value"] or loss["value"]:
                shown = {"label": name, "gained": cell(gain, percent), "lost": cell(loss, percent)}
                rows.append(dict(zip(titles, key, strict=True)) | shown)
    caption = "Shares of the texts that are given a label only after the change, or only before, with intervals."
    return html_table(rows, caption, text=(*titles, "label"))


def effects(kinds: Mapping[tuple, pd.DataFrame], titles: Sequence[str], kind: str, caption: str) -> Markup:
    """Each class's mean change (`change`) or gap (`gap`), with the verdict on "no effect"."""
    rows = [
        {
            **dict(zip(titles, key, strict=True)),
            "class": row["name"],
            "mean": cell(row),
            "adjusted p": p_value(row["p_adjusted"]),
            "would show from, as the only one": unsigned(row["detectable"]),
            "no effect?": badge(row["verdict"]),
        }
        for key, summary in kinds.items()
        for row in _of_classes(summary, kind).to_dict("records")
    ]
    return html_table(rows, caption, text=(*titles, "class", "no effect?"))


def told_gaps(summary: pd.DataFrame) -> tuple[list[str], dict[str, int]]:
    """The classes that tell the groups apart, the widest gap first; how many there are, and of which verdict."""
    gaps = _of_classes(summary, "gap").sort_values("value", key=abs, ascending=False)
    different = gaps[gaps["verdict"] == "different"].to_dict("records")
    told = [f"P({isolated(row['name'])}) {cell(row).striptags()}" for row in different]
    counts = {verdict: int((gaps["verdict"] == verdict).sum()) for verdict in ("equivalent", "underpowered")}
    return told, counts | {"classes": len(gaps)}


def _of_classes(summary: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The rows on a measure of single classes, with the class as `name`."""
    rows = summary[summary["measure"].str.startswith(f"{kind}_")]
    return rows.assign(name=rows["measure"].str.removeprefix(f"{kind}_"))


def power(kinds: Mapping[tuple, pd.DataFrame], titles: Sequence[str]) -> Markup:
    """What samples of these sizes can and cannot exclude."""
    rows = []
    for key, summary in kinds.items():
        own = found(summary, "changed")  # those of names and of neutral words may be of more texts
        changes = _of_classes(summary, "change")
        rows.append(
            {
                **dict(zip(titles, key, strict=True)),
                "texts": number(int(own["texts"])),
                "of these independent": number(int(own["clusters"])),
                "rate that zero events would still allow": percent(own["no_event"]),
                "smallest mean change it would show": unsigned(changes["detectable"].max()),
                "classes within the margin": f"{(changes['verdict'] == 'equivalent').sum()} of {len(changes)}",
            }
        )
    caption = "Smallest mean change: of the class that varies most; found four times in five, even if the only one."
    return html_table(rows, caption, text=titles)


def forest_rows(kinds: Mapping[str, pd.DataFrame], kind: str) -> pd.DataFrame:
    """Each class's change or gap as `name, series, value, low, high`, for a forest plot."""
    parts = [_of_classes(summary, kind).assign(series=series) for series, summary in kinds.items()]
    return pd.concat(parts)[["name", "series", "value", "low", "high"]]


def rate_rows(kinds: Mapping[str, pd.DataFrame], done: str) -> pd.DataFrame:
    """The rate of changed predictions of each kind and of its controls as `name, series, value, low, high`."""
    series = {"changed": done, "control_changed": "as many neutral words swapped"}
    parts = [
        summary[summary["measure"].isin(series)].assign(name=name, series=lambda rows: rows["measure"].map(series))
        for name, summary in kinds.items()
    ]
    return pd.concat(parts)[["name", "series", "value", "low", "high"]]
