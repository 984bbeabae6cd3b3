"""The reward trainer against TRL's own, on the same pairs and the same model.

A random model of the embedded one's shape, cut to two layers, is trained on all pairs of K answers
to a prompt: by TRL's `RewardTrainer`, by ours with each answer encoded once, and with the prompt
encoded once too. The ways take turns on one thread, so that whatever else the machine does weighs
on each, and medians of processor seconds are compared; a step is collation, loss, gradient and
update. Losses must agree. Peak memory is a fresh process's own, after a step. Then 100,000 labels
(six pairs of four answers to each prompt) are read from a file, up to the first update, with
prompts shared as the README has it; the peak is then that of the update, and what the labels
themselves hold is told by the same with 1,000 of them.
Prints a line per figure (name, value, target, ok or short) and writes `results/`. Needs the
embedded model for its tokenizer; a few minutes.
"""

import contextlib
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch
import trl
from datasets import Dataset
from figures import Claim, keep
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from rlaif.embedded.find import embedded_model
from rlaif.experiment.alone_training import labels_in
from rlaif.feedback.mix import Mix
from rlaif.records import Preference, Prompt, Response
from rlaif.training.common import Silent, adapter, arguments, quiet, repeatable
from rlaif.training.config import RewardConfig
from rlaif.training.reward import train_reward_model
from rlaif.training.reward.groups import make_groups
from rlaif.training.reward.layout import Layout, reward_tokenizer
from rlaif.training.reward.member import Job, make_trainer
from rlaif.training.reward.rows import Rows, read_rows

LAYERS = 2
ROUNDS = 2
GROUPS = 1
"""Prompts in a step."""
FEW, MANY = 1_000, 100_000
Step = Callable[[], float]
WAYS = ("trl", "kwise", "shared")


class Begun(BaseException):
    """The first update is done."""


class Theirs(Silent, trl.RewardTrainer):  # type: ignore[misc]
    """TRL's trainer as it is."""


def make_model(folder: Path) -> Path:
    """Write a random model of the embedded one's shape, with its tokenizer."""
    embedded = embedded_model()
    config = AutoConfig.from_pretrained(embedded)
    config.num_hidden_layers = LAYERS
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(folder)
    AutoTokenizer.from_pretrained(embedded).save_pretrained(folder)
    return folder


def labels(
    prompts: int, answers: int, tokens: tuple[int, int], seed: int = 0
) -> Iterator[Preference]:
    """Make up all pairs of so many answers to each prompt, of about so many tokens each."""
    chance = random.Random(seed)
    words = ["tea", "sun", "rain", "stone", "bread", "light", "water", "house", "green", "slow"]
    for number in range(prompts):
        prompt = Prompt.of(f"{number} {' '.join(chance.choices(words, k=tokens[0] - 10))}")
        texts = [
            Response(
                id=f"{number}/{at}",
                prompt_id=prompt.id,
                text=f"{at} {' '.join(chance.choices(words, k=tokens[1] - 4))}",
                author="made up",
            )
            for at in range(answers)
        ]
        for first, second in itertools.combinations(texts, 2):
            yield Preference(
                id=f"{first.id}-{second.id}",
                prompt=prompt,
                chosen=first,
                rejected=second,
                p_chosen=1.0,
                source="judge",
                by="made up",
            )


def steps(model: Path, rows: Rows, folder: Path, ways: Sequence[str]) -> dict[str, Step]:
    """Make a function for each way that does one step on all labels, and gives the loss."""
    found = {}
    for way in ways:
        config = RewardConfig(
            precision="float32", batch=GROUPS, kwise=True, share_prompts=way == "shared"
        )
        with quiet(), repeatable(0):
            if way == "trl":
                trainer, batch = _theirs(model, rows, config, folder)
            else:
                groups = make_groups(rows.pairs, config, 0, rows.prompts)
                job = Job(rows, groups, reward_tokenizer(model), config, model, folder)
                trainer = make_trainer(job, folder, 0)
                if config.share_prompts and not trainer.share_prompts():
                    raise SystemExit("the model cannot share prompts")
                batch = list(groups.rows)
        trainer.create_optimizer()
        found[way] = _step(trainer, batch)
    return found


def _theirs(model: Path, rows: Rows, config: RewardConfig, folder: Path) -> tuple[Any, Any]:
    ids = rows.answers["ids"]
    pairs = [{"chosen_ids": ids[one.first], "rejected_ids": ids[one.second]} for one in rows.pairs]
    trainer = Theirs(
        model=str(model),
        args=arguments(trl.RewardConfig, config, folder, 0),
        train_dataset=Dataset.from_list(pairs),
        processing_class=reward_tokenizer(model),
        peft_config=adapter(config.lora, model, "SEQ_CLS"),
    )
    return trainer, pairs


def _step(trainer: Any, batch: Sequence[Any]) -> Step:
    def step() -> float:
        trainer.model.train()
        loss = trainer.compute_loss(
            trainer.model, trainer._prepare_inputs(trainer.data_collator(batch))
        )
        loss.backward()
        trainer.optimizer.step()
        trainer.optimizer.zero_grad()
        return float(loss.detach())

    return step


def read(model: Path, answers: int, tokens: tuple[int, int], folder: Path) -> Rows:
    """Tokenise the labels of one step."""
    made = labels(GROUPS, answers, tokens)
    file = folder / f"{answers}-{tokens[0]}.arrow"
    return read_rows(made, reward_tokenizer(model), Layout(), file)


def compare(model: Path, answers: int, tokens: tuple[int, int], folder: Path) -> dict[str, float]:
    """Give the median processor seconds of a step in each way; they take turns."""
    rows = read(model, answers, tokens, folder)
    ways = steps(model, rows, folder, WAYS)
    losses = {name: step() for name, step in ways.items()}
    if max(losses.values()) - min(losses.values()) > 1e-5:
        raise SystemExit(f"the losses differ: {losses}")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _, (name, step) in itertools.product(range(ROUNDS), ways.items()):
        started = time.process_time()
        step()
        seconds[name].append(time.process_time() - started)
    return {name: round(median(several), 3) for name, several in seconds.items()}


def alone(*job: str) -> dict[str, float]:
    """Do a job in a process of its own; give what it measured."""
    done = subprocess.run(
        [sys.executable, __file__, *job], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def memory(way: str, model: Path, folder: Path) -> dict[str, float]:
    """Take two steps, and say how much memory the process held at most, in MiB."""
    [step] = steps(model, read(model, 4, (300, 60), folder), folder, [way]).values()
    step()
    return {"MiB": _peak()}


def begin(model: Path, labelled: Path) -> dict[str, float]:
    """Train on a file of labels up to the first update; give the seconds and the memory."""
    before, started = _peak(), time.monotonic()
    cpu = time.process_time()
    first: dict[str, float] = {}

    def progress(*_: Any) -> None:
        first.update(seconds=time.monotonic() - started, processor=time.process_time() - cpu)
        raise Begun

    config = RewardConfig(
        kwise=True, share_prompts=True, steps=1, held_out=0.01, precision="float32"
    )
    out = labelled.with_suffix(".rm")
    with contextlib.suppress(Begun):  # what is measured of the model comes after the step
        train_reward_model(labels_in(Mix((labelled,))), config, model, out, progress=progress)
    return {**first, "MiB": _peak(), "before": before}


def _peak() -> float:
    # A process's own: what getrusage tells has been its parent's before.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def write_labels(path: Path, count: int) -> Path:
    """Write labels: six pairs of four answers to each prompt."""
    with path.open("w", encoding="utf-8") as file:
        for row in itertools.islice(labels(count // 6 + 1, 4, (60, 40)), count):
            file.write(row.model_dump_json(exclude_defaults=True) + "\n")
    return path


def measure(folder: Path) -> Iterator[tuple[Claim, dict[str, float]]]:
    """Give each figure, and what it comes from."""
    model = make_model(folder / "model")
    seconds = compare(model, 4, (120, 120), folder)
    yield Claim("K = 4, × TRL's pairs a second", seconds["trl"] / seconds["kwise"], 2.5), seconds
    seconds = compare(model, 4, (300, 60), folder)
    name = "K = 4, prompt of 300 and answers of 60 tokens shared, × TRL's pairs a second"
    yield Claim(name, seconds["trl"] / seconds["shared"], 4), seconds
    seconds = compare(model, 9, (60, 60), folder)
    yield Claim("K = 9, × TRL's pairs a second", seconds["trl"] / seconds["kwise"], 2.5), seconds
    peaks = {way: alone("memory", way, str(model), str(folder))["MiB"] for way in WAYS}
    largest = max(peaks["kwise"], peaks["shared"])
    yield Claim("peak memory, × TRL's", largest / peaks["trl"], 1, is_most=True), peaks
    few, many = (
        alone("begin", str(model), str(write_labels(folder / f"{count}.jsonl", count)))
        for count in (FEW, MANY)
    )
    yield Claim("100,000 labels to the first step, s", many["seconds"], 60, is_most=True), many
    yield Claim("100,000 labels, peak memory, MiB", many["MiB"], 1500, is_most=True), few
    held = many["MiB"] - few["MiB"]
    yield Claim("100,000 labels hold above 1,000, MiB", held, 200, is_most=True), {}


def main() -> int:
    """Measure, print the figures and keep them; 1 when one is short."""
    torch.set_num_threads(1)  # several wait for each other on a busy machine, and waiting counts
    match sys.argv[1:]:
        case ["memory", way, model, folder]:
            print(json.dumps(memory(way, Path(model), Path(folder))))
            return 0
        case ["begin", model, labelled]:
            print(json.dumps(begin(Path(model), Path(labelled))))
            return 0
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for figure in measure(Path(folder)):
            print(figure, file=sys.stderr, flush=True)
            found.append(figure)
    beside = [{"seconds or MiB": figures} for _, figures in found]
    return keep("reward_model", [claim for claim, _ in found], beside, threads=1, layers=LAYERS)


if __name__ == "__main__":
    sys.exit(main())
