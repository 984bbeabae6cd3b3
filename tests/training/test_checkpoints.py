from pathlib import Path

from rlaif.training.checkpoints import last_checkpoint, weights_of, work_folder


def test_a_run_with_another_key_begins_anew(tmp_path: Path) -> None:
    out = tmp_path / "rm"
    folder = work_folder(out, ["a", 1])
    (folder / "kept").touch()
    assert (work_folder(out, ["a", 1]) / "kept").is_file()
    assert not (work_folder(out, ["a", 2]) / "kept").exists()


def test_the_newest_whole_checkpoint_is_gone_on_from_and_a_half_one_goes(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path) is None
    for step, is_whole in ((9, True), (10, True), (11, False)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if is_whole:
            (tmp_path / f"checkpoint-{step}" / "whole").touch()
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-10"
    assert not (tmp_path / "checkpoint-11").exists()


def test_other_weights_in_the_same_folder_are_another_model(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"1")
    before = weights_of(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"22")
    assert weights_of(tmp_path) != before
    assert weights_of(Path("owner/name")) == []
