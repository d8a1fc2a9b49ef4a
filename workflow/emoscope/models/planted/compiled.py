"""A planned circuit as the weights of a GPT-2 or a BERT: a classifier whose inside is known.

No command makes one: benchmarks and tests do, to see what methods find in it.

Norms would mix the signals. They do not, since every signal stands in two dimensions with opposite signs, so that the
mean is zero, and one constant signal is so large that it alone decides the scale, which the norm's weight undoes. What
remains of the norms moves a logit by less than a thousandth.
"""

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from emoscope.models.parts import (
    blocks_of,
    family_of,
    head_weights,
    reading_weights,
    write_directions,
)
from emoscope.models.planted.circuit import (
    ANSWER,
    BLOCKS,
    CLASSES,
    CONSTANT,
    HEAD_WIDTH,
    HEADS,
    POOLED,
    SIGNALS,
    Circuit,
    Head,
    Neuron,
)
from emoscope.models.planted.texts import KIND_OF, POOLED_MARK, WORDS

WIDTH, NEURONS = HEADS * HEAD_WIDTH, 2 * HEADS * HEAD_WIDTH
LARGE = 200.0  # the constant signal
SHARP = 40.0  # difference of attention scores between a word that is looked for and any other
DECIDED = 8.0  # logits of an answer
LONGEST = 32
LAYOUTS = {  # where a family has its neurons' reading weights and its embeddings, and what it wants to be told
    "gpt2": (
        "mlp.c_fc",
        {"n_embd": WIDTH, "n_layer": BLOCKS, "n_head": HEADS, "n_positions": LONGEST, "n_inner": NEURONS}
        | {"activation_function": "relu"},
    ),
    "bert": (
        "intermediate.dense",
        {"hidden_size": WIDTH, "num_hidden_layers": BLOCKS, "num_attention_heads": HEADS, "hidden_act": "relu"}
        | {"intermediate_size": NEURONS, "max_position_embeddings": LONGEST, "type_vocab_size": 1},
    ),
}


def compiled(circuit: Circuit, layout: str) -> PreTrainedModel:
    """A classifier of this layout (`gpt2`, pre-norm and causal, or `bert`, post-norm) that computes the circuit."""
    _, sizes = LAYOUTS[layout]
    names = {"id2label": dict(enumerate(CLASSES)), "label2id": {name: k for k, name in enumerate(CLASSES)}}
    special = {"vocab_size": len(WORDS), "pad_token_id": 0, "bos_token_id": None, "eos_token_id": None}
    model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(layout, **sizes, **special, **names))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        _set_norms(model)
        _set_embeddings(model)
        for (block, head), wanted in circuit.heads.items():
            _set_head(model, block, head, wanted)
        for block, neurons in circuit.neurons.items():
            _set_neurons(model, layout, block, neurons)
        _set_readout(model)
    return model.eval()


def tokenizer_for(layout: str) -> PreTrainedTokenizerFast:
    """One token a word; the pooled token, which says that it is one, comes first for BERT and last for GPT-2."""
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    template = {"gpt2": f"$A {POOLED_MARK}", "bert": f"{POOLED_MARK} $A"}[layout]
    tokenizer.post_processor = TemplateProcessing(
        single=template, special_tokens=[(POOLED_MARK, WORDS.index(POOLED_MARK))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token=POOLED_MARK,
        model_max_length=LONGEST,
    )


def _reading(signals: dict[str, float]) -> Tensor:
    """The vector whose product with a residual (width,) is the weighted sum of these signals."""
    return _writing(signals) / 2


def _writing(signals: dict[str, float]) -> Tensor:
    """What is added to a residual (width,) to add this much of these signals."""
    vector = torch.zeros(WIDTH)
    for signal, weight in signals.items():
        place = 2 * SIGNALS.index(signal)
        vector[place], vector[place + 1] = weight, -weight
    return vector


def _set_norms(model: PreTrainedModel) -> None:
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            module.weight.fill_(LARGE * (2 / WIDTH) ** 0.5)


def _set_embeddings(model: PreTrainedModel) -> None:
    embedding = model.get_submodule(family_of(model).embedding).weight
    for number, word in enumerate(WORDS):
        kind = {KIND_OF[word]: 1.0} if word in KIND_OF else {}
        embedding[number] = _writing(kind | {CONSTANT: LARGE})


def _set_head(model: PreTrainedModel, block: int, head: int, wanted: Head) -> None:
    queries, keys, values = reading_weights(model, block)
    start = head * HEAD_WIDTH
    queries[:, start] = _reading({POOLED: 2 * SHARP * HEAD_WIDTH**0.5})
    keys[:, start] = _reading(dict.fromkeys(wanted.looks_for, 1.0) | {POOLED: 0.5})
    for number, (signal, becomes) in enumerate(wanted.moves.items()):
        values[:, start + number] = _reading({signal: 1.0})
        head_weights(model, block)[head, number] = _writing(becomes)


def _set_neurons(model: PreTrainedModel, layout: str, block: int, neurons: tuple[Neuron, ...]) -> None:
    reader = blocks_of(model)[block].get_submodule(LAYOUTS[layout][0])
    weight = reader.weight if family_of(model).stores_in_out else reader.weight.T
    for number, neuron in enumerate(neurons):
        weight[:, number] = _reading(neuron.reads)
        reader.bias[number] = neuron.bias
        write_directions(model, block)[number] = _writing(neuron.writes)


def _set_readout(model: PreTrainedModel) -> None:
    """GPT-2 reads the answer from the residual; BERT's pooler, a tanh, first makes a copy of it, hardly bent."""
    answers = [ANSWER.format(name) for name in CLASSES]
    if not family_of(model).pools_first:
        for number, answer in enumerate(answers):
            model.score.weight[number] = _reading({answer: DECIDED})
        return
    for number, answer in enumerate(answers):
        model.bert.pooler.dense.weight[number] = _reading({answer: 0.25})
        model.classifier.weight[number, number] = 4 * DECIDED
