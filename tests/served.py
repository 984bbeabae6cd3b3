"""A model behind a real OpenAI-compatible server on loopback: llama.cpp's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rlaif.embedded.find import packaged_gguf


@contextmanager
def serving(gguf: Path) -> Iterator[str]:
    """Serve a file while the block runs; give the server's address, ending in `/v1`."""
    xllamacpp = pytest.importorskip("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(gguf)
    params.n_ctx, params.n_parallel, params.n_gpu_layers = 4096, 4, 0
    # Several threads wait for each other by spinning, which a busy machine pays for dearly.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.port, params.warmup, params.verbosity = 0, False, 0
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    del server


@pytest.fixture(scope="session")
def served_at() -> Iterator[str]:
    """Serve the embedded model."""
    gguf = packaged_gguf()
    if gguf is None:
        pytest.skip("the embedded model's package is not installed")
    with serving(gguf) as address:
        yield address
