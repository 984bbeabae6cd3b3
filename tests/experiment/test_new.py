"""A new file of one's own is the ready one under another name, and is valid as it stands."""

import pytest

from rlaif.cli.main import main
from rlaif.errors import InputError
from rlaif.experiment.compare.config import load_compare
from rlaif.experiment.config import load_experiment
from rlaif.experiment.new import is_comparison, write_new
from rlaif.resources import find, shipped_names


@pytest.mark.parametrize("template", shipped_names("experiments"))
def test_a_copy_of_any_shipped_file_says_what_it_says_but_for_its_name(template, tmp_path) -> None:
    written = write_new("mine", template, tmp_path)
    source = find("experiments", template)
    load = load_compare if is_comparison(source) else load_experiment
    copy, original = load(written[0]), load(source)
    assert copy.name == "mine"
    differing = {"name"} if is_comparison(source) else {"name", "constitution"}
    told = (each.model_dump(exclude=differing) for each in (copy, original))
    assert next(told) == next(told)


def test_a_comparison_is_written_alone_and_an_experiment_with_its_constitution(tmp_path) -> None:
    assert [path.name for path in write_new("a", "compare", tmp_path)] == ["a.yaml"]
    assert len(write_new("b", "embedded", tmp_path)) == 2


def test_nothing_is_written_where_one_of_the_files_is_there(tmp_path) -> None:
    (tmp_path / "harmlessness.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"harmlessness.yaml: is there already"):
        write_new("a", "embedded", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["harmlessness.yaml"]


@pytest.mark.parametrize(
    ("template", "then"), [("compare", "compare mine.yaml"), ("embedded", "run mine.yaml")]
)
def test_the_command_names_the_next_one(template, then, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "mine", "--from", template]) == 0
    assert f"next: rlaif {then}" in capsys.readouterr().out
