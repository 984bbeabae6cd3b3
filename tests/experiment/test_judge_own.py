"""A judge of one's own: figures by hand, any causal model as the base, and a card that tells."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    AutoTokenizer,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from rlaif.backends.local import LocalBackend
from rlaif.cli.main import main
from rlaif.experiment.judge_own import OwnCard, figures, make_own_judge, undecided_at
from rlaif.judges.absolute import Calibration
from rlaif.records import Completion, Message, Request
from rlaif.training.judge_lessons import JudgeTraining
from rlaif.training.judge_own import OwnExample

KIND, SHORT = "The response is kind.", "The response is short."
# Weights so large that a random model tells its tokens apart.
SIZES = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "initializer_range": 0.3
}  # fmt: skip


def example(prompt: str, principle: str, *, answer: bool) -> OwnExample:
    return OwnExample(principle=principle, prompt=prompt, reply="R", answer=answer)


def test_it_is_undecided_half_way_between_what_it_says_of_either_side() -> None:
    odds = np.array([3.0, 5.0, 1.0, -1.0])
    assert undecided_at(odds, [True, True, False, False]) == Calibration(bias=2.0)
    assert undecided_at(odds, [True] * 4) == Calibration()


def test_figures_are_those_by_hand() -> None:
    asked = [
        example("a", KIND, answer=True),
        example("b", KIND, answer=False),
        example("c", KIND, answer=False),
        example("c", SHORT, answer=True),
    ]
    found = figures(asked, np.array([1.0, 2.0, -1.0, -3.0]))
    # One of the two pairs under `kind` is right; `short` has no pair, and none across principles.
    assert found.auc
    assert found.auc.value == 0.5
    # Right are the first and the third.
    assert found.accuracy.value == 0.5
    assert found.accuracy.low < 0.5 < found.accuracy.high
    assert figures(asked[3:], np.array([1.0])).auc is None


def write_own(path: Path, count: int = 30) -> Path:
    """Write examples that differ in one thing: what the reply is made of."""
    rows = [
        {
            "principle": KIND,
            "prompt": f"Question {n}?",
            "reply": "aaaa" if n % 2 else "zzzz",
            "answer": bool(n % 2),
        }
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def save(model: Qwen2ForCausalLM | GPTNeoXForCausalLM, tiny: Path, folder: Path) -> Path:
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        if (tiny / name).is_file():
            shutil.copy(tiny / name, folder / name)
    return folder


def qwen(tiny: Path, folder: Path) -> Path:
    size = len(AutoTokenizer.from_pretrained(tiny))
    sizes = {"num_attention_heads": 4, "num_key_value_heads": 2, **SIZES}
    return save(Qwen2ForCausalLM(Qwen2Config(vocab_size=size, **sizes)), tiny, folder)


def neox(tiny: Path, folder: Path) -> Path:
    size = len(AutoTokenizer.from_pretrained(tiny))
    config = GPTNeoXConfig(vocab_size=size, num_attention_heads=4, rotary_pct=0.5, **SIZES)
    return save(GPTNeoXForCausalLM(config), tiny, folder)


@pytest.mark.slow
@pytest.mark.parametrize("make", [qwen, neox])
def test_any_causal_model_learns_what_its_examples_say(
    make: Callable[[Path, Path], Path], tiny_model: Path, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    base = make(tiny_model, tmp_path / "base")
    out = tmp_path / "mine"
    config = JudgeTraining(rank=8, layers_from=0, learning_rate=2e-2, batch=8)
    card = make_own_judge(config, str(base), write_own(tmp_path / "own.jsonl"), out, epochs=6)
    assert (card.examples, card.kept, card.start) == (24, 6, "")
    assert card.after.auc
    assert card.after.auc.value > 0.9, card
    assert card.after.accuracy.value > 0.6
    assert OwnCard.model_validate_json((out / "card.json").read_text(encoding="utf-8")) == card
    text = (out / "README.md").read_text(encoding="utf-8")
    assert f"| AUC under one principle | {card.before.auc and card.before.auc.value:.2f} (" in text
    assert json.loads((out / "training.json").read_text(encoding="utf-8"))[0]["own examples"] == 24


def test_a_base_without_a_chat_template_and_a_bad_file_are_one_line(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = write_own(tmp_path / "own.jsonl")
    asked = ["embedded", "train", "-o", str(tmp_path / "out"), "--base", str(tiny_model)]
    assert main([*asked, "--traits", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl: no such file" in capsys.readouterr().err
    assert main([*asked, "--traits", str(own), "--start", str(tmp_path)]) == 2
    assert "adapter_config.json: no such file" in capsys.readouterr().err
    bare = tmp_path / "bare"
    shutil.copytree(tiny_model, bare)
    (bare / "chat_template.jinja").unlink()
    asked[-1] = str(bare)
    assert main([*asked, "--traits", str(own)]) == 2
    assert "has no chat template; use an instruction-tuned model" in capsys.readouterr().err


def test_the_command_says_before_and_after_and_its_adapter_answers(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = write_own(tmp_path / "own.jsonl", 12)
    out = tmp_path / "mine"
    asked = ["embedded", "train", "-o", str(out), "--base", str(tiny_model), "--epochs", "1"]
    assert main([*asked, "--traits", str(own)]) == 0
    said = capsys.readouterr().out
    assert "before: " in said
    assert "after: " in said
    assert "on 2 examples kept aside" in said
    judge = LocalBackend(tiny_model, adapter=out)
    asked_of = Request(
        id="1", messages=(Message(role="user", content="Is it?"),), options=("Yes", "No")
    )
    ((_, answer),) = judge.stream([asked_of])
    assert isinstance(answer, Completion)
