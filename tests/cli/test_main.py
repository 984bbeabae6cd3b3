"""The program as a whole: quick to answer, light until work begins, honest in its exit code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rlaif.cli.main import main

COMMANDS = [
    "run", "status", "look", "new", "report", "respond", "revise", "sft", "label", "reward",
    "optimize", "evaluate", "sample", "version", "constitution", "template", "judge", "embedded",
]  # fmt: skip
HEAVY = ["torch", "transformers", "trl", "peft", "datasets", "openai"]


def loaded_by(*arguments: str, cwd: Path | None = None) -> tuple[int, list[str], str]:
    """Run the program in a process of its own; give the code, heavy modules loaded, errors."""
    code = (
        "import sys, json\n"
        "from rlaif.cli.main import main\n"
        "code = main(sys.argv[1:])\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "print('\\n' + json.dumps([code, heavy]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, check=True, cwd=cwd,
    )  # fmt: skip
    exit_code, heavy = json.loads(done.stdout.splitlines()[-1])
    return exit_code, heavy, done.stderr


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for command in COMMANDS:
        assert f"\n  {command} " in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert "Usage:" in capsys.readouterr().out


def test_help_loads_nothing_heavy() -> None:
    assert loaded_by("--help") == (0, [], "")


def test_a_mistake_in_a_config_is_told_before_anything_heavy_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: mine\nconstituion: tone\n", encoding="utf-8")
    code, heavy, errors = loaded_by("run", "mine.yaml", cwd=tmp_path)
    assert (code, heavy) == (2, [])
    assert "mine.yaml:2" in errors
    assert "did you mean 'constitution'" in errors


def test_a_dry_run_of_the_demo_loads_nothing_heavy(tmp_path: Path) -> None:
    code, heavy, _ = loaded_by("run", "embedded", "--dry-run", cwd=tmp_path)
    assert heavy == []
    assert code in (0, 2)  # 2 where the judge's adapter is not there


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lable"]) == 2
    assert "lable" in capsys.readouterr().err


def test_an_unknown_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "--loud"]) == 2
    assert "--loud" in capsys.readouterr().err


def test_what_nobody_foresaw_is_two_lines_and_a_file_with_the_details(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def burst(*_: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr("rlaif.experiment.new.write_new", burst)
    assert main(["new", "mine"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == "rlaif met something it did not foresee: ZeroDivisionError: by nought"
    details = Path(second.rsplit(" ", 1)[1])
    assert "Traceback" in details.read_text(encoding="utf-8")
    details.unlink()
