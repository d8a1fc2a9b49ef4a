"""The texts from which autoencoders learn, and those on which they are judged."""

import pandas as pd

from emoscope.data.known_texts import stand_in


def learned_and_judged(
    training: pd.DataFrame, testing: pd.DataFrame, config: dict
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Distinct training texts, `learned` of them, and `judged` test texts that are no training text at all."""
    learned, judged = training.drop_duplicates("text"), testing.drop_duplicates("text")
    judged = judged[~stand_in(judged["text"], training["text"])]
    return tuple(
        table.sample(min(config[count], len(table)), random_state=config["seed"]).reset_index(drop=True)
        for table, count in ((learned, "learned"), (judged, "judged"))
    )
