"""LLMBar's files as they are read."""

from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.evaluation.recorded.llmbar import files_in, read_recording
from tests.evaluation.recordings import compared, scored, write_llmbar

A, B = "Output (a)", "Output (b)"


def test_a_file_names_its_subset_judge_and_strategy_and_says_which_output_is_better(
    tmp_path: Path,
) -> None:
    path = write_llmbar(tmp_path, [[compared(A, B, ("1", "1"))]], judge="GPT-4", strategy="CoT")
    assert files_in(tmp_path) == [path]
    found = read_recording(path)
    assert (found.judge, found.strategy, found.subset) == ("GPT-4", "CoT", "Natural")
    [row] = found.rows
    assert (row.comparison.first.text, row.better) == ("Pear.", "first")
    assert row.rounds[0].replies == {False: A, True: B}


def test_what_a_judge_wrote_before_it_judged_is_no_round(tmp_path: Path) -> None:
    notes, said = ["1. Is it a fruit?", "stop"], scored("3", "8", ("2", "2"))
    [row] = read_recording(write_llmbar(tmp_path, [[notes, said]])).rows
    assert [(r.scores, r.replies) for r in row.rounds] == [(("3", "8"), {})]
    assert row.rounds[0].winners == {False: "second", True: "second"}


@pytest.mark.parametrize("text", ["[", '{"a": 1}', '[{"input": "x"}]'])
def test_a_file_that_is_no_recording_is_told_in_one_line(text: str, tmp_path: Path) -> None:
    path = write_llmbar(tmp_path, [])
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="not a file of LLMBar's recordings"):
        read_recording(path)
