"""Train a judge: a LoRA adapter that answers yes or no to any statement about a reply.

Labels come from code (`rlaif.embedded.traits`) and, where `RLAIF_DATA` is there, from people. Many
statements are asked after one reply in one row, each seeing the reply and itself alone, so that
what is learned is what a single question is answered with.
"""

import json
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, PreTrainedTokenizerBase

from rlaif.errors import StageError
from rlaif.records import fingerprint_of
from rlaif.storage import write_atomically
from rlaif.training.common import half_where_fast
from rlaif.training.judge_base import tokenizer_of
from rlaif.training.judge_batches import Batch, Batches
from rlaif.training.judge_data import ALL_OF_IT, LESSONS, Document
from rlaif.training.judge_lessons import JudgeTraining, training_documents
from rlaif.training.judge_loss import answer_loss
from rlaif.training.judge_masters import Trainable
from rlaif.training.judge_tree import answer_logits

Say = Callable[[str], None]
SETTINGS = "training.json"
"""The file in an adapter's folder that says how it was trained."""
SNAPSHOTS = (0.1, 0.3)
"""Parts of the training after which the adapter is kept as it was, to see what more would give."""
AT_ONCE = {"cpu": 2, "cuda": 16}
"""Rows that go through the model together: on a CPU a pair, which is padded to the longer one; a
GPU waits for its next order most of the time, unless it is given many."""
WORKERS = {"cpu": 0, "cuda": 6}
"""Processes that lay out rows while the model learns from others: a GPU would wait for one."""


def train_judge(  # noqa: PLR0913 (three to read, one to write, one to tell)
    config: JudgeTraining,
    base: Path,
    replies: Path,
    out: Path,
    *,
    start: Path | None = None,
    data: Path | None = None,
    say: Say = lambda _: None,
) -> Path:
    """Train an adapter for `base` and write it to `out`; a killed run goes on from a checkpoint.

    Args:
        config: sizes and rates.
        base: any causal model's folder, with a chat template.
        replies: JSONL of the base's own replies (`rlaif.training.judge_replies` makes it).
        out: the adapter's folder; checkpoints and the learning curve go to `<out>.work`.
        start: an adapter to go on from; what it knows already, plain claims, is left out.
        data: a folder with people's judgements; left out where it is absent.
        say: is told how training goes.

    Raises:
        StageError: when there is nothing to learn from, or the loss is no number.
    """
    asked = training_documents(config, replies, data, (ALL_OF_IT,) if start else LESSONS)
    if not asked:
        raise StageError(f"{replies}: no reply to learn from")
    train_on(asked, config, base, out, start=start, say=say)
    write_atomically(out / SETTINGS, json.dumps([*settings(start), config.model_dump()], indent=2))
    return out


def train_on(
    asked: list[Document],
    config: JudgeTraining,
    base: Path,
    out: Path,
    *,
    start: Path | None = None,
    say: Say = lambda _: None,
) -> None:
    """Train an adapter on questions that are there, in their order; see `train_judge`.

    Raises:
        InputError: for a base without a chat template.
        StageError: when the loss is no number.
    """
    torch.manual_seed(config.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = tokenizer_of(base)
    say(f"{len(asked):,} rows, {sum(len(d.questions) for d in asked):,} labels")
    model = _adapted(base, config, start).to(device)
    work = out.with_name(f"{out.name}.work")
    work.mkdir(parents=True, exist_ok=True)
    loop = _Loop(config, model, tokenizer, asked, work, device, say)
    loop.run(out)


def settings(adapter: Path | None) -> list[dict[str, object]]:
    """Read how an adapter was trained: a configuration for each run that it went through."""
    path = adapter / SETTINGS if adapter else None
    if path is None or not path.is_file():
        return []
    found: list[dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def learned_more_phrases(adapter: Path | None) -> bool:
    """Say whether an adapter was taught more ways to say each trait (`wordings/more`)."""
    return any(run.get("more_phrases") for run in settings(adapter))


def _adapted(base: Path, config: JudgeTraining, start: Path | None = None) -> PeftModel:
    model = AutoModelForCausalLM.from_pretrained(base, dtype=half_where_fast())
    if start is not None:
        going_on: PeftModel = PeftModel.from_pretrained(
            model, start, is_trainable=True, autocast_adapter_dtype=False
        )
        return going_on
    layers = list(
        range(
            min(config.layers_from, model.config.num_hidden_layers - 1),
            model.config.num_hidden_layers,
        )
    )
    lora = LoraConfig(
        r=config.rank,
        lora_alpha=2 * config.rank,
        target_modules=sorted(
            {
                name.rsplit(".", 1)[-1]
                for name, module in model.get_decoder().named_modules()
                if isinstance(module, torch.nn.Linear)
            }
        ),
        layers_to_transform=layers,
        task_type="CAUSAL_LM",
    )
    adapted: PeftModel = get_peft_model(model, lora, autocast_adapter_dtype=False)
    return adapted


class _Loop:
    def __init__(  # noqa: PLR0913 (what one loop holds)
        self,
        config: JudgeTraining,
        model: PeftModel,
        tokenizer: PreTrainedTokenizerBase,
        asked: list[Document],
        work: Path,
        device: str,
        say: Say,
    ) -> None:
        self.config, self.model, self.tokenizer = config, model, tokenizer
        self.asked, self.work, self.device, self.say = asked, work, device, say
        self.trainable = Trainable(model, config.learning_rate)
        self.steps = math.ceil(len(asked) / config.batch)
        questions = [question.text for document in asked for question in document.questions]
        self.key = fingerprint_of([config.fingerprint, len(asked), questions])
        self.batches = Batches(asked, tokenizer, config.batch, AT_ONCE[device])

    def run(self, out: Path) -> None:
        first = self._resume()
        saved = time.monotonic()
        for step, batch in enumerate(self.batches.after(first, WORKERS[self.device]), start=first):
            loss, right, count = self._step(step, batch)
            if not math.isfinite(loss):
                raise StageError(f"the loss is {loss} at step {step}; lower the learning rate")
            self._log(step, loss, right / count)
            for share in SNAPSHOTS:
                if step + 1 == math.ceil(share * self.steps):
                    self._write(self.work / snapshot(share))
            if time.monotonic() - saved > self.config.save_every:
                self._save(step + 1, out)
                saved = time.monotonic()
        self._save(self.steps, out)

    def _rate(self, step: int) -> float:
        """Warm up over a twentieth, then fall along a cosine to a tenth."""
        warm = max(self.steps // 20, 1)
        if step < warm:
            return self.config.learning_rate * (step + 1) / warm
        done = (step - warm) / max(self.steps - warm, 1)
        return self.config.learning_rate * (0.1 + 0.9 * (1 + math.cos(math.pi * done)) / 2)

    def _step(self, step: int, batch: Batch) -> tuple[float, int, int]:
        questions = sum(len(part.asked) for part in batch)
        total, right = 0.0, 0
        for part in batch:
            here = part.on(self.device)
            loss, odds = answer_loss(answer_logits(self.model, here.packed), here.sides, here.asked)
            (loss / questions).backward()
            total += float(loss.detach())
            right += sum((o > 0) == (q.answer > 0.5) for o, q in zip(odds, part.asked, strict=True))
        self.trainable.step(self._rate(step))
        return total / questions, right, questions

    def _log(self, step: int, loss: float, accuracy: float) -> None:
        line = {"step": step, "loss": round(loss, 4), "accuracy": round(accuracy, 4)}
        with (self.work / "curve.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        if step % 20 == 0:
            self.say(f"step {step} of {self.steps}  loss {loss:.3f}  right {accuracy:.2f}")

    def _save(self, step: int, out: Path) -> None:
        """Write the checkpoint and the adapter as it stands, each whole or not at all."""
        state = {"key": self.key, "step": step, **self.trainable.state()}
        torch.save(state, self.work / "checkpoint.new")
        (self.work / "checkpoint.new").replace(self.work / "checkpoint.pt")
        self._write(out)

    def _write(self, out: Path) -> None:
        fresh = self.work / "adapter"
        shutil.rmtree(fresh, ignore_errors=True)
        # Half precision is enough to judge with, and half as large to ship.
        halved = {
            name: weight.to(torch.bfloat16)
            for name, weight in self.model.state_dict().items()
            if "lora_" in name
        }
        self.model.save_pretrained(fresh, state_dict=halved)
        out.mkdir(parents=True, exist_ok=True)
        for name in ("adapter_model.safetensors", "adapter_config.json"):
            (fresh / name).replace(out / name)

    def _resume(self) -> int:
        path = self.work / "checkpoint.pt"
        if not path.is_file():
            return 0
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["key"] != self.key:
            self.say("another configuration's checkpoint is left aside; starting anew")
            return 0
        self.trainable.restore(state)
        self.say(f"going on at step {state['step']}")
        return int(state["step"])


def snapshot(share: float) -> str:
    """Name the folder, in a training's work folder, of the adapter after a share of the steps."""
    return f"at-{share:.0%}"
