import pytest

from rlaif.errors import InputError
from tests.evaluation import run_folder


def test_pairs_are_of_the_same_draw() -> None:
    evaluation = run_folder.evaluation()
    pairs = list(evaluation.pairs("after dpo"))
    assert len(pairs) == 36
    assert all(before.key == after.key for _, before, after in pairs)
    assert all(prompt.id == after.prompt_id for prompt, _, after in pairs)
    assert {(before.policy, after.policy) for _, before, after in pairs} == {("base", "after dpo")}


def test_a_draw_that_one_policy_did_not_answer_is_in_no_pair() -> None:
    evaluation = run_folder.evaluation()
    without = evaluation.model_copy(update={"replies": evaluation.replies[1:]})
    assert len(list(without.pairs("after dpo"))) == 35


def test_an_unknown_row_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="no row 'harm'; there are: brief, refuses harmful"):
        run_folder.evaluation().row("harm")


def test_a_policy_without_a_figure_has_no_cell() -> None:
    assert run_folder.evaluation().rows[0].cell("another") is None
