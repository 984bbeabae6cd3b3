"""Training a reviser on a tiny model: an adapter is written, and nothing to learn is refused."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from rlaif.errors import StageError
from rlaif.training.reviser import ReviserTraining, train_reviser

SMALL = ReviserTraining(rewritings=60, exchanges=90, rank=2, layers_from=0)


def test_an_adapter_alone_is_written_that_peft_loads(tiny_model: Path, tmp_path: Path) -> None:
    replies = Path(str(files("rlaif.embedded") / "replies.jsonl"))
    done = train_reviser(SMALL, tiny_model, replies, tmp_path / "reviser")
    assert done.rows + sum(done.left_out.values()) == 2 * SMALL.rewritings
    weights = load_file(tmp_path / "reviser" / "adapter_model.safetensors")
    assert any(bool(weight.any()) for name, weight in weights.items() if "lora_B" in name)
    assert not list((tmp_path / "reviser").glob("model*.safetensors"))
    PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model), done.path)


def test_replies_that_code_cannot_rewrite_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    replies = tmp_path / "replies.jsonl"
    row = {"kind": "ordinary", "prompt": "Why?", "reply": "word " * 200}
    replies.write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(StageError, match="no reply"):
        train_reviser(SMALL, tiny_model, replies, tmp_path / "reviser")
