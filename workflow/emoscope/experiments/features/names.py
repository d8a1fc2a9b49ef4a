"""Names in the tables of features."""

MODEL, RANDOM_WEIGHTS = "the model", "random weights"  # whose stream an autoencoder learned
ORIGINAL, AUTOENCODER, TOKEN, MEAN = "original", "autoencoder", "token", "mean"  # what stands in place of the stream
FEATURE, RANDOM, MEANS = "feature", "random", "mean difference"  # along which direction the stream is moved
EXPLAINED, AGREEMENT, ACCURACY = "explained", "agreement", "accuracy"
ACTS, DOES_NOT, NOT_SHOWN = "acts", "does not act", "not shown"
MORE, AS_MUCH, LESS, NOT_TOLD = "more", "as much", "less", "not told"
SWITCHED, STAYS, NOT_SETTLED = "switched", "stays", "not settled"
