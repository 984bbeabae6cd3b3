"""README and its neighbours are true: commands parse, paths are there, examples hold."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import typer.main
import yaml

from rlaif import __version__
from rlaif.answers.answer import READS, Kind
from rlaif.cli.main import app
from rlaif.experiment.config import load_experiment
from rlaif.experiment.stages import STAGES
from rlaif.records import AbstentionKind
from rlaif.resources import shipped_names

ROOT = Path(__file__).parents[1]
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "constitution/README.md",
    "prompts/README.md",
    "rlaif/judges/README.md",
    "docs/from-laptop-to-8-gpus.md",
]
COMMAND = re.compile(r"(?:^|`|-m )(rlaif [a-z][^`\n]*)", re.MULTILINE)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for match in COMMAND.finditer(text_of(page)):
            # What stands behind three blanks says what the command does.
            yield page, re.split(r" {3,}", match[1])[0].strip()


@pytest.mark.parametrize(("page", "line"), sorted(set(commands())))
def test_a_command_that_is_shown_exists_with_its_options(page: str, line: str) -> None:
    assert page
    words = shlex.split(line.replace("…", ""))[1:]
    command = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        # A group with a default, such as `rlaif reward FILE`, reads a file's name as its argument.
        is_named = words[0] in command.commands or not hasattr(command, "default")
        name = words.pop(0) if is_named else command.default
        for option in re.split(r"[|,]", name):  # `check | show`
            assert option.strip() in command.commands, line
        command = command.commands[re.split(r"[|,]", name)[0].strip()]
    known = {option for parameter in command.params for option in parameter.opts}
    known |= {option for parameter in command.params for option in parameter.secondary_opts}
    for word in words:
        if word.startswith("-") and word != "-":
            assert word.split("=")[0] in known | {"--help"}, line


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", text_of(page)):
        if not target.startswith("http"):
            assert ((ROOT / page).parent / target).exists(), target


def test_the_tree_names_what_is_there() -> None:
    tree = text_of("README.md").split("## The tree")[1].split("```")[1]
    inside = ROOT
    for line in tree.strip("\n").splitlines():
        name, _, phrase = line.strip().partition(" ")
        depth = len(line) - len(line.lstrip())
        inside = ROOT / "rlaif" if depth else ROOT
        assert (inside / name.rstrip("/")).exists(), line
        assert phrase.strip() or name == "rlaif/", line
        if depth and "·" in phrase:
            # Module names in the phrase, such as `orders · principles (draw, scope)`.
            for module in re.findall(r"(?:^|· )([a-z_-]+)(/?)", phrase.strip()):
                path = inside / name / module[0]
                assert path.is_dir() or path.with_suffix(".py").is_file(), f"{name}{module[0]}"


def test_every_folder_of_the_package_is_in_the_tree() -> None:
    tree = text_of("README.md").split("## The tree")[1].split("```")[1]
    for path in (ROOT / "rlaif").iterdir():
        if path.is_dir() and (path / "__init__.py").is_file():
            assert f"  {path.name}/" in tree
        elif path.suffix == ".py" and not path.name.startswith("__"):
            assert f"  {path.name} " in tree


def test_the_yaml_that_is_shown_fits_an_experiment(tmp_path: Path) -> None:
    base = yaml.safe_load((ROOT / "experiments/embedded.yaml").read_text(encoding="utf-8"))
    shown = re.findall(r"```yaml\n(.*?)```", text_of("README.md"), re.DOTALL)
    assert shown
    for block in shown:
        for section, value in yaml.safe_load(block).items():
            merged = {**base[section], **value} if isinstance(base.get(section), dict) else value
            path = tmp_path / "shown.yaml"
            path.write_text(yaml.safe_dump({**base, section: merged}), encoding="utf-8")
            load_experiment(path)


@pytest.mark.parametrize(
    "name", [name for name in shipped_names("experiments") if not name.startswith("compare")]
)
def test_a_ready_experiment_is_valid(name: str) -> None:
    load_experiment(ROOT / f"experiments/{name}.yaml")


def test_the_python_that_is_shown_compiles_and_imports_what_is_there() -> None:
    for block in re.findall(r"```python\n(.*?)```", text_of("README.md"), re.DOTALL):
        compile(block, "README.md", "exec")
        imports = "".join(f"{line}\n" for line in block.splitlines() if line.startswith("from "))
        exec(imports, {})


def test_the_make_targets_that_are_shown_are_there() -> None:
    targets = re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE)
    for name in re.findall(r"make ([a-z-]+)", text_of("README.md") + text_of("CONTRIBUTING.md")):
        assert name in targets


def test_the_stages_that_are_shown_are_those_that_run() -> None:
    line = next(line for line in text_of("README.md").splitlines() if line.startswith("respond →"))
    assert line.split(" → ") == [*STAGES, "report"]


def test_each_kind_of_abstention_is_in_the_judges_table_and_no_other() -> None:
    table = text_of("rlaif/judges/README.md").split("## When there is no answer")[1]
    assert sorted(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == sorted(
        get_args(AbstentionKind)
    )


def test_each_shipped_prompt_is_in_the_table_and_no_other() -> None:
    table = text_of("prompts/README.md").split("| file |")[1].split("\n\n")[0]
    assert sorted(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == shipped_names(
        "prompts"
    )


def test_the_answers_keys_that_are_shown_are_those_that_are_read() -> None:
    page = text_of("prompts/README.md")
    shown = dict(re.findall(r"^\| `([a-z]+)` \|[^|]*\| *((?:`\w+` *)*)\|$", page, re.MULTILINE))
    kinds = {kind: set(shown[kind].replace("`", "").split()) for kind in get_args(Kind)}
    # An answer with options names them in its own line.
    assert kinds == {kind: fields - {"options"} for kind, fields in READS.items()}


def test_the_changelog_has_the_version() -> None:
    assert f"## {__version__}" in text_of("CHANGELOG.md")


def test_no_file_of_the_project_is_larger_than_12_mb() -> None:
    for folder in ("rlaif", "tests", "experiments", "constitution", "prompts", "notebooks"):
        for path in (ROOT / folder).rglob("*"):
            assert not path.is_file() or path.stat().st_size < 12 * 2**20, path
