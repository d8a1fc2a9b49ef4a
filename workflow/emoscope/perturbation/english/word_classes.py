"""Word lists of English that rules look words up in: closed classes, and open ones by what their words do to `her`."""

from lemminflect import getAllInflections


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
