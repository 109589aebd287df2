"""The language model in a peer's process, where the peer itself only knows models behind an API."""

from collections.abc import Sequence

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

MOST_NEW_TOKENS = 256
"""As many as LlamaIndex lets a local model write unless told otherwise."""
LONGEST_PROMPT = 4096


class LocalModel:
    """A causal language model of this folder. It decodes greedily, so that it answers alike again."""

    def __init__(self, folder: str) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForCausalLM.from_pretrained(folder, torch_dtype="auto").eval()

    def chat(self, messages: Sequence[dict[str, str]]) -> str:
        """What it answers to these messages, in the form that it was trained on."""
        prompt = self._tokenizer.apply_chat_template(
            list(messages), tokenize=False, add_generation_prompt=True
        )
        ids = self._tokenizer(prompt, return_tensors="pt", add_special_tokens=False).input_ids[
            :, -LONGEST_PROMPT:
        ]
        with torch.inference_mode():
            written = self._model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=MOST_NEW_TOKENS
            )
        return self._tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True)
