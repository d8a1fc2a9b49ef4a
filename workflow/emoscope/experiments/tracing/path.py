"""What the shares say of the way through the text: where a pair's difference is early and late, and when half of it has
come to where the classifier reads."""

import pandas as pd

from emoscope.experiments.tracing.shares import BOTH

HALF = 0.5


def residual(shares: pd.DataFrame, kind: str, place: str) -> pd.DataFrame:
    """Shares at one kind of place by the number of blocks passed (`block`), mean of both directions."""
    rows = shares[(shares["site"] == "residual") & (shares["direction"] == BOTH)]
    return rows[(rows["kind"] == kind) & (rows["place"] == place)].sort_values("block").set_index("block")


def half_arrived(shares: pd.DataFrame, kind: str) -> tuple[int, int] | None:
    """After how many blocks, at least and at most, half of the difference is where the classifier reads.

    From the first depth whose interval reaches a half to the first whose whole interval does: of those whose interval
    contains a half it cannot be said. None without intervals, as where nothing moves.
    """
    reached = residual(shares, kind, "pooled")
    possible, certain = reached["high"] >= HALF, reached["low"] >= HALF
    return (int(possible.idxmax()), int(certain.idxmax())) if certain.any() else None


def ends(shares: pd.DataFrame) -> tuple[int, int]:
    """After how many blocks it is early (one), and late (all but one): further out all is as it is by construction."""
    blocks = int(shares.loc[shares["site"] == "residual", "block"].max())
    return 1, max(1, blocks - 1)
