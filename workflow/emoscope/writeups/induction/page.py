"""What the induction page says: tables and sentences over the summaries and findings."""

from collections.abc import Iterator

import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import (
    MINUS,
    badge,
    estimate,
    headline,
    html_table,
    number,
    outcome,
    percent,
    prose,
    signed,
    unsigned,
)
from emoscope.storage.names import EVERYWHERE

LINES = {"induction": "induction", "previous": "previous token"}
KINDS = {"induction": "best induction heads", "previous": "best previous-token heads", "random": "random heads"}
REPLACED = {
    "mlp_seam": "at the seam (offset 0)",
    "mlp_one_position": "at a single later position",
    "mlp_everywhere": "at all positions",
}
MEASURES = {"embedding": "embeddings", "rotated": "embeddings, rotated", "context": "after BOS"}


def main_result(findings: pd.DataFrame) -> Markup:
    """The headline: how well the repetition is predicted, and by which head."""
    found = findings.set_index("name")
    return headline(
        "The second half of a repeated random sequence is predicted with accuracy {second}, the first with {first}; "
        "the best induction head, block {block} head {head}, puts {score} of its attention on the token to repeat.",
        second=_finding(found, "second_accuracy", number),
        first=_finding(found, "first_accuracy", number),
        block=_count(found.loc["induction_block", "value"]),
        head=_count(found.loc["induction_head", "value"]),
        score=_finding(found, "induction_score", percent),
    )


def beside_published(findings: pd.DataFrame, published: pd.DataFrame) -> Markup:
    """The blog's numbers beside ours."""
    found = findings.set_index("name")
    rows = [
        {
            "what": row.what,
            "blog, GPT-2 small": f"{row.published:g}".replace("-", MINUS),
            "here": _finding(found, row.finding, _count if row.finding.endswith(("block", "head")) else number),
            "of what": _note(found, row.finding),
        }
        for row in published.itertuples()
    ]
    caption = "The numbers of the blog post, which are GPT-2 small's, beside this model's, with intervals."
    return html_table(rows, caption, text=("what", "of what"))


def by_length(halves: pd.DataFrame, heads: pd.DataFrame) -> Markup:
    """Accuracy, log-probability and the best induction head's score for each length of the halves."""
    rows = []
    block, head = _best(heads, "induction").index[0]
    for length, part in halves.groupby("length", sort=False):
        cells = part.set_index(["half", "measure"])
        own = heads.query(
            "weights == 'trained' and length == @length and line == 'induction' and block == @block and head == @head"
        ).iloc[0]
        rows.append(
            {
                "tokens in a half": number(length),
                "accuracy, first half": _row(cells.loc[("first", "accuracy")], number),
                "accuracy, second half": _row(cells.loc[("second", "accuracy")], number),
                "log-probability, second half": _row(cells.loc[("second", "log_prob")], number),
                f"score of ({block}, {head})": _row(own, number),
            }
        )
    return html_table(rows, "Halves of other lengths; sequences are drawn anew for each.")


def score_maps(heads: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Blocks by heads: both scores, trained and of the first random model."""
    main = heads[heads["length"] == heads["length"].iloc[0]]
    return {
        f"{name},\n{label}": main.query("weights == @weights and line == @line").pivot(
            index="block", columns="head", values="value"
        )
        for line, name in LINES.items()
        for weights, label in (("trained", "trained"), ("0", "random weights"))
    }


def best_heads(heads: pd.DataFrame, count: int) -> Markup:
    """The best heads of each kind, and the best of the random models."""
    columns = {line: _best(heads, line).head(count) for line in LINES}
    rows = []
    for place in range(min(count, min(map(len, columns.values())))):
        row = {"rank": number(place + 1)}
        for line, name in LINES.items():
            best = columns[line].iloc[place]
            row |= {f"{name} head": "({}, {})".format(*best.name), f"{name} score": _row(best, number)}
        rows.append(row)
    fresh = heads[(heads["weights"] != "trained")]
    last = {"rank": "random weights"}
    for line, name in LINES.items():
        best = fresh[fresh["line"] == line].nlargest(1, "value").iloc[0]
        last |= {f"{name} head": "the best", f"{name} score": _row(best, number)}
    caption = (
        "The heads with the highest scores, as (block, head), with intervals over sequences. They were chosen on the "
        "sequences they are scored on; the other lengths above are fresh ones."
    )
    return html_table([*rows, last], caption)


def pattern_maps(patterns: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Attention of the best head of each kind on one sequence."""
    return {
        f"{LINES[kind]} head ({block}, {head})": part.pivot(index="query", columns="key", values="attention").fillna(0)
        for (kind, block, head), part in patterns.groupby(["kind", "block", "head"])
    }


def single_positions(mlps: pd.DataFrame) -> pd.DataFrame:
    """Blocks by offsets: mean rise of the loss with one position's MLP output replaced."""
    return mlps[mlps["offset"] != EVERYWHERE].pivot(index="block", columns="offset", values="value")


def everywhere(mlps: pd.DataFrame) -> pd.DataFrame:
    """By block: rise of the loss with the MLP output of the whole second half replaced."""
    return mlps[mlps["offset"] == EVERYWHERE].sort_values("block")


def mlp_table(findings: pd.DataFrame, silenced: pd.DataFrame) -> Markup:
    """The largest changes of the loss, over blocks and positions."""
    found = findings.set_index("name")
    own = silenced[(silenced["kind"] == "none") & (silenced["measure"] == "loss")].iloc[0]
    rows = [
        {
            "replaced": what,
            "largest rise of the loss (nats)": _finding(found, name, signed),
            "where": _note(found, name),
        }
        for name, what in REPLACED.items()
    ]
    caption = Markup("The largest changes, against a loss of {} as it is.").format(_row(own, number))
    return html_table(rows, caption, text=("replaced", "where"))


def silenced_changes(silenced: pd.DataFrame) -> pd.DataFrame:
    """Changes of accuracy, without the row of the unchanged model."""
    return silenced[(silenced["measure"] == "accuracy") & (silenced["kind"] != "none")]


def silenced_table(silenced: pd.DataFrame) -> Markup:
    """Change of accuracy by number and kind of heads; for random ones the mean, range and rank of the best heads."""
    changes = silenced_changes(silenced)
    baseline = silenced[(silenced["kind"] == "none") & (silenced["measure"] == "accuracy")].iloc[0]
    rows = []
    for count, part in changes.groupby("heads"):
        kinds = {kind: rows for kind, rows in part.groupby("kind")}
        row = {"heads": number(count)}
        for kind in ("induction", "previous"):
            row[KINDS[kind]] = _row(kinds[kind].iloc[0], signed)
        if "random" in kinds:
            drawn = kinds["random"]["value"]
            own = kinds["induction"]["value"].iloc[0]
            row[KINDS["random"]] = f"{signed(drawn.mean())} ({signed(drawn.min())} to {signed(drawn.max())})"
            row["random sets that cost as much as the induction heads"] = f"{(drawn <= own).sum()} of {len(drawn)}"
        rows.append(row)
    caption = Markup(
        "Change of the second half's accuracy, {}, when heads are replaced by their mean output: with intervals over "
        "sequences; for random heads the mean and range of the draws."
    ).format(_row(baseline, number))
    names = dict.fromkeys(name for row in rows for name in row)
    return html_table([{name: row.get(name, "n/a") for name in names} for row in rows], caption)


def pair_table(pairs: pd.DataFrame) -> Markup:
    """The best pairs, and the best and mean of the random pairs, by every measure."""
    rows = []
    for _, part in pairs[pairs["kind"] != "random"].groupby("pair", sort=False):
        first = part.iloc[0]
        cells = part.set_index("measure")
        row = {
            "previous-token head": f"({first['previous_block']}, {first['previous_head']})",
            "induction head": f"({first['block']}, {first['head']})",
            "keys of head": number(int(first["key_head"])),
        }
        rows.append(row | {name: _top1(cells.loc[measure]) for measure, name in _measures(pairs).items()})
    random = pairs[pairs["kind"] == "random"]
    if len(random):
        best, mean = {"previous-token head": "random pairs,"}, {"previous-token head": "random pairs,"}
        best |= {"induction head": f"best of {random['pair'].nunique()}", "keys of head": ""}
        mean |= {"induction head": "mean", "keys of head": ""}
        for measure, name in _measures(pairs).items():
            part = random[random["measure"] == measure]
            best[name] = _top1(part.loc[part["top1"].idxmax()])
            mean[name] = unsigned(part["top1"].mean())
        rows += [best, mean]
    chance = {"previous-token head": "chance", "induction head": "", "keys of head": ""}
    for measure, name in _measures(pairs).items():
        chance[name] = unsigned(1 / pairs[pairs["measure"] == measure]["candidates"].iloc[0])
    caption = "Share of tokens whose own key scores highest, with Wilson intervals; the first row is the main pair."
    return html_table([*rows, chance], caption)


def pair_findings(pairs: pd.DataFrame) -> Markup:
    """How the main pair compares with the random ones, by every measure."""
    parts = []
    for measure, name in _measures(pairs).items():
        rows = pairs[pairs["measure"] == measure]
        main, random = rows[rows["kind"] == "main"].iloc[0], rows[rows["kind"] == "random"]
        reached = int((random["top1"] >= main["top1"]).sum())
        ranked = int((random["rank"] <= main["rank"]).sum())
        parts.append(
            prose(
                "<strong>{name}</strong>: top-1 accuracy {top1} ({times} times chance), mean rank {rank}; of {n} "
                "random pairs {reached} reach this accuracy and {ranked} this rank.",
                name=name[0].upper() + name[1:],
                top1=_top1(main),
                times=number(round(main["top1"] * main["candidates"], 1), 1),
                rank=estimate(main["rank"], main["rank_low"], main["rank_high"], number),
                n=len(random),
                reached=reached or "none",
                ranked=ranked or "none",
            )
        )
    return Markup("\n").join(parts)


def about_rotation(pairs: pd.DataFrame) -> Markup:
    """What rotary positions do to the measure, where the model has them."""
    if "rotated" not in set(pairs["measure"]):
        return prose(
            "This model adds learned positions to the embedding instead of rotating queries and keys, so that the "
            "circuit does not depend on the distance between two tokens."
        )
    return prose(
        "This model rotates queries and keys by their positions, so that how well they match depends on how far apart "
        "they are. <em>Embeddings</em> leaves the rotation out, as if both stood at one place; <em>embeddings, "
        "rotated</em> takes it at the distance at which the repetition lies. Where a head matches content, both agree."
    )


def control_box(control: pd.DataFrame) -> Markup:
    """What the same analysis finds in the model that was trained to copy."""
    found = control.set_index("name")
    rows = list(_controls(found))
    caption = (
        "A small GPT-2 that was trained on repeated random tokens alone, and copies them, must have an induction "
        "circuit. The same code, run on it, should find it."
    )
    shown = [{**row, "verdict": badge(row["verdict"])} for row in rows]
    table = html_table(shown, caption, text=("expected", "found", "verdict"))
    return Markup('<aside class="box"><h3>Control: a model that surely has the circuit</h3>{}</aside>').format(table)


def _controls(found: pd.DataFrame) -> Iterator[dict]:
    value = found["value"]
    yield _control("the second half is predicted", found, "second_accuracy", value["second_accuracy"] > 0.9)
    for line, name in LINES.items():
        above = found.loc[f"{line}_score", "low"] > 2 * found.loc[f"random_{line}_score", "high"]
        yield _control(f"{name} head: far above random weights", found, f"{line}_score", above)
    if "composition_embedding_random" in found.index:
        above = found.loc["composition_embedding", "low"] > found.loc["composition_embedding_random", "high"]
        yield _control("K-composition above every random pair", found, "composition_embedding", above)
    falls = [name for name in found.index if name.startswith("accuracy_without") and name.endswith("induction")]
    fall = min(falls, key=lambda name: value[name])
    yield _control("accuracy falls without the induction heads", found, fall, found.loc[fall, "high"] < 0)


def _control(expected: str, found: pd.DataFrame, name: str, holds: bool) -> dict:
    shown = Markup("{}. {}").format(_finding(found, name, number), _note(found, name))
    return {"expected": expected, "found": shown, "verdict": outcome(bool(holds), not holds)}


def _best(heads: pd.DataFrame, line: str) -> pd.DataFrame:
    main = heads[(heads["weights"] == "trained") & (heads["length"] == heads["length"].iloc[0])]
    return main[main["line"] == line].set_index(["block", "head"]).sort_values("value", ascending=False)


def _measures(pairs: pd.DataFrame) -> dict[str, str]:
    return {measure: name for measure, name in MEASURES.items() if measure in set(pairs["measure"])}


def _top1(row: pd.Series) -> Markup:
    return estimate(row["top1"], row["low"], row["high"], unsigned)


def _row(row: pd.Series, form) -> Markup:
    return estimate(row["value"], row["low"], row["high"], form)


def _finding(found: pd.DataFrame, name: str, form) -> Markup:
    return _row(found.loc[name], form)


def _note(found: pd.DataFrame, name: str) -> str:
    note = found.loc[name, "note"]
    return "" if pd.isna(note) else note


def _count(value: float) -> str:
    return number(int(value))
