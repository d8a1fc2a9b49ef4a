"""Names in the tables of probing."""

CLASS, NEGATION = "class", "negation"  # concepts, beside the axes of flips
SENTENCES = (CLASS, NEGATION)  # that texts say as wholes, and no single word
POOLED, WORD, MEAN = "pooled token", "the word", "mean of the tokens"  # where in a text states are read
PLACES = (POOLED, WORD, MEAN)
MAJORITY, BAG, LOOKUP = "majority", "bag of words", "the word alone"  # what reads a concept without the model
FEWEST_TYPES = 6  # words that say a concept: labels dealt out to fewer are the concept too often
NOTHING = "nothing"
LEAST, BY_WORD = "least change", "least change by word"
DIRECTION, DIMENSIONS = "mean difference", "largest dimensions"
RANDOM, RANDOM_BY_WORD = "random", "random by word"  # as many directions as the others, or as by word; erase nothing
BY_CHANCE = (RANDOM, RANDOM_BY_WORD)
METHODS = (LEAST, BY_WORD, DIRECTION, DIMENSIONS, *BY_CHANCE)  # how a concept is erased
HERE, LAST = "here", "last"  # where it is read again once it is erased: at that depth, and behind the last block
GAP, DISTANCE, CHANGED, ACCURACY = "gap", "distance", "changed", "accuracy"  # what erasing may change
MOVED = "moved"  # how far erasing moves the answers themselves
