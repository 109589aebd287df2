"""How much arithmetic a token of training takes, counted from the shapes: a multiplication and an addition are two."""

from torch import nn
from transformers import PreTrainedModel

from app.answering.retro.model import decoder_layers
from app.answering.retro.modules import RetroModules


def flops_per_token(base: PreTrainedModel, modules: RetroModules, *, neighbours: int) -> float:
    """Matrix products alone; attention's own, which grow with the length, are left out.

    The frozen layers are passed forwards, and those from the first cross-attention on also backwards to their inputs;
    what is learnt is passed forwards and twice backwards. A token of text comes with ``neighbours * value / chunk``
    tokens of neighbours, which the layers up to the last cross-attention read.
    """
    shape = modules.settings
    layers = decoder_layers(base)
    sizes = [_weights(layer) for layer in layers]
    output = output_weights(base)
    frozen = 2 * (sum(sizes) + output) + 2 * (sum(sizes[shape.layers[0] :]) + output)
    told = neighbours * shape.value / shape.chunk
    last = layers[shape.layers[-1]].self_attn
    read = sum(sizes[: shape.layers[-1]]) + _weights(last)  # type: ignore[arg-type]
    again = (
        len(shape.layers) * 2 * shape.hidden * shape.heads * shape.head_width
    )  # what asks, and what writes
    return frozen + 4 * again + 6 * _weights(modules) + 2 * told * read


def output_weights(base: PreTrainedModel) -> int:
    """Weights of the last layer, which has an output for every word."""
    output: nn.Linear = base.get_output_embeddings()  # type: ignore[no-untyped-call]
    return output.weight.numel()


def _weights(module: nn.Module) -> int:
    return sum(linear.weight.numel() for linear in module.modules() if isinstance(linear, nn.Linear))
