r"""A trained adapter: low-rank changes to a language model's projections, added to its weights when it is loaded.

LoRA (Hu et al. 2021, section 4.1): ``W <- W + SCALE B A`` with A (rank, in) and B (out, rank).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from app.answering.citation_head import CitationHead
from app.answering.evidence_input import EVIDENCE_TOKENS, EvidenceTokenizer
from app.answering.evidence_lm import EvidenceLM
from app.answering.few_rows_linear import use_few_rows
from app.answering.shipped_weights import name_of, shipped_weights
from app.answering.transformers_lm import LoadedModel
from retriever.errors import ModelUnusableError
from retriever.torch_runtime import computes_in_bfloat16

ADAPTER_KIND = "adapter"
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
SCALE = 2.0
CITATION_PREFIX = "citation."
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"


@dataclass(frozen=True, slots=True)
class AdaptedModel:
    """A language model with its adapter. ``sha256``: of the base model; ``adapter_sha256``: of the adapter."""

    name: str
    sha256: str
    adapter_sha256: str
    lm: EvidenceLM


def adapted(base: LoadedModel, folder: Path, *, evidence_tokens: int = EVIDENCE_TOKENS) -> AdaptedModel:
    """The model with the adapter that ``folder`` has for it, merged in place.

    Raises:
        ModelUnusableError: when there is none, or it is damaged or does not fit.
    """
    name = name_of(ADAPTER_KIND, base.sha256, folder) or f"adapter-{base.name}"
    path, entry = shipped_weights(name, ADAPTER_KIND, folder)
    head = CitationHead(base.model.config.hidden_size)
    try:
        tensors = load_file(path)
        merge(base.model, tensors)
        head.load_state_dict(
            {key.removeprefix(CITATION_PREFIX): one for key, one in tensors.items() if _is_of_head(key)}
        )
    except (RuntimeError, SafetensorError, OSError, KeyError, AttributeError) as error:
        raise ModelUnusableError(f"{path} does not hold an adapter for {base.name} ({error}).") from error
    if computes_in_bfloat16():
        use_few_rows(base.model)
    head.to(base.model.dtype).requires_grad_(requires_grad=False)
    tokenizer = EvidenceTokenizer(base.tokenizer, begin=base.begin, evidence_tokens=evidence_tokens)
    lm = EvidenceLM(base.model.eval(), tokenizer, head)  # type: ignore[no-untyped-call]
    return AdaptedModel(base.name, base.sha256, entry.sha256, lm)


@torch.no_grad()
def merge(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Add the adapter to the model's weights, in float32 before they are rounded again.

    Raises:
        KeyError, AttributeError: when it belongs to another architecture.
    """
    for name, down in tensors.items():
        if name.endswith(_DOWN):
            projection = name.removesuffix(_DOWN)
            weight, up = model.get_parameter(f"{projection}.weight"), tensors[projection + _UP]
            weight.copy_(weight.float() + SCALE * (up.float() @ down.float()))


def _is_of_head(key: str) -> bool:
    return key.startswith(CITATION_PREFIX)
