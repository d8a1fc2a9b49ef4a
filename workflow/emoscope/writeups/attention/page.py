"""What the attention report says: tables and sentences over the attention tables."""

from collections.abc import Mapping
from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import cell, html_table, listed, number, percent, unsigned
from emoscope.reporting.passages import Findings, passage
from emoscope.writeups.attention.published import published_rows
from emoscope.writeups.attention.readings import first_is_largest, most_agreeing, most_looking, mostly
from emoscope.writeups.attention.summarise import TARGETS

say = partial(passage, "attention")
SCORE_NAMES = {
    "mean": "mean weight of all heads",
    "rollout": "attention rollout",
    "nearness": "nearness alone (no attention)",
    "first": "the earlier, the larger (no attention)",
}
LOOK_NAMES = {
    "first": "the first token",
    "itself": "the token itself",
    "previous": "the previous token",
    "next": "the next token",
    "last": "the last token",
    "repeated": "what followed an earlier occurrence",
}
EXAMPLE = {"overall": "mean weight", "rollout": "rollout", "effect": "effect of blocking"}


def resting_names(tokens: pd.DataFrame) -> str:
    """The tokens that heads rest on: by name if a tokenizer adds them at a text's end, too, else the first one."""
    own = tokens[tokens["resting"]]
    return listed(own["label"].unique()) if own["position"].any() else "the first token"


def target_names(tokens: pd.DataFrame) -> dict[str, str]:
    """The kinds of targets by name."""
    return {"all": "all tokens", "rest": f"without {resting_names(tokens)}"}


def published_section(weights: pd.DataFrame, tokens: pd.DataFrame, published: pd.DataFrame, found: Findings) -> Markup:
    """The write-up's table, what it reads out of it, and what speaks against it, beside this language model."""
    printed = published.set_index("token")["weight"]
    return say(
        "published",
        table=published_table(weights, tokens, published),
        targets=len(published),
        a=printed["Ġa"],
        likes=printed["Ġlikes"],
        found=found,
        first=first_is_largest(weights, tokens),
        heads=weights["head"].nunique(),
    )


def published_table(weights: pd.DataFrame, tokens: pd.DataFrame, published: pd.DataFrame) -> Markup:
    """The write-up's table beside what this model's heads give at the same place."""
    count = weights["head"].max() + 1
    columns = {head: published_rows(weights, tokens, head).set_index("target") for head in range(count)}
    if columns[0].empty:
        return say("published_missing")
    rows = [
        {
            "target": columns[0]["target_token"][row.target],
            "write-up (GPT-2 small, head 9)": number(row.weight, 4),
            **{f"head {head}": number(table["weight"][row.target], 4) for head, table in columns.items()},
        }
        for row in published.itertuples()
    ]
    caption = "Block 0, source “explore”: the weight of each target, as published and as found in every head here."
    return html_table(rows, caption, text=("target",))


def look_table(found: Findings) -> Markup:
    """The head that looks most at each place."""
    rows = [
        {
            "looks at": name,
            "all heads": cell(found.get(f"looks.{look}.share"), number),
            "largest mean weight": found.shown(f"looks.{look}.largest"),
            "head": found.note(f"looks.{look}.largest"),
        }
        for look, name in LOOK_NAMES.items()
        if f"looks.{look}.largest" in found
    ]
    return html_table(rows, say("look_table"), text=("looks at", "head"))


def picked_heads(heads: pd.DataFrame, chosen: list[list[int]]) -> dict[tuple[int, int], str]:
    """Heads to draw, (block, head), with the reason: those of `look_table`, then those that the config names."""
    looks: dict[tuple[int, int], list[str]] = {}
    for look, place in most_looking(heads).items():
        looks.setdefault(place, []).append(LOOK_NAMES[look])
    picked = {place: f"looks most at {', '.join(names)}" for place, names in looks.items()}
    return picked | {(block, head): "named in the config" for block, head in chosen if (block, head) not in picked}


def agreement_rows(agreement: pd.DataFrame, measure: str, names: Mapping[str, str]) -> pd.DataFrame:
    """What the agreement figure draws."""
    rows = agreement[agreement["measure"] == measure]
    return rows.assign(name=rows["score"].map(SCORE_NAMES), series=rows["targets"].map(names))


def agreement_table(agreement: pd.DataFrame, names: Mapping[str, str]) -> Markup:
    """Every agreement with its interval, and what guessing reaches."""
    wide = agreement.set_index(["targets", "score", "measure"])
    rows = [
        {
            "targets": names[targets],
            "score": name,
            "rank correlation": cell(wide.loc[targets, score, "correlation"], number),
            "same largest token": cell(wide.loc[targets, score, "top"], percent),
            "by guessing": percent(wide.loc[targets, score, "top"]["guessing"]),
        }
        for targets in TARGETS
        for score, name in SCORE_NAMES.items()
    ]
    return html_table(rows, say("agreement_table", sources=agreement["sources"].max()), text=("targets", "score"))


def agreement_reading(found: Findings, names: Mapping[str, str]) -> Markup:
    """Whether attention knows more than nearness and than random weights, with and without the tokens to rest on."""
    targets = {"all": names["all"], "rest": f"the tokens {names['rest']}"}
    leads = [(name, found[f"agreement.mean.{kind}.lead_over_nearness"]) for kind, name in targets.items()]
    return say("agreement", leads=leads, rest=targets["rest"], found=found)


def head_reading(heads: pd.DataFrame, found: Findings, tokens: pd.DataFrame) -> Markup:
    """Whether a head's weights say how much it matters."""
    return say("heads", found=found, best=most_agreeing(heads), count=len(heads), resting=resting_names(tokens))


def most_needed(heads: pd.DataFrame, count: int) -> Markup:
    """The heads whose silencing moves the answer most."""
    rows = [
        {
            "block": number(row["block"]),
            "head": number(row["head"]),
            "effect of silencing (nats)": cell(row, unsigned, value="divergence"),
            "looks mostly at": f"{LOOK_NAMES[row['mostly']]} ({number(row[row['mostly']], 2)})",
            "agreement": number(row["agreement"]),
        }
        for row in heads.assign(mostly=mostly(heads)).nlargest(count, "divergence").to_dict("records")
    ]
    return html_table(rows, say("most_needed"), text=("looks mostly at",))


def sentence_panels(averages: pd.DataFrame, sentence: int) -> Mapping[str, pd.DataFrame]:
    """The maps of one sentence that the page draws beside each other."""
    own = averages[averages["sentence"] == sentence]
    last = own.loc[own["view"] == "rollout", "block"].max()
    return {
        title: own[(own["view"] == view) & ((own["view"] != "rollout") | (own["block"] == last))]
        for view, title in EXAMPLE.items()
    }


def head_panels(weights: pd.DataFrame, picked: Mapping[tuple[int, int], str], sentence: int) -> dict[str, pd.DataFrame]:
    """The maps of the picked heads."""
    own = weights[weights["sentence"] == sentence]
    return {
        f"block {block}, head {head}": own[(own["block"] == block) & (own["head"] == head)] for block, head in picked
    }


def pick_list(picked: Mapping[tuple[int, int], str]) -> str:
    """The picked heads with the reason of each, for a caption."""
    return listed(f"head {head} of block {block} ({why})" for (block, head), why in picked.items())
