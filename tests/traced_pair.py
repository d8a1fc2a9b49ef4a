"""A pair of texts to trace, what differs between them, and what tracing it needs."""

TEXT, FLIPPED = "he said that she was afraid of her dog", "she said that he was afraid of his dog"
SPANS = [(0, 2, 0, 3), (13, 16, 14, 16), (31, 34, 31, 34)]
BUDGET = 200  # tokens in a batch: few, so that patches of a block fill several
