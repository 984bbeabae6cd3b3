"""A constitution file becomes data, or one line for each mistake in it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.constitution.principle import Constitution, Principle, Proposition
from rlaif.constitution.write import yaml_text
from rlaif.errors import InputError

PLAIN = """name: two
principles:
  kind: The response is kind.
  brief:
    text: >-
      The response is
      brief.
    weight: 2
    scope: [ordinary]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "two.yaml"
    path.write_text(PLAIN, encoding="utf-8")
    return path


def mistake(file: Path, text: str) -> str:
    """Give what is said of a file with this text, without the folder."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        Constitution.load(file)
    return str(error.value).replace(f"{file.parent}/", "")


def test_a_sentence_alone_is_a_whole_principle(file: Path) -> None:
    constitution = Constitution.load(file)
    assert constitution["kind"] == Principle(id="kind", text="The response is kind.")


def test_a_folded_sentence_is_one_line(file: Path) -> None:
    assert Constitution.load(file)["brief"].text == "The response is brief."


def test_scope_says_which_prompts(file: Path) -> None:
    constitution = Constitution.load(file)
    assert constitution["kind"].applies_to(("harmful",))
    assert constitution["brief"].applies_to(("ordinary", "short"))
    assert not constitution["brief"].applies_to(("harmful",))


def test_an_unknown_field_names_its_line_and_the_near_miss(file: Path) -> None:
    assert mistake(file, PLAIN.replace("weight:", "wieght:")) == (
        "two.yaml:8: principles.brief.wieght: no such field; did you mean 'weight'?"
    )


def test_a_principle_without_a_sentence_is_told(file: Path) -> None:
    said = mistake(file, "name: two\nprinciples:\n  kind:\n    weight: 2\n")
    assert said == "two.yaml:3: principles.kind.text: is needed here"


def test_a_constitution_without_principles_is_told(file: Path) -> None:
    said = mistake(file, "name: two\nprinciples: {}\n")
    assert said == "two.yaml:2: principles: needs 1 or more, and has 0"
    assert mistake(file, "name: two\n") == "two.yaml:1: principles: is needed here"


def test_a_name_that_stands_twice_names_both_lines(file: Path) -> None:
    said = mistake(file, PLAIN + "  kind: The response is very kind.\n")
    assert said == "two.yaml:10: 'kind' stands twice, first on line 3"


def test_an_empty_file_is_told(file: Path) -> None:
    assert mistake(file, "") == "two.yaml: the file is empty"


def test_what_is_not_yaml_names_the_line(file: Path) -> None:
    assert mistake(file, "name: two\nprinciples: [\n").startswith("two.yaml:3: not YAML: ")


def test_a_value_of_the_wrong_kind_is_shown(file: Path) -> None:
    said = mistake(file, PLAIN.replace("weight: 2", "weight: much"))
    assert said.startswith("two.yaml:8: principles.brief.weight: ")
    assert said.endswith("(not 'much')")


def test_every_mistake_has_its_own_line(file: Path) -> None:
    said = mistake(file, PLAIN.replace("weight: 2", "weight: -1").replace("scope:", "scop:"))
    assert [line.split(": ")[0] for line in said.splitlines()] == ["two.yaml:8", "two.yaml:9"]


def test_a_name_that_is_not_there_names_those_that_are(file: Path) -> None:
    with pytest.raises(InputError, match="two: no principle 'calm'; there are: kind, brief"):
        Constitution.load(file)["calm"]


def test_an_unknown_tag_is_told(file: Path) -> None:
    with pytest.raises(InputError, match="no principle is tagged 'tone'"):
        Constitution.load(file).tagged("tone")


def test_what_a_judge_reads_changes_the_fingerprint_of_the_rules_and_nothing_else() -> None:
    principle = Principle(id="kind", text="The response is kind.")

    def rules(**changes: object) -> str:
        changed = principle.model_copy(update=changes)
        return Constitution(name="one", principles=(changed,)).fingerprint_of_rules

    assert rules(reasons="people like it", tags=("tone",)) == rules()
    assert rules(text="The reply is kind.") != rules()
    assert rules(weight=2.0) != rules()
    assert rules(scope=("harmful",)) != rules()
    assert rules(when="The user asks about law.") != rules()


def test_the_words_that_a_verdict_is_given_to_are_what_is_asked_and_not_what_it_counts() -> None:
    principle = Principle(id="kind", text="The response is kind.")

    def words(**changes: object) -> str:
        return principle.model_copy(update=changes).fingerprint_of_wording

    assert words(weight=3.0, veto=True, scope=("harmful",), reasons="so", id="other") == words()
    changed = [
        words(text="The reply is kind."),
        words(negated="The response is unkind."),
        words(when="The user is sad."),
        words(propositions=(Proposition(text="It greets."),)),
        words(propositions=(Proposition(text="It greets.", weight=2.0),)),
    ]
    assert len({words(), *changed}) == 6


def test_a_when_is_one_line_too(file: Path) -> None:
    text = PLAIN + "    when: >\n      The user\n      asks.\n"
    file.write_text(text, encoding="utf-8")
    assert Constitution.load(file)["brief"].when == "The user asks."


def test_propositions_of_which_none_counts_are_told(file: Path) -> None:
    idle = "    propositions:\n      - {text: It greets., weight: 0}\n"
    said = mistake(file, PLAIN + idle)
    assert "every proposition has the weight 0; one at least must count" in said
    assert mistake(file, PLAIN + idle.replace("0}", "-1}")).startswith("two.yaml:11: ")


def test_a_constitution_that_is_written_is_read_as_it_was(file: Path) -> None:
    before = Constitution.load(file)
    text = yaml_text(before)
    assert "  kind: The response is kind.\n" in text
    file.write_text(text, encoding="utf-8")
    assert Constitution.load(file) == before


sentences = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1)
principles = st.builds(
    Principle,
    id=st.text("abcdefghij-", min_size=1),
    text=sentences,
    weight=st.floats(0.1, 9),
    veto=st.booleans(),
    scope=st.lists(st.sampled_from(["harmful", "ordinary"])).map(tuple),
)


@given(st.lists(principles, min_size=1, unique_by=lambda p: p.id))
def test_a_constitution_goes_round_through_json(made: list[Principle]) -> None:
    constitution = Constitution(name="made", principles=tuple(made))
    again = Constitution.model_validate_json(constitution.model_dump_json())
    assert again == constitution
    assert again.fingerprint == constitution.fingerprint
