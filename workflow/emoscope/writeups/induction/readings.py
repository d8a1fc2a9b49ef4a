"""What the induction page reads off the summaries, beside the findings: the best heads, and how random ones compare."""

import pandas as pd

from emoscope.writeups.induction.summarise import HEAD


def best_heads_of(heads: pd.DataFrame, line: str) -> pd.DataFrame:
    """The trained model's heads at the main length by (block, head), those with the highest scores first."""
    main = heads[(heads["weights"] == "trained") & (heads["length"] == heads["length"].iloc[0])]
    return main[main["line"] == line].set_index(HEAD).sort_values("value", ascending=False)


def random_sets(changes: pd.DataFrame) -> pd.DataFrame:
    """What silencing random heads changes, by how many: mean, smallest and largest as `value, low, high`.

    Of so many `draws`, `as_costly` cost at least as much as the best induction heads do.
    """
    random = changes[changes["kind"] == "random"]
    own = changes[changes["kind"] == "induction"].set_index("heads")["value"]
    drawn = random.assign(as_costly=random["value"] <= random["heads"].map(own)).groupby("heads")
    return drawn.agg(
        value=("value", "mean"),
        low=("value", "min"),
        high=("value", "max"),
        as_costly=("as_costly", "sum"),
        draws=("value", "size"),
    )


def best_random_pairs(composed: pd.DataFrame) -> pd.DataFrame:
    """By measure the random pair with the highest top-1 accuracy, the `mean` of all of them, and how many `pairs`."""
    random = composed[composed["kind"] == "random"]
    by_measure = random.groupby("measure", sort=False)["top1"]
    best = random.loc[by_measure.idxmax()].set_index("measure")
    return best.assign(mean=by_measure.mean(), pairs=by_measure.size())


def beside_random_pairs(composed: pd.DataFrame) -> pd.DataFrame:
    """By measure the main pair, and how many of the `random` pairs have `reached` its accuracy and `ranked` as low."""
    rows = {}
    for measure, part in composed.groupby("measure", sort=False):
        main, random = part[part["kind"] == "main"].iloc[0], part[part["kind"] == "random"]
        reached, ranked = (random["top1"] >= main["top1"]).sum(), (random["rank"] <= main["rank"]).sum()
        rows[measure] = {**main, "random": len(random), "reached": reached, "ranked": ranked}
    return pd.DataFrame.from_dict(rows, orient="index")
