"""The house stands as it was drawn: who imports whom, small files, one place that prints."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "rlaif").rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_each_folder_imports_only_from_those_below_it() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(program)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("module", ["rlaif", "rlaif.cli.main", "rlaif.experiment.stages"])
def test_importing_it_loads_no_deep_learning_library(module: str) -> None:
    code = f"import sys, {module}; print('torch' in sys.modules, 'transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_opens_with_a_sentence_and_is_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    doc = ast.get_docstring(ast.parse(text))
    if path.name != "__init__.py" or text.strip():
        assert doc, "no docstring"
        assert doc.splitlines()[0].endswith((".", ":", "?")), doc
    assert len(text.splitlines()) <= 350


def test_only_the_command_line_prints() -> None:
    for path in MODULES:
        if "cli" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_print = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
            assert not is_print, f"{named(path)}:{node.lineno}"


def test_a_test_file_names_a_module_that_is_there() -> None:
    for path in (ROOT / "tests").rglob("test_*.py"):
        folder = path.parent.relative_to(ROOT / "tests")
        if folder in (Path(), Path("attacks")):
            continue  # the foundations, and the project as a whole
        assert (ROOT / "rlaif" / folder).is_dir(), named(path)
