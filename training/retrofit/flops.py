"""How much arithmetic a token of training takes, counted from the shapes: a multiplication and an addition are two."""

from torch import nn
from transformers import PreTrainedModel

from app.answering.retro.model import decoder_layers
from app.answering.retro.modules import RetroModules


def flops_per_token(base: PreTrainedModel, modules: RetroModules, *, neighbours: int) -> float:
    """Matrix products alone; attention's own, which grow with the length, are left out.

    The frozen layers are passed forwards, and those from the first cross-attention on also backwards to their inputs;
    what is learnt is passed forwards and twice backwards. A token of text comes with ``neighbours * value / chunk``
    tokens of neighbours.
    """
    shape = modules.settings
    sizes = [_weights(layer) for layer in decoder_layers(base)]
    output = output_weights(base)
    frozen = 2 * (sum(sizes) + output) + 2 * (sum(sizes[shape.layers[0] :]) + output)
    told = neighbours * shape.value / shape.chunk
    attention = modules.cross_attention()
    asked = sum(_weights(layer.attention.query) + _weights(layer.out) for layer in attention)
    read = sum(_weights(layer.attention.key) + _weights(layer.attention.value) for layer in attention)
    return frozen + 6 * (asked + told * (read + _weights(modules.encoder)))


def output_weights(base: PreTrainedModel) -> int:
    """Weights of the last layer, which has an output for every word."""
    output: nn.Linear = base.get_output_embeddings()  # type: ignore[no-untyped-call]
    return output.weight.numel()


def _weights(module: nn.Module) -> int:
    return sum(linear.weight.numel() for linear in module.modules() if isinstance(linear, nn.Linear))
