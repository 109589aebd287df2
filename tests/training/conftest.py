"""A toy of everything: data files, a base model of a few thousand weights, and its tokenizer."""

import gzip
import json
import lzma
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from training.data.mining import MiningSettings
from training.data.prepare import DataSettings, prepare
from training.data.prepared import PreparedData

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,'?!()-"
HIDDEN = 16
PLACES = ("Aberdeen", "Bergen", "Calais", "Dover", "Emden", "Fowey")


def write_lines(path: Path, records: Iterable[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    opened: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}
    with opened.get(path.suffix, open)(path, "wt", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture
def base(tmp_path):
    """A BERT of two layers with random weights and a tokenizer of single characters."""
    folder = tmp_path / "base"
    folder.mkdir()
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    tokenizer = Tokenizer(WordPiece({token: n for n, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "model_type": "bert", "hidden_act": "gelu", "vocab_size": len(tokens), "hidden_size": HIDDEN,
        "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
        "max_position_embeddings": 256, "layer_norm_eps": 1e-12,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    generator = torch.Generator().manual_seed(1)
    sizes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(tokens), HIDDEN),
        "embeddings.position_embeddings.weight": (256, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
        "embeddings.LayerNorm.weight": (HIDDEN,),
        "embeddings.LayerNorm.bias": (HIDDEN,),
    }
    for n in range(2):
        layer = f"encoder.layer.{n}."
        for name in ("query", "key", "value"):
            sizes[f"{layer}attention.self.{name}.weight"] = (HIDDEN, HIDDEN)
            sizes[f"{layer}attention.self.{name}.bias"] = (HIDDEN,)
        for name, shape in (
            ("attention.output.dense", (HIDDEN, HIDDEN)),
            ("intermediate.dense", (32, HIDDEN)),
            ("output.dense", (HIDDEN, 32)),
        ):
            sizes[f"{layer}{name}.weight"] = shape
            sizes[f"{layer}{name}.bias"] = shape[:1]
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            sizes[f"{layer}{name}.weight"] = sizes[f"{layer}{name}.bias"] = (HIDDEN,)
    tensors = {name: torch.randn(size, generator=generator) * 0.2 for name, size in sizes.items()}
    for name in tensors:
        if name.endswith("LayerNorm.weight"):
            tensors[name] = torch.ones_like(tensors[name])
    save_file(tensors, folder / "model.safetensors")
    return folder


@pytest.fixture
def data_folder(tmp_path):
    """Six ports, each with an article; questions about them in three training files and two evaluation files."""
    folder = tmp_path / "data"
    write_lines(
        folder / "corpora/enwiki2015.jsonl.xz",
        [
            {
                "id": f"wiki-{n}",
                "title": f"{place} harbour",
                "text": f"The harbour of {place} was opened in {1800 + n}. Ships bring stone number{n} there.\n\n"
                + "Nothing else is known about it. " * 30
                + f"\n\nThe lighthouse of {place} was lit in {1900 + n}. Its keeper was Mr. Keeper{n} of {place}.",
            }
            for n, place in enumerate(PLACES)
        ],
    )
    write_lines(
        folder / "squad/train_v1.1.jsonl.xz",
        [
            {
                "title": f"Port {place}",
                "context": (
                    context := f"Port {place} has {n + 3} cranes {about}. It belongs to Lord {place}{about}."
                ),
                "question": f"How many cranes {about} are in Port {place}?",
                "answers": [{"text": str(n + 3), "answer_start": context.index(f"{n + 3} cranes")}],
            }
            for n, place in enumerate(PLACES)
            for about in ("north", "south", "west")
        ],
    )
    write_lines(
        folder / "nq/train_questions.jsonl.gz",
        [
            {"question": f"when was the harbour of {place.lower()} opened", "answers": [str(1800 + n)]}
            for n, place in enumerate(PLACES)
        ]
        + [{"question": "who keeps the moon", "answers": ["nobody at all"]}],
    )
    write_lines(
        folder / "triviaqa/train_questions.jsonl.gz",
        [
            {
                "question": f"Who kept the lighthouse of {place}?",
                "answers": ["🚁", "K", f"Keeper{n}", f"Mr. Keeper{n}"],
            }
            for n, place in enumerate(PLACES)
        ],
    )
    write_lines(
        folder / "nq/open_dev_with_gold.jsonl",
        [{"question": "When was  The harbour of Dover opened?", "answers": ["1803"]}],
    )
    write_lines(
        folder / "truthfulqa/questions.jsonl",
        [{"Question": "how many cranes 'north' are in port CALAIS", "Best Answer": "five"}],
    )
    write_lines(folder / "clapnq/dev.jsonl.gz", [{"input": "who kept lighthouse of Emden", "passages": []}])
    return folder


@pytest.fixture
def data(data_folder, tmp_path, quiet):
    """The folder of what is prepared from the toy's files."""
    settings = DataSettings(
        mining=MiningSettings(depth=10, negatives=4), development_questions=2, development_articles=0.0
    )
    prepare(data_folder, tmp_path / "prepared", quiet, settings=settings)
    return tmp_path / "prepared"


@pytest.fixture
def opened(data):
    return PreparedData(data)
