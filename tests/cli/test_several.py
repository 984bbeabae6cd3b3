import pytest

from rlaif.cli.main import main


@pytest.fixture
def second(monkeypatch) -> None:
    for name, value in (("MASTER_ADDR", "127.0.0.1"), ("WORLD_SIZE", "2"), ("RANK", "1")):
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("command", ["version", "label no.jsonl", "reward score no no", ""])
def test_what_does_not_train_is_left_to_the_first_process(command, capsys) -> None:
    assert main(command.split()) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("second")
def test_of_several_processes_the_first_prints(capsys) -> None:
    assert main(["run", "embedded", "--dry-run"]) == 0
    assert capsys.readouterr().out == ""
