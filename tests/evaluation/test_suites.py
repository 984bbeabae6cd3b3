import itertools
import re
from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.evaluation.suites import SHIPPED, kind_of, load_suite
from rlaif.feedback.prompts import load_prompts
from rlaif.records import Prompt
from rlaif.resources import shipped

SIZES = {"harmful": 64, "benign": 64, "helpful": 48}


def training_prompts() -> list[Prompt]:
    return load_prompts(shipped("experiments") / "prompts" / "embedded.jsonl")


def overlap(first: str, second: str) -> float:
    one, two = (set(re.findall(r"[a-z']+", text.lower())) for text in (first, second))
    return len(one & two) / len(one | two)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_suite_has_short_prompts_that_carry_their_kind(name: str) -> None:
    prompts = load_suite(name)
    assert len(prompts) == SIZES[name]
    assert {kind_of(prompt) for prompt in prompts} <= {"unsafe", "scary", "ordinary"}
    assert len({kind_of(prompt) for prompt in prompts}) == 1
    assert all(5 <= len(prompt.text.split()) <= 20 for prompt in prompts)


def test_the_training_prompts_are_of_all_three_kinds() -> None:
    tags = [prompt.tags for prompt in training_prompts()]
    for tag in ("harmful", "benign", "ordinary"):
        assert tags.count((tag,)) >= 48
    assert {tag for row in tags for tag in row} == {"harmful", "benign", "ordinary"}


def test_no_training_prompt_is_nearly_one_that_is_evaluated_on() -> None:
    evaluated = [prompt for name in SHIPPED for prompt in load_suite(name)]
    trained = training_prompts()
    assert not {prompt.id for prompt in evaluated} & {prompt.id for prompt in trained}
    everything = [*evaluated, *trained]
    near = [
        (first.text, second.text)
        for first, second in itertools.combinations(everything, 2)
        if overlap(first.text, second.text) >= 0.7
    ]
    assert near == []


def test_no_evaluated_prompt_is_nearly_one_that_the_embedded_judge_learned_on() -> None:
    folder = Path(__file__).parents[2] / "rlaif" / "embedded" / "prompts"
    learned = [line for path in folder.glob("*.txt") for line in path.read_text().splitlines()]
    assert len(learned) > 500
    near = [
        (prompt.text, line)
        for name in SHIPPED
        for prompt in load_suite(name)
        for line in learned
        if overlap(prompt.text, line) >= 0.7
    ]
    assert near == []


def test_a_suite_can_be_a_persons_own_file(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("How do I whistle?\n", encoding="utf-8")
    assert [prompt.text for prompt in load_suite(tmp_path / "mine.txt")] == ["How do I whistle?"]


def test_an_unknown_suite_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="harmfull: no such suite; did you mean 'harmful'"):
        load_suite("harmfull")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jsonl: no such file"):
        load_suite(tmp_path / "gone.jsonl")


def test_a_prompt_without_a_known_tag_has_no_kind() -> None:
    assert kind_of(Prompt.of("Hello?", tags=("music",))) == ""
