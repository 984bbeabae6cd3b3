import math
from collections.abc import Sequence

import pytest

from rlaif.errors import InputError, StageError
from rlaif.evaluation.compare.page import PAGE, PICTURE, picture, sheet, write_compare
from rlaif.experiment.compare.config import load_compare
from rlaif.experiment.compare.learn import Group, best_and_worst
from rlaif.experiment.compare.run import compare
from rlaif.experiment.progress import Quiet
from rlaif.records import Prompt

FILE = """name: small
prompts: [one, two]
reward: {function: "rlaif.experiment.compare.counted:count_of_e"}
tokens: 128
seeds: [3]
samples: 4
max_new_tokens: 4
answers: 8
training: {lora: null, precision: float32, batch: 8}
methods:
  best-of-n: {n: 4}
  sft: {learning_rate: 0.01}
  rloo: {learning_rate: 0.01}
"""


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    path = folder / "small.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path, folder / "out", compare(load_compare(path), path, folder / "out", Quiet())


def test_every_method_ends_with_what_it_gained_moved_and_took(compared) -> None:
    found = {one.method: one for one in compared[2]}
    assert list(found) == ["best-of-n", "sft", "rloo"]
    best = found["best-of-n"]
    assert best.reward >= best.before
    assert best.kl == pytest.approx(math.log(4) - 3 / 4)
    assert (best.draws, found["sft"].draws) == (4, 1)
    assert (best.tokens, found["rloo"].kind) == (0, "drawn as it learns")
    assert len({one.before for one in found.values()}) == 1
    for name in ("sft", "rloo"):
        assert 0 < found[name].tokens <= 128
        assert found[name].generation > 0
        assert found[name].update > 0


def test_a_comparison_goes_on_with_what_is_missing(compared) -> None:
    path, folder, outcomes = compared
    kept = folder / "outcomes.jsonl"
    lines = kept.read_text(encoding="utf-8").splitlines(keepends=True)
    # A line that the earlier run has kept is not done again, whatever it says.
    kept.write_text(lines[0].replace('"best-of-n"', '"sft"') + "".join(lines[0:1]), "utf-8")
    again = compare(load_compare(path), path, folder, Quiet())
    assert [one.kind for one in again] == ["drawn when asked"] * 2 + ["drawn as it learns"]
    told = ("tokens", "reward", "kl")
    assert [getattr(again[2], name) for name in told] == [
        pytest.approx(getattr(outcomes[2], name)) for name in told
    ]


def test_a_folder_of_another_comparison_is_left_alone(compared) -> None:
    path, folder, _ = compared
    other = load_compare(path).model_copy(update={"tokens": 64})
    with pytest.raises(InputError, match="holds another comparison"):
        compare(other, path, folder, Quiet())


def test_the_page_and_the_picture_name_every_method(compared, tmp_path) -> None:
    outcomes = compared[2]
    page = write_compare(outcomes, tmp_path, "small", "A summary.")
    assert page == tmp_path / PAGE
    for text in (page.read_text("utf-8"), (tmp_path / PICTURE).read_text("utf-8")):
        assert all(f">{one.method}<" in text for one in outcomes)
    rows = sheet(outcomes, "small").rows
    assert [row[0] for row in rows] == ["best-of-n", "sft", "rloo"]


def test_what_an_answer_costs_by_choosing_is_told_beside_a_training_of_no_seconds(compared) -> None:
    outcomes = compared[2]
    best, sft, _ = sheet(outcomes, "small").rows
    assert best[6].endswith(" (4 draws)")
    assert "draws" not in sft[6]
    lines = picture(outcomes).lines
    assert [line.seconds.endswith("then 4 draws an answer") for line in lines] == [
        True,
        False,
        False,
    ]


def nothing(_: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
    return [None for _ in texts]


def rarely(_: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
    """Score the first answer, and no other."""
    return [7.0, *[None for _ in texts[1:]]]


@pytest.fixture
def best_of_4(tmp_path):
    def by(reward: str):
        text = FILE[: FILE.index("  sft")].replace(
            "rlaif.experiment.compare.counted:count_of_e", f"{__name__}:{reward}"
        )
        path = tmp_path / "small.yaml"
        path.write_text(text, encoding="utf-8")
        return compare(load_compare(path), path, tmp_path / "out", Quiet())

    return by


def test_a_reward_that_scores_nothing_is_told_and_not_measured(best_of_4, tmp_path) -> None:
    with pytest.raises(StageError, match=r"methods.best-of-n: the reward scores none"):
        best_of_4("nothing")
    assert not (tmp_path / "out" / "outcomes.jsonl").read_text(encoding="utf-8")


def test_answers_without_a_score_are_left_out_and_counted(best_of_4) -> None:
    [best] = best_of_4("rarely")
    assert (best.before, best.reward, best.unscored) == (7.0, 7.0, 15)
    assert sheet([best], "small").notes[1] == "Answers without a score, left out: 15 of best-of-n."


def test_a_group_of_equals_makes_no_pair() -> None:
    prompt = Prompt.of("one")
    groups = [Group(prompt, ("a", "b"), (1.0, 1.0)), Group(prompt, ("a", "e", "ee"), (0, 1, 2))]
    [pair] = best_and_worst(groups)
    assert (pair.chosen.text, pair.rejected.text, pair.p_chosen) == ("ee", "a", 1.0)
