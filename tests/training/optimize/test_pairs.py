"""Both answers in one row: each token sees what it would see in a row of its own."""

import pytest
import torch
from transformers import AutoModelForCausalLM
from trl.trainer.utils import add_fused_lm_head

from rlaif.training.optimize.dpo import PairCollator
from rlaif.training.optimize.pairs import answer_logps, pack

ROW = {"prompt_ids": [1, 2, 3], "chosen_ids": [4, 5], "rejected_ids": [6, 7, 8]}
OTHER = {"prompt_ids": [9, 8], "chosen_ids": [7], "rejected_ids": [4]}
LABEL = {"p_chosen": 1.0, "weight": 1.0}


def test_the_prompts_last_token_stands_before_each_answer_and_predicts_it() -> None:
    packed = pack([ROW], 0)
    assert packed["input_ids"].tolist() == [[1, 2, 3, 4, 3, 6, 7]]
    assert packed["position_ids"].tolist() == [[0, 1, 2, 3, 2, 3, 4]]
    assert packed["shift_labels"].tolist() == [[-100, -100, 4, 5, 6, 7, 8]]
    assert packed["side"].tolist() == [[-1, -1, 0, 0, 1, 1, 1]]


def test_no_answer_sees_the_other_and_nothing_sees_padding() -> None:
    sees = pack([ROW, OTHER], 0)["sees"][:, 0].int().tolist()
    assert sees[0][3] == [1, 1, 1, 1, 0, 0, 0]
    assert sees[0][6] == [1, 1, 0, 0, 1, 1, 1]
    assert sees[1][2] == [1, 0, 1, 0, 0, 0, 0]
    assert sees[1][4] == [0, 0, 0, 0, 1, 0, 0]


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_shared_row_gives_the_log_probabilities_and_gradients_of_two(
    tiny_model, attention
) -> None:
    model = AutoModelForCausalLM.from_pretrained(
        tiny_model, dtype=torch.float32, attn_implementation=attention
    )
    add_fused_lm_head(model)
    collator = PairCollator(pad_token_id=0)
    seen = []
    for collator.packs in (False, True):
        model.zero_grad()
        batch = collator([{**ROW, **LABEL}, {**OTHER, **LABEL}])
        assert ("sees" in batch) is collator.packs
        chosen, rejected = answer_logps(model, batch)
        (chosen - 2 * rejected).sum().backward()
        grads = torch.cat([weight.grad.flatten() for weight in model.parameters()])
        seen.append((torch.cat([chosen, rejected]).detach(), grads))
    assert torch.allclose(seen[0][0], seen[1][0], atol=2e-6)
    assert torch.allclose(seen[0][1], seen[1][1], atol=1e-5)
    assert seen[0][1].abs().max() > 1e-3
