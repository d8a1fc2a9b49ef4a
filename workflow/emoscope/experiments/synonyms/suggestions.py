"""Synonyms from WordNet for frequent words that the synonym table lacks, for a person to choose from.

WordNet does not know which sense a tweet means, so nothing here is used unread: rows that a person likes go into
data/lexicons/synonyms.csv.
"""

import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pandas as pd
from lemminflect import getAllLemmas

from emoscope.experiments.synonyms.forms import form_of
from emoscope.experiments.synonyms.replace import SynonymTable
from emoscope.experiments.synonyms.wordnet import Sense, WordNet, wordnet_folder
from emoscope.perturbation.english.tagger import tag_scores
from emoscope.storage.files import write_csv

COLUMNS = ["class", "word", "synonym", "pos", "gloss"]
RARE = math.log(0.1)  # a part of speech less than a tenth as likely as the word's usual one is left out
_PARTS = {"NN": "NOUN", "VV": "VERB", "AJ": "ADJ", "AV": "ADV"}
_PENN = {"NN2": "NNS", "VVD": "VBD", "VVN": "VBN", "VVG": "VBG", "VVZ": "VBZ", "AJC": "JJR", "AJS": "JJS"}


def suggest_synonyms(words: Path, synonyms: Path, count: int, output: Path) -> None:
    """Write up to `count` suggestions for each frequent word and part of speech: `class, word, synonym, pos, gloss`.

    The first four columns are those of the synonym table; the gloss says which sense of the word is meant.
    """
    wordnet = WordNet(wordnet_folder())
    held = {word for word, _ in SynonymTable.load(synonyms).mapping}
    frequent = pd.read_parquet(words)
    # `published` counts pieces of contractions as words (m, dont)
    frequent = frequent[(frequent["stop_words"] == "stripped") & ~frequent["word"].isin(held)]
    rows = [
        (class_name, word, synonym, pos, gloss)
        for class_name, word in zip(frequent["class"], frequent["word"], strict=True)
        for pos, tag in usual_parts(word).items()
        for synonym, gloss in islice(suggestions(word, pos, tag, wordnet), count)
    ]
    write_csv(pd.DataFrame(rows, columns=COLUMNS), output)


def usual_parts(word: str) -> dict[str, str]:
    """The usual parts of speech of a word, each with the C5 tag of its form, the likeliest first."""
    scores = tag_scores(word)
    parts: dict[str, str] = {}
    for tag in sorted(scores, key=scores.get, reverse=True):
        if scores[tag] - max(scores.values()) > RARE and tag[:2] in _PARTS:
            parts.setdefault(_PARTS[tag[:2]], tag)
    return parts


def suggestions(word: str, pos: str, tag: str, wordnet: WordNet) -> Iterator[tuple[str, str]]:
    """Each synonym of a word as this part of speech, in the form of the word, and its sense; frequent senses first.

    Only single words in lower case. What WordNet calls similar follows the synonyms of the same sense.
    """
    lemma = getAllLemmas(word).get(pos, (word,))[0]
    seen = {word}
    for synonym, gloss in _synonyms(wordnet.senses(lemma, pos)):
        if synonym != lemma and synonym.isalpha() and synonym.islower():
            inflected = form_of(synonym, _PENN[tag]) if tag in _PENN and word != lemma else synonym
            if inflected not in seen:
                seen.add(inflected)
                yield inflected, gloss


def _synonyms(senses: list[Sense]) -> Iterator[tuple[str, str]]:
    for sense in senses:
        for near in (sense, *sense.near):
            for word in near.words:
                yield word, near.gloss
