import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    BloomConfig,
    BloomForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from rlaif.backends.prefixes import grow
from rlaif.backends.scoring import Padded, Scorer
from rlaif.backends.sharing import Shared, may_share, scorer_for

SIZES = {
    "vocab_size": 100,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
}

STRETCHED = {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}


def made(kind: type, config: object, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    torch.manual_seed(0)
    model = kind(config).to(dtype).eval()
    with torch.no_grad():  # sharper than at birth, so that a wrong encoding shows
        for weights in model.parameters():
            weights.mul_(4)
    return model


MODEL = made(LlamaForCausalLM, LlamaConfig(**SIZES))
WHOLE = Padded(MODEL, batch=4, tokens=64)


def scored(scorer: Scorer, paths: list[list[int]]) -> list[float]:
    found = dict(scorer.logprobs(paths, [[3, 5]] * len(paths)))
    assert sorted(found) == list(range(len(paths)))
    return [value for number in range(len(paths)) for value in found[number]]


@contextmanager
def counted(model: PreTrainedModel) -> Iterator[list[int]]:
    """Note how many tokens each call of the model encodes."""
    calls: list[int] = []
    hook = model.register_forward_pre_hook(
        lambda _module, _args, given: calls.append(given["input_ids"].numel()), with_kwargs=True
    )
    yield calls
    hook.remove()


path = st.lists(st.integers(0, 2), min_size=1, max_size=9)
many_paths = st.lists(path, min_size=1, max_size=10)


@settings(max_examples=15, deadline=None)
@given(
    windows=st.lists(many_paths, min_size=1, max_size=3),
    width=st.integers(1, 30),
    tokens=st.integers(1, 40),
    short=st.sampled_from([(1, 1), (4, 2), (64, 16)]),
)
def test_what_is_shared_scores_as_what_is_encoded_whole(
    windows: list[list[list[int]]], width: int, tokens: int, short: tuple[int, int]
) -> None:
    sharing = Shared(MODEL, tokens=tokens, width=width)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rlaif.backends.sharing._SHORT", short[0])
        patch.setattr("rlaif.backends.sharing._FEW", short[1])
        for paths in windows:
            assert scored(sharing, paths) == pytest.approx(scored(WHOLE, paths), abs=1e-4)


def test_every_distinct_token_is_encoded_once_and_what_is_kept_never_again() -> None:
    opening = list(range(30)) * 3
    paths = [[*opening, *pair] for pair in itertools.product(range(6), repeat=2)]
    sharing = Shared(MODEL, tokens=1000, width=50)
    with counted(MODEL) as calls:
        scored(sharing, paths)
    assert sum(calls) == sum(branch.size for branch in grow(paths)) == 90 + 6 + 36
    assert max(calls) <= 50
    with counted(MODEL) as calls:
        scored(sharing, [[*opening, 30 + number] for number in range(4)])
    assert sum(calls) == 4


def test_a_lone_path_is_kept_for_the_next_that_begins_like_it() -> None:
    opening = list(range(40)) * 2
    sharing = Shared(MODEL, tokens=1000)
    scored(sharing, [[*opening, 1, 2]])
    with counted(MODEL) as calls:
        assert scored(sharing, [[*opening, 3]]) == pytest.approx(
            scored(WHOLE, [[*opening, 3]]), abs=1e-4
        )
    assert calls[0] == 1


def test_a_few_words_in_common_do_not_take_a_row_apart() -> None:
    opening = list(range(40)) * 2
    sharing = Shared(MODEL, tokens=1000)
    scored(sharing, [[*opening, 90, 91, *range(70)]])
    new = [[*opening, 90, 91, 80], [*opening, 92, 80]]
    with counted(MODEL) as calls:
        assert scored(sharing, new) == pytest.approx(scored(WHOLE, new), abs=1e-4)
    assert calls[0] == 3 + 2


def test_the_same_paths_again_are_read_again() -> None:
    paths = [[*range(39), *range(39), n] for n in (1, 1, 2)]
    sharing = Shared(MODEL, tokens=1000)
    once = scored(sharing, paths)
    assert scored(sharing, paths) == pytest.approx(once, abs=1e-4)
    assert once == pytest.approx(scored(WHOLE, paths), abs=1e-4)


def test_no_more_is_kept_than_is_allowed() -> None:
    sharing = Shared(MODEL, tokens=100, width=80)
    for first in range(5):
        scored(sharing, [[first, *range(70), last] for last in range(3)])
        assert sharing._prefixes.size <= 100


def test_two_streams_side_by_side_do_not_disturb_each_other() -> None:
    sharing = Shared(MODEL, tokens=8, width=4)
    here = [[1, *range(6), 2, last] for last in range(8)]
    there = [[7, *range(9), 2, last] for last in range(8)]
    streams = [sharing.logprobs(paths, [[3, 5]] * 8) for paths in (here, there)]
    found: list[dict[int, list[float]]] = [{}, {}]
    for pair in zip(*streams, strict=True):
        for got, (number, logprobs) in zip(found, pair, strict=True):
            got[number] = logprobs
    for got, paths in zip(found, (here, there), strict=True):
        flat = [value for number in range(8) for value in got[number]]
        assert flat == pytest.approx(scored(WHOLE, paths), abs=1e-4)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (LlamaForCausalLM, LlamaConfig(**SIZES)),
        (Qwen2ForCausalLM, Qwen2Config(**SIZES)),
        (GPT2LMHeadModel, GPT2Config(vocab_size=40, n_embd=32, n_layer=2, n_head=4)),
    ],
    ids=["grouped", "biased", "learned positions"],
)
def test_a_model_that_can_share_does(kind: type, config: object, attention: str) -> None:
    model = made(kind, config)
    model.set_attn_implementation(attention)
    scorer = scorer_for(model, batch=4, tokens=100)
    assert isinstance(scorer, Shared)
    paths = [[*range(30), last] for last in range(5)]
    whole = Padded(model, batch=4, tokens=1000)
    assert scored(scorer, paths) == pytest.approx(scored(whole, paths), abs=1e-4)


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (MistralForCausalLM, MistralConfig(**SIZES, sliding_window=4)),
        (
            Qwen2ForCausalLM,
            Qwen2Config(**SIZES, use_sliding_window=True, sliding_window=4, max_window_layers=1),
        ),
        (BloomForCausalLM, BloomConfig(vocab_size=40, hidden_size=32, n_layer=2, n_head=4)),
        (
            LlamaForCausalLM,
            LlamaConfig(**SIZES, rope_parameters=STRETCHED),
        ),
    ],
    ids=["window", "some windows", "distance", "stretched"],
)
def test_a_model_that_cannot_share_is_scored_whole(kind: type, config: object) -> None:
    model = made(kind, config)
    scorer = scorer_for(model, batch=4, tokens=100)
    assert isinstance(scorer, Padded)
    assert len(scored(scorer, [[1, 2, 3], [1, 2]])) == 4


def test_a_model_that_says_it_can_share_and_cannot_is_found_out() -> None:
    """A mask that is not listened to: every token sees all before it, whatever prompt it is of."""

    class Deaf(LlamaForCausalLM):
        def forward(self, *args: object, attention_mask: torch.Tensor, **given: object) -> object:
            heard = attention_mask if attention_mask.ndim == 2 else None
            return super().forward(*args, attention_mask=heard, **given)

    model = made(Deaf, LlamaConfig(**SIZES))
    assert may_share(model.config)
    assert isinstance(scorer_for(model, batch=4, tokens=100), Padded)


def test_half_precision_shares_too() -> None:
    model = made(LlamaForCausalLM, LlamaConfig(**SIZES), torch.bfloat16)
    scorer = scorer_for(model, batch=4, tokens=100)
    assert isinstance(scorer, Shared)
    paths = [[*range(20), last] for last in range(5)]
    whole = Padded(model, batch=5, tokens=500)
    assert scored(scorer, paths) == pytest.approx(scored(whole, paths), abs=0.3)
