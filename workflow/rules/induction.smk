"""Induction: results/models/{model}/induction/."""


rule induction:
    """How a language model predicts repeated tokens."""
    input:
        expand("reports/models/{model}/induction.html", model=COMPANIONS),
