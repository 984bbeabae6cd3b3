"""A built wheel works outside the checkout, with all that ships beside the code."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    built = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    subprocess.run([*built, str(ROOT)], check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def rlaif(site: Path, cwd: Path, *arguments: str) -> str:
    """Run the installed program, far from the checkout."""
    code = (
        "import sys, rlaif; "
        f"assert rlaif.__file__.startswith({str(site)!r}), rlaif.__file__; "
        "from rlaif.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_brings_constitutions_prompts_experiments_and_the_judge(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert max(info.file_size for info in archive.infolist()) < 12 * 2**20
    for path in (
        "rlaif/shipped/constitution/harmlessness.yaml",
        "rlaif/shipped/constitution/schema.json",
        "rlaif/shipped/prompts/absolute.j2",
        "rlaif/shipped/experiments/embedded.yaml",
        "rlaif/shipped/prices.yaml",
        "rlaif/shipped/experiments/prompts/embedded.jsonl",
        "rlaif/embedded/heldout.json",
        "rlaif/embedded/prompts/unsafe.txt",
        "rlaif/embedded/judge-adapter/adapter_model.safetensors",
        "rlaif/embedded/judge-adapter/calibration.json",
        "rlaif/evaluation/suites/harmful.jsonl",
        "rlaif/evaluation/report.html.j2",
        "rlaif/py.typed",
    ):
        assert path in names, path
    assert not any(name.startswith(("tests/", "runs/")) for name in names)


def test_a_shipped_constitution_is_checked_in_an_empty_folder(site: Path, tmp_path: Path) -> None:
    assert "3 principles, all fine" in rlaif(
        site, tmp_path, "constitution", "check", "harmlessness"
    )


def test_an_experiment_is_begun_in_an_empty_folder_and_can_run(site: Path, tmp_path: Path) -> None:
    rlaif(site, tmp_path, "new", "mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["harmlessness.yaml", "mine.yaml"]
    shown = rlaif(site, tmp_path, "run", "mine.yaml", "--dry-run")
    assert "missing" in shown
    assert not (tmp_path / "runs").exists()


def test_a_shipped_prompt_is_shown(site: Path, tmp_path: Path) -> None:
    assert "[user]" in rlaif(site, tmp_path, "template", "show", "absolute")
