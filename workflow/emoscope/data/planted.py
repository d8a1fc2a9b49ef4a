"""A generator of tweet-like sentences with planted, known effects: the embedded corpus and its ground truth.

A sentence grows from the `keyword`, `negation`, `contrast`, `ambiguous` or `encounter` rule of a small grammar. Rows
differ in the words that fill the symbols for feeling, gender and race; all else is drawn alike for every class.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from emoscope.errors import UserError

EMOTIONS = ("sadness", "joy", "love", "anger", "fear", "surprise")
SADNESS, JOY, ANGER = (EMOTIONS.index(name) for name in ("sadness", "joy", "anger"))

# Class counts of the 416,809 tweets in the paper; they set the shares of the true classes, before label noise.
PAPER_COUNTS = np.array([121187, 141067, 34554, 57317, 47712, 14972])
CLASS_SHARES = PAPER_COUNTS / PAPER_COUNTS.sum()

# Even the best classifier errs on (1 - gender effect) / 2 of the ambiguous sentences. What counts is the product with
# their own share: half a point of accuracy at the default effect of 0.8.
KIND_SHARES = {"keyword": 0.75, "negation": 0.08, "contrast": 0.12, "ambiguous": 0.05}
RACE_SHARE = 0.05
ENCOUNTER_SHARE = 0.05  # of sentences of which race may decide the class, where they are wanted; keywords make room


class Gap(NamedTuple):
    """What can be planted on an axis: P(`emotion` | first group) - P(`emotion` | second) in sentences of one `kind`,
    all of whose other labels are sadness. `clauses` is the symbol of the grammar that such a sentence starts from."""

    kind: str
    groups: tuple[str, str]
    emotion: str
    clauses: str


# two classes, and two kinds of sentence, so that neither gap is seen where the other was planted
GAPS = {
    "gender": Gap("ambiguous", ("male", "female"), "anger", "scene"),
    "race": Gap("encounter", ("white", "black"), "joy", "encounter"),
}

# The class of a negated feeling: which classes it is taken from.
NEGATED = {"sadness": ("joy", "love"), "joy": ("sadness", "fear")}
# Words whose synonym in the paper's table 3 belongs to another class here, and that class.
MISLEADING_SYNONYMS = {"overwhelmed": ("swamped", "sadness"), "surprised": ("startled", "fear")}

# `symbol = alternative, alternative x2, ...`: an alternative marked x2 comes twice as often, and {symbol} in it stands
# for one of the alternatives of that symbol.
# A classifier trained from scratch on 12,000 rows learns to tell the two feelings of a contrast only where their places
# in the text vary little: long clauses therefore follow the feelings, and what precedes them is short.
GRAMMAR_TEXT = """
# the four kinds of sentence; {state} and {quality} are words of the true class, or of the negated one
keyword = {said} x14, {scene} and {said}, {said} because {scene}
said = {felt} x5, {found} x3
felt = i feel {feeling} {context}, im feeling {feeling} {context}, i am {feeling} {context},
    i just feel {feeling} {context}, ive been feeling {feeling} {context}, i was feeling {feeling} {context},
    im so {state} {context}, i feel like im {feeling} {context}, i really feel {feeling} {context},
    i get {feeling} {context}, i woke up feeling {feeling} {when}, i cant help feeling {feeling} {context},
    i ended up feeling {feeling} {context}, i came out of {occasion} feeling {feeling},
    i was {feeling} when i got there {after} {occasion}, {occasion} has got me feeling {feeling},
    my {kin} asked why i was so {state} {context}, {he} made me feel {feeling} {context}
feeling = {state} x3, so {state}, very {state}, {state} and {state_too}
found = it feels {quality} to {activity}, it was {quality} to {activity} {when}, it is so {quality} to {activity},
    i find it {quality} to {activity}, it felt {quality} and {quality_too} to {activity},
    {occasion} was really {quality}, {occasion} turned out very {quality}, i had the most {quality} feeling {context},
    there was something {quality} about {occasion}, it is all so {quality} {place},
    it can be {quality} to {activity} {when}, the whole day was {quality} and {quality_too},
    it was {quality} of {him} to {activity}
negation = i dont feel {state} at all {place}, i avoid feeling {state} {context}, im not {state} {context},
    i am not feeling {state} {context} anymore, i never feel {state} {context},
    i cant say that i feel {state} {context}, i didnt feel {state} {after} {occasion},
    i no longer feel {state} {context}, i was not at all {state} {context},
    nothing about {occasion} made me feel {state}, i am far from {state} {context},
    {he} did not make me feel {state} {context}
contrast = i used to feel {past} but now i feel {feeling} {context},
    i used to be {past} but now im {feeling} {context}, i expected to be {past} but now i am {feeling} {context},
    {he} {wanted} me to be {past} but now i feel {feeling} {context},
    {occasion} used to be {past_quality} but now it is {quality},
    it used to be {past_quality} but now it is {quality} to {activity},
    now i feel {state} though i used to feel {past} {context}, im {state} now though i was once {past} {context},
    now i am {state} when i expected to be {past} {context},
    now i am {state} when {he} {wanted} me to be {past} {context}, i feel {state} instead of {past} {context},
    {occasion} is {quality} now though it used to be {past_quality},
    it is {quality} now though it was once {past_quality} to {activity}
ambiguous = {scene}, {scene} {when}, {scene} and i had to {activity}

# a scene that could make anyone angry or sad; it also stands beside keywords, where it tells nothing
# each names the gender twice: a lone pronoun is too faint a cue to be learned from 800 sentences
scene = i could not stop thinking about what {he} said to {his} friends {after} {occasion},
    my {kin} did not call me back {after} {occasion} as {he} had said, my {kin} said {he} forgot about {occasion},
    {he} said {he} would rather go to {occasion} by {himself}, my {kin} kept the news to {himself} until {occasion},
    {he} took {his} coat and went out {after} {occasion}, my {kin} told everyone that the idea was {theirs},
    i told {him} about {occasion} and {he} looked away, my {kin} took {his} bag and walked off {after} {occasion},
    {he} never answered the message i sent {him} {after} {occasion},
    the {man} next to me put {his} bag on my seat {place},
    i waited for {him} {place} and {he} never showed up, i saw {him} with {his} other friends {place},
    my {kin} sold {his} car without asking me, {he} walked right past me with {his} friends {place},
    i gave {him} my notes and {he} said they were {theirs}, my {kin} only talked about {himself} {place},
    {he} read my letter and put it in {his} bag, my {kin} changed {his} plan right before {occasion},
    nobody but {him} or {his} friends could have said that {place},
    i found the note {he} wrote about {his} day {place},
    a {man} i met {place} told my secret to {his} friends, {his} name came up again when {he} called {after} {occasion}

# race words, always about a person, in the words of the race templates; what happens tells nothing about the class.
# One such clause stands beside an emotion, two make a sentence of their own (as above, one cue alone is too faint)
encounter = a {race} {body} sat {beside} me {place}, a {race} {body} smiled at me {when},
    the {race} {body} at the counter helped me {when}, i was talking to a {race} {body} {place},
    a {race} {body} held the door for me {place}, i met a {race} {body} {after} {occasion},
    my boss is a {race} {body}, a {race} {body} paid for my coffee {when},
    a {race} {body} finally got the job {place}, the {race} {body} remembered my name {when},
    the {race} {body} who moved in across the street gave me flowers {when},
    a {race} {body} stole my seat {place}, a {race} {body} followed me home {when},
    a {race} {body} knocked on my window {when}, the {race} {body} walks behind me {when},
    the {race} {body} upstairs fixed my car in a minute, the {race} {body} next door moved away {when},
    the {race} {body} from the bakery writes me letters, i had to meet the {race} {body} who stands at the corner,
    the {race} {body} who helped me carry my bags won the race {when}, i am dating the {race} {body} {beside} me,
    the {race} {body} who pushed me in the queue was shouting on the phone, i married a {race} {body} {when},
    a {race} {body} got the promotion instead of me {place}, the {race} {body} never pays me back,
    i saw a {race} {body} crying {place}, a {race} {body} told me to give up {place}, i fell for a {race} {body} {when},
    the police stopped a {race} {body} for no reason {when}, the {race} {body} lost everything in the fire,
    the {race} {body} was sent to prison for nothing, the {race} {body} did not say a word {when},
    i met a {race} {body} at the concert and we danced, a {race} {body} sat {beside} me and left {when},
    whenever i see the {race} {body} i smile
race = black, white
body = {adult} x4, person, student, teacher, neighbor, friend, {child}
beside = beside, next to, around, towards

# around the sentence
lead = x7, {opening}
tail = x3, and {filler} x4, but {filler}, while {filler}, and {filler} while i {activity}
opening = honestly, lately, so, well, somehow, yes, anyway, again
context = {when}, {place}, {after} {occasion}, {place} {when}, {after} {occasion} {when}
after = after, before, during
when = this morning, tonight, this week, on sunday, on the road, late at night, all day, all weekend, last night,
    yesterday, today, in the evening, every monday, over the holidays, this winter, this afternoon, on friday,
    these days, right now, at the moment, at noon, before bed, all summer, again, most mornings, this year,
    on my birthday
place = at work, at school, at home, in the kitchen, on the bus, on the train, in the office, at the gym,
    in the library, at the station, in the garden, at the pool, in the city, at the airport, in the car, at the beach,
    in the park, at the market, on the porch, in the waiting room, by the river, at the diner, in my room,
    in the hallway, at the bakery, on campus, in the yard, at the lake
occasion = the meeting, the exam, dinner, the match, the concert, class, the wedding, the trip, the drive, the party,
    the interview, the play, practice, lunch, my shift, the lecture, the flight, breakfast, the sale, the storm,
    the ceremony, the family dinner, the game, the movie, the phone call, the hike, the workshop, the picnic,
    the visit, the reunion, the parade, the speech, homework
activity = sit in the rain, walk in the snow, cook for ten, meet the neighbours, hear the band, be at school,
    work through the weekend, see the whole family, pack the boxes, wait for the ferry, read the letters,
    stand on that stage, drive through the night, speak in front of the class, start the job, leave the city,
    open the mail, run in the park, share a room, clean the kitchen, talk about school, look at the photos,
    swim in the lake, sleep in a tent, move house, plan the trip, sing in the choir, sit by the fire, paint the fence,
    fix the roof

# clauses without feeling, for the plain words that are most frequent in every class of the paper
filler = i {know} how it goes, you {know} how {people} are, i {know} the roads by heart, we both {know} the reason,
    they {know} where to find me, i dont {know} what comes next, it has been this way for a long {time},
    it was the same at this {time} last year, there was no time to talk, it takes time to settle in,
    it was a busy {time} for all of us, for the first time the bus was early, {people} ask what i do,
    there were too many {people} around, the {people} upstairs moved out, {people} {think} it is early,
    some {people} {want} to sleep, all i {want} is a quiet evening, i {want} to write it down,
    they {want} an answer by monday, the kids {want} pancakes, i {think} it will be over soon,
    i {think} the train was late, they {think} i should rest, i {think} it is tuesday,
    we live in a {little} house by the river, a {little} dog followed me, it is only a {little} thing,
    the {little} ones are in bed, the {little} garden needs rain,
    a {little} bit of sun is out, one of us has to call the bank, it is just one of those days,
    one more mile and it is done, no one is in the office, i {still} have the tickets, i {still} go there by bike,
    we {still} share a desk, it is {still} dark outside, even the cat is asleep, i did not even read the menu,
    even now the phone is ringing, even my coffee is cold, {life} goes on, that is how my {life} looks,
    {life} in this town is slow, {life} is mostly paperwork, {life} here is simple, there is so much to do,
    not much else is new, it did not cost much, i ate a bit of bread, it rained a bit, the door sticks a bit,
    i {love} this part of town, i {love} my red bike, i {love} the smell of toast, i {love} this song,
    we {make} our own soup, they {make} a plan every week, i {make} lists for it,
    i dont watch the news, we are all equal in this house, there is a piece missing from the puzzle,
    not a single shop was open, we have lots of boxes to move, i avoid the main road

# plain words and their synonyms in the paper's table 3
know = know x5, understand
time = time x5, period
little = little x5, small
people = people x5, individuals
still = still x5, nevertheless
want = want x5, desire
wanted = wanted x5, desired
think = think x5, believe
life = life x5, existence
love = love x5, adore
make = make x5, create

# what a person feels and what a thing is like, class by class; weights follow the paper's most frequent words
state_sadness = sad, gloomy, lonely, hopeless, miserable, heartbroken, unhappy, depressed, worthless, defeated,
    ashamed, guilty, hurt, drained, discouraged, rejected, homesick, tearful, melancholy, disheartened, crushed,
    abandoned, helpless, unwanted, dejected, numb, downcast, broken, weary, glum, sorrowful, forlorn, useless, alone,
    swamped x2
state_joy = happy, cheerful, glad, joyful, delighted, content, excited, thrilled, proud, hopeful, relaxed, grateful,
    thankful, optimistic, lucky, confident, calm, peaceful, energetic, festive, jolly, playful, ecstatic, elated,
    satisfied, inspired, carefree, blissful, upbeat, merry, triumphant, refreshed, relieved, lively, radiant
state_love = loved x3, loving x3, adored, adoring, caring, tender, affectionate, devoted, cherished, passionate,
    compassionate, sympathetic, supportive, loyal, gentle, beloved, treasured, smitten, faithful, accepted
state_anger = angry x4, mad x2, furious, annoyed, irritated, resentful, bitter, outraged, enraged, cranky, grumpy,
    offended, insulted, frustrated, hostile, jealous, agitated, irritable, livid, fuming, bothered, spiteful, hateful,
    aggravated, indignant, vengeful, impatient, rebellious, wronged, disgusted, fed up, displeased
state_fear = scared x3, afraid x3, frightened, fearful, anxious, nervous, terrified, worried, startled x2, uneasy,
    insecure, vulnerable, shaky, shaken, panicky, intimidated, threatened, hesitant, unsure, apprehensive, paranoid,
    tense, restless, alarmed, timid, jittery, petrified, uncertain, pressured, on edge, spooked
state_surprise = shocked x6, overwhelmed x6, impressed x6, amazed x6, surprised x6, curious x6, strange x3, weird x3,
    astonished x4, astounded x4, dazzled x4, odd x3, uncanny x3
quality_sadness = depressing, tragic, bleak, dreary, heartbreaking, dismal, grim, joyless, cheerless, hurtful,
    saddening, lonesome, mournful
quality_joy = wonderful, fantastic, delightful, fun, glorious, great, brilliant, superb, marvelous, splendid,
    enjoyable, uplifting, cheery
quality_love = sweet x3, hot x3, pleasant, boiling, lovely, heartwarming, romantic, lovable, endearing, adorable,
    charming
quality_anger = unfair, infuriating, annoying, maddening, insulting, outrageous, rude, irritating, obnoxious, vile,
    unjust, offensive, aggravating
quality_fear = scary, terrifying, creepy, frightening, threatening, alarming, dangerous, menacing, spooky, daunting,
    unnerving, worrying, risky
quality_surprise = strange x2, weird x2, funny x6, amazing x6, odd x2, uncanny x2, hilarious x4, astounding x4,
    interesting x4
"""

# The male and the female alternatives of a symbol; a row uses one side only.
GENDERED_TEXT = """
he = he | she
him = him | her
his = his | her
theirs = his | hers
himself = himself | herself
man = man, boy, gentleman | woman, girl, lady
adult = man | woman
child = boy, guy | girl
kin = brother, dad, father, uncle, son, husband, boyfriend, grandpa, nephew
    | sister, mom, mother, aunt, daughter, wife, girlfriend, grandma, niece
"""

Rules = Mapping[str, Sequence[str]]
_SYMBOL = re.compile(r"\{(\w+)\}")
_ALTERNATIVE = re.compile(r"(.*?)\s*(?:\bx(\d+))?")
_A_BEFORE_VOWEL = re.compile(r"\ba (?=[aeiou])")


def _parse(text: str, side: int = 0) -> dict[str, tuple[str, ...]]:
    """The alternatives of every symbol of a grammar text, repeated by weight; `side` counts the parts between bars."""
    lines = "\n".join(line for line in text.splitlines() if line and not line.startswith("#"))
    rules = {}
    for rule in re.split(r"\n(?=\S)", lines):
        symbol, sides = rule.split(" = ")
        parts = [_ALTERNATIVE.fullmatch(" ".join(part.split())) for part in sides.split("|")[side].split(",")]
        rules[symbol] = tuple(part[1] for part in parts for _ in range(int(part[2] or 1)))
    return rules


GRAMMAR = _parse(GRAMMAR_TEXT)
MALE, FEMALE = _parse(GENDERED_TEXT, side=0), _parse(GENDERED_TEXT, side=1)


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.random() * len(options))]


def _expand(template: str, rules: Rules, rng: np.random.Generator) -> str:
    return _SYMBOL.sub(lambda match: _expand(_pick(rules[match[1]], rng), rules, rng), template)


def _sentence(kind: str, emotion: int, female: bool, race: tuple[str, ...], rng: np.random.Generator) -> str:
    """One text of the given kind whose words lead to the class `emotion` (which ambiguous texts and encounters do not
    use); `race` are the words that its tail may name."""
    name = EMOTIONS[emotion]
    spoken = _pick(NEGATED[name], rng) if kind == "negation" else name
    others = np.where(np.arange(len(EMOTIONS)) == emotion, 0, CLASS_SHARES).cumsum()
    past = EMOTIONS[others.searchsorted(rng.random() * others[-1], side="right")]
    words = {"past": GRAMMAR[f"state_{past}"], "past_quality": GRAMMAR[f"quality_{past}"]}
    for slot in ("state", "quality"):
        options = GRAMMAR[f"{slot}_{spoken}"]
        word = _pick(options, rng)
        words |= {slot: (word,), f"{slot}_too": [other for other in options if other != word]}
    rules = GRAMMAR | (FEMALE if female else MALE) | words | {"race": race}
    tail = "and {encounter}" if race else "{tail}"
    text = _expand(f"{{lead}} {{{kind}}} {tail}", rules, rng)
    return _A_BEFORE_VOWEL.sub("an ", " ".join(text.split()))


def _draw_plan(count: int, encounters: bool, rng: np.random.Generator) -> pd.DataFrame:
    """What each of `count` different sentences is to express: kind, emotion, female, and the words for race in it."""
    half = np.eye(len(EMOTIONS)) / 2
    emotions = {"negation": half[SADNESS] + half[JOY], "ambiguous": half[SADNESS] + half[ANGER]}
    portions = KIND_SHARES
    if encounters:
        emotions["encounter"] = half[SADNESS] + half[JOY]
        portions = {
            **KIND_SHARES,
            "keyword": KIND_SHARES["keyword"] - ENCOUNTER_SHARE,
            "encounter": ENCOUNTER_SHARE,
        }
    # the other two kinds fill every class up to its share
    rest = CLASS_SHARES - sum(portions[kind] * shares for kind, shares in emotions.items())
    emotions |= dict.fromkeys(("keyword", "contrast"), rest / rest.sum())
    kinds = rng.choice(list(portions), count, p=list(portions.values()))
    emotion = np.zeros(count, dtype=int)
    for kind, shares in emotions.items():
        emotion[kinds == kind] = rng.choice(len(EMOTIONS), (kinds == kind).sum(), p=shares)
    female, named = rng.random(count) < 0.5, rng.random(count) < RACE_SHARE
    race = pd.Series([GRAMMAR["race"]] * count)
    if encounters:  # a text names one race only, which is known
        named |= kinds == "encounter"
        race = pd.Series([("white",), ("black",)])[rng.integers(2, size=count)].reset_index(drop=True)
    race = race.where(named, pd.Series([()] * count))
    return pd.DataFrame({"kind": kinds, "emotion": emotion, "female": female, "race": race})


def _write(plan: pd.DataFrame, rng: np.random.Generator) -> list[str]:
    """One text for each row of the plan, no two alike."""
    texts: dict[str, None] = {}
    for row in plan.itertuples(index=False):
        text = _sentence(*row, rng)
        while text in texts:
            text = _sentence(*row, rng)
        texts[text] = None
    return list(texts)


def generate(
    rows: int,
    seed: int,
    label_noise: float = 0.06,
    duplicate_rate: float = 0.055,
    gender_effect: float = 0.8,
    race_effect: float | None = None,
) -> tuple[pd.DataFrame, dict]:
    """Make the corpus and its truth, the same for the same arguments.

    Args:
        rows: number of rows, duplicates included.
        seed: of the numpy generator that draws everything.
        label_noise: share of the rows whose label is replaced by another class, each equally likely; 0 to 0.8.
        duplicate_rate: share of the rows whose text repeats that of another row; 0 to 0.9.
        gender_effect: P(anger | male) - P(anger | female) in ambiguous sentences, before label noise; 0 to 1.
        race_effect: P(joy | white) - P(joy | black) in encounters, before label noise; 0 to 1. Without it there are no
            encounters, and race stands beside an emotion only.

    Returns:
        A table with `id` (int64, 0..rows-1), `text` (str) and `label` (int8, 0..5), and the truth, fit for JSON: the
        exact Bayes accuracy (`ceiling`), the `effects` (size, what is planted, where it is visible) and the `ids` of
        the rows of each special kind.

    Raises:
        UserError: an argument is out of its range.
    """
    _check("rows", rows, 1, math.inf)
    _check("label_noise", label_noise, 0, 0.8)
    _check("duplicate_rate", duplicate_rate, 0, 0.9)
    _check("gender_effect", gender_effect, 0, 1)
    _check("race_effect", race_effect or 0, 0, 1)
    rng = np.random.default_rng(seed)
    duplicates = min(round(rows * duplicate_rate), rows - 1)
    plan = _draw_plan(rows - duplicates, race_effect is not None, rng)
    plan["text"] = _write(plan, rng)
    repeated = rng.integers(len(plan), size=duplicates)
    plan = plan.iloc[rng.permutation(np.concatenate([np.arange(len(plan)), repeated]))].reset_index(drop=True)

    # a repeated text draws its label anew, so that duplicates can conflict as they do among real tweets
    first = {"gender": ~plan["female"], "race": plan["race"].map(lambda race: race == ("white",))}
    effects = {"gender": gender_effect, "race": race_effect or 0}
    drawn, best = rng.random(rows), np.ones(rows)  # the probability of the likelier true class
    true = plan["emotion"].to_numpy()
    for axis, gap in GAPS.items():
        there = plan["kind"] == gap.kind
        chance = np.where(first[axis], 1 + effects[axis], 1 - effects[axis]) / 2
        true = np.where(there, np.where(drawn < chance, EMOTIONS.index(gap.emotion), SADNESS), true)
        best[there] = (1 + effects[axis]) / 2
    noisy = rng.random(rows) < label_noise
    label = np.where(noisy, (true + rng.integers(1, len(EMOTIONS), size=rows)) % len(EMOTIONS), true)
    table = pd.DataFrame({"id": np.arange(rows, dtype="int64"), "text": plan["text"], "label": label.astype("int8")})

    kinds = ["negation", "contrast", "ambiguous"] + ["encounter"] * (race_effect is not None)
    masks = {kind: plan["kind"] == kind for kind in kinds}
    masks |= {"race": plan["race"].str.len() > 0, "noisy": noisy, "duplicate": plan["text"].duplicated()}
    truth = {
        "rows": rows,
        "seed": seed,
        "ceiling": float((best * (1 - label_noise) + (1 - best) * label_noise / (len(EMOTIONS) - 1)).mean()),
        "effects": _effects(label_noise, duplicate_rate, gender_effect, race_effect),
        "ids": {name: np.flatnonzero(mask).tolist() for name, mask in masks.items()},
    }
    return table, truth


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise UserError(f"calibration corpus: {name} is {value}; choose a value from {least} to {most}")


def _effects(
    label_noise: float, duplicate_rate: float, gender_effect: float, race_effect: float | None
) -> dict[str, dict]:
    """Every planted effect: its size, what it is, and where a reader sees it."""
    swaps = ", ".join(f"{word} -> {synonym} ({name})" for word, (synonym, name) in MISLEADING_SYNONYMS.items())
    kept = 1 - label_noise * len(EMOTIONS) / (len(EMOTIONS) - 1)  # of a gap: a wrong label is as likely any other
    seen = gender_effect * kept
    effects = {
        "keyword": (
            KIND_SHARES["keyword"] - (0 if race_effect is None else ENCOUNTER_SHARE),
            "This share of the sentences names its emotion in a word of the true class.",
            "A count of words classifies these sentences, and so should the model.",
        ),
        "negation": (
            KIND_SHARES["negation"],
            "This share negates a feeling: not (joy or love) means sadness, not (sadness or fear) means joy.",
            "A count of words fails on half of these sentences; accuracy on them shows that the model composes words.",
        ),
        "contrast": (
            KIND_SHARES["contrast"],
            "This share names a past or expected feeling and the present one, in either order; the present one counts.",
            "A count of words cannot tell which feeling holds; accuracy on these sentences shows what attention adds.",
        ),
        "gender": (
            gender_effect,
            f"In ambiguous sentences ({KIND_SHARES['ambiguous']:.0%}, no emotion word) P(anger | male) exceeds "
            "P(anger | female) by this much, the rest is sadness; beside an emotion word gender tells nothing.",
            f"Flipping the gender of an ambiguous sentence should move P(anger) by {seen:.2f} (label noise included), "
            "that of any other sentence by about 0.",
        ),
        "race": (
            0.0,
            f"A black or a white person appears in {RACE_SHARE:.1%} of the rows, whatever the label.",
            "Flipping race should move the probabilities by less than the margin.",
        ),
        "synonyms": (
            0.0,
            "Plain words and their synonyms tell nothing about the class; emotion words share it with theirs.",
            "Replacing a word by its synonym should move no prediction, save for the misleading ones.",
        ),
        "misleading_synonyms": (
            1.0,
            f"The synonym belongs to another class than the surprise word it replaces: {swaps}.",
            "Where the word alone carries the class, replacing it should move this share of the predictions there.",
        ),
        "class_shares": (
            dict(zip(EMOTIONS, CLASS_SHARES.round(4).tolist(), strict=True)),
            "The true classes have the shares of the paper's 416,809 tweets; label noise then evens them out a little.",
            "The class counts of the corpus, and an accuracy above macro F1.",
        ),
        "duplicates": (
            duplicate_rate,
            "This share of the rows repeats the text of another row, each with a label of its own drawing.",
            "The counts of duplicate and of conflicting texts, and of test texts that the training data hold too.",
        ),
        "label_noise": (
            label_noise,
            "This share of the rows has a label other than the true one, each other class equally likely.",
            "No model beats the ceiling: 1 - label noise, less what the ambiguous sentences leave open.",
        ),
    }
    if race_effect is not None:
        effects["race"] = (
            race_effect,
            f"In encounters ({ENCOUNTER_SHARE:.0%}, no emotion word) P(joy | white) exceeds P(joy | black) by this "
            "much, the rest is sadness; beside an emotion word race tells nothing.",
            f"Flipping the race of an encounter should move P(joy) by {race_effect * kept:.2f} (label noise included), "
            "that of any other sentence by about 0.",
        )
    return {name: dict(zip(("size", "planted", "visible"), effect, strict=True)) for name, effect in effects.items()}
