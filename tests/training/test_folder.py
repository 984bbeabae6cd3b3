import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from rlaif.errors import InputError, MissingModelError, StorageError
from rlaif.training import folder as folders
from rlaif.training.folder import checked, load_tokenizer, reading, save, whole_folder


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingModelError, match="no such model folder"):
        checked(tmp_path / "absent")


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("config.json", "no config.json"),
        ("model.safetensors", "no weights"),
        ("tokenizer*", "no tokenizer"),
    ],
)
def test_a_folder_that_lacks_a_part_says_which(tiny_model, tmp_path, part, named) -> None:
    copy = shutil.copytree(tiny_model, tmp_path / "model")
    for file in copy.glob(part):
        file.unlink()
    with pytest.raises(MissingModelError, match=named):
        checked(copy)


def test_a_name_on_the_hub_is_left_to_the_hub() -> None:
    assert checked(Path("HuggingFaceTB/SmolLM2-135M-Instruct")).startswith("HuggingFaceTB/")


def test_a_config_of_no_known_model_is_one_line(tiny_model, tmp_path) -> None:
    copy = shutil.copytree(tiny_model, tmp_path / "model")
    (copy / "config.json").write_text('{"model_type": "unheard-of"}', encoding="utf-8")
    with pytest.raises(MissingModelError, match="cannot be read"):
        load_tokenizer(copy)


def test_damaged_weights_are_one_line(tiny_model, tmp_path) -> None:
    copy = shutil.copytree(tiny_model, tmp_path / "model")
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])
    with pytest.raises(MissingModelError, match="cannot be read") as caught, reading(copy):
        AutoModelForCausalLM.from_pretrained(copy)
    assert "\n" not in str(caught.value)


def test_a_run_that_fails_leaves_no_folder_and_keeps_the_old_one(tmp_path: Path) -> None:
    def fail() -> None:
        with whole_folder(tmp_path / "out") as half:
            (half / "part").write_text("half", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    with pytest.raises(RuntimeError):
        fail()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "old"]


def test_a_new_run_replaces_the_old_folder_whole(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with whole_folder(tmp_path / "out") as half:
            (half / name).touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "new"]


def test_a_full_disk_is_one_line(tmp_path) -> None:
    class Full:
        config = type("Config", (), {})()

        def parameters(self) -> list[object]:
            return []

        def to(self, _: object) -> "Full":
            return self

        def save_pretrained(self, _: Path) -> None:
            raise folders.SafetensorError("I/O error: No space left on device (os error 28)")

    with (
        pytest.raises(StorageError, match="no space left") as caught,
        whole_folder(tmp_path / "out") as half,
    ):
        save(Full(), None, half)
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_saved_model_is_an_ordinary_bfloat16_folder(tiny_model, tmp_path) -> None:
    tokenizer = load_tokenizer(tiny_model)
    with whole_folder(tmp_path / "out") as half:
        save(AutoModelForCausalLM.from_pretrained(tiny_model), tokenizer, half)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert loaded.dtype == torch.bfloat16
    assert load_tokenizer(tmp_path / "out").chat_template == tokenizer.chat_template
    assert (tmp_path / "out" / "generation_config.json").is_file()


def test_a_server_that_is_not_there_is_no_damaged_model(tmp_path: Path) -> None:
    line = "The vLLM server can't be reached at http://127.0.0.1:9 after 3 seconds."
    where = r"^extra: The vLLM server can't be reached at"
    with pytest.raises(InputError, match=where), reading(tmp_path):
        raise ConnectionError(line)
