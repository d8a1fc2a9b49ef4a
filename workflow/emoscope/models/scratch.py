"""GPT-2's architecture at a small size, for models that start from random weights."""

from transformers import GPT2Config


def small_gpt2(config: dict, vocabulary: int, **settings: object) -> GPT2Config:
    """GPT-2 of the configured `context`, `width`, `blocks` and `heads`; `settings` are GPT2Config's own."""
    return GPT2Config(
        vocab_size=vocabulary,
        n_positions=config["context"],
        n_embd=config["width"],
        n_layer=config["blocks"],
        n_head=config["heads"],
        initializer_range=0.5 / config["width"] ** 0.5,  # 0.018 at GPT-2's width 768, where its authors chose 0.02
        resid_pdrop=0.0,  # so small a model underfits: dropout costs it accuracy
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        activation_function="gelu_pytorch_tanh",  # GPT-2's own, in one kernel
        **settings,
    )
