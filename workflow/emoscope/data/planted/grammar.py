"""The words and sentences that generated texts are made of: a small grammar, and how a sentence grows from it."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

# `symbol = alternative, alternative x2, ...`: an alternative marked x2 comes twice as often, and {symbol} in it stands
# for one of the alternatives of that symbol.
# A classifier trained from scratch on 12,000 rows learns to tell the two feelings of a contrast only where their places
# in the text vary little: long clauses therefore follow the feelings, and what precedes them is short.
GRAMMAR_TEXT = """
# the four kinds of sentence; {state} and {quality} are words of the true class, or of the negated one, and <marked> are
# those that say which feeling holds
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
negation = i <dont> feel {state} at all {place}, i <avoid> feeling {state} {context}, im <not> {state} {context},
    i am <not> feeling {state} {context} <anymore>, i <never> feel {state} {context},
    i <cant> say that i feel {state} {context}, i <didnt> feel {state} {after} {occasion},
    i <no longer> feel {state} {context}, i was <not> at all {state} {context},
    <nothing> about {occasion} made me feel {state}, i am <far from> {state} {context},
    {he} did <not> make me feel {state} {context}
contrast = i <used to> feel {past} <but now> i feel {feeling} {context},
    i <used to> be {past} <but now> im {feeling} {context},
    i <expected> to be {past} <but now> i am {feeling} {context},
    {he} <{wanted}> me to be {past} <but now> i feel {feeling} {context},
    {occasion} <used to> be {past_quality} <but now> it is {quality},
    it <used to> be {past_quality} <but now> it is {quality} to {activity},
    <now> i feel {state} <though> i <used to> feel {past} {context},
    im {state} <now> <though> i was <once> {past} {context},
    <now> i am {state} <when> i <expected> to be {past} {context},
    <now> i am {state} <when> {he} <{wanted}> me to be {past} {context}, i feel {state} <instead of> {past} {context},
    {occasion} is {quality} <now> <though> it <used to> be {past_quality},
    it is {quality} <now> <though> it was <once> {past_quality} to {activity}
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
_MARK = re.compile(r"<(?:(\w+):)?([^<>]*)>")
CUE = "cue"  # the role of words that the grammar itself marks
Span = tuple[int, int, str]


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


def pick(options: Sequence[str], rng: np.random.Generator) -> str:
    """One of the options, each as likely as any other."""
    return options[int(rng.random() * len(options))]


def expand(template: str, rules: Rules, rng: np.random.Generator) -> str:
    """A template with alternatives in the place of all its symbols, and of those that these bring along."""
    return _SYMBOL.sub(lambda match: expand(pick(rules[match[1]], rng), rules, rng), template)


def marked(words: Sequence[str], role: str) -> list[str]:
    """Alternatives whose place in the sentence that they end up in is to be known."""
    return [f"<{role}:{word}>" for word in words]


def unmarked(sentence: str) -> tuple[str, list[Span]]:
    """A sentence without its marks, and what they marked: (start, end, role) in characters of it."""
    text, spans, at = "", [], 0
    for mark in _MARK.finditer(sentence):
        text += sentence[at : mark.start()]
        spans.append((len(text), len(text) + len(mark[2]), mark[1] or CUE))
        text, at = text + mark[2], mark.end()
    return text + sentence[at:], spans
