"""How config `statistics` becomes the options of intervals."""


def resampling(statistics: dict) -> dict:
    """The options of `bootstrap_mean` and `bootstrap_statistic`: seed, resamples and alpha."""
    return {
        "seed": statistics["seed"],
        "resamples": statistics["resamples"],
        "alpha": 1 - statistics["confidence"],
    }
