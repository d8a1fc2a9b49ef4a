"""How config `statistics` becomes the options of intervals."""

HAIR = 1e-9  # of the level; far more than what rounding adds to p values, far less than a whole fraction of draws


def alpha_of(statistics: dict) -> float:
    """The level of tests, 1 - confidence and a HAIR more: p is shown to be small if it is at most the level, which
    rounding must not decide where p is a whole fraction, such as 4 of 40, or a multiple of one, after adjustment."""
    return (1 - statistics["confidence"]) * (1 + HAIR)


def resampling(statistics: dict) -> dict:
    """The options of `bootstrap_mean` and `bootstrap_statistic`: seed, resamples and alpha."""
    return {
        "seed": statistics["seed"],
        "resamples": statistics["resamples"],
        "alpha": alpha_of(statistics),
    }
