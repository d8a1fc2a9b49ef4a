"""The words of verdicts: what their labels look like, and what those of the claims mean."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """badge: the kind of label. colour and meaning: for the verdicts on claims, which are drawn and explained."""

    badge: str
    colour: str = ""
    meaning: str = ""


WORDS = {
    "reproduced": Word(
        "good",
        "#0173b2",
        "this run agrees: the number lies within the tolerance, the effect is there, or it was shown to be so small "
        "that it counts as none",
    ),
    "contradicted": Word("bad", "#d55e00", "this run can tell, and disagrees"),
    "artefact": Word(
        "odd",
        "#7b4fa3",
        "the published number is not a measurement of what the text says: it exceeds what is possible, or what the "
        "text says does not hold here and the authors' code, repeated here, gives a different result",
    ),
    "underpowered": Word(
        "open",
        "#c9a400",
        "the sample is too small to tell; the note says how large an effect may hide in it, and about how many texts "
        "would tell",
    ),
    "not testable here": Word(
        "",
        "#b5b5b5",
        "the number depends on the source's data or model, which this run does not share, or the run has nothing to "
        "measure it on; or no effect was found in a model that was not shown to read its texts",
    ),
    "found": Word("good"),
    "partly found": Word("open"),
    "missed": Word("bad"),
    "cannot tell": Word("open"),
    "equivalent": Word("good"),
    "different": Word("bad"),
    "flagged": Word("bad"),
    "redundant": Word("odd"),
    "overlapping": Word("odd"),
    "additive": Word("good"),
    "not settled": Word("open"),
    "acts": Word("odd"),
    "does not act": Word(""),
    "not shown": Word("open"),
    "switched": Word("odd"),
    "stays": Word(""),
}
ON_CLAIMS = {name: word for name, word in WORDS.items() if word.meaning}
