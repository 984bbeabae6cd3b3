from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForSequenceClassification

from rlaif.training.packing import add_packed_forward, can_pack, common, lay_out, mask_of, pack

PADDING = 0
IDS = st.lists(st.integers(1, 9), min_size=1, max_size=6)


def test_the_beginning_stands_once_and_each_answer_at_its_own_places() -> None:
    row = lay_out([[1, 2, 3], [1, 2, 4, 5], [1, 2, 6]])
    assert row.ids == [1, 2, 3, 4, 5, 6]
    assert row.positions == [0, 1, 2, 2, 3, 2]
    assert (row.begins, row.shared) == ([2, 3, 5], 2)


@given(st.lists(IDS, min_size=1, max_size=4))
def test_all_that_answers_have_in_common_is_shared_and_no_more(answers: list[list[int]]) -> None:
    count = common(answers)
    assert all(answer[:count] == answers[0][:count] for answer in answers)
    longer = {tuple(answer[: count + 1]) for answer in answers}
    assert len(longer) > 1 or count == min(map(len, answers))


@given(st.lists(IDS, min_size=1, max_size=4))
def test_an_answer_sees_itself_as_it_would_alone(answers: list[list[int]]) -> None:
    batch = pack([answers], PADDING)
    ids, positions, sees = batch["input_ids"][0], batch["position_ids"][0], batch["sees"][0, 0]
    for answer, (_, place) in zip(answers, batch["ends"].tolist(), strict=True):
        seen = sees[place].nonzero().squeeze(1)
        assert ids[seen].tolist() == answer
        assert positions[seen].tolist() == list(range(len(answer)))


def test_a_score_is_read_at_the_last_token_that_is_no_padding() -> None:
    # The second answer's own part is padding alone: its score is read in the shared beginning.
    batch = pack([[[1, 2, 3, PADDING], [1, 2, PADDING]]], PADDING)
    assert [place for _, place in batch["ends"].tolist()] == [2, 1]


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_packed_scores_and_gradients_are_those_of_rows_of_their_own(
    tiny_model: Path, attention: str
) -> None:
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(
        tiny_model, num_labels=1, attn_implementation=attention, dtype=torch.float32
    )
    padding = model.config.pad_token_id
    assert can_pack(model)
    add_packed_forward(model)
    prompts = [[[9, 8, 7, 1, 2], [9, 8, 7, 3], [9, 8, 7, 4, 5, 6]], [[5, 1, padding], [5, 2, 3]]]
    batch = pack(prompts, padding)
    found = {}
    for packs in (True, False):
        model.zero_grad()
        if packs:
            mask = mask_of(model.config, batch["sees"])
            how = {"position_ids": batch["position_ids"], "ends": batch["ends"]}
            scores = model(input_ids=batch["input_ids"], attention_mask=mask, **how).logits
        else:
            rows = [torch.tensor([answer]) for answers in prompts for answer in answers]
            scores = torch.cat([model(input_ids=row).logits for row in rows])
        (scores.squeeze(-1) * torch.arange(1.0, 6.0)).sum().backward()
        found[packs] = (scores.detach(), [weight.grad.clone() for weight in model.parameters()])
    assert torch.allclose(found[True][0], found[False][0], atol=2e-6)
    for one, other in zip(found[True][1], found[False][1], strict=True):
        assert torch.allclose(one, other, atol=2e-6)
