"""Prompting: results/models/{model}/prompting/."""


rule prompting:
    """What a soft prompt and a linear head make of a frozen language model."""
    input:
        expand("reports/models/{model}/prompting.html", model=COMPANIONS),
