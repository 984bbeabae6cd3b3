"""`rlaif optimize` on files, from the command line: exit codes, one line, a model."""

import json
from pathlib import Path

import pytest

from rlaif.cli.main import main
from rlaif.errors import InputError
from rlaif.experiment.alone_optimize import optimize_config
from rlaif.experiment.alone_training import sft_config
from rlaif.training.config import LoRA, Probe, RewardConfig, SFTConfig
from rlaif.training.reward import train_reward_model
from tests.training.conftest import preferring_yes


@pytest.fixture
def thumbs(tmp_path: Path) -> Path:
    rows = [
        {"prompt": f"q{n}", "completion": "Yes!" if n % 2 else "No.", "label": bool(n % 2)}
        for n in range(12)
    ]
    path = tmp_path / "thumbs.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_kto_learns_from_a_file_of_thumbs(thumbs, tiny_model, tmp_path, capsys) -> None:
    out = tmp_path / "kto"
    assert (
        main(
            ["optimize", str(thumbs), "-o", str(out), "--model", str(tiny_model), "--method", "kto"]
        )
        == 0
    )
    assert "kto, 12 answers" in capsys.readouterr().out
    assert (out / "model.safetensors").is_file()


def test_thumbs_of_one_kind_are_one_line_and_exit_2(thumbs, tiny_model, tmp_path, capsys) -> None:
    thumbs.write_text(thumbs.read_text("utf-8").replace("false", "true"), encoding="utf-8")
    arguments = ["optimize", str(thumbs), "-o", str(tmp_path / "kto"), "--model", str(tiny_model)]
    assert main([*arguments, "--method", "kto"]) == 2
    said = capsys.readouterr().err
    assert "both kinds, and all 12 are good" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "kto", "batch": 1}, "batch: kto compares rows of a batch"),
        ({"method": "kto", "label_smoothing": 0.1}, "label_smoothing: kto has none"),
        ({"method": "dpo", "label_smoothing": 0.5}, "label_smoothing: "),
        ({"method": "ipo", "beta": 0.0}, "beta: ipo needs more than 0"),
    ],
)
def test_options_that_do_not_go_together_are_one_line(options, said) -> None:
    with pytest.raises(InputError, match=said) as told:
        optimize_config(16, options)
    assert "\n" not in str(told.value)


def test_without_an_adapter_the_learning_rate_is_a_tenth() -> None:
    assert optimize_config(16, {"learning_rate": None}).learning_rate == 3e-4
    assert optimize_config(0, {"learning_rate": None}).learning_rate == 3e-5


COUNTED = "tests.training.on_ranks:count_of_e"
SMALL = ["--lora", "0", "batch=8", "samples=4", "steps=2", "max_new_tokens=6"]


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.txt"
    path.write_text("".join(f"question {n}\n" for n in range(8)), encoding="utf-8")
    return path


def moved(prompts: Path, model: Path, method: str, *more: str) -> Path:
    out = prompts.parent / "mine"
    named = ["optimize", str(prompts), "-o", str(out), "--model", str(model), "--method", method]
    assert main([*named, *SMALL, *more]) == 0
    return out


def test_a_function_rewards_what_is_drawn_for_a_file_of_prompts(
    prompts, tiny_model, capsys
) -> None:
    out = moved(prompts, tiny_model, "grpo", "--reward", COUNTED, "normalise=group")
    assert "grpo, 8 prompts, reward" in capsys.readouterr().out
    assert (out / "model.safetensors").is_file()
    steps = out.with_name("mine.curve.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["step"] for line in steps] == [1, 2]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["online-dpo", "rloo", "reinforce", "ppo", "rejection"])
def test_each_method_that_draws_writes_a_policy(prompts, tiny_model, method) -> None:
    out = moved(prompts, tiny_model, method, "--reward", COUNTED, "max_new_tokens=16")
    assert (out / "model.safetensors").is_file()
    assert out.with_name("mine.replies.jsonl").is_file() is (method == "rejection")


@pytest.mark.slow
def test_a_judge_a_reward_model_and_a_referee_take_part_on_files(
    prompts, write_experiment, tiny_model, tiny_judge, tmp_path, capsys
) -> None:
    write_experiment(tmp_path)
    config = RewardConfig(probe=Probe(), held_out=0.0)
    pairs = [preferring_yes(number) for number in range(8)]
    rm = train_reward_model(pairs, config, tiny_model, tmp_path / "rm").path
    prompts.write_text("question 1\nquestion 2\n", encoding="utf-8")
    by = ["-c", str(tmp_path / "two.yaml"), "--judge", str(tiny_judge)]
    by += ["--template", str(tiny_judge / "absolute.j2"), "--referee", str(tiny_model)]
    by += ["--reward", f"{rm},weight=2", "--reward", "judge", "monitor.every=2"]
    assert main(["optimize", str(prompts), "-o", "none", *SMALL, *by, "--method", "rloo",
                 "--model", str(tiny_model), "--dry-run"]) == 0  # fmt: skip
    assert "▸" not in capsys.readouterr().out
    out = moved(prompts, tiny_model, "rloo", *by)
    steps = [json.loads(line) for line in out.with_name("mine.curve.jsonl").open("r")]
    assert {"reward/model-rm", "reward/judge"} <= steps[1].keys()
    heard = [json.loads(line) for line in out.with_name("mine.samples.jsonl").open("r")]
    assert [row["step"] for row in heard] == [0, 0, 2, 2]
    assert all(row["judge"] is not None for row in heard)
    assert (tmp_path / "mine.asked" / "completions.sqlite").is_file()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["sampels=3"], "sampels: no such field; did you mean 'samples'?"),
        (["samples=3"], "samples: 3 answers a prompt do not divide batch"),
        (["reward=model"], "there is no run here; name the model's folder"),
        (["--reward", "nowhere"], "--reward nowhere: no such reward model folder"),
        (["--reward", "judge=tone,wight=2"], "rewards.0.wight: no such field; did you mean 'weigh"),
        (["--reward", "judge,2"], "expected NAME=VALUE, such as weight=0.5, at '2'"),
        (["--also", "more.jsonl"], "rloo learns from a reward, not labels"),
        (["--method", "dpo", "--reward", "variety"], "dpo learns from preferences"),
        (["--model", "openai:gpt-5-mini"], "only a local model can be trained"),
        (["lora.r"], "expected section.key=value"),
        (["--reward", "variety", "extra.use_vllm=true"], "extra: vLLM is not available"),
        (["--reward", "variety", "extra.report_to=wandb"], "extra: WandbCallback requires wandb"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_2(prompts, tiny_model, more, said, capsys) -> None:
    named = ["optimize", str(prompts), "-o", "none", "--model", str(tiny_model)]
    assert main([*named, "--method", "rloo", *more]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_settings_come_after_the_options() -> None:
    config = optimize_config(16, {"batch": 4}, None, ["batch=2", "lora.r=3", "extra.top_k=5"])
    assert config.batch == 2
    assert config.lora == LoRA(r=3)
    assert config.extra == {"top_k": 5}
    assert optimize_config(16, {}, None, ["lora=null"]).learning_rate == 3e-5
    assert sft_config(2.0, ["learning_rate=1e-4"]) == SFTConfig(epochs=2.0, learning_rate=1e-4)
