import math

import pytest
import torch
import trl
from datasets import Dataset
from transformers import AutoModelForCausalLM

from rlaif.errors import InputError, StageError
from rlaif.records import Prompt
from rlaif.training.common import Silent, arguments, repeatable
from rlaif.training.config import LoRA, OptimizeConfig
from rlaif.training.folder import load_tokenizer
from rlaif.training.optimize.kto import (
    _notes,
    kto_tokens,
    make_trainer,
    train_kto,
    with_others_answers,
)
from rlaif.training.unpaired import Unpaired, shuffled
from tests.training.optimize.test_dpo import log_probability, moved

CONFIG = OptimizeConfig(method="kto", learning_rate=1e-2, epochs=4, lora=LoRA(r=4))
EXACT = OptimizeConfig(method="kto", lora=None, precision="float32", beta=0.5, batch=4)
ROWS = [
    Unpaired(
        f"{number}",
        Prompt.of(f"question {number}"),
        "Yes!" if number % 2 else "No.",
        number % 2 == 1,
    )
    for number in range(16)
]


def a_trainer(model, rows, folder, config=EXACT):
    tokenizer = load_tokenizer(model)
    tokens, _ = kto_tokens(tokenizer, rows, config.max_length)
    with repeatable(0):
        return make_trainer(tokens, tokenizer, config, model, folder, 0), tokens, tokenizer


@pytest.mark.parametrize("lora", [LoRA(r=4), None])
def test_good_answers_become_likelier_and_bad_ones_less(tiny_model, tmp_path, lora) -> None:
    config = CONFIG.model_copy(update={"lora": lora})
    trained = train_kto(ROWS, config, tiny_model, tmp_path / "kto")
    tokenizer = load_tokenizer(trained.path)
    before, after = (
        AutoModelForCausalLM.from_pretrained(path) for path in (tiny_model, trained.path)
    )
    gone = [
        log_probability(after, tokenizer, ROWS[0].prompt, text)
        - log_probability(before, tokenizer, ROWS[0].prompt, text)
        for text in ("Yes!", "No.")
    ]
    assert gone[0] > gone[1]
    assert trained.metrics["logratio_good"] > 0 > trained.metrics["logratio_bad"]


def test_the_loss_is_the_definitions(tiny_model, tmp_path) -> None:
    rows = [
        row._replace(weight=weight) for row, weight in zip(ROWS, (3.0, 1.0, 1.0, 3.0), strict=False)
    ]
    trainer, _, tokenizer = a_trainer(tiny_model, rows, tmp_path)
    moved(trainer)
    batch = trainer.data_collator([trainer.train_dataset[row] for row in range(4)])
    loss = trainer.compute_loss(trainer.model, batch).item()
    start = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)

    def ratio(prompt, text: str) -> float:
        return log_probability(trainer.model, tokenizer, prompt, text) - log_probability(
            start, tokenizer, prompt, text
        )

    others = [rows[(place - 1) % 4].text for place in range(4)]
    kl = max(0.0, sum(ratio(row.prompt, text) for row, text in zip(rows, others, strict=True)) / 4)
    by_hand = 0.0
    for row in rows:
        gain = ratio(row.prompt, row.text) - kl
        by_hand += row.weight / 2 / (1 + math.exp(0.5 * (gain if row.good else -gain))) / 4
    assert loss == pytest.approx(by_hand, abs=1e-5)
    assert loss != pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("loss_type", ["kto", "apo_zero_unpaired"])
def test_rows_of_equal_weight_give_trls_own_loss(tiny_model, tmp_path, loss_type) -> None:
    class Theirs(Silent, trl.KTOTrainer):
        def _prepare_dataset(self, dataset, *_):
            return dataset

    config = EXACT.model_copy(update={"extra": {"loss_type": loss_type}})
    trainer, tokens, tokenizer = a_trainer(tiny_model, ROWS[:8], tmp_path, config)
    with repeatable(0):
        theirs = Theirs(
            model=str(tiny_model),
            args=arguments(trl.KTOConfig, config, tmp_path, 0, beta=0.5),
            train_dataset=Dataset.from_list(with_others_answers(tokens, 4, 999)),
            processing_class=tokenizer,
        )
    losses = []
    for one in (trainer, theirs):
        moved(one)
        batch = one.data_collator([one.train_dataset[row] for row in range(4)])
        losses.append(one.compute_loss(one.model, batch).item())
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert losses[0] != pytest.approx(0.5, abs=1e-3)


def test_a_reference_that_is_kept_says_that_weights_count_for_nothing() -> None:
    late = EXACT.model_copy(update={"extra": {"precompute_ref_log_probs": False}})
    rows = [{"weight": 1.0}, {"weight": 2.0}]
    [note] = _notes(late, rows)
    assert "takes all rows alike" in note
    assert _notes(late, rows[:1]) == _notes(EXACT, rows) == ()


def test_the_kinds_reach_the_model_mixed_and_in_their_batches(tiny_model, tmp_path) -> None:
    ordered = sorted(ROWS, key=lambda row: row.good)
    trainer, _, _ = a_trainer(tiny_model, shuffled(ordered, 0), tmp_path)
    batches = list(trainer.get_train_dataloader())
    labels = [batch["label"].int().tolist() for batch in batches]
    assert sum(0 < sum(label) < len(label) for label in labels) >= 3
    # A batch's other answers are its own answers, beside other prompts.
    for batch in batches:
        own, others = (
            sorted(
                ids[mask.bool()].tolist()
                for ids, mask in zip(
                    batch[f"{part}input_ids"], batch[f"{part}completion_mask"], strict=True
                )
            )
            for part in ("", "KL_")
        )
        assert own == others


def test_no_prompt_stands_beside_its_own_answer() -> None:
    rows = [{"prompt_ids": [at // 2], "completion_ids": [10 + at]} for at in range(7)]
    for row in with_others_answers(rows, 3, 99):
        other = (row["KL_completion_ids"][0] - 10) // 2
        assert other != row["prompt_ids"][0]


def test_anothers_answer_is_cut_to_the_room_there_is() -> None:
    rows = [
        {"prompt_ids": [1], "completion_ids": [2] * 8},
        {"prompt_ids": [3] * 7, "completion_ids": [4]},
    ]
    assert with_others_answers(rows, 2, 9)[1]["KL_completion_ids"] == [2, 2]


def test_answers_of_one_kind_are_refused_also_where_the_others_are_too_long(
    tiny_model, tmp_path
) -> None:
    good = [row for row in ROWS if row.good]
    with pytest.raises(InputError, match="both kinds, and all 8 are good; add some that are bad"):
        train_kto(good, CONFIG, tiny_model, tmp_path / "kto")
    long = Unpaired("long", Prompt.of("q"), "No." * 900, good=False)
    with pytest.raises(InputError, match="both kinds"):
        train_kto([*good, long], CONFIG, tiny_model, tmp_path / "kto")
    with pytest.raises(InputError, match="row void: the answer is empty"):
        train_kto(
            [*ROWS, Unpaired("void", Prompt.of("q"), " ", good=True)], CONFIG, tiny_model, tmp_path
        )
    with pytest.raises(StageError, match="no answers to train on"):
        train_kto([], CONFIG, tiny_model, tmp_path / "kto")
    assert not list(tmp_path.iterdir())
