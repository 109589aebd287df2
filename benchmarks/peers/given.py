"""What every peer is given, as files: passages with their vectors, questions, and models that load from folders.

Files, because each peer runs in an environment of its own, which has neither Loccit nor its index.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import faiss
import numpy as np
import torch
from safetensors.torch import save_file

from app.answering.cross_encoders.cross_encoder import CrossEncoder
from app.answering.cross_encoders.reader_weights import READER_KIND, reader_encoder
from app.answering.language_models.gguf_conversion import converted
from app.answering.language_models.gguf_file import GGUFFile
from app.answering.shipped_weights import WEIGHTS_FOLDER, shipped_weights
from common.packaged import SMOLLM2, default_cache_dir, minilm_folder
from evaluation.questions import Question, load_questions
from retriever.encoder import FloatArray
from retriever.generations import current_generation
from retriever.index import STORE_FILE, VECTORS_FILE
from retriever.store import DocumentStore
from retriever.types import Passage

PASSAGES, VECTORS, QUESTIONS = "passages.jsonl", "vectors.npy", "questions.jsonl"
INDEX, ENCODER, LANGUAGE_MODEL = "index", "encoder", "language-model"
LANGUAGE_MODEL_FILE = "language-model.gguf"
READER, UNTYPED_READER = "reader", "reader-without-types"

_TYPES = "bert.embeddings.token_type_embeddings.weight"


def give(index: Path, folder: Path) -> None:
    """Write all of it into the folder, but what lies there already."""
    folder.mkdir(parents=True, exist_ok=True)
    generation = current_generation(index)
    if not (folder / VECTORS).exists():
        passages = list(DocumentStore.open(generation / STORE_FILE).each_passage())
        _write_lines(folder / PASSAGES, map(_passage, passages))
        np.save(folder / VECTORS, _vectors(generation, passages))
    _write_lines(folder / QUESTIONS, (asdict(question) for question in _questions()))
    _link(folder / INDEX, index)
    _link(folder / ENCODER, minilm_folder())
    _link(folder / LANGUAGE_MODEL_FILE, SMOLLM2.checked_paths()[0])
    if not (folder / LANGUAGE_MODEL).exists():
        _language_model(folder / LANGUAGE_MODEL)
    if not (folder / READER).exists():
        reader_as_question_answering(folder / READER)
    if not (folder / UNTYPED_READER).exists():
        reader_as_question_answering(folder / UNTYPED_READER, typed=False)


def _language_model(folder: Path) -> None:
    """SmolLM2 as Loccit converts it, named so that releases 4 and 5 of transformers load it alike."""
    source = converted(SMOLLM2.paths(), SMOLLM2.sha256, default_cache_dir())
    folder.mkdir(parents=True)
    for name in ("model.safetensors", "tokenizer.json"):
        _link(folder / name, source / name)
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    config |= {"rope_theta": config["rope_parameters"]["rope_theta"], "torch_dtype": config["dtype"]}
    tokenizer = json.loads((source / "tokenizer_config.json").read_text(encoding="utf-8"))
    tokenizer |= {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": GGUFFile(SMOLLM2.paths()[0]).metadata["tokenizer.chat_template"],
    }
    for name, told in (("config.json", config), ("tokenizer_config.json", tokenizer)):
        (folder / name).write_text(json.dumps(told, indent=1), encoding="utf-8")


def reader_as_question_answering(folder: Path, *, typed: bool = True) -> None:
    """Loccit's small reader as a BERT for question answering that transformers loads: its pointer is the head.

    What it learnt besides, to judge passages, has no place in such a model. Not ``typed``: for those who do not tell
    the model which tokens are the question's. It reads both kinds as their mean then: of 60 of the questions, each
    with the passage that answers, 42 are exact matches, 46 where the kinds are told, and 35 if all were question.
    """
    path, _ = shipped_weights("reader", READER_KIND, WEIGHTS_FOLDER)
    base = minilm_folder()
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    folder.mkdir(parents=True)
    config |= {"architectures": ["BertForQuestionAnswering"], "dtype": "float32"}
    (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        if (base / name).exists():
            (folder / name).write_bytes((base / name).read_bytes())
    tensors = _as_bert(reader_encoder(path, base))
    if not typed:
        types = tensors[_TYPES]
        tensors[_TYPES] = types.mean(0, keepdim=True).repeat(len(types), 1)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _as_bert(model: CrossEncoder) -> dict[str, torch.Tensor]:
    """The tensors under the names of transformers."""
    ours = model.state_dict()
    theirs = {
        "bert.embeddings.word_embeddings.weight": model.words,
        "bert.embeddings.position_embeddings.weight": ours["positions.weight"],
        _TYPES: ours["types.weight"],
        "qa_outputs.weight": ours["pointer.weight"],
        "qa_outputs.bias": ours["pointer.bias"],
    }
    for part in ("weight", "bias"):
        theirs[f"bert.embeddings.LayerNorm.{part}"] = ours[f"norm.{part}"]
        for number in range(model.shape.layers):
            mine, bert = f"layers.{number}.", f"bert.encoder.layer.{number}."
            query, key, value = ours[f"{mine}qkv.{part}"].chunk(3)
            theirs |= {
                f"{bert}attention.self.query.{part}": query,
                f"{bert}attention.self.key.{part}": key,
                f"{bert}attention.self.value.{part}": value,
                f"{bert}attention.output.dense.{part}": ours[f"{mine}out.{part}"],
                f"{bert}attention.output.LayerNorm.{part}": ours[f"{mine}attention_norm.{part}"],
                f"{bert}intermediate.dense.{part}": ours[f"{mine}up.{part}"],
                f"{bert}output.dense.{part}": ours[f"{mine}down.{part}"],
                f"{bert}output.LayerNorm.{part}": ours[f"{mine}norm.{part}"],
            }
    return {name: tensor.float().contiguous().clone() for name, tensor in theirs.items()}


def _questions() -> list[Question]:
    """The project's own, mixed, so that the first n of them are of every kind."""
    questions = load_questions("own")
    order = np.random.default_rng(0).permutation(len(questions))
    return [questions[place] for place in order]


def _passage(passage: Passage) -> dict[str, object]:
    return {
        "id": str(passage.row),
        "document_id": passage.doc_id,
        "title": passage.title,
        "text": passage.text,
        "start": passage.span.start,
        "end": passage.span.end,
    }


def _vectors(generation: Path, passages: list[Passage]) -> FloatArray:
    """Of each passage, (passages, dimension), as the index holds them."""
    index = faiss.read_index(str(generation / VECTORS_FILE))
    return np.stack([index.reconstruct(passage.row) for passage in passages]).astype(np.float32)


def _write_lines(path: Path, records: Iterable[object]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _link(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target.resolve())
