"""What a page says of pairs of texts that differ only where the model does not read."""

from collections.abc import Mapping

import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import number, plural


def beyond_context(kinds: Mapping[tuple, pd.DataFrame], unread: Mapping[tuple, int]) -> Markup:
    """How many pairs of each kind are left out as the model reads one and the same text twice; nothing without any.
    Kinds may hold several terms; those of which no pair counts have no summary: how many pairs such `unread` ones have.
    """
    told = []
    for key, summary in kinds.items():
        lost, counted = summary.loc[summary["measure"] == "changed", ["beyond_context", "pairs"]].sum()
        if lost:
            words = ", ".join(key), plural(int(lost), "pair"), "is" if lost == 1 else "are", number(int(counted))
            told.append(Markup("{}: {} {} left out, {} counted").format(*words))
    nothing = Markup("{}: {} left out, none counted")
    told += [nothing.format(", ".join(key), plural(lost, "pair")) for key, lost in unread.items()]
    said = Markup("<p>What is exchanged stands beyond the model's context, which reads the same in both texts. {}.</p>")
    return said.format(Markup("; ").join(told)) if told else Markup()
