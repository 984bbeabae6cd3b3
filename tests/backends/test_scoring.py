import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from rlaif.backends.scoring import Padded, padded, read

SMALL = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}


def test_log_probabilities_are_of_the_whole_vocabulary() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])) + 7
    found = dict(read(logits, [(4, [0, 2]), (9, [2])]))
    assert {n: [round(2.718281828**p, 4) for p in found[n]] for n in found} == {
        4: [0.5, 0.2],
        9: [0.8],
    }


def test_padding_stands_on_the_left_and_counts_for_nothing() -> None:
    got = padded([[5, 6], [7]], 0, torch.device("cpu"))
    assert got["input_ids"].tolist() == [[5, 6], [0, 7]]
    assert got["attention_mask"].tolist() == [[1, 1], [0, 1]]
    assert got["position_ids"].tolist() == [[0, 1], [0, 0]]


def test_batches_hold_so_many_paths_and_tokens_at_most() -> None:
    model = LlamaForCausalLM(LlamaConfig(vocab_size=9, num_attention_heads=2, **SMALL)).eval()
    shapes: list[tuple[int, int]] = []
    model.register_forward_pre_hook(
        lambda _module, _args, given: shapes.append(tuple(given["input_ids"].shape)),
        with_kwargs=True,
    )
    paths = [[1] * size for size in (2, 2, 2, 2, 9, 4, 4)]
    scorer = Padded(model, batch=3, tokens=8)
    together = dict(scorer.logprobs(paths, [[1]] * 7))
    assert sorted(together) == list(range(7))
    assert shapes == [(1, 9), (2, 4), (3, 2), (1, 2)]
    alone = dict(scorer.logprobs([paths[5]], [[1]]))
    assert together[5] == pytest.approx(alone[0], abs=1e-5)
