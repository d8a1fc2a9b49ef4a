"""Names in the tables of performance."""

WORDS, CHOSEN = "words", "words_chosen"  # a bag of words as it is, and with thresholds chosen on the validation part
