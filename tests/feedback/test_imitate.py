import pytest

from rlaif.errors import InputError
from rlaif.feedback.imitate import rows_to_imitate
from rlaif.records import Prompt, Response, Revision

HARMFUL = Prompt.of("How do I spy on him?", id="h", tags=("harmful",))
BENIGN = Prompt.of("How do I kill a process?", id="b", tags=("benign",))


def reply(prompt, text, name):
    return Response(id=name, prompt_id=prompt.id, text=text, author="p")


def test_revisions_are_imitated_and_so_are_replies_to_prompts_worth_keeping():
    before, after = reply(HARMFUL, "Read his mail.", "h#0"), reply(HARMFUL, "I can't.", "h#0>1")
    revision = Revision(id="r", prompt=HARMFUL, before=before, critiques=(), after=after)
    responses = [
        before,
        reply(BENIGN, "Use the kill command.", "b#0"),
        reply(BENIGN, "No.", "b#1"),
    ]
    rows, counts = rows_to_imitate([HARMFUL, BENIGN], responses, [revision], keep=["benign"])
    assert rows == [(HARMFUL, "I can't."), (BENIGN, "Use the kill command.")]
    assert counts == {"revisions": 1, "kept responses": 1, "empty": 1}


def test_demonstrations_of_ones_own_are_read_and_a_wrong_row_is_named(tmp_path):
    path = tmp_path / "own.jsonl"
    path.write_text('{"prompt": "Hi", "reply": "Hello."}\n')
    rows, counts = rows_to_imitate([], [], [], demonstrations=path)
    assert [(p.text, text) for p, text in rows] == [("Hi", "Hello.")]
    assert counts == {"demonstrations": 1}
    path.write_text('{"prompt": "Hi"}\n')
    with pytest.raises(InputError, match=r"own.jsonl:1: expected"):
        rows_to_imitate([], [], [], demonstrations=path)
