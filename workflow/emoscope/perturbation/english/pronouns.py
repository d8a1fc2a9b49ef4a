"""What `her` and `his` stand for, read from their neighbours: him or his, her or hers.

Rules read the words after the pronoun as a noun phrase ("her almost rude answer": his) or find none ("hugged her
fiercely": him); the verb before it decides between a noun and a verb of the same form ("made her cry", "her cry").
Parts of speech come from the tagger in `perturbation`, so these rules decide and the tagger only informs them.
"""

from emoscope.perturbation.english.phrases import adverbial, back, compound, describes_object
from emoscope.perturbation.english.sentences import Sentence, is_base_verb, parts, usual_tag, verb_over_noun
from emoscope.perturbation.english.word_classes import (
    AUXILIARIES,
    BE,
    BEFORE_OWNED,
    BRING,
    CAUSE,
    CLOSERS,
    CONJUNCTIONS,
    DEGREES,
    DO,
    GIVE,
    HAVE,
    KEEP,
    KIN,
    MARKS,
    MEALS,
    NAME,
    OBJECTS,
    OWN,
    PARTICLES,
    POSSESSIVES,
    PREPOSITIONS,
    SENSE,
    SERVE,
    STRIVE,
    SUBJECTS,
    TELL,
    UNITS,
    word_set,
)


def her_is_possessive(s: Sentence, i: int) -> tuple[bool, bool]:
    """Whether the `her` at i means `his` (True) or `him` (False), and whether that is certain."""
    before, first, second = s.word(i - 1), s.word(i + 1), s.word(i + 2)
    closed = not first or first in CLOSERS
    if before == "his" or (before in ("or", "and") and s.word(i - 2) == "his"):  # his her, his or her
        return not closed or first in POSSESSIVES, True
    if first == "or" and second in ("his", "hers"):
        return True, True
    if first == "his":
        return before in PREPOSITIONS, True
    if not first or first == "her":
        return False, True
    if first == "own" or (first == "very" and second == "own"):
        return True, True
    if compound(s, i) or (before in OBJECTS and not closed):  # told me her name
        return True, True
    if first == "all":
        return second == "time" or (before in GIVE and second in ("", "and", "to", "but", "for")), True
    if first == "best" and before in DO | STRIVE:
        return True, True
    liked = before == "like" and s.word(i - 2) in SUBJECTS
    if (
        first in ("most", "best", "worst")
        and before in PREPOSITIONS
        and not liked
        and second not in CLOSERS | {"of"} | KIN
    ):
        return True, True
    if not before and first in ("past", "behind", "well"):
        return True, True
    if not before and not closed and (s.tag(i + 1)[:2] in ("NN", "AJ", "OR") or first in ("home", "back", "right")):
        return True, True  # her home is warm, her last night was hard
    if first == "right" and second == "to" and is_base_verb(s.word(i + 3)) and before not in BRING:
        return True, True  # her right to choose
    if closed or adverbial(s, i) or describes_object(s, i):
        return False, True
    if first == "back":
        return back(s, i)
    if first == "home":
        owned = before not in BRING | KEEP | GIVE | CAUSE
        return owned or second in AUXILIARIES, owned or before in BRING or second != ""
    for rule in (_bare_infinitive, _gerund, _gift):
        verdict = rule(s, i)
        if verdict is not None:
            return verdict
    return _noun_phrase(s, i)


def _bare_infinitive(s: Sentence, i: int) -> tuple[bool, bool] | None:
    """(possessive, certain) where a verb may follow make, let, see, ...: made her cry, felt her kick; else None."""
    before, first = s.word(i - 1), s.word(i + 1)
    if not is_base_verb(first):
        return None
    odds = verb_over_noun(first)
    if before in HAVE and odds < 0:
        return None
    if before in CAUSE | HAVE and odds > -2 and first not in KIN:
        return False, odds > -1
    if before in SENSE and odds > -2 and not s.tag(i + 1).startswith("AJ"):
        followed = s.word(i + 2) == "" or s.tag(i + 2)[:2] in ("PR", "AT", "AV", "DP", "DT", "PN", "AJ")
        return not (odds > 0 or (odds > -1.4 and followed)), odds > 1
    return None


def _gerund(s: Sentence, i: int) -> tuple[bool, bool] | None:
    """(possessive, certain) before an -ing form: saw her standing (him), her being late (either), her writing (his)."""
    before, first, second = s.word(i - 1), s.word(i + 1), s.word(i + 2)
    if not first.endswith("ing") or "VERB" not in parts(first):
        return None
    after = s.tag(i + 2)
    if s.tag(i + 1).startswith("AJ") and after[:2] in ("AJ", "CR", "NN") and not second.endswith("ing"):
        return None
    if before in SENSE | KEEP:
        owned = after.startswith("NN") and (second in OWN or s.tag(i + 1).startswith("AJ"))
        return owned, owned or not after.startswith("NN")
    if not second or second in AUXILIARIES | word_set("of and but that makes made because"):
        return True, before in PREPOSITIONS or "NOUN" in parts(first)
    if second in CLOSERS or after[:2] in ("AJ", "AV", "VV") or "NOUN" not in parts(first) | parts(second):
        return not before or before in CONJUNCTIONS, True
    return None


def _gift(s: Sentence, i: int) -> tuple[bool, bool] | None:
    """(possessive, certain) before what she is given or called: gave her hope, made her soup, called her stupid."""
    before, first, k = s.word(i - 1), s.word(i + 1), i + 1
    if (
        before in NAME | KEEP | CAUSE
        and usual_tag(first).startswith("AJ")
        and first not in OWN
        and (not s.word(i + 2) or s.word(i + 2) in CLOSERS)
    ):
        return False, True
    while s.tag(k)[:2] in ("AJ", "AV", "CR", "OR") or s.tag(k) in ("VVN", "VVG") or s.tag(k + 1).startswith("NN"):
        k += 1
    if not s.tag(k).startswith("NN"):
        return None
    if before in SERVE and s.word(k) in MEALS:
        return False, True
    if before in NAME and first in KIN:
        return True, False
    if before in TELL and k == i + 1 and s.tag(k) == "NN2" and first not in OWN | KIN:
        return False, False
    if before in GIVE and s.word(k) not in OWN | KIN:
        owned = s.word(k + 1) in ("to", "a", "an", "the", "some")  # lent her book to a friend, gave her cat a bath
        return owned, False
    return None


def _noun_phrase(s: Sentence, i: int) -> tuple[bool, bool]:
    """Read adverbs, adjectives and participles until a noun (his) or anything else (him)."""
    before, last = s.word(i - 1), ""
    for k in range(i + 1, len(s.words)):
        word, tag = s.words[k], s.tag(k)
        if word == "," or word in ("and", "or", "but", "yet"):
            if s.tag(k - 1).startswith("AJ") and s.tag(k + 1)[:2] in ("AJ", "VV") and not s.opens_object(k + 2):
                continue
            break
        described = last not in ("", "AV0")
        if tag.startswith("VV") and "NOUN" in parts(word) and (described or tag != "VVZ") and not s.opens_object(k + 1):
            tag = "NN1"  # make, let, see, ... have been dealt with: no other verb takes `her` and a bare verb
        if last == "AV0" and word.endswith("ing") and "VERB" in parts(word) and tag != "AJ0":
            return False, True
        if tag.startswith(("NN", "NP")):
            return not (word in UNITS and s.words[k - 1] in ("last", "next")), True  # called her late last night
        particle = word in PARTICLES and last in ("VVN", "VVD", "AJ0")
        modifies = tag[:2] in ("AJ", "AV", "CR", "OR") or tag in ("VVN", "VVD", "VVG", "ZZ0") or word in DEGREES
        if not particle and (word in CLOSERS or word in MARKS or not modifies):
            break
        last = tag
    else:
        k = len(s.words)
    if before in BE and last:
        return True, False  # it was her first
    return before in PREPOSITIONS and last == "AJ0" and not s.word(k) and "NOUN" in parts(s.words[k - 1]), True


def his_is_independent(s: Sentence, i: int) -> bool:
    """Whether the `his` at i stands alone (hers) and owns nothing that follows (her): the choice was his."""
    first, second = s.word(i + 1), s.word(i + 2)
    if not first:
        return True
    if first in ("or", "and"):
        return second not in POSSESSIVES
    timed = first in ("every", "all", "right") and adverbial(s, i)
    if s.word(i - 1) in BE and (timed or (first in PARTICLES and second in ("the", "a", "my", "our"))):
        return True  # it was his all day, they were his over the holidays
    if first in POSSESSIVES or compound(s, i) or (first, second) in {("on", "and"), ("like", "minded")}:
        return False
    if first in PARTICLES | BEFORE_OWNED:
        return False
    if first in ("not", "too", "so"):
        return second in CLOSERS or not second
    return first in CLOSERS or (s.tag(i + 1) in ("VVD", "VVZ") and s.opens_object(i + 2))
