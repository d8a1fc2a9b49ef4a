"""Attention: results/models/{model}/attention/."""


rule attention:
    """Where a language model's heads look."""
    input:
        expand("reports/models/{model}/attention.html", model=COMPANIONS),
