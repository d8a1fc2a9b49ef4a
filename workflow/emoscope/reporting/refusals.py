"""What a page says of experiments that are not exact for its model and are left out."""

from collections.abc import Mapping

from markupsafe import Markup

from emoscope.reporting.html import listed

SENTENCE = Markup("<p><strong>{}</strong>: left out. It needs {}, which does not hold for this model.</p>")
TITLES = {
    "head masks": "Masks of single heads",
    "patching": "Activation patching",
    "attribution": "Direct logit attribution",
    "lens": "The answer after each block",
    "attention": "Attention",
    "probing": "Probing",
    "features": "Features",
}
CLAIMS = {
    "pooled": "that the classification head reads one token alone",
    "heads": "that the heads' outputs add up to that of their projection",
    "resumed": "that a run resumed at any block gives the answer of a whole one",
    "lens": "that the lens after the last block gives the model's answer",
    "parts": "that what the parts write adds up to the answer",
    "values": "that recorded attention weights times values are what the heads put out",
    "weights": "that attention weights can be recorded without changing the answer",
    "blocking": "that a mask which hides nothing changes nothing",
}


def refusals(exactness: Mapping, *experiments: str) -> Markup:
    """A sentence for each of these experiments that is refused, with the numbers why; nothing where all are exact."""
    checks = {check["check"]: check for check in exactness["checks"]}
    parts = []
    for what in experiments:
        why = [f"{CLAIMS[name]} ({_measured(checks[name])})" for name in exactness["refused"].get(what, ())]
        if why:
            parts.append(SENTENCE.format(TITLES[what], listed(why)))
    return Markup("\n").join(parts)


def _measured(check: Mapping) -> str:
    if check["error"] is None:
        return f"the model fails with {check['note']}"
    return f"off by {check['error']:g} times the largest value, where {check['limit']:g} is allowed"
