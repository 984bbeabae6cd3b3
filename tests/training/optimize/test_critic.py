import copy
import inspect
from types import SimpleNamespace

import pytest
import torch
import trl
from transformers import AutoModelForCausalLM
from trl.generation.vllm_generation import VLLMGeneration
from trl.trainer.utils import add_fused_lm_head

from rlaif.training.optimize.critic import FILE, HEAD, add_value_head, load_head, save_head
from rlaif.training.optimize.own import OwnAdvantages

IDS = torch.tensor([[5, 6, 7, 8]])


@pytest.fixture
def policy(tiny_model):
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    add_fused_lm_head(model, outputs=("log_probs", "entropy"))
    return model


def read(model):
    return model(input_ids=IDS, labels=IDS, fused_lm_head=True)


def test_a_value_is_the_heads_word_on_the_state_that_predicts_the_token(policy) -> None:
    head = add_value_head(policy)
    torch.nn.init.normal_(head.weight)
    read(policy)
    hidden = policy.model(input_ids=IDS).last_hidden_state
    assert torch.allclose(head.take(2), head(hidden).squeeze(-1)[:, 1:3], atol=1e-6)
    assert head.said == []


def test_it_begins_at_0_and_changes_nothing_of_the_policy(policy) -> None:
    before = read(policy).log_probs
    head = add_value_head(policy)
    assert torch.equal(read(policy).log_probs, before)
    assert head.take(3).abs().max() == 0


def test_it_is_silent_while_the_policy_writes(policy) -> None:
    head = add_value_head(policy)
    policy.generate(IDS, max_new_tokens=2, do_sample=False)
    assert head.said == []


def test_the_folder_that_is_written_for_others_does_not_hold_it(policy, tmp_path) -> None:
    add_value_head(policy)
    policy.save_pretrained(tmp_path)
    found = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert not any("value_head" in name for name, _ in found.named_parameters())


def test_a_head_that_was_kept_is_read_back_to_the_bit(policy, tmp_path) -> None:
    head = add_value_head(policy)
    torch.nn.init.normal_(head.weight)
    kept = copy.deepcopy(head.weight)
    save_head(head, tmp_path, is_first=True)
    torch.nn.init.zeros_(head.weight)
    load_head(head, tmp_path)
    assert torch.equal(head.weight, kept)
    save_head(head, tmp_path / "nowhere", is_first=False)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_what_draws_the_answers_elsewhere_is_sent_every_weight_but_the_critics(policy) -> None:
    names = [name for name, _ in policy.named_parameters()]
    engine = SimpleNamespace(_iter_named_params=policy.named_parameters)
    trainer = SimpleNamespace(model=policy, vllm_generation=engine)
    OwnAdvantages.add_critic(trainer, rate=None)
    assert any(name.startswith(HEAD) for name, _ in policy.named_parameters())
    for _ in range(2):
        assert [name for name, _ in engine._iter_named_params()] == names


def test_trl_sends_weights_by_the_name_that_is_relied_on() -> None:
    assert callable(VLLMGeneration._iter_named_params)
    assert "self.vllm_generation =" in inspect.getsource(trl.GRPOTrainer)
