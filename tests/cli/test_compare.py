from rlaif.cli.main import main
from tests.experiment.compare.test_run import FILE


def test_a_comparison_ends_with_a_table_a_page_and_a_picture(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(
        FILE.split("methods:")[0] + "methods:\n  best-of-n: {n: 4}\n", encoding="utf-8"
    )
    assert main(["compare", "small.yaml"]) == 0
    out = capsys.readouterr().out
    assert "best-of-n" in out
    assert "kept in runs/small/compare.html" in out
    assert (tmp_path / "runs/small/compare.svg").is_file()


def test_a_mistake_in_its_file_is_one_line(tmp_path, capsys) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(FILE.replace("tokens: 128", "tokns: 128"), encoding="utf-8")
    assert main(["compare", str(path)]) == 2
    assert "did you mean 'tokens'" in capsys.readouterr().err
