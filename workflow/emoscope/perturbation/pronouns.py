"""What `her` and `his` stand for, read from their neighbours: him or his, her or hers.

Rules read the words after the pronoun as a noun phrase ("her almost rude answer": his) or find none ("hugged her
fiercely": him); the verb before it decides between a noun and a verb of the same form ("made her cry", "her cry").
Parts of speech come from the tagger in `perturbation`, so these rules decide and the tagger only informs them.
"""

from collections.abc import Sequence
from functools import cached_property, lru_cache

from lemminflect import getAllInflections, getAllLemmas, getLemma

from emoscope.perturbation.edits import tag_scores, tags


def word_set(text: str) -> frozenset[str]:
    """The words of a text, to look words up in."""
    return frozenset(text.split())


def _forms(verbs: str) -> frozenset[str]:
    """All inflected forms of the verbs."""
    return frozenset(
        form for verb in verbs.split() for forms in getAllInflections(verb, "VERB").values() for form in forms
    )


MARKS = frozenset(".,;:!?…()")
SUBJECTS = word_set(
    "i im ive id ill you u youre he hes hed she shes shed we it its they theyre this that these those there"
)
POSSESSIVES = word_set("my your our their its her ur")
AUXILIARIES = word_set(
    "is was were are am be been has had do does did can could will would shall should may might must cant couldnt "
    "wont wouldnt isnt wasnt didnt doesnt dont hasnt havent"
)
CONJUNCTIONS = word_set(
    "and but or nor because cause cuz coz when whenever where wherever while if unless though although since "
    "until till than whether as who what which whom whose why how amp"
)
PREPOSITIONS = word_set(
    "past to in on at for with from by of about into onto through between against after before during without "
    "within toward towards near beside beneath behind around across like over under upon above below"
)
# No noun phrase that `her` could own begins with one of these.
CLOSERS = (
    SUBJECTS
    | (POSSESSIVES - {"her"})
    | AUXILIARIES
    | CONJUNCTIONS
    | PREPOSITIONS
    | word_set(
        "me him us them myself himself herself yourself themselves a an the some any each both another such no "
        "not never always ever so too either just even especially again anymore today tonight yesterday tomorrow "
        "everyday sometimes forever later soon sooner once twice instead anyway anyways alone together away off "
        "out up down there here now nevermind lol haha ha hehe omg ugh yikes wow yay smh oh yeah ok okay xx xo "
        "then enough inside outside upstairs downstairs"
    )
)
# What may stand between `his` and what he owns, though it closes most noun phrases: his then girlfriend.
BEFORE_OWNED = word_set("then now once inside outside just every both such no never always ever soon even")
OBJECT_OPENERS = word_set(
    "me you him her us them it myself himself themselves my your his our their the a an this these those "
    "everything something"
)
OBJECTS = word_set("me you him her us them")
PARTICLES = word_set("up off out down over")
DEGREES = word_set("most more less other same re ex self non pre co mid semi step half")
BE = word_set("be is was were are am been being")
CAUSE = _forms("make let help bid")
HAVE = _forms("have")
SENSE = _forms("see hear watch feel notice observe imagine")
KEEP = _forms("keep leave catch find get want")
GIVE = _forms("give feed send buy bring offer lend owe cost wish grant cause")
DO = _forms("do")
TELL = _forms("tell teach")
SERVE = _forms("make cook bake buy bring get order pour")
MEALS = word_set("breakfast lunch dinner supper tea coffee soup food cake cookies pancakes pasta sandwich sandwiches")
BACK = _forms("arch hurt scratch rub pat break turn massage crack stroke strain injure straighten ache stretch watch")
# Whom one takes home or calls back.
BRING = _forms(
    "take bring drive send walk carry call follow fly ride escort lead let invite welcome rush drag see fetch text "
    "pull push move put help call phone ring message email write pay win hold hit kick punch slap answer ask"
)
RIGHT = _forms("treat do prove serve raise touch set steer")
STRIVE = _forms("try give look feel be act wear")
DRAW = _forms("hold pull hug keep draw want bring get squeeze need have") | word_set("held")
FOND = _forms("like love know hate remember understand miss suit need want meet")
TAKE = _forms("take cost")
NAME = _forms("call name")
# Nouns that mean what belongs to `her`, even after `give` or `call`.
KIN = word_set(
    "mother mom mum father dad parents brother brothers sister sisters husband wife boyfriend girlfriend friend "
    "friends family son daughter kids kid child children baby boss dog cat doctor"
)
OWN = word_set(
    "life heart hand hands number name word best opinion consent permission blessing body soul voice speech story "
    "phone keys love face eyes arms lips smile skin hair head fingers breath beloved"
)
UNITS = word_set(
    "day days night nights morning evening afternoon moment time times second seconds minute minutes hour hours "
    "week weeks weekend month months year years summer winter"
)
DAYS = word_set("monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun")
BACK_OF = word_set(
    "pain pains ache problems issues injury surgery yard garden door seat pocket porch story muscles brace"
)
BACK_DOES = word_set("hurts hurt aches ached aching hurting against turned facing bent went gave")
COUNTS = word_set("many several few two three four five six seven ten last next one couple")


class Sentence:
    """Lower-case words and clause marks of one text, tagged when first asked."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)

    @cached_property
    def tags(self) -> list[str]:
        return tags(self.words)

    def word(self, i: int) -> str:
        """The word at i, or "" where the text or the clause ends."""
        return self.words[i] if 0 <= i < len(self.words) and self.words[i] not in MARKS else ""

    def tag(self, i: int) -> str:
        """The part of speech at i; where the tagger contradicts the lexicon ("horny" as a noun), the lexicon's."""
        if not self.word(i):
            return "PUN"
        word, tag = self.words[i], self.tags[i]
        if word.isdigit():
            return "CRD"
        known = parts(word)
        if tag.startswith("NN") and "ADJ" in known and "NOUN" not in known:
            return "AJ0"
        if tag == "CRD" and word.endswith("ies"):
            return "NN2"
        if not known and word.endswith("ly"):
            return "AV0"
        if tag == "UNC" or (not known and tag.startswith(("VV", "PRP", "CJ", "DT")) and word not in CLOSERS):
            return "NN1"
        doubtful = "VERB" not in known or (verb_over_noun(word) < 1.5 and not self.opens_object(i + 1))
        if tag == "VVZ" and "NOUN" in known and doubtful:
            return "NN2"
        return tag

    def opens_object(self, i: int) -> bool:
        """Whether a pronoun or article at i shows that the word before it is a verb."""
        return self.word(i) in OBJECT_OPENERS


@lru_cache(maxsize=20_000)
def parts(word: str) -> frozenset[str]:
    """The parts of speech (NOUN, VERB, ADJ, ADV, AUX, PROPN) that the lexicon lists for a word; none if unknown."""
    return frozenset(getAllLemmas(word))


@lru_cache(maxsize=20_000)
def singulars(word: str) -> frozenset[str]:
    """The word itself and the nouns of which it is the plural; by its ending where the lexicon does not know it."""
    return frozenset({word, *getLemma(word, "NOUN")})


@lru_cache(maxsize=20_000)
def usual_tag(word: str) -> str:
    """The most likely C5 tag of a word without context."""
    scores = tag_scores(word)
    return max(scores, key=scores.get, default="UNC")


@lru_cache(maxsize=20_000)
def is_base_verb(word: str) -> bool:
    """Whether a word can be an infinitive: make, feel, be."""
    lemmas = getAllLemmas(word)
    return word in (*lemmas.get("VERB", ()), *lemmas.get("AUX", ()))


@lru_cache(maxsize=20_000)
def verb_over_noun(word: str) -> float:
    """Log-odds that a word is a present verb rather than a noun, adjective or adverb, without context."""
    scores = tag_scores(word)
    verb = max((p for tag, p in scores.items() if tag in ("VVB", "VVI", "VVZ")), default=-30.0)
    return verb - max((p for tag, p in scores.items() if tag[:2] in ("NN", "AJ", "AV", "PR")), default=-30.0)


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
    if _compound(s, i) or (before in OBJECTS and not closed):  # told me her name
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
    if closed or _adverbial(s, i) or _describes_object(s, i):
        return False, True
    if first == "back":
        return _back(s, i)
    if first == "home":
        owned = before not in BRING | KEEP | GIVE | CAUSE
        return owned or second in AUXILIARIES, owned or before in BRING or second != ""
    for rule in (_bare_infinitive, _gerund, _gift):
        verdict = rule(s, i)
        if verdict is not None:
            return verdict
    return _noun_phrase(s, i)


def _compound(s: Sentence, i: int) -> bool:
    """Whether a function word begins a compound noun, as in: her in laws, her to do list, her then boyfriend."""
    first, second, third = s.word(i + 1), s.word(i + 2), s.word(i + 3)
    return (
        (first, second)
        in {("in", "law"), ("in", "laws"), ("so", "called"), ("like", "minded"), ("not", "so"), ("up", "bringing")}
        or (first == "to" and second == "do" and third in ("list", "lists"))
        or (first == "to" and second == "be" and third in KIN)
        or (first in ("then", "now", "ex", "once") and second in KIN)
        or (first == "soon" and second == "to" and third == "be")
        or (first in ("upstairs", "downstairs") and s.tag(i + 2).startswith("NN"))
        or (first, second)
        in {("later", "years"), ("later", "life"), ("alone", "time"), ("inside", "jokes"), ("inside", "voice")}
        or (
            first in ("always", "never", "ever", "sometimes")
            and (s.tag(i + 2).startswith("AJ") or second.endswith("ing"))
            and s.tag(i + 3).startswith("NN")
        )
        or (first in ("down", "over", "under", "out", "off") and s.tag(i + 2).startswith("NN") and second.endswith("s"))
    )


def _back(s: Sentence, i: int) -> tuple[bool, bool]:
    """The back of a body (her back hurts) or an adverb (called her back)."""
    before, second = s.word(i - 1), s.word(i + 2)
    if before in PREPOSITIONS | BE | BACK | CONJUNCTIONS or not before:
        return True, True
    if second in BACK_OF | BACK_DOES or second in AUXILIARIES:
        return True, True
    return False, before in KEEP | BRING | GIVE


def _describes_object(s: Sentence, i: int) -> bool:
    """A last word says how or when: held her close, treat her right, like her best, saw her monday."""
    before, first, second = s.word(i - 1), s.word(i + 1), s.word(i + 2)
    if second and second not in CLOSERS:
        return False
    return (
        (first == "right" and before in RIGHT)
        or (first in ("close", "closer", "near", "nearer", "tight") and before in DRAW)
        or (first in ("best", "most", "better", "first", "last") and before in FOND)
        or (first in DAYS and before not in PREPOSITIONS | BE)
    )


def _adverbial(s: Sentence, i: int) -> bool:
    """Whether an adverbial follows, as in: her every day, her many times, her right away, her one more."""
    first, second = s.word(i + 1), s.word(i + 2)
    return (
        (first in COUNTS | {"every", "all"} and second in UNITS and s.word(i + 3) != "of")
        or (first == "half" and second not in ("sister", "brother", "of"))
        or (first in UNITS and s.word(i - 1) in TAKE)
        or (first == "first" and second in ("thing", "time") and s.word(i - 1) not in PREPOSITIONS | BE)
        or (first == "long" and second in ("time", "enough", "ago", "before"))
        or (
            first == "right"
            and (second in PREPOSITIONS | CONJUNCTIONS or second in word_set("away now then here there back home"))
        )
        or (first == "one" and second in ("more", "of", "day", "last"))
        or (first in ("good", "justice", "harm", "wrong") and s.word(i - 1) in DO)
        or (first == "good" and second in ("night", "morning", "bye"))
        or (first in ("goodbye", "goodnight", "farewell", "daily", "weekly") and (not second or second in CLOSERS))
        or (first == "hand" and second == "and" and s.word(i + 3) == "foot")
    )


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
    timed = first in ("every", "all", "right") and _adverbial(s, i)
    if s.word(i - 1) in BE and (timed or (first in PARTICLES and second in ("the", "a", "my", "our"))):
        return True  # it was his all day, they were his over the holidays
    if first in POSSESSIVES or _compound(s, i) or (first, second) in {("on", "and"), ("like", "minded")}:
        return False
    if first in PARTICLES | BEFORE_OWNED:
        return False
    if first in ("not", "too", "so"):
        return second in CLOSERS or not second
    return first in CLOSERS or (s.tag(i + 1) in ("VVD", "VVZ") and s.opens_object(i + 2))
