"""How config `statistics` becomes the options of intervals."""


def alpha_of(statistics: dict) -> float:
    """The level of tests, 1 - confidence; of 0.95 a hair above 0.05: who compares whole fractions rounds it."""
    return 1 - statistics["confidence"]


def resampling(statistics: dict) -> dict:
    """The options of `bootstrap_mean` and `bootstrap_statistic`: seed, resamples and alpha."""
    return {
        "seed": statistics["seed"],
        "resamples": statistics["resamples"],
        "alpha": alpha_of(statistics),
    }
