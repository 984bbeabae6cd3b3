from pathlib import Path

import pytest

from rlaif.training.reward.card import base_name, licence_of


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: mit\ntags: [a]\n---\n# Base\n", "mit"),
        ("---\ntags: [a]\n---\n# Base\n", "unknown"),
        ("# Base\n", "unknown"),
        ("---\nlicense: [\n---\n", "unknown"),
    ],
)
def test_the_licence_is_what_the_bases_own_card_states(
    tmp_path: Path, card: str, licence: str
) -> None:
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    assert licence_of(tmp_path) == licence


def test_a_base_without_a_card_has_no_known_licence(tmp_path: Path) -> None:
    assert licence_of(tmp_path) == "unknown"


def test_the_embedded_base_is_named_as_on_the_hub_and_no_folder_is_told() -> None:
    assert base_name(Path("/x/SmolLM2-135M-Instruct-3f2a")) == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert licence_of(Path("/x/SmolLM2-135M-Instruct-3f2a")) == "apache-2.0"
    assert base_name(Path("owner/name")) == "owner/name"
