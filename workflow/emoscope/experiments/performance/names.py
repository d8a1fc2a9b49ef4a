"""Names in the tables of performance."""

WORDS, CHOSEN = "words", "words_chosen"  # a bag of words as it is, and with thresholds chosen on the validation part
OF_SEVERAL = "micro_f1"  # a score of its own only where a text may have several labels: elsewhere it is the accuracy

# the cheapest classifiers, as pages call them
METHODS = {WORDS: "a bag of words", "constant": "the most frequent class"}
LABEL_METHODS = METHODS | {"constant": "the most frequent set of labels", "every_label": "every label to every text"}
