"""Residual: results/models/{model}/residual/."""


rule residual:
    """What the residual stream holds, block by block."""
    input:
        expand("reports/models/{model}/residual.html", model=COMPANIONS),
