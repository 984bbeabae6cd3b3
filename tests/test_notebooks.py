"""The notebooks run from top to bottom, on the model that comes along."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_output(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs")


def printed(path: Path) -> str:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=str(ROOT))
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(str(output.get("text", output.get("data", ""))) for output in outputs)


@pytest.mark.slow
def test_a_principle_is_written_checked_tried_and_judged_by() -> None:
    shown = printed(ROOT / "notebooks/01-write-a-principle.ipynb")
    assert "two ideas in one sentence" in shown
    assert "nothing to look at" in shown
    assert "asks-back" in shown
    assert "p = " in shown


@pytest.mark.slow
def test_labels_are_read_held_against_people_and_weighed_anew() -> None:
    shown = printed(ROOT / "notebooks/02-read-your-labels.ipynb")
    for told in ("24 labels, 0 abstentions", "0 labels, 24 abstentions", "no-mass", "7 flipped"):
        assert told in shown
    for title in ("Agreement with people", "People among themselves", "What the judge goes by"):
        assert title in shown
    assert "agrees: 0.96 → 0.78" in shown


@pytest.mark.slow
def test_a_run_is_read(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RLAIF_RUN", str(finished / "runs/tiny"))
    assert printed(ROOT / "notebooks/03-did-it-work.ipynb")
