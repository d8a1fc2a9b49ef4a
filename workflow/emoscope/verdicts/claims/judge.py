"""The verdict on one number of a claim, and the reason for it."""

import numpy as np
from scipy.stats import norm

from emoscope.reporting.findings import Finding
from emoscope.statistics.equivalence import interval_test
from emoscope.statistics.sample_size import clusters_for_rate, texts_for_mean, texts_for_rate

DIFFERENT = "The authors' code and the paper's text measure different things; their code's number here is"


def tested(found: Finding, margin: float, alpha: float, exact: bool) -> Finding:
    """A finding with what its experiment did not test: whether it lies within the margin, or beyond.

    The standard errors are those that its interval implies, one on either side. Without an interval nothing is known of
    a number, unless it is `exact`, not taken from a sample.
    """
    if not np.isnan(found.within) or not (exact or found.high > found.low):
        return found
    within, beyond, detectable = interval_test(found.value, found.low, found.high, margin, alpha)
    if not np.isnan(found.detectable) or not detectable:
        detectable = found.detectable
    return found._replace(within=within, beyond=beyond, detectable=detectable)


def judge(
    claim: dict, found: Finding, missing: list[str], margin: float, alpha: float, tests: int = 1
) -> tuple[str, str]:
    """The verdict on one number of a claim and the reason for it.

    `missing` names what the run does not share with the source, `tests` counts the claim's numbers. A claim with a
    `headroom` is from code that did not do what its text says: it is an artefact if the number is impossible, or if it
    cannot be upheld and the authors' code and their text differ here.
    """
    if impossible(claim):
        return "artefact", f"The authors' log leaves a rise of {claim['headroom']:.1g} at most."
    if missing:
        return "not testable here", f"Comparable only with the source's {' and '.join(missing)}."
    match claim["judge"]:
        case "value":
            verdict, reason = _judge_value(claim, found, alpha, tests)
        case "no effect":
            verdict, reason = _judge_nothing(found, margin, alpha, tests, below="raw" in claim)
        case kind:
            tolerance = claim["tolerance"]
            verdict, reason = _judge_effect(found, tolerance, margin, alpha, tests, above=kind == "effect")
    if verdict == "contradicted" and "headroom" in claim and _apart(found):
        return "artefact", f"{reason} {DIFFERENT} {found.code:+.3g}."
    return verdict, reason


def impossible(claim: dict) -> bool:
    """Whether the authors' own log rules out the number that they publish: an artefact, whatever a run finds."""
    return claim["judge"] == "value" and "headroom" in claim and claim["published"] > claim["headroom"]


def _judge_value(claim: dict, found: Finding, alpha: float, tests: int) -> tuple[str, str]:
    """Whether a number is the published one, within the tolerance or, if the source leaves one, in a range.

    On texts of our own an interval wider than the tolerance would agree by luck; the source's own corpus is not a
    sample, since the published number was taken from it, too.
    """
    if np.isnan(found.low) and not np.isnan(found.texts):
        count, noun = _sample(found)
        return "underpowered", f"{count:.0f} independent {noun} are too few for an interval."
    published = claim["published"]
    least, most = claim.get("range") or (published - claim["tolerance"], published + claim["tolerance"])
    allowed = f"between {least:.3g} and {most:.3g}" if "range" in claim else f"within {claim['tolerance']:.3g} of it"
    wide = "corpus" not in claim.get("needs", []) and (found.high - found.low) / 2 > (most - least) / 2
    if round(least, 12) <= round(found.value, 12) <= round(most, 12):
        return ("underpowered", f"It lies {allowed}, but its interval is wider.") if wide else ("reproduced", "")
    low, high = widened(found, alpha, tests)
    if low <= most and high >= least:
        if found.rate:
            hidden = _hidden(found, least if found.value < least else most, alpha)
        else:
            gap = found._replace(**{name: getattr(found, name) - published for name in ("value", "low", "high")})
            hidden = _hidden(gap, (most - least) / 2, alpha)
        return "underpowered", f"Not {allowed}, but the interval reaches there. {hidden}"
    return "contradicted", f"Not {allowed}."


def _judge_nothing(found: Finding, margin: float, alpha: float, tests: int, below: bool) -> tuple[str, str]:
    """Whether a number lies within the margin; with `below`, what is less than zero is no effect either."""
    if below:
        found = found._replace(value=max(found.value, 0), low=max(found.low, 0))
    if found.within <= alpha:
        return "reproduced", f"Shown to lie below {margin:g}." if below else f"Shown to lie within {margin:g} of zero."
    if found.beyond * tests <= alpha:
        return "contradicted", f"Shown to lie beyond {margin:g} from zero."
    told = f"Neither shown to lie within {margin:g} of zero nor beyond. {_hidden(found, margin, alpha)}"
    if found.texts < found.fewest:
        told += (
            f" Even if no text had changed, {found.texts:,.0f} texts could not show it: "
            f"it takes about {_about(found.fewest)} at least."
        )
    return "underpowered", told


def _judge_effect(
    found: Finding, tolerance: float, margin: float, alpha: float, tests: int, above: bool
) -> tuple[str, str]:
    """Whether the whole interval lies above the tolerance, or below it if that is the claim."""
    side, (low, high) = "above" if above else "below", widened(found, alpha, tests)
    if np.isnan(found.low):
        return "underpowered", "It has no interval."
    if found.low > tolerance if above else found.high < tolerance:
        return "reproduced", f"The interval lies {side} {tolerance:g}."
    if high <= tolerance if above else low >= tolerance:
        return "contradicted", f"The interval does not reach {side} {tolerance:g}."
    # no number of texts shows that a rate is zero, but a finite one that it is small
    target = tolerance or margin if found.rate else tolerance
    told = _hidden(found, target, alpha, effect=True)
    return "underpowered", f"The interval lies on both sides of {tolerance:g}. {told}"


def widened(found: Finding, alpha: float, tests: int) -> tuple[float, float]:
    """The interval with Bonferroni's correction for several tests, by the normal curve; an exact number stays."""
    if np.isnan(found.low):
        return found.value, found.value
    one, all_ = norm.ppf([1 - alpha / 2, 1 - alpha / 2 / tests])
    return tuple(found.value + (bound - found.value) * all_ / one for bound in (found.low, found.high))


def _hidden(found: Finding, target: float, alpha: float, effect: bool = False) -> str:
    """How large an effect would have gone undetected in an underpowered sample, and how many texts would tell; of rates
    that betting tested, how many sentences. An `effect` has to leave out the target, not the same below zero, too."""
    largest = np.nanmax(np.abs([found.value, found.low, found.high]))
    hidden = f"An effect of up to {largest:.2g} would have gone undetected"
    if found.rate:
        betting = not np.isnan(found.sentences)
        size, sides = (clusters_for_rate, 1) if betting else (texts_for_rate, 1 + effect)  # betting counts them itself
        needed = size(found.value, target, alpha / sides)
    else:
        value, target = (found.value - target, 0.0) if effect else (found.value, target)
        needed = texts_for_mean(value, target, found.detectable, found.texts)
    if not np.isfinite(needed):
        return f"{hidden}."
    count, noun = _sample(found)
    return f"{hidden}; about {_about(needed)} {noun} would be needed to tell, instead of {count:,.0f}."


def _about(needed: float) -> str:
    """A number of texts in two digits, rounded up: fewer would not do."""
    unit = 10 ** max(np.floor(np.log10(needed)) - 1, 0)
    return f"{np.ceil(round(needed / unit, 6)) * unit:,.0f}"


def _sample(found: Finding) -> tuple[float, str]:
    """How many independent things a finding rests on, and what they are."""
    return (found.texts, "texts") if np.isnan(found.sentences) else (found.sentences, "sentences")


def _apart(found: Finding) -> bool:
    """Whether the intervals of text and code do not overlap; never true of one that is not known."""
    return found.high < found.code_low or found.code_high < found.low
