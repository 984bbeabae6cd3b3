import pytest

from rlaif.evaluation.audit.kin import FAMILIES, family_of, kin
from rlaif.records import Choice, Preference
from tests.evaluation.pairs import compare, label


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("gpt-5-mini", "gpt"),
        ("o3-mini", "gpt"),
        ("openai/gpt-4o-2024-08-06", "gpt"),
        ("claude-sonnet-4", "claude"),
        ("Qwen/Qwen3-0.6B", "qwen"),
        ("/models/Qwen2.5-7B-Instruct", "qwen"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama"),
        ("Meta-Llama-3-8B", "llama"),
        ("mistralai/Mixtral-8x7B", "mistral"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "deepseek"),
        ("SmolLM2-135M-Instruct", "smollm"),
        ("embedded+judge-adapter", "smollm"),
        ("microsoft/Phi-4", "phi"),
        ("google/gemma-3-4b", "gemini"),
        ("philosopher-7", None),
        ("people", None),
    ],
)
def test_a_name_tells_its_family(name: str, family: str | None) -> None:
    assert family_of(name, {}) == family


def test_no_word_tells_two_families() -> None:
    words = [word for marks in FAMILIES.values() for word in marks]
    assert len(words) == len(set(words))


def labels(own_wins: str, by: str = "qwen3-32b") -> list[Preference]:
    rows = []
    for number, won in enumerate(own_wins):
        authors = ("Qwen/Qwen3-0.6B", "meta-llama/Llama-3.2-1B")
        pair = compare(number, authors=authors)
        rows.append(label(pair, 0.9 if won == "1" else 0.1, by=by))
    return rows


def people(rows: list[Preference], own_wins: str) -> dict[str, Choice]:
    """Say what people chose, the label's chosen reply as the first."""
    said: dict[str, Choice] = {}
    for row, won in zip(rows, own_wins, strict=True):
        is_own = row.chosen.author.startswith("Qwen")
        said[row.id] = "first" if (won == "1") == is_own else "second"
    return said


def test_self_preference_is_what_the_judge_chose_beyond_people() -> None:
    rows = labels("1110110100")
    found = kin(rows, people(rows, "1010010100"), {}, rounds=1000)
    assert found is not None
    assert (found.families, found.both_own) == (("qwen",), 0)
    assert found.own is not None
    assert found.own.raw is not None
    assert (found.own.pairs, found.own.raw.value) == (10, 0.6)
    assert found.people is not None
    assert found.people.value == 0.4
    assert found.beyond_people is not None
    assert found.beyond_people.value == pytest.approx(0.2)


def test_pairs_within_the_family_and_of_strangers_say_nothing() -> None:
    own = label(compare(0, authors=("qwen-a", "qwen-b")), 0.9, by="qwen")
    strange = label(compare(1, authors=("qwen-a", "someone")), 0.9, by="qwen")
    others = label(compare(2, authors=("llama-3", "gpt-5")), 0.9, by="qwen")
    found = kin([own, strange, others], {}, {})
    assert found is not None
    assert (found.both_own, found.own, found.unknown) == (1, None, ("someone",))


def test_a_family_can_be_told() -> None:
    rows = [label(compare(0, authors=("mine", "other")), 0.9, by="judge-7")]
    assert kin(rows, {}, {}) is None
    found = kin(rows, {}, {"judge-7": "qwen", "mine": "qwen", "other": "llama"})
    assert found is not None
    assert found.own is not None
    assert found.own.pairs == 1


def test_a_panel_is_of_every_members_family() -> None:
    found = kin(labels("11", by="mean of qwen3-32b, gpt-5"), {}, {})
    assert found is not None
    assert found.families == ("gpt", "qwen")


def test_a_tie_prefers_nobody() -> None:
    tie = label(compare(0, authors=("qwen-a", "llama-3")), 0.5, by="qwen")
    found = kin([tie], {}, {})
    assert found is not None
    assert found.own is None
