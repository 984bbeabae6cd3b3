"""Tokens are counted as the local backend reads them, without loading it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from rlaif.backends.local import LocalBackend
from rlaif.backends.tokens import TokenCounter
from rlaif.errors import InputError
from rlaif.records import Completion, Message, Request, Sampling

REQUEST = Request(
    id="x",
    messages=(
        Message(role="system", content="You judge."),
        Message(role="user", content="<reply>\nYes, é 日本\n</reply>"),
        Message(role="assistant", content="Hm."),
        Message(role="user", content="Yes or No?"),
    ),
    opening="Answer:",
    sampling=Sampling(max_tokens=1),
    options=("Yes", "No"),
)


def test_a_whole_request_has_as_many_tokens_as_the_local_backend_reads(tiny_model: Path) -> None:
    [(_, said)] = LocalBackend(tiny_model).stream([REQUEST])
    assert isinstance(said, Completion)
    assert TokenCounter(tiny_model).count_request(REQUEST) == said.usage.read


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(text=st.text())
def test_a_text_has_as_many_tokens_as_transformers_finds(tiny_model: Path, text: str) -> None:
    counter, tokenizer = TokenCounter(tiny_model), AutoTokenizer.from_pretrained(tiny_model)
    assert counter.count(text) == len(tokenizer(text, add_special_tokens=False)["input_ids"])


def test_without_a_chat_template_the_turns_own_texts_are_counted(
    tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "tokenizer.json").write_bytes((tiny_model / "tokenizer.json").read_bytes())
    counter = TokenCounter(tmp_path)
    texts = [message.content for message in REQUEST.messages] + [REQUEST.opening]
    assert counter.count_request(REQUEST) == sum(map(counter.count, texts))


@pytest.mark.parametrize(
    ("template", "tokens"),
    [
        ("{{ bos_token }}{{ messages | length }}", 3 + 1),
        ([{"name": "tools", "template": "x"}, {"name": "default", "template": "ab"}], 2),
        ("{% if true %}\nab\n{% endif %}\n", 3),  # blocks leave no line of their own behind
        ("{% for m in messages %}{% if m.role == 'user' %}{% break %}{% endif %}a{% endfor %}", 1),
    ],
)
def test_a_chat_template_is_read_as_hugging_face_writes_them(
    template: object, tokens: int, tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "tokenizer.json").write_bytes((tiny_model / "tokenizer.json").read_bytes())
    config = {"bos_token": {"content": "abc"}, "chat_template": template}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    request = REQUEST.model_copy(update={"opening": ""})
    assert TokenCounter(tmp_path).count_request(request) == tokens


def test_a_chat_template_that_refuses_the_turns_is_one_line(
    tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "tokenizer.json").write_bytes((tiny_model / "tokenizer.json").read_bytes())
    refusal = "{{ raise_exception('no system turn') }}"
    (tmp_path / "chat_template.jinja").write_text(refusal, encoding="utf-8")
    with pytest.raises(InputError, match="its chat template refuses these turns: no system turn"):
        TokenCounter(tmp_path).count_request(REQUEST)


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("other.json", "{}", "no tokenizer.json there; name a Hugging Face model's folder"),
        ("tokenizer.json", "{}", "no tokenizer can be read from it"),
        ("tokenizer.json", "not json", "no tokenizer can be read from it"),
    ],
)
def test_a_folder_without_a_tokenizer_is_one_line(
    name: str, text: str, what: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        TokenCounter(tmp_path)
    assert what in str(error.value)
    assert "\n" not in str(error.value)


def test_counting_loads_neither_torch_nor_transformers(tiny_model: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rlaif.backends.tokens import TokenCounter; "
        f"print(TokenCounter(Path({str(tiny_model)!r})).count('Yes'), "
        "'torch' in sys.modules, 'transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False", "False"]
