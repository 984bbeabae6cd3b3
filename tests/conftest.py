"""What many tests share: small records, a scripted judge, a tiny random model."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from rlaif.constitution.principle import Principle
from rlaif.records import Comparison, Prompt, Response

# No test times anything: a slow machine is no failure. The examples are the same on every run, so
# that a change is judged by what it changed; HYPOTHESIS_PROFILE=search looks for new ones.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

pytest_plugins = ["tests.small_run", "tests.served"]


@pytest.fixture
def prompt() -> Prompt:
    return Prompt.of("How do I boil an egg?", id="egg")


@pytest.fixture
def comparison(prompt: Prompt) -> Comparison:
    first = Response(id="egg/1", prompt_id=prompt.id, text="Eight minutes.", author="policy")
    second = Response(id="egg/2", prompt_id=prompt.id, text="Ask a cook.", author="policy")
    return Comparison(id="egg/1-2", prompt=prompt, first=first, second=second)


@pytest.fixture
def principle() -> Principle:
    return Principle(id="useful", text="The response answers the question.")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama of two layers with a word-level tokenizer and a ChatML template."""
    from tests.tiny import make_tiny_model  # noqa: PLC0415

    return make_tiny_model(tmp_path_factory.mktemp("tiny"))
