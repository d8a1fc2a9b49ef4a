"""Making a loaded model such that each part of each block is a module of its own which hooks can reach.

What the model computes stays the same, bit for bit, and so does what is stored of it: models are prepared when they are
to be taken apart, and not when they are trained or saved.
"""

from copy import copy, deepcopy

from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.models.opt.modeling_opt import OPTDecoderLayer

from emoscope.errors import UserError
from emoscope.models.families import ACTIVATIONS
from emoscope.models.parts import family_of


def prepared(model: PreTrainedModel) -> PreTrainedModel:
    """The model itself, its blocks within reach; UserError if its family's description does not fit it."""
    match model.config.model_type:
        case "albert":
            _separate_depths(model)
        case "opt":
            for block in model.base_model.modules():
                if type(block) is OPTDecoderLayer:
                    block.__class__ = _UnflattenedBlock
    check_parts(model)
    blocks, depth = model.get_submodule(family_of(model).blocks), model.config.num_hidden_layers
    if not isinstance(blocks, nn.ModuleList) or len(blocks) != depth:
        raise UserError(
            f"{family_of(model).blocks!r}, which the description of a {type(model).__name__} calls `blocks`, is no "
            f"list of its {depth} blocks; fix `family` of the model in the configuration"
        )
    return model


def check_parts(model: PreTrainedModel) -> None:
    """UserError unless a model, prepared or not, has the parts that its family's description names."""
    family = family_of(model)

    def part(whole: nn.Module, name: str, field: str) -> nn.Module:
        try:
            return whole.get_submodule(name)
        except AttributeError:
            raise UserError(
                f"a {type(model).__name__} has no {name!r}, which its description calls `{field}`; look up the name in "
                "what `print(model)` shows and fix `family` of the model in the configuration"
            ) from None

    if type(model).__name__.endswith("ForSequenceClassification"):
        for name in family.readout:
            if name not in ACTIVATIONS:
                part(model, name, "readout")
    block = part(model, f"{family.blocks}.0", "blocks")
    within = {
        "projection": [family.projection],
        "readers": family.readers,
        "feed_forward": [family.feed_forward],
        "neurons": [family.neurons],
        "attention_norm": filter(None, [family.attention_norm]),
        "norms": family.norms,
        "output_norms": family.output_norms,
        "query_norms": family.query_norms,
    }
    for field, names in within.items():
        for name in names:
            part(block, name, field)


def _separate_depths(model: PreTrainedModel) -> None:
    """Give each depth of an ALBERT modules of its own, which share the parameters: a mask of one depth is then one of
    that depth alone."""
    encoder, config = model.base_model.encoder, model.config
    if config.inner_group_num != 1:
        raise UserError(
            f"{model.name_or_path}: an ALBERT with {config.inner_group_num} layers in a group (inner_group_num), whose "
            "blocks cannot be told apart; choose one with 1, as all published ones have"
        )
    per_group = config.num_hidden_layers / config.num_hidden_groups
    shared = {id(parameter): parameter for parameter in encoder.parameters()}
    groups = [encoder.albert_layer_groups[int(depth / per_group)] for depth in range(config.num_hidden_layers)]
    encoder.albert_layer_groups = nn.ModuleList(deepcopy(group, dict(shared)) for group in groups)
    encoder.config = copy(config)  # the encoder's alone, or a twin of the model would have as many groups
    encoder.config.num_hidden_groups = config.num_hidden_layers


class _UnflattenedBlock(OPTDecoderLayer):
    """A block of OPT whose feed-forward half works on (batch, tokens, width), not on all tokens in a row."""

    def forward(self, hidden_states: Tensor, **options: object) -> Tensor:
        before = self.do_layer_norm_before
        read = self.self_attn_layer_norm(hidden_states) if before else hidden_states
        stream = hidden_states + self.self_attn(hidden_states=read, **options)[0]
        if not before:
            stream = self.self_attn_layer_norm(stream)
        read = self.final_layer_norm(stream) if before else stream
        stream = stream + self.fc2(self.activation_fn(self.fc1(read)))
        return stream if before else self.final_layer_norm(stream)
