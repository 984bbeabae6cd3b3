import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rlaif.backends.cached import Cached
from rlaif.backends.connect import (
    LocalModel,
    Model,
    OpenAIModel,
    RecordedModel,
    adapter_folder,
    check,
    connect,
    identity,
    parse_judge,
    parse_spec,
)
from rlaif.embedded.find import judge_adapter, reviser_adapter
from rlaif.errors import BackendError, InputError, MissingModelError
from rlaif.records import Message, Record, Request
from rlaif.store import CompletionStore
from rlaif.yamlfile import parse


class Roles(Record):
    judge: Model


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("embedded", LocalModel(model="embedded")),
        ("embedded-judge", LocalModel(model="embedded", adapter="embedded-judge")),
        ("embedded-referee", LocalModel(model="embedded", adapter="embedded-referee")),
        ("embedded-reviser", LocalModel(model="embedded", adapter="embedded-reviser")),
        ("openai:gpt-5-mini", OpenAIModel(model="gpt-5-mini")),
        ("local:Qwen/Qwen3-0.6B", LocalModel(model="Qwen/Qwen3-0.6B")),
        ("Qwen/Qwen3-0.6B", LocalModel(model="Qwen/Qwen3-0.6B")),
        ("recorded:replies.jsonl", RecordedModel(path="replies.jsonl")),
    ],
)
def test_a_short_name_says_the_same_on_the_command_line_and_in_a_file(
    text: str, spec: LocalModel | OpenAIModel | RecordedModel
) -> None:
    assert parse_spec(text) == spec
    assert parse(f"judge: {text}", Roles, "x.yaml").judge == spec


def test_a_file_says_all_of_a_model_and_its_mistakes_are_told_by_line(tmp_path: Path) -> None:
    file = tmp_path / "judge.yaml"
    file.write_text("kind: openai\nmodel: m\nin_flight: 4\nrpm: 60\n", encoding="utf-8")
    assert parse_judge(str(file)) == OpenAIModel(model="m", in_flight=4, rpm=60)
    file.write_text("model: embedded\nbatch: 3\n", encoding="utf-8")
    assert parse_judge(str(file)) == LocalModel(model="embedded", batch=3)
    file.write_text("kind: openai\nmodel: m\nin_fligt: 4\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"judge.yaml:3: in_fligt: .*in_flight"):
        parse_judge(str(file))
    with pytest.raises(InputError, match="no such file"):
        parse_spec(str(tmp_path / "none.yaml"))


def test_a_folder_names_itself(tmp_path: Path) -> None:
    assert parse_spec(str(tmp_path)) == LocalModel(model=str(tmp_path))


def test_the_embedded_model_judges_with_its_adapter() -> None:
    assert parse_judge("embedded") == parse_spec("embedded-judge")
    assert parse_judge("openai:x") == OpenAIModel(model="x")


def test_a_misspelt_name_gets_the_near_one() -> None:
    with pytest.raises(InputError, match=r"embeded-judge: .*did you mean 'embedded-judge'"):
        parse_spec("embeded-judge")
    with pytest.raises(InputError, match=r"^x\.yaml:1: judge: embeded: no such model.*'embedded'"):
        parse("judge: embeded", Roles, "x.yaml")


def test_a_misspelt_field_gets_the_near_one() -> None:
    text = "judge:\n  kind: openai\n  model: m\n  base_ulr: http://x\n"
    with pytest.raises(InputError, match=r"^x\.yaml:4: .*base_ulr: .*did you mean 'base_url'"):
        parse(text, Roles, "x.yaml")


def test_a_model_of_fields_is_local_unless_it_says_otherwise() -> None:
    assert parse("judge: {model: embedded}", Roles, "x.yaml").judge == LocalModel(model="embedded")


def test_a_key_that_is_not_set_is_named_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(BackendError, match="MY_KEY"):
        check(OpenAIModel(model="m", key_env="MY_KEY"))
    # A server of one's own may need no key.
    check(OpenAIModel(model="m", key_env="MY_KEY", base_url="http://127.0.0.1:1/v1"))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for spec, where in (
        (LocalModel(model=str(tmp_path / "none")), "none: no such folder"),
        (LocalModel(model="runs/a/sft"), "runs/a/sft: no such folder"),
        (LocalModel(model="./model"), "model: no such folder"),
        (LocalModel(model=str(tmp_path / "empty")), "empty: no config.json"),
        (LocalModel(model="embedded", adapter=str(tmp_path)), "no such adapter"),
    ):
        with pytest.raises(MissingModelError, match=where):
            check(spec)
    with pytest.raises(InputError, match="no such recording"):
        check(RecordedModel(path=str(tmp_path / "none.jsonl")))


def test_checking_and_naming_load_no_deep_learning_library() -> None:
    script = (
        "import sys; from rlaif.backends.connect import *; "
        "check(OpenAIModel(model='m', base_url='http://x')); identity(parse_spec('embedded')); "
        "bad = {'torch', 'transformers', 'openai', 'peft'} & set(sys.modules); assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env=dict(os.environ))


def test_a_recording_is_connected_and_kept_in_the_store(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    path.write_text(json.dumps({"prompt": "Hi", "text": "A"}) + "\n", encoding="utf-8")
    spec = RecordedModel(path=str(path))
    asked = Request(id="1", messages=(Message(role="user", content="Hi"),))
    store = CompletionStore(tmp_path / "store.sqlite")
    for hits in (0, 1):
        backend = connect(spec, store=store)
        assert isinstance(backend, Cached)
        [(_, said)] = backend.stream([asked])
        assert getattr(said, "text", None) == "A"
        assert backend.hits == hits
    store.close()
    assert backend.name == identity(spec)


def test_a_changed_recording_is_another_model(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    path.write_text('{"prompt": "Hi", "text": "A"}\n', encoding="utf-8")
    before = identity(RecordedModel(path=str(path)))
    path.write_text('{"prompt": "Hi", "text": "Be"}\n', encoding="utf-8")
    assert identity(RecordedModel(path=str(path))) != before


def test_a_model_is_named_by_its_weights_wherever_it_lies(tmp_path: Path) -> None:
    for folder, weights in (("a/m", b"1"), ("b/m", b"1"), ("c/m", b"2")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "model.safetensors").write_bytes(weights)
    one, same, other = (identity(LocalModel(model=str(tmp_path / f / "m"))) for f in "abc")
    assert one == same
    assert one != other
    assert one.startswith("m@")


def test_another_model_in_the_embedded_ones_place_has_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RLAIF_EMBEDDED", raising=False)
    usual = identity(LocalModel(model="embedded"))
    (tmp_path / "model.safetensors").write_bytes(b"1")
    monkeypatch.setenv("RLAIF_EMBEDDED", str(tmp_path))
    assert identity(LocalModel(model="embedded")) != usual


def test_a_key_stands_in_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    spec = OpenAIModel(model="m", base_url="http://x/v1", extra_body={"reasoning_effort": "low"})
    assert identity(spec).startswith("m+")
    assert "secret" not in f"{identity(spec)} {connect(spec).name}"


def test_a_backend_by_a_local_spec_answers(tiny_model: Path) -> None:
    spec = LocalModel(model=str(tiny_model), dtype="float32")
    lines: list[str] = []
    backend = connect(spec, say=lines.append)
    asked = Request(id="1", messages=(Message(role="user", content="Hi"),), options=("Yes", "No"))
    [(_, said)] = backend.stream([asked])
    assert getattr(said, "model", None) == identity(spec)
    assert lines == [f"loading {tiny_model}"]


def test_the_shipped_adapter_is_found_by_name() -> None:
    assert adapter_folder(parse_spec("embedded-judge")) == judge_adapter()
    assert adapter_folder(parse_spec("embedded-reviser")) == reviser_adapter()
