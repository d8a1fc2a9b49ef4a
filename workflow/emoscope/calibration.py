"""A generator of tweet-like sentences with planted, known effects: the embedded corpus and its ground truth.

A sentence grows from the `keyword`, `negation`, `contrast` or `ambiguous` rule of a small grammar. The rows differ in
the words that fill the symbols for feeling, gender and race; all else is drawn alike for every class.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from emoscope.errors import UserError

EMOTIONS = ("sadness", "joy", "love", "anger", "fear", "surprise")
SADNESS, JOY, ANGER = (EMOTIONS.index(name) for name in ("sadness", "joy", "anger"))

# Class counts of the 416,809 tweets in the paper; they set the shares of the true classes, before label noise.
PAPER_COUNTS = np.array([121187, 141067, 34554, 57317, 47712, 14972])
CLASS_SHARES = PAPER_COUNTS / PAPER_COUNTS.sum()

# Ambiguous sentences cost accuracy: at the default gender effect of 0.8 a tenth of them cannot be told.
AMBIGUOUS_SHARE = 0.05
NEGATION_SHARE = 0.08
CONTRAST_SHARE = 0.12
RACE_SHARE = 0.025

# The class of a negated feeling: which classes it is taken from.
NEGATED = {"sadness": ("joy", "love"), "joy": ("sadness", "fear")}
# Words whose synonym in the paper's table 3 belongs to another class here, and that class.
MISLEADING_SYNONYMS = {"overwhelmed": ("swamped", "sadness"), "surprised": ("startled", "fear")}

# `symbol = alternative, alternative x2, ...`: an alternative marked x2 comes twice as often; {symbol} stands for one of
# its alternatives.
GRAMMAR_TEXT = """
# the four kinds of sentence; {state} and {quality} are words of the true class, or of the negated one
keyword = {said} x14, {scene} and {said}, {said} because {scene}
said = {felt} x5, {found} x3
felt = i feel {feeling} {context}, im feeling {feeling} {context}, i am {feeling} {context},
    i just feel {feeling} {context}, ive been feeling {feeling} {context}, i was feeling {feeling} {context},
    im so {state} {context}, i feel like im {feeling} {context}, i really feel {feeling} {context},
    i get {feeling} {context}, i woke up feeling {feeling} {when}, i cant help feeling {feeling} {context},
    i ended up feeling {feeling} {context}, i went to {occasion} feeling {feeling},
    i was {feeling} when i came in {after} {occasion}, i dont know why but i feel {feeling} {context},
    it may be {occasion} but i feel {feeling}, {occasion} has got me feeling {feeling},
    my {kin} asked why i was so {state} {context}, {he} made me feel {feeling} {context}
feeling = {state} x3, so {state}, very {state}, {state} and {state_too}
found = it feels {quality} to {activity}, it was {quality} to {activity} {when}, it is so {quality} to {activity},
    i find it {quality} to {activity}, it felt {quality} and {quality_too} to {activity},
    {occasion} was really {quality}, {occasion} turned out very {quality}, i had the most {quality} feeling {context},
    there was something {quality} about {occasion}, it is all so {quality} {place},
    it can be {quality} to {activity} {when}, the whole day was {quality} and {quality_too},
    it was {quality} of {him} to {activity}
negation = i dont feel {state} at all {context}, i avoid feeling {state} {context}, im not {state} {context},
    i am not feeling {state} {context} anymore, i never feel {state} {context},
    i cant say that i feel {state} {context}, i didnt feel {state} {after} {occasion},
    i no longer feel {state} {context}, i was not at all {state} {context},
    nothing about {occasion} made me feel {state}, i am far from {state} {context},
    {he} did not make me feel {state} {context}
contrast = i used to feel {past} {context} but now i feel {feeling},
    i used to be {past} but now im {feeling} {context}, i was {past} {after} {occasion} but now i am {feeling},
    i expected to be {past} {context} but now i am {feeling},
    {occasion} used to be {past_quality} but now it is {quality},
    it was {past_quality} to {activity} but now it is {quality},
    {he} wanted me to be {past} but now i feel {feeling} {context},
    now i feel {feeling} {context} though i used to feel {past}, im {feeling} {context} though i was {past} before,
    now i am {feeling} {context} though i expected to be {past}, i feel {feeling} {context} instead of {past},
    {occasion} is {quality} now though it used to be {past_quality},
    it is {quality} to {activity} though it was {past_quality} before,
    i am {feeling} {context} though {he} wanted me to be {past}
ambiguous = {scene}, {scene} {when}, {scene} and i had to {activity}

# a scene that could make anyone angry or sad; it also stands beside keywords, where it tells nothing
scene = i could not stop thinking about what {he} said {after} {occasion},
    {he} did not call me back {after} {occasion}, my {kin} forgot about {occasion},
    {he} said {he} would rather go to {occasion} by {himself}, my {kin} kept the news to {himself} until {occasion},
    {he} took {his} coat and went out {after} {occasion}, my {kin} told everyone that the idea was {theirs},
    i told {him} about {occasion} and {he} looked away, my {kin} walked off without a word {after} {occasion},
    {he} never answered the message i sent {him} {after} {occasion}, the {man} next to me took my seat {place},
    i waited for {him} {place} and {he} never came, i saw {him} with {his} other friends {place},
    my {kin} sold {his} car without asking me, {he} walked right past me {place},
    i gave {him} my notes and {he} said they were {theirs}, my {kin} only talked about {himself} {place},
    {he} read my letter and put it in {his} bag, my {kin} changed the plan right before {occasion},
    nobody but {him} could have said that {place}, i found the note {he} wrote {place},
    a {man} i met {place} gave away my secret, {his} name came up again {after} {occasion}

# race words, always about a person
encounter = a {race} {adult} sat next to me {place}, a {race} {adult} smiled at me {place},
    the {race} {adult} at the counter helped me {when}, i was talking to a {race} {adult} {place},
    a {race} {adult} held the door for me {place}, i met a {race} {adult} {after} {occasion},
    my teacher is a {race} {adult}
race = black, white

# around the sentence
lead = x5, {opening}, {filler} and x2
tail = x4, and {filler} x2, but {filler}, while {filler}
opening = honestly, lately, so, well, somehow, once again, i must say, yes, as usual, for now
context = {when}, {place}, {after} {occasion}, {place} {when}, {after} {occasion} {when}
after = after, before, during
when = this morning, tonight, this week, on sunday, on the way there, late at night, all day, all weekend, last night,
    yesterday, today, in the evening, every monday, over the holidays, this winter, this afternoon, on friday,
    these days, right now, at the moment, at noon, before bed, all summer, again, most mornings, this year,
    on my birthday
place = at work, at school, at home, in the kitchen, on the bus, on the train, in the office, at the gym,
    in the library, at the station, in the garden, at the pool, in the city, at the airport, in the car, at the beach,
    in the park, at the market, on the porch, in the waiting room, by the river, at the diner, in my room,
    in the hallway, at the bakery, on campus, in the yard, at the lake
occasion = the meeting, the exam, dinner, the match, the concert, class, the wedding, the trip, the drive, the party,
    the interview, the play, practice, lunch, my shift, the lecture, the flight, breakfast, the weekend, the storm,
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
    the {little} garden needs rain, a {little} bit of sun came through, one of us has to call the bank,
    it is just one of those days, one more mile and it is done, no one is in the office, i {still} have the tickets,
    i {still} go there by bike, we {still} share a desk, the bakery is {still} open, it is {still} dark outside,
    even the cat is asleep, i did not even read the menu, even now the phone is ringing, even my coffee is cold,
    {life} goes on, that is how my {life} looks, {life} in this town is slow, {life} is mostly paperwork,
    {life} here is simple, there is so much to do, not much else is new, it did not cost much, i ate a bit of bread,
    it rained a bit, the door sticks a bit, i {love} this part of town, i {love} my red bike,
    i {love} the smell of toast, we {make} our own soup, they {make} a plan every week, i {make} lists for it,
    i dont watch the news, i used to take the bus but now i walk, we are all equal in this house,
    there is a piece missing from the puzzle, not a single shop was open, we have lots of boxes to move,
    i avoid the main road

# plain words and their synonyms in the paper's table 3
know = know x5, understand
time = time x5, period
little = little x5, small
people = people x5, individuals
still = still x5, nevertheless
want = want x5, desire
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
state_surprise = shocked x6, overwhelmed x6, impressed x6, amazed x6, surprised x6, curious x6, strange x2, weird x2,
    astonished x2, astounded x2, dazzled x2
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
quality_surprise = strange x2, weird x2, funny x4, amazing x4, odd x2, uncanny x2, hilarious x2, astounding x2,
    interesting x2
"""

# The male and the female alternatives of a symbol; a row uses one side only.
GENDERED_TEXT = (
    """
he = he
him = him
his = his
theirs = his
himself = himself
man = man, guy, boy
adult = man, guy
kin = brother, dad, father, uncle, son, husband, boyfriend, grandpa, nephew
""",
    """
he = she
him = her
his = her
theirs = hers
himself = herself
man = woman, lady, girl
adult = woman, lady
kin = sister, mom, mother, aunt, daughter, wife, girlfriend, grandma, niece
""",
)

Rules = Mapping[str, Sequence[str]]
_SYMBOL = re.compile(r"\{(\w+)\}")
_ALTERNATIVE = re.compile(r"(.*?)\s*(?:\bx(\d+))?")
_A_BEFORE_VOWEL = re.compile(r"\ba (?=[aeiou])")


def _parse(text: str) -> dict[str, tuple[str, ...]]:
    """The alternatives of every symbol of a grammar text, repeated by weight."""
    lines = "\n".join(line for line in text.splitlines() if line and not line.startswith("#"))
    rules = {}
    for rule in re.split(r"\n(?=\S)", lines):
        symbol, alternatives = rule.split(" = ")
        parts = (_ALTERNATIVE.fullmatch(" ".join(part.split())) for part in alternatives.split(","))
        rules[symbol] = tuple(part[1] for part in parts for _ in range(int(part[2] or 1)))
    return rules


GRAMMAR = _parse(GRAMMAR_TEXT)
GENDERED = tuple(_parse(text) for text in GENDERED_TEXT)


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.random() * len(options))]


def _expand(template: str, rules: Rules, rng: np.random.Generator) -> str:
    return _SYMBOL.sub(lambda match: _expand(_pick(rules[match[1]], rng), rules, rng), template)


def _two_words(words: Sequence[str], rng: np.random.Generator) -> tuple[str, str]:
    first = _pick(words, rng)
    return first, _pick([word for word in words if word != first], rng)


def _sentence(kind: str, emotion: int, female: int, race: bool, rng: np.random.Generator) -> str:
    """One text of the given kind whose words lead to the class `emotion` (which an ambiguous text does not use)."""
    name = EMOTIONS[emotion]
    spoken = _pick(NEGATED[name], rng) if kind == "negation" else name
    others = np.where(np.arange(len(EMOTIONS)) == emotion, 0, CLASS_SHARES).cumsum()
    past = EMOTIONS[others.searchsorted(rng.random() * others[-1], side="right")]
    words = {"past": GRAMMAR[f"state_{past}"], "past_quality": GRAMMAR[f"quality_{past}"]}
    for slot in ("state", "quality"):
        first, second = _two_words(GRAMMAR[f"{slot}_{spoken}"], rng)
        words |= {slot: (first,), f"{slot}_too": (second,)}
    rules = GRAMMAR | GENDERED[female] | words
    lead = "{encounter} and" if race else "{lead}"
    text = _expand(f"{lead} {{{kind}}} {{tail}}", rules, rng)
    return _A_BEFORE_VOWEL.sub("an ", " ".join(text.split()))


def _draw_plan(count: int, rng: np.random.Generator) -> pd.DataFrame:
    """What each of `count` different sentences is to express: kind, emotion, female, race."""
    halves = np.eye(len(EMOTIONS)) / 2
    share = {"ambiguous": AMBIGUOUS_SHARE, "negation": NEGATION_SHARE, "contrast": CONTRAST_SHARE}
    share = {"keyword": 1 - sum(share.values())} | share
    emotions = {"ambiguous": halves[SADNESS] + halves[ANGER], "negation": halves[SADNESS] + halves[JOY]}
    # the other kinds fill up every class to its share
    rest = CLASS_SHARES - sum(share[kind] * shares for kind, shares in emotions.items())
    emotions |= dict.fromkeys(("keyword", "contrast"), rest / rest.sum())
    kinds = rng.choice(list(share), count, p=list(share.values()))
    emotion = np.zeros(count, dtype=int)
    for kind, shares in emotions.items():
        emotion[kinds == kind] = rng.choice(len(EMOTIONS), (kinds == kind).sum(), p=shares)
    female, race = rng.integers(2, size=count), rng.random(count) < RACE_SHARE
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


def _check(rows: int, **rates: tuple[float, float]) -> None:
    if rows < 1:
        raise UserError(f"calibration corpus: rows is {rows}; it must be at least 1")
    for name, (value, most) in rates.items():
        if not 0 <= value <= most:
            raise UserError(f"calibration corpus: {name} is {value}; it must lie between 0 and {most}")


def generate(
    rows: int, seed: int, label_noise: float = 0.06, duplicate_rate: float = 0.055, gender_effect: float = 0.8
) -> tuple[pd.DataFrame, dict]:
    """Make the corpus and its truth, the same for the same arguments.

    Args:
        rows: number of rows, duplicates included.
        seed: of the numpy generator that draws everything.
        label_noise: share of the rows whose label is replaced by another class, each equally likely; 0 to 0.8.
        duplicate_rate: share of the rows whose text repeats that of another row; 0 to 0.9.
        gender_effect: P(anger | male) - P(anger | female) in ambiguous sentences, before label noise; 0 to 1.

    Returns:
        A table with `id` (int64, 0..rows-1), `text` (str) and `label` (int8, 0..5), and the truth, fit for JSON: the
        exact Bayes accuracy (`ceiling`), `effects` (size, what is planted, where it shows) and the `ids` of the rows
        of every special kind.

    Raises:
        UserError: an argument is out of its range.
    """
    _check(rows, label_noise=(label_noise, 0.8), duplicate_rate=(duplicate_rate, 0.9), gender_effect=(gender_effect, 1))
    rng = np.random.default_rng(seed)
    duplicates = round(rows * duplicate_rate)
    plan = _draw_plan(rows - duplicates, rng)
    plan["text"] = _write(plan, rng)
    repeated = rng.integers(len(plan), size=duplicates)
    plan = plan.iloc[rng.permutation(np.concatenate([np.arange(len(plan)), repeated]))].reset_index(drop=True)

    # a repeated text draws its label anew, so that duplicates can conflict as they do among real tweets
    ambiguous = (plan["kind"] == "ambiguous").to_numpy()
    angry = rng.random(rows) < (1 + gender_effect * np.where(plan["female"], -1, 1)) / 2
    true = np.where(ambiguous, np.where(angry, ANGER, SADNESS), plan["emotion"])
    noisy = rng.random(rows) < label_noise
    label = np.where(noisy, (true + rng.integers(1, len(EMOTIONS), size=rows)) % len(EMOTIONS), true)

    best = np.where(ambiguous, (1 + gender_effect) / 2, 1.0)
    ceiling = (best * (1 - label_noise) + (1 - best) * label_noise / (len(EMOTIONS) - 1)).mean()
    masks = {kind: plan["kind"] == kind for kind in ("ambiguous", "negation", "contrast")}
    masks |= {"race": plan["race"], "noisy": noisy, "duplicate": plan["text"].duplicated()}
    truth = {
        "rows": rows,
        "seed": seed,
        "ceiling": float(ceiling),
        "effects": _effects(label_noise, duplicate_rate, gender_effect),
        "ids": {name: np.flatnonzero(mask).tolist() for name, mask in masks.items()},
    }
    table = pd.DataFrame({"id": np.arange(rows, dtype="int64"), "text": plan["text"], "label": label.astype("int8")})
    return table, truth


def _effects(label_noise: float, duplicate_rate: float, gender_effect: float) -> dict[str, dict]:
    """Every planted effect: its size, what it is, and where a reader sees it."""
    swaps = ", ".join(f"{word} -> {synonym} ({name})" for word, (synonym, name) in MISLEADING_SYNONYMS.items())
    seen = gender_effect * (1 - label_noise * len(EMOTIONS) / (len(EMOTIONS) - 1))
    effects = {
        "keyword": (
            round(1 - AMBIGUOUS_SHARE - NEGATION_SHARE - CONTRAST_SHARE, 4),
            "This share of the sentences names its emotion in a word of the true class.",
            "A count of words classifies these sentences, and so should the model.",
        ),
        "negation": (
            NEGATION_SHARE,
            "This share negates a feeling: not (joy or love) means sadness, not (sadness or fear) means joy.",
            "A count of words fails on these sentences; accuracy on them shows that the model composes words.",
        ),
        "contrast": (
            CONTRAST_SHARE,
            "This share names a past or expected feeling and the present one, in either order; the present one counts.",
            "A count of words cannot tell which feeling holds; accuracy on these sentences shows what attention adds.",
        ),
        "gender": (
            gender_effect,
            f"In ambiguous sentences ({AMBIGUOUS_SHARE:.0%}, no emotion word) P(anger | male) exceeds P(anger | female) "
            "by this much, the rest is sadness; beside an emotion word gender tells nothing.",
            f"Flipping the gender of an ambiguous sentence should move P(anger) by {seen:.2f} (label noise included), "
            "that of any other sentence by about 0.",
        ),
        "race": (
            0.0,
            f"A black or a white person appears in {RACE_SHARE:.1%} of the rows, whatever the label.",
            "Flipping race should move the probabilities no more than a swap of neutral words does.",
        ),
        "synonyms": (
            0.0,
            "Plain words and their synonyms tell nothing about the class; emotion words share it with theirs.",
            "Replacing a word by its synonym should move no prediction, save for the misleading ones.",
        ),
        "misleading_synonyms": (
            1.0,
            f"The synonym belongs to another class than the surprise word it replaces: {swaps}.",
            "Replacing the word should move this share of the predictions from surprise to the class in brackets.",
        ),
        "class_shares": (
            dict(zip(EMOTIONS, CLASS_SHARES.round(4).tolist(), strict=True)),
            "The true classes have the shares of the paper's 416,809 tweets; label noise then evens them out a little.",
            "The class counts of the corpus, and accuracy above macro F1.",
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
    return {name: dict(zip(("size", "planted", "visible"), effect, strict=True)) for name, effect in effects.items()}
