"""The language model behind a server on this machine, for peers that only know models that speak OpenAI's protocol.

It runs in the peers' environments: the standard library alone. The server is llama-cpp-python's, in an environment of
its own; it reads the file that the weights of the others were converted from.
"""

import atexit
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

MODEL = "smollm2-135m"
MOST_NEW_TOKENS = 256
"""As many as LlamaIndex lets a local model write unless told otherwise."""
NO_PENALTY = {"repeat_penalty": 1.0}
"""Without it this server makes every word that was read less likely to be written, which is the opposite of quoting."""

_PATIENCE_S = 120.0


class LocalServer:
    """A server that is ready to answer; it ends with this process. ``pid``: whose seconds count too."""

    def __init__(self, python: Path, model: Path, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options: dict[str, Any] = {
            "model": model,
            "model_alias": MODEL,
            "host": "127.0.0.1",
            "port": port,
            "n_ctx": 4096,
            "n_threads": 1,
            "n_threads_batch": 1,
            "interrupt_requests": False,
        }
        command = [str(python), "-m", "llama_cpp.server"]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        with log.open("w", encoding="utf-8") as file:
            self._process = subprocess.Popen(command, stdout=file, stderr=file)
        atexit.register(self.close)
        self.pid = self._process.pid
        self.url = f"http://127.0.0.1:{port}/v1"
        self._wait(log)

    @classmethod
    def of(cls, given: Path) -> "LocalServer":
        """The server of the language model in the folder that benchmarks.peers.given wrote."""
        python = Path(os.environ["LANGUAGE_MODEL_SERVER"])
        return cls(python, given / "language-model.gguf", given / f"language-model-server-{os.getpid()}.log")

    def close(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait()

    def _wait(self, log: Path) -> None:
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/models", timeout=5):
                    return
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.2)
        self.close()
        raise RuntimeError(f"The server of the language model did not start; {log} says why.")
