import pytest

from rlaif.errors import InputError
from rlaif.feedback.importers import read_pair, read_pairs, read_people
from tests.feedback.importers.files import write
from tests.feedback.importers.test_hh import CHOSEN


def test_the_chosen_reply_is_not_shown_first_by_habit(tmp_path):
    rows = [{"prompt": f"P{n}", "chosen": "good", "rejected": "bad"} for n in range(200)]
    shown = [pair.first.text for pair in read_pairs(write(tmp_path, *rows))]
    assert 70 < shown.count("good") < 130


def test_a_pair_not_judged_yet_keeps_its_order(tmp_path):
    [pair] = read_pairs(write(tmp_path, {"id": 7, "prompt": "P", "first": "a", "second": "b"}))
    assert (pair.id, pair.first.text, pair.second.text) == ("7", "a", "b")


def test_conversational_columns_are_read_as_trl_writes_them(tmp_path):
    row = {
        "prompt": [{"role": "user", "content": "P"}],
        "chosen": [{"role": "assistant", "content": "good"}],
        "rejected": [{"role": "assistant", "content": "bad: worse"}],
    }
    [found] = read_people(write(tmp_path, row))
    assert (found.prompt.text, found.rejected.text) == ("P", "bad: worse")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"text": "x"}], "pairs.jsonl:1: expected `chosen` and `rejected`"),
        ([{"chosen": CHOSEN, "rejected": "nothing"}], "pairs.jsonl:1: a transcript needs"),
        ([{"prompt": "P", "chosen": 1, "rejected": "x"}], "pairs.jsonl:1: 'chosen' must be a text"),
        (
            [{"id": 1, "prompt": "P", "first": "a", "second": "b"}] * 2,
            "pairs.jsonl:2: id '1' stands twice, first on line 1",
        ),
        ([], "the file has no rows"),
        (["text"], "pairs.jsonl:1: expected"),
    ],
)
def test_a_row_that_is_no_pair_is_named_with_its_line(tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        list(read_pairs(write(tmp_path, *rows)))


def test_a_line_that_is_not_json_is_named(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"prompt": "P", "first": "a", "second": "b"}\n{oops\n')
    with pytest.raises(InputError, match=r"pairs.jsonl:2: not JSON"):
        list(read_pairs(path))


def test_a_row_without_a_label_is_not_what_people_said(tmp_path):
    with pytest.raises(InputError, match="no label"):
        read_people(write(tmp_path, {"prompt": "P", "first": "a", "second": "b"}))


def test_one_line_is_read_as_the_whole_file_would_be(tmp_path):
    rows = [{"prompt": f"P{n}", "chosen": "good", "rejected": "bad"} for n in range(9)]
    path = write(tmp_path, *rows)
    pairs = list(read_pairs(path, seed=3))
    assert [read_pair(path, n + 1, seed=3) for n in range(9)] == pairs
    assert read_pair(path, seed=3) == pairs[0]
    with pytest.raises(InputError, match=r"pairs\.jsonl:10: no row here"):
        read_pair(path, 10)
