"""What the induction page says: tables and sentences over the summaries and findings."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import MINUS, badge, cell, html_table, number, outcome, signed, unsigned
from emoscope.reporting.passages import Findings, passage
from emoscope.storage.names import EVERYWHERE
from emoscope.writeups.induction.checks import GIVEN, circuit_checks, copies
from emoscope.writeups.induction.readings import beside_random_pairs, best_heads_of, best_random_pairs, random_sets
from emoscope.writeups.induction.summarise import BEYOND

say = partial(passage, "induction")
LINES = {"induction": "induction", "previous": "previous token"}
KINDS = {"induction": "best induction heads", "previous": "best previous-token heads", "random": "random heads"}
RANDOM_COLUMNS = (
    *(KINDS["random"], "induction heads beyond random ones"),
    "random sets that cost as much as the induction heads",
)
REPLACED = {
    "mlp_seam": "at the seam (offset 0)",
    "mlp_one_position": "at a single later position",
    "mlp_own_position": "at a single later position, loss there alone",
    "mlp_everywhere": "at all positions but the seam, at once",
}
MEASURES = {"embedding": "embeddings", "rotated": "embeddings, rotated", "context": "after BOS"}
CHECKS = {
    "induction_score": "induction head: far above random weights",
    "previous_score": "previous token head: far above random weights",
    "composition_embedding": "K-composition above every random pair",
}


def beside_published(found: Findings, published: pd.DataFrame) -> Markup:
    """The blog's numbers beside ours."""
    rows = [
        {
            "what": row.what,
            "blog, GPT-2 small": f"{row.published:g}".replace("-", MINUS),
            "here": found.shown(row.finding, _count if row.finding.endswith(("block", "head")) else number),
            "of what": found.note(row.finding),
        }
        for row in published.itertuples()
    ]
    caption = "The numbers of the blog post, which are GPT-2 small's, beside this model's, with intervals."
    return html_table(rows, caption, text=("what", "of what"))


def copier_box(found: Findings) -> Markup:
    """What the same analysis finds in the model that was trained to copy."""
    verdicts = {
        name: badge(outcome(holds is True, holds is False)) for name, holds in circuit_checks(found.rows).items()
    }
    rows = [
        {
            "expected": CHECKS.get(name, "accuracy falls further without induction heads than without random ones"),
            "found": Markup("{}. {}").format(found.shown(name), found.note(name)),
            "verdict": verdict,
        }
        for name, verdict in verdicts.items()
    ]
    table = html_table(rows, say("copier_table"), text=("expected", "found", "verdict"))
    return say("copier", found=found, given=GIVEN, copies=copies(found.rows), table=table)


def by_length(halves: pd.DataFrame, heads: pd.DataFrame) -> Markup:
    """Accuracy, log-probability and the best induction head's score for each length of the halves."""
    block, head = best_heads_of(heads, "induction").index[0]
    scores = heads.query("weights == 'trained' and line == 'induction' and block == @block and head == @head")
    rows = [
        {
            "tokens in a half": number(length),
            "accuracy, first half": cell(cells.loc[("first", "accuracy")], number),
            "accuracy, second half": cell(cells.loc[("second", "accuracy")], number),
            "but its first token": cell(cells.loc[("known", "accuracy")], number),
            "log-probability, second half": cell(cells.loc[("second", "log_prob")], number),
            f"score of ({block}, {head})": cell(scores[scores["length"] == length].iloc[0], number),
        }
        for length, part in halves.groupby("length", sort=False)
        for cells in [part.set_index(["half", "measure"])]
    ]
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
    best = {line: best_heads_of(heads, line).head(count) for line in LINES}
    fresh = heads[heads["weights"] != "trained"]
    rows = [
        {"rank": number(place + 1)}
        | _both_lines({line: ("({}, {})".format(*rows.index[place]), rows.iloc[place]) for line, rows in best.items()})
        for place in range(min(map(len, best.values())))
    ]
    last = {line: ("the best", fresh[fresh["line"] == line].nlargest(1, "value").iloc[0]) for line in LINES}
    named = [f"{name} head" for name in LINES.values()]
    return html_table([*rows, {"rank": "random weights"} | _both_lines(last)], say("best_heads"), text=named)


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
    """By block: rise of the loss with the MLP output replaced at all positions but the seam at once."""
    return mlps[mlps["offset"] == EVERYWHERE].sort_values("block")


def mlp_table(found: Findings, silenced: pd.DataFrame) -> Markup:
    """The largest changes of the loss, over blocks and positions."""
    rows = [
        {
            "replaced": what,
            "largest rise of the loss (nats)": found.shown(name, signed),
            "where": found.note(name),
        }
        for name, what in REPLACED.items()
    ]
    return html_table(rows, say("mlp_table", loss=_unchanged(silenced, "loss")), text=("replaced", "where"))


def silenced_changes(silenced: pd.DataFrame) -> pd.DataFrame:
    """Changes of accuracy, without the row of the unchanged model."""
    return silenced[(silenced["measure"] == "accuracy") & (silenced["kind"] != "none")]


def silenced_table(silenced: pd.DataFrame, counts: Sequence[int]) -> Markup:
    """Change of accuracy by number and kind of heads, of the `counts` asked for; for random ones the mean, the range,
    what the best heads do beyond the mean, and their rank."""
    changes = silenced_changes(silenced)
    chosen, random = changes[changes["kind"] != "random"].set_index(["heads", "kind"]), random_sets(changes)
    tried = sorted(changes["heads"].unique())
    rows = [
        {
            "heads": number(count),
            **{KINDS[kind]: cell(chosen.loc[(count, kind)]) for kind in ("induction", "previous")},
            **(_random_cells(random, chosen, count) if len(random) else {}),
        }
        for count in tried
    ]
    alone, absent = (sorted({*one} - {*other}) for one, other in ((tried, random.index), (counts, tried)))
    return html_table(
        rows, say("silenced_table", accuracy=_unchanged(silenced, "accuracy"), alone=alone, absent=absent)
    )


def pair_table(pairs: pd.DataFrame) -> Markup:
    """The best pairs, and the best and mean of the random pairs, by every measure."""
    measures, random = _measures(pairs), best_random_pairs(pairs)
    columns = ("previous-token head", "induction head", "keys of head", *measures.values())
    lines = []
    for _, part in pairs[pairs["kind"] != "random"].groupby("pair", sort=False):
        first, cells = part.iloc[0], part.set_index("measure")
        heads = (f"({first[f'{which}block']}, {first[f'{which}head']})" for which in ("previous_", ""))
        lines.append((*heads, number(int(first["key_head"])), *(_top1(cells.loc[measure]) for measure in measures)))
    if len(random):
        best = f"best of {random['pairs'].iloc[0]}"
        lines.append(("random pairs,", best, "", *(_top1(random.loc[measure]) for measure in measures)))
        lines.append(("random pairs,", "mean", "", *(unsigned(random.loc[measure, "mean"]) for measure in measures)))
    candidates = pairs.groupby("measure")["candidates"].first()
    lines.append(("chance", "", "", *(unsigned(1 / candidates[measure]) for measure in measures)))
    return html_table(
        [dict(zip(columns, line, strict=True)) for line in lines],
        say("pair_table", tokens=pairs["tokens"].iloc[0], others=pairs["tokens"].min()),
        text=columns[:2],
    )


def pair_findings(pairs: pd.DataFrame) -> Markup:
    """How the main pair compares with the random ones, by every measure."""
    compared = beside_random_pairs(pairs)
    return say("pairs", pairs=[{"name": name, **compared.loc[measure]} for measure, name in _measures(pairs).items()])


def about_rotation(pairs: pd.DataFrame) -> Markup:
    """What rotary positions do to the measure, where the model has them."""
    return say("rotation", rotates=(pairs["measure"] == "rotated").any())


def _both_lines(heads: dict[str, tuple[str, pd.Series]]) -> dict[str, str]:
    """A head and its score, side by side for each line."""
    cells = {}
    for line, name in LINES.items():
        head, row = heads[line]
        cells |= {f"{name} head": head, f"{name} score": cell(row, number)}
    return cells


def _random_cells(random: pd.DataFrame, chosen: pd.DataFrame, count: int) -> dict[str, str]:
    """Random sets of so many heads: mean and range, the best induction heads beyond that, and how many cost as much."""
    if count not in random.index:
        return dict.fromkeys(RANDOM_COLUMNS, "n/a")
    drawn = random.loc[count]
    found = (
        "{} ({} to {})".format(*map(signed, drawn[["value", "low", "high"]])),
        cell(chosen.loc[(count, BEYOND)]),
        "{as_costly:.0f} of {draws:.0f}".format(**drawn),
    )
    return dict(zip(RANDOM_COLUMNS, found, strict=True))


def _unchanged(silenced: pd.DataFrame, measure: str) -> pd.Series:
    """What the model reaches as it is."""
    return silenced[(silenced["kind"] == "none") & (silenced["measure"] == measure)].iloc[0]


def _measures(pairs: pd.DataFrame) -> dict[str, str]:
    return {measure: name for measure, name in MEASURES.items() if measure in set(pairs["measure"])}


def _top1(row: pd.Series) -> Markup:
    return cell(row, unsigned, value="top1")


def _count(value: float) -> str:
    return number(int(value))
