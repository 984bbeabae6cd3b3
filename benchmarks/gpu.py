"""What a GPU does with all of this: numerics, each trainer, pace beside plain TRL, and memory.

    python benchmarks/gpu.py            on a GPU; writes results/gpu-NAME.json
    python benchmarks/gpu.py --cpu      the same code on a tiny model, where there is none

Without a GPU it says so and ends with 0; what is not installed is named in one line. `--model
FOLDER` takes a model of your own in place of a random one of 0.2 billion weights, so that nothing
is fetched. Prints a line per figure (name, value, target, ok or short).
"""

import argparse
import importlib.util
import itertools
import math
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

NEEDED = ("torch", "transformers", "accelerate", "peft", "trl", "datasets", "rlaif")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
if not MISSING:
    import figures
    import torch
    import trl
    from figures import Claim, keep
    from reward_model import WAYS, read, steps
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    from rlaif.backends.connect import LocalModel, connect
    from rlaif.records import Message, Preference, Prompt, Request, Response
    from rlaif.training.common import Silent, arguments, on_cpu, quiet, repeatable, run
    from rlaif.training.config import BY_CHOICE, BY_REWARD, OptimizeConfig, RewardConfig, SFTConfig
    from rlaif.training.dataset import messages_of, prompt_ids
    from rlaif.training.draws import How, draw
    from rlaif.training.optimize import optimize_policy
    from rlaif.training.reward import RewardModel, train_reward_model
    from rlaif.training.sft import train_sft
    from rlaif.training.tiny import make_tiny_model

STEPS = 2
WORDS = ("tea", "sun", "rain", "stone", "bread", "light", "water", "house", "green", "slow")


def texts(number: int, words: int) -> str:
    """Make up so many words, each number its own."""
    return " ".join(WORDS[(number * 7 + at * at) % len(WORDS)] for at in range(words))


def prompts(count: int, words: int) -> list["Prompt"]:
    """Make up prompts."""
    return [Prompt.of(f"{number} {texts(number, words)}") for number in range(count)]


def preferences(count: int, words: int, answers: int = 2) -> Iterator["Preference"]:
    """Make up all pairs of so many answers to each prompt."""
    for number, prompt in enumerate(prompts(count, words)):
        said = [
            Response(
                id=f"{number}/{at}",
                prompt_id=prompt.id,
                text=f"{at} {texts(number + at, words)}",
                author="made up",
            )
            for at in range(answers)
        ]
        for chosen, rejected in itertools.combinations(said, 2):
            yield Preference(
                id=f"{chosen.id}-{rejected.id}",
                prompt=prompt,
                chosen=chosen,
                rejected=rejected,
                p_chosen=0.9,
                source="judge",
                by="made up",
            )


def make_model(folder: Path, *, is_tiny: bool) -> Path:
    """Write a random model: a tiny one, or one of 0.2 billion weights with the same tokenizer."""
    make_tiny_model(folder)
    if not is_tiny:
        config = LlamaConfig.from_pretrained(folder)
        sizes = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 12}
        heads = {"num_attention_heads": 16, "num_key_value_heads": 4, "head_dim": 64}
        config.update({**sizes, **heads})
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def clock(work: Callable[[], Any]) -> tuple[float, float]:
    """Do something; give its seconds and the GiB of the device that it held at most."""
    is_gpu = torch.cuda.is_available()
    if is_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        torch.cuda.synchronize()
    started = time.perf_counter()
    work()
    if is_gpu:
        torch.cuda.synchronize()
    held = torch.cuda.max_memory_allocated() / 2**30 if is_gpu else 0.0
    return time.perf_counter() - started, held


def numerics(model: Path, words: int) -> Iterator["Claim"]:
    """Compare log-probabilities in bfloat16 with float32, token by token, and scores as well."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    device = "cpu" if on_cpu() else "cuda"
    seen = []
    for dtype in (torch.float32, torch.bfloat16):
        loaded = AutoModelForCausalLM.from_pretrained(model, dtype=dtype).to(device).eval()
        logps = []
        for row in preferences(8, words):
            ids = prompt_ids(tokenizer, messages_of(row.prompt))
            ids += tokenizer(row.chosen.text, add_special_tokens=False)["input_ids"]
            tokens = torch.tensor([ids], device=device)
            with torch.inference_mode():
                said = loaded(tokens).logits[0, :-1].float().log_softmax(-1)
            logps.append(said.gather(1, tokens[0, 1:, None]).squeeze(1).cpu())
        seen.append(torch.cat(logps))
    gap = (seen[0] - seen[1]).abs()
    yield Claim("bfloat16 from float32, nats a token, mean", gap.mean().item(), 0.03, is_most=True)
    yield Claim("bfloat16 from float32, nats a token, most", gap.max().item(), 0.5, is_most=True)
    start = [one.moved for one in draw(model, prompts(4, words), How(4, 16), 0, start=model)]
    yield Claim("a policy's KL from itself, nats", max(map(abs, start)), 1e-3, is_most=True)


def trainers(model: Path, words: int, folder: Path) -> Iterator[tuple["Claim", dict[str, float]]]:
    """Take a few steps by each trainer; give seconds a step and memory."""
    lengths = {"steps": STEPS, "batch": 8, "max_new_tokens": 4 * words, "samples": 4}
    pairs = list(preferences(8 * STEPS, words))

    def sft(out: Path) -> Any:
        rows = [(row.prompt, row.chosen.text) for row in pairs]
        return train_sft(rows, SFTConfig(steps=STEPS, batch=8), model, out)

    def reward(out: Path) -> Any:
        config = RewardConfig(steps=STEPS, batch=4, kwise=True, held_out=0.0)
        rows = list(preferences(4 * STEPS, words, answers=4))
        done = train_reward_model(rows, config, model, out)
        scores = RewardModel(out)([row.prompt for row in rows], [row.chosen.text for row in rows])
        assert all(score is not None and math.isfinite(score) for score in scores)
        return done

    jobs: dict[str, Callable[[Path], Any]] = {"sft": sft, "reward, K = 4": reward}
    for method in ("dpo", "ipo", "kto", *BY_REWARD):
        if method not in BY_CHOICE:
            config = OptimizeConfig.model_validate({**lengths, "method": method})
            jobs[method] = lambda out, config=config: optimize_policy(
                config,
                model,
                out,
                preferences=None if config.by_reward else pairs,
                prompts=prompts(8, words),
                reward=lambda _, said: [float(len(set(text))) for text in said],
            )
    for name, job in jobs.items():
        done: list[Any] = []
        seconds, held = clock(lambda job=job, done=done: done.append(job(folder / "out")))
        figures_ = {"GiB": round(held, 3), "seconds in all": round(seconds, 2)}
        steps = done[0].metrics.get("steps", STEPS)
        last = [value for name, value in done[0].metrics.items() if name.endswith("_last")]
        finite = all(map(math.isfinite, last))
        yield Claim(f"{name}, steps with finite figures", steps if finite else 0, STEPS), figures_


def beside_trl(model: Path, words: int, folder: Path) -> Iterator["Claim"]:
    """Time ours against TRL's own GRPO and RLOO, the same config, prompts and reward."""
    asked = prompts(8, words)
    for method, theirs, settings in (
        ("rloo", trl.RLOOTrainer, trl.RLOOConfig),
        ("grpo", trl.GRPOTrainer, trl.GRPOConfig),
    ):
        told = {"method": method, "steps": STEPS, "batch": 8, "samples": 4, "beta": 0.05}
        config = OptimizeConfig.model_validate({**told, "max_new_tokens": 4 * words, "lora": None})
        plain = type("Plain", (Silent, theirs), {})

        def count(completions: list[Any], **_: Any) -> list[float]:
            return [float(len(set(each[0]["content"]))) for each in completions]

        def run_theirs(
            steps: int, plain: Any = plain, settings: Any = settings, config: Any = config
        ) -> None:
            config = config.model_copy(update={"steps": steps})
            options = {"beta": config.beta, "num_generations": config.samples}
            options["max_completion_length"] = config.max_new_tokens
            with quiet(), repeatable(0):
                trainer = plain(
                    model=str(model),
                    reward_funcs=count,
                    args=arguments(settings, config, folder / "trl", 0, **options),
                    train_dataset=_rows(asked),
                    processing_class=AutoTokenizer.from_pretrained(model),
                )
                run(trainer)

        def run_ours(steps: int, config: Any = config) -> None:
            config = config.model_copy(update={"steps": steps})
            reward = lambda _, said: [float(len(set(text))) for text in said]  # noqa: E731
            optimize_policy(config, model, folder / "out", prompts=asked, reward=reward)

        ratio = _more_steps(run_ours) / _more_steps(run_theirs)
        yield Claim(f"{method}, a step's × TRL's seconds", ratio, 1.15, is_most=True)


def _more_steps(way: Callable[[int], None]) -> float:
    """Time so many steps more: ours reads the start's answers and writes the model besides."""
    few, many = (
        min(clock(lambda count=count: way(count))[0] for _ in range(2))
        for count in (STEPS, 3 * STEPS)
    )
    return many - few


def reward_beside_trl(model: Path, words: int, folder: Path) -> Iterator["Claim"]:
    """Time a step on four answers to a prompt, each read once, against TRL's on their pairs."""
    rows = read(model, 4, (12 + 4 * words, 6 + words), folder)
    seconds = {}
    for way, step in steps(model, rows, folder, WAYS).items():
        step()
        seconds[way] = min(clock(step)[0] for _ in range(3))
    for way, told in (("kwise", "each answer once"), ("shared", "and the prompt once")):
        ratio = seconds["trl"] / seconds[way]
        yield Claim(f"reward model, K = 4, {told}, × TRL's pairs a second", ratio, 2)


def _rows(asked: list["Prompt"]) -> Any:
    import datasets  # noqa: PLC0415 (named in one line where it is missing)

    return datasets.Dataset.from_list([{"prompt": messages_of(prompt)} for prompt in asked])


def judging(model: Path, words: int) -> Iterator["Claim"]:
    """Measure tokens a second of local judging, 16 questions after each conversation."""
    backend = connect(LocalModel(kind="local", model=str(model), batch=32))
    asked = [
        Request(
            id=f"{n}-{q}",
            messages=(Message(role="user", content=f"{texts(n, 8 * words)} {q}?"),),
            options=("Yes", "No"),
        )
        for n in range(4)
        for q in range(16)
    ]
    list(backend.stream(asked[:2]))
    done: list[Any] = []
    seconds, _ = clock(lambda: done.extend(said for _, said in backend.stream(asked)))
    read = sum(said.usage.read for said in done)
    yield Claim("local judging, tokens a second, shared beginnings counted anew", read / seconds, 1)


def measure(model: Path, words: int, folder: Path) -> Iterator[tuple["Claim", dict[str, float]]]:
    """Give each figure, and what is written with it."""
    yield from ((claim, {}) for claim in numerics(model, words))
    yield from trainers(model, words, folder)
    yield from ((claim, {}) for claim in judging(model, words))
    yield from ((claim, {}) for claim in reward_beside_trl(model, words, folder))
    yield from ((claim, {}) for claim in beside_trl(model, words, folder))


def main(arguments_: list[str] | None = None) -> int:
    """Measure, print the figures and keep them; 1 when one is short on a GPU."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cpu", action="store_true", help="run the same code tiny, on the CPU")
    parser.add_argument("--model", type=Path, help="a model's folder; a random one by default")
    parser.add_argument("--words", type=int, help="of a prompt; answers have four tokens for each")
    parser.add_argument("--out", type=Path, help="where the results go")
    told = parser.parse_args(arguments_)
    if MISSING:
        print(f"not installed: {', '.join(MISSING)}; pip install -c constraints.txt . has them all")
        return 2
    if not told.cpu and not torch.cuda.is_available():
        print("no GPU here: nothing is measured (--cpu runs the same code tiny)")
        return 0
    name = "cpu" if told.cpu else re.sub(r"\W+", "-", torch.cuda.get_device_name()).lower()
    figures.RESULTS = told.out or figures.RESULTS
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        model = told.model or make_model(folder / "model", is_tiny=told.cpu)
        found = list(measure(model, told.words or (2 if told.cpu else 60), folder))
    code = keep(f"gpu-{name}", [claim for claim, _ in found], [more for _, more in found])
    return 0 if told.cpu else code


if __name__ == "__main__":
    sys.exit(main())
