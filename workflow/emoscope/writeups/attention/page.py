"""What the attention report says: tables and sentences over the attention tables."""

from collections.abc import Mapping

import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import estimate, headline, html_table, listed, number, percent, prose, unsigned
from emoscope.writeups.attention.summarise import TARGETS, published_rows

SCORE_NAMES = {
    "mean": "mean weight of all heads",
    "rollout": "attention rollout",
    "nearness": "nearness alone (no attention)",
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


def effects_explained(classifier: bool) -> Markup:
    """What is blocked, and what the effect of that is."""
    removed = (
        "For each token of each test text, and each token that it can look at, one weight is taken away <em>in all "
        "heads of all blocks at once</em>: its score is removed before the softmax, so that the source cannot look "
        "there and its other weights grow to sum to 1 again. "
    )
    if classifier:
        return prose(
            removed + "What the source then passes on differs, and runs on to the one token from which the answer is "
            "read: the last one in GPT-2 and Llama, the first one, [CLS], in BERT. The <strong>effect</strong> is how "
            "far the classifier's answer, the probabilities of its classes, moves: the Kullback-Leibler divergence, in "
            "nats, from the answer as it was to the blocked one. It counts every class, also where the predicted one "
            "stays the same. Where a classifier is nearly certain, all effects are small, but it is only their order "
            "that is compared."
        )
    return prose(
        removed + "Everything else stays as it was. The <strong>effect</strong> is how far the model's answer at the "
        "source, its prediction of the next token, moves: the Kullback-Leibler divergence, in nats, from the "
        "prediction as it was to the blocked one."
    )


def silencing_explained(classifier: bool) -> Markup:
    """Where heads are silenced."""
    where = "the one from which the answer is read" if classifier else "the last but one of each text"
    return prose(
        "The other way round: one head adds nothing, at one token only ({where}), and the answer moves. Is it the "
        "heads that look at something that matter?",
        where=where,
    )


def published_section(
    weights: pd.DataFrame, tokens: pd.DataFrame, published: pd.DataFrame, findings: pd.DataFrame
) -> Markup:
    """The write-up's table and what it reads from it, beside this language model."""
    return Markup("\n").join([
        Markup("<h2>The write-up's table</h2>"),
        published_table(weights, tokens, published),
        reading_of_published(weights, tokens, published, findings),
    ])  # fmt: skip


def resting_names(tokens: pd.DataFrame) -> str:
    """The tokens that heads rest on: by name if a tokenizer adds them at a text's end, too, else the first one."""
    own = tokens[tokens["resting"]]
    return listed(own["label"].unique()) if own["position"].any() else "the first token"


def target_names(tokens: pd.DataFrame) -> dict[str, str]:
    """The kinds of targets by name."""
    return {"all": "all tokens", "rest": f"without {resting_names(tokens)}"}


def main_result(findings: pd.DataFrame) -> Markup:
    """The headline: how well attention agrees with effects, and how well nearness alone does."""
    found = findings.set_index("name")
    mean, nearness = (found.loc[f"agreement.{score}.all.correlation"] for score in ("mean", "nearness"))
    top, chance = found.loc["agreement.mean.all.top"], found.loc["agreement.guessing.all.top"]
    return headline(
        "Attention weights and the effect of blocking them have a rank correlation of {mean}; mere nearness reaches "
        "{nearness}. The most attended token is the one that matters most in {top} of cases, by guessing in {chance}.",
        mean=_interval(mean, number),
        nearness=_interval(nearness, number),
        top=_interval(top, percent),
        chance=percent(chance["value"]),
    )


def published_table(weights: pd.DataFrame, tokens: pd.DataFrame, published: pd.DataFrame) -> Markup:
    """The write-up's table beside what this model's heads give at the same place."""
    count = weights["head"].max() + 1
    columns = {head: published_rows(weights, tokens, head).set_index("target") for head in range(count)}
    if columns[0].empty:
        return prose(
            "The write-up's sentence is not among <code>attention.sentences</code>, or this model cuts it into other "
            "tokens, so its table cannot be shown."
        )
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


def reading_of_published(
    weights: pd.DataFrame, tokens: pd.DataFrame, published: pd.DataFrame, findings: pd.DataFrame
) -> Markup:
    """What the write-up reads out of its table, and what speaks against it."""
    found = findings.set_index("name")
    printed = published.set_index("token")["weight"]
    heads = sorted(weights["head"].unique())
    rows = [published_rows(weights, tokens, head) for head in heads]
    most = sum(table.loc[table["weight"].idxmax(), "target"] == 0 for table in rows if len(table))
    here = f"At this place, the first token gets the largest weight in {most} of {len(heads)} heads of this model."
    return prose(
        "The write-up takes the largest weight, that of <em>Ma</em>, as a sign that the head knows who explores. "
        "Three things speak for caution. The weights are nearly even: {even} each would be no preference at all. The "
        "list of the highest leaves out <em>a</em> ({a}), which lies above <em>likes</em> ({likes}). And <em>Ma</em> "
        "is the first token, on which heads of many models rest whatever stands there (an <em>attention sink</em>; "
        "Xiao et al., 2024): over the test texts and all heads of this model, the first token gets {share} of the "
        "attention of later tokens. {here}",
        even=number(1 / len(published), 4),
        a=number(printed["Ġa"], 4),
        likes=number(printed["Ġlikes"], 4),
        share=_interval(found.loc["looks.first.share"], percent),
        here=here if len(rows[0]) else "",
    )


def look_table(findings: pd.DataFrame) -> Markup:
    """The head that looks most at each place."""
    found = findings.set_index("name")
    rows = [
        {
            "looks at": LOOK_NAMES[look],
            "all heads": _share(found, look),
            "largest mean weight": _interval(found.loc[f"looks.{look}.largest"], number),
            "head": found.loc[f"looks.{look}.largest", "note"],
        }
        for look in LOOK_NAMES
        if f"looks.{look}.largest" in found.index
    ]
    caption = (
        "For each place, the mean weight that heads give it, and the head that gives most. The largest of many is "
        "flattered a little by having been picked; the intervals, over texts, do not count that."
    )
    return html_table(rows, caption, text=("looks at", "head"))


def picked_heads(heads: pd.DataFrame, chosen: list[list[int]]) -> dict[tuple[int, int], str]:
    """Heads to draw, (block, head), with the reason: those of `look_table`, then those that the config names."""
    picked: dict[tuple[int, int], str] = {}
    for look in LOOK_NAMES:
        if look in heads and heads[look].notna().any():
            top = heads.loc[heads[look].idxmax()]
            place = int(top["block"]), int(top["head"])
            picked[place] = (
                f"{picked[place]}, {LOOK_NAMES[look]}" if place in picked else f"looks most at {LOOK_NAMES[look]}"
            )
    for block, head in chosen:
        picked.setdefault((block, head), "named in the config")
    return picked


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
            "rank correlation": _interval(wide.loc[targets, score, "correlation"], number),
            "same largest token": _interval(wide.loc[targets, score, "top"], percent),
            "by guessing": percent(wide.loc[targets, score, "top"]["guessing"]),
        }
        for targets in TARGETS
        for score, name in SCORE_NAMES.items()
    ]
    caption = (
        f"Agreement with the effect of blocking: means over {agreement['sources'].max()} sources, intervals over texts."
    )
    return html_table(rows, caption, text=("targets", "score"))


def agreement_reading(findings: pd.DataFrame, names: Mapping[str, str]) -> Markup:
    """Whether attention knows more than nearness, with and without the tokens that heads rest on."""
    found = findings.set_index("name")
    sentences = []
    for targets, name in names.items():
        lead = found.loc[f"agreement.mean.{targets}.lead_over_nearness"]
        verdict = "better than" if lead["low"] > 0 else "worse than" if lead["high"] < 0 else "about as well as"
        sentences.append(
            prose(
                "Over {targets}, the mean weight ranks tokens {verdict} nearness: the correlations differ by {lead}.",
                targets=f"the tokens {name}" if targets == "rest" else name,
                verdict=verdict,
                lead=estimate(lead["value"], lead["low"], lead["high"]),
            )
        )
    return Markup("\n").join(sentences)


def head_reading(heads: pd.DataFrame, findings: pd.DataFrame, tokens: pd.DataFrame) -> Markup:
    """Whether a head's weights say how much it matters."""
    found = findings.set_index("name")
    top = found.loc["heads.divergence.largest"]
    best = heads.loc[heads["agreement"].idxmax()]
    return prose(
        "Silencing one head at one token moves the answer by {effect} nats at most ({note}). Over "
        "the heads of a text, this effect has a rank correlation of {elsewhere} with how much the head looks away from "
        "{resting}, and of {sharpest} with its largest weight. Taken alone, the head whose weights agree best "
        "with the effect of blocking tokens is head {head} of block {block} (mean correlation {agreement}, the best "
        "of {count}).",
        effect=_interval(top, unsigned),
        note=top["note"].split(", the")[0],
        resting=resting_names(tokens),
        elsewhere=_interval(found.loc["heads.elsewhere.correlation"], number),
        sharpest=_interval(found.loc["heads.sharpest.correlation"], number),
        head=int(best["head"]),
        block=int(best["block"]),
        agreement=number(best["agreement"]),
        count=len(heads),
    )


def most_needed(heads: pd.DataFrame, count: int) -> Markup:
    """The heads whose silencing moves the answer most."""
    rows = [
        {
            "block": number(int(row.block)),
            "head": number(int(row.head)),
            "effect of silencing (nats)": estimate(row.divergence, row.low, row.high, unsigned),
            "looks mostly at": _mostly(row),
            "agreement": number(row.agreement),
        }
        for row in heads.nlargest(count, "divergence").itertuples()
    ]
    caption = (
        "The heads whose silencing at one token moves the answer most. Agreement: mean rank "
        "correlation of the head's weights with the effect of blocking each token."
    )
    return html_table(rows, caption, text=("looks mostly at",))


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


def _mostly(row) -> str:
    looks = {name: getattr(row, name) for name in LOOK_NAMES if name != "repeated" and hasattr(row, name)}
    largest = max(looks, key=looks.get)
    return f"{LOOK_NAMES[largest]} ({number(looks[largest], 2)})"


def _share(found: pd.DataFrame, look: str) -> Markup | str:
    name = f"looks.{look}.share"
    return _interval(found.loc[name], number) if name in found.index else "n/a"


def _interval(row: pd.Series, form) -> Markup:
    return estimate(row["value"], row["low"], row["high"], form)
