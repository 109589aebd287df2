"""A trained adapter: low-rank changes to a language model's projections, with a citation head on its states."""

from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from app.answering.cross_encoders.low_rank import merge
from app.answering.evidence_model.adapted_lm import AdaptedLM
from app.answering.evidence_model.citation_head import CitationHead
from app.answering.evidence_model.evidence_input import EvidenceTokenizer
from app.answering.evidence_model.loaded_when_asked import EvidenceLM
from app.answering.language_models.few_rows_linear import use_few_rows
from app.answering.language_models.transformers_lm import LoadedModel
from app.answering.limits import EVIDENCE_TOKENS
from app.answering.shipped_weights import name_of, shipped_weights
from common.errors import ModelUnusableError
from common.torch_runtime import has_amx

ADAPTER_KIND = "adapter"
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
CITATION_PREFIX = "citation."


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
        if f"{CITATION_PREFIX}right.weight" not in tensors:
            raise ModelUnusableError(
                f"{path} is of a version whose adapters did not judge answers; train it again, "
                "`loccit train adapter --start DIR` begins with it."
            )
        merge(base.model, tensors)
        head.load_state_dict(
            {
                key.removeprefix(CITATION_PREFIX): tensor
                for key, tensor in tensors.items()
                if key.startswith(CITATION_PREFIX)
            }
        )
    except (RuntimeError, SafetensorError, OSError, KeyError, AttributeError) as error:
        raise ModelUnusableError(f"{path} does not hold an adapter for {base.name} ({error}).") from error
    if has_amx():
        use_few_rows(base.model)
    head.to(base.model.dtype).requires_grad_(requires_grad=False)
    tokenizer = EvidenceTokenizer(base.tokenizer, begin=base.begin, evidence_tokens=evidence_tokens)
    lm = AdaptedLM(base.model.eval(), tokenizer, head)  # type: ignore[no-untyped-call]
    return AdaptedModel(base.name, base.sha256, entry.sha256, lm)
