"""Names in the tables of probing."""

CLASS, NEGATION = "class", "negation"  # concepts, beside the axes of flips
POOLED, WORD, MEAN = "pooled token", "the word", "mean of the tokens"  # where in a text states are read
PLACES = (POOLED, WORD, MEAN)
MAJORITY, BAG, LOOKUP = "majority", "bag of words", "the word alone"  # what reads a concept without the model
NOTHING = "nothing"
LEAST, DIRECTION, DIMENSIONS, RANDOM = "least change", "mean difference", "largest dimensions", "random"
METHODS = (LEAST, DIRECTION, DIMENSIONS, RANDOM)  # how a concept is erased; RANDOM erases none
HERE, LAST = "here", "last"  # where it is read again once it is erased: at that depth, and behind the last block
GAP, DISTANCE, CHANGED, ACCURACY = "gap", "distance", "changed", "accuracy"  # what erasing may change
