"""Builds an index in this process and tells what that took: ``python benchmarks/build_process.py FILE DIR [ENGINE]``.

It asks no more of a checkout than ``build_index``, so that it can run an earlier one. The encoder draws its vectors,
so that embedding costs next to nothing.
"""

import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path


def memory_mib(name: str) -> float:
    """A figure of Linux's own account of this process, such as VmHWM, the most it had in memory at once."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="utf-8"), re.M)
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    import numpy as np
    from rich.console import Console

    from index_builder.build import build_index
    from index_builder.corpora import open_corpus
    from retriever.encoder import FloatArray, HashingEncoder
    from retriever.text.passages import PassageSettings

    class DrawnVectors(HashingEncoder):
        """Unit vectors around 1,000 centres, of any texts."""

        def __init__(self) -> None:
            super().__init__(384)
            self._chosen = np.random.default_rng(0)
            self._centres = self._chosen.normal(size=(1000, self.dimension)).astype(np.float32)

        def encode_passages(self, texts: Sequence[str]) -> FloatArray:
            near = self._centres[self._chosen.integers(len(self._centres), size=len(texts))]
            vectors = near + self._chosen.normal(size=near.shape).astype(np.float32)
            unit: FloatArray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
            return unit

    source, directory, *engine = sys.argv[1:]
    started, spent = time.perf_counter(), time.process_time()
    report = build_index(
        [open_corpus(source)],
        Path(directory),
        encoder=DrawnVectors(),
        settings=PassageSettings(words=12, continuation_words=24),
        strict=True,
        console=Console(stderr=True),
        **({"engine": engine[0]} if engine else {}),
    )
    told = {
        "passages": report.manifest.counts.passages,
        "engine": report.manifest.vectors.engine,
        "seconds": time.perf_counter() - started,
        "cpu_s": time.process_time() - spent,
        "peak_mib": memory_mib("VmHWM"),
        "index_bytes": sum(file.bytes for file in report.manifest.files.values()),
        "cache_bytes": sum(file.stat().st_size for file in (Path(directory) / "cache").iterdir()),
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
