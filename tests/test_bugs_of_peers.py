"""The list of bugs that shipped in others' labelling and training code, and where each is tested.

They were found by reading published code, or by running it. Each has a test that is named after
what the bug does wrong; the table holds the list, so that no test of it is lost unseen.
"""

import ast
import re
from pathlib import Path

import pytest

import rlaif.judges
from rlaif.resources import shipped_names
from rlaif.templates import Template

ROOT = Path(__file__).parent
HERE = Path(__file__).name
JUDGES = f"judges/{HERE}"
TRAINING = f"training/{HERE}"
REWARD = "judges/test_reward.py"

BUGS: dict[str, tuple[tuple[str, str], ...]] = {
    "the condition that swaps an answer back is never true, so the first item is always chosen": (
        (JUDGES, "test_a_swapped_back_answer_that_is_never_used"),
        (JUDGES, "test_the_reference_answer_that_is_always_rejected_because_it_was_appended_last"),
    ),
    "scores are kept in order of completion and read back by number; a failure shifts the rest": (
        (JUDGES, "test_scores_appended_in_completion_order_that_attach_to_the_wrong_pairs"),
        (JUDGES, "test_a_failed_score_that_shifts_every_later_one"),
        (JUDGES, "test_one_order_alone_that_makes_a_judges_favourite_slot_a_label"),
        (JUDGES, "test_one_exception_that_loses_the_whole_data_set"),
    ),
    "an invalid answer is -1, which a flip turns into 2, and either counts for the second": (
        (JUDGES, "test_an_invalid_answer_that_becomes_second_wins_after_a_flip"),
        (JUDGES, "test_an_answer_in_one_order_and_nonsense_in_the_other_that_becomes_a_label"),
    ),
    "a reward that is missing is summed as 0; failures and ties are first chosen": (
        (JUDGES, "test_failures_and_ties_that_count_as_first_chosen"),
        (TRAINING, "test_a_missing_reward_that_is_summed_as_a_zero"),
    ),
    "after a thousand requests every later answer is invalid": (
        (JUDGES, "test_a_limit_of_requests_after_which_every_answer_is_invalid"),
    ),
    "the same reply named best and worst gets a random label; a last part of a batch is dropped": (
        (JUDGES, "test_the_same_reply_named_as_best_and_as_worst"),
        (JUDGES, "test_a_last_partial_batch_that_is_dropped"),
    ),
    "an answer that cannot be read is a middling score, or a middling rank": (
        (JUDGES, "test_an_unclear_answer_that_becomes_a_middling_score_a_zero_or_an_a"),
        (REWARD, "test_a_score_that_cannot_be_read_is_no_score_of_three"),
    ),
    "an unclear answer is a reward of a half": (
        (REWARD, "test_an_unclear_answer_is_no_reward_of_a_half"),
    ),
    "an exception, or an answer that cannot be read, is a reward of zero": (
        (REWARD, "test_a_judge_that_timed_out_is_no_reward_of_zero"),
    ),
    "an unclear answer is a preference for A": (
        (JUDGES, "test_an_unclear_answer_that_becomes_a_middling_score_a_zero_or_an_a"),
    ),
    "equal ratings make one reply both chosen and rejected; missing ones kill the batch": (
        (JUDGES, "test_two_equal_ratings_that_make_the_same_reply_chosen_and_rejected"),
        (JUDGES, "test_two_missing_ratings_that_kill_the_batch"),
    ),
    "a prompt is cut where it contains a colon and a blank": (
        (JUDGES, "test_a_prompt_that_is_cut_where_it_contains_a_colon"),
    ),
    "the test splits are mixed into the training rows": (
        (TRAINING, "test_a_test_split_that_is_mixed_into_the_training_rows"),
        ("evaluation/test_suites.py", "test_no_training_prompt_is_nearly_one_that_is_evaluated_on"),
    ),
    "one judge's template is an empty placeholder, and two more are copies of a third": (
        (HERE, "test_a_prompt_file_that_is_an_empty_placeholder_or_a_copy_of_another"),
    ),
    "a judge is documented that no code registers": (
        (HERE, "test_a_judge_that_is_documented_and_not_there"),
        ("test_docs.py", "test_a_command_that_is_shown_exists_with_its_options"),
    ),
    "pairs that are too long are filtered out without a count": (
        (TRAINING, "test_pairs_that_are_too_long_and_vanish_without_a_count"),
    ),
    "a verdict that is given before its reasons is reversed by them": (
        (JUDGES, "test_a_verdict_that_is_reversed_by_the_reasons_given_after_it"),
    ),
    "log-probabilities that did not come are replaced by the letter, and nobody is told": (
        (JUDGES, "test_log_probabilities_that_are_quietly_replaced_by_the_letter"),
    ),
}


def names_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    return {one.name for one in functions if one.name.startswith("test_")}


@pytest.mark.parametrize("bug", BUGS)
def test_each_bug_has_its_tests(bug: str) -> None:
    assert BUGS[bug]
    for file, name in BUGS[bug]:
        assert name in names_in(file), f"{file}: no {name}"


def test_no_test_of_a_bug_is_left_out_of_the_list() -> None:
    listed = {place for places in BUGS.values() for place in places}
    for file in (JUDGES, TRAINING):
        assert {(file, name) for name in names_in(file)} <= listed


def test_a_prompt_file_that_is_an_empty_placeholder_or_a_copy_of_another() -> None:
    loaded = [Template.load(name) for name in shipped_names("prompts")]
    for template in loaded:
        asked = " ".join(turn.body for turn in template.turns)
        own = re.sub(r"\{[{%].*?[}%]\}", "", asked)
        assert len(own.split()) > 20, template.name
        assert "TODO" not in asked
    # `rank-written` and the like ask in words of their own, not only under a name of their own.
    assert len({template.turns for template in loaded}) == len(loaded)
    assert len({template.purpose for template in loaded}) == len(loaded)


def test_a_judge_that_is_documented_and_not_there() -> None:
    folder = Path(rlaif.judges.__file__).parent
    page = (folder / "README.md").read_text(encoding="utf-8")
    written = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    named = set(re.findall(r"`([A-Za-z_]+)(?:\([^`]*\))?`", page))
    judges = {name for name in named if name.endswith(("Judge", "_of"))}
    assert len(judges) > 5
    for name in judges:
        assert re.search(rf"^(?:class|def) {name}\b", written, re.MULTILINE), name
