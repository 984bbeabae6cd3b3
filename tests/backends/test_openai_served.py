"""What a served model writes and scores is what the local one does."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from rlaif.backends.local import LocalBackend
from rlaif.backends.loop import wait_for
from rlaif.backends.openai import OpenAIBackend
from rlaif.backends.posting import Http
from rlaif.backends.spec import OpenAIModel
from rlaif.embedded.find import embedded_model, packaged_gguf
from rlaif.records import Completion, Failure, Message, Request, Sampling
from tests.full_precision import write_both
from tests.served import serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(served_at: str) -> Iterator[OpenAIBackend]:
    spec = OpenAIModel(model="smollm2", base_url=served_at, in_flight=4, timeout=120)
    backend = OpenAIBackend(spec)
    yield backend
    backend.close()


def request(text: str, **fields: object) -> Request:
    turns = (Message(role="user", content=text),)
    return Request.model_validate({"id": text, "messages": turns, **fields})


def test_a_served_model_writes(served: OpenAIBackend) -> None:
    sampling = Sampling(max_tokens=12, temperature=0)
    asked = [request(f"Count up from {n}.", sampling=sampling) for n in range(8)]
    answers = list(served.stream(asked))
    assert sorted(got.id for got, _ in answers) == sorted(each.id for each in asked)
    for _, said in answers:
        assert isinstance(said, Completion), said
        assert said.text.strip()
        assert 0 < said.usage.written <= 12


def test_a_served_model_scores_options_as_the_local_one_does(served: OpenAIBackend) -> None:
    local = LocalBackend(embedded_model(), dtype="float32")
    sampling = Sampling(max_tokens=1, temperature=0)
    texts = ("Is fire hot? Answer Yes or No.", "Is ice hot? Answer Yes or No.")
    for opening in ("", "The answer, Yes or No:"):
        asked = [
            request(text, options=("Yes", "No"), sampling=sampling, opening=opening)
            for text in texts
        ]
        here = {got.id: said for got, said in local.stream(asked)}
        there = {got.id: said for got, said in served.stream(asked)}
        for text in texts:
            mine, theirs = here[text], there[text]
            assert isinstance(mine, Completion)
            assert isinstance(theirs, Completion), theirs
            assert theirs.option_logprobs is not None
            # The server computes with the quantised weights themselves.
            assert theirs.option_logprobs == pytest.approx(mine.option_logprobs, abs=0.3)


SCORES = tuple(str(number) for number in range(1, 11))
HEAT = ("very hot", "very cold")


def shares(said: Completion | Failure) -> dict[str, float]:
    assert isinstance(said, Completion), said
    assert said.option_logprobs is not None
    held = {option: math.exp(value) for option, value in said.option_logprobs.items()}
    return {option: share / sum(held.values()) for option, share in held.items()}


@pytest.mark.parametrize(
    ("text", "opening", "options"),
    [
        ("Repeat after me: 10", "10, 10, 10,", SCORES),
        ("Repeat after me: 1", "1 or 10, 1 or 10, 1 or", SCORES),
        (
            "Is fire very hot or very cold? Answer with two words.",
            "Ice is very cold. Fire is",
            HEAT,
        ),
    ],
    ids=["ten", "one or ten", "words"],
)
def test_options_of_several_tokens_are_served_as_they_are_scored_here(
    served: OpenAIBackend, text: str, opening: str, options: tuple[str, ...]
) -> None:
    """This model splits digits, so that a ten begins as a one does."""
    local = LocalBackend(embedded_model(), dtype="float32")
    sampling = Sampling(max_tokens=3, temperature=0)
    asked = request(text, options=options, sampling=sampling, opening=opening)
    [(_, here)], [(_, there)] = local.stream([asked]), served.stream([asked])
    mine, theirs = shares(here), shares(there)
    for option in options:
        assert theirs.get(option, 0.0) == pytest.approx(mine[option], abs=0.1)


def test_log_probabilities_of_a_full_precision_file_are_those_of_transformers(
    tmp_path: Path,
) -> None:
    packed = packaged_gguf()
    assert packed is not None
    file = write_both(embedded_model(), packed, tmp_path)
    model = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    with serving(file) as address:
        http = Http(address, "")
        for text in ("Is fire hot?", "Name a river of Asia.", "Wie geht es Dir? 你好!"):
            turns = [{"role": "user", "content": text}]
            body = {"model": "m", "messages": turns, "max_tokens": 1, "temperature": 0}
            asked = {**body, "logprobs": True, "top_logprobs": 20}
            answer = json.loads(wait_for(http.post("chat/completions", asked)).body)
            [place] = answer["choices"][0]["logprobs"]["content"]
            prompt = tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, tokenize=False
            )
            ids = tokenizer(prompt, return_tensors="pt", add_special_tokens=False).input_ids
            with torch.inference_mode():
                mine = model(ids).logits[0, -1].log_softmax(-1)
            told = {one["id"]: one["logprob"] for one in place["top_logprobs"]}
            assert len(told) == 20
            assert answer["usage"]["prompt_tokens"] == ids.shape[1]
            assert told == pytest.approx({token: float(mine[token]) for token in told}, abs=1e-2)
        http.close()


def test_an_answer_that_starts_otherwise_has_no_log_probabilities(served: OpenAIBackend) -> None:
    sampling = Sampling(max_tokens=3, temperature=0)
    asked = request("Say hello to Ann.", options=SCORES, sampling=sampling)
    [(_, said)] = served.stream([asked])
    assert isinstance(said, Completion)
    assert said.option_logprobs is None
    assert said.text


def test_options_rank_as_they_do_here(served: OpenAIBackend) -> None:
    local = LocalBackend(embedded_model(), dtype="float32")
    asked = request(
        "Is ice hot? Answer Yes or No.",
        options=("Yes", "No"),
        sampling=Sampling(max_tokens=1, temperature=0),
        opening="The answer, Yes or No:",
    )
    [(_, here)], [(_, there)] = local.stream([asked]), served.stream([asked])
    mine, theirs = shares(here), shares(there)
    assert sorted(theirs, key=theirs.__getitem__) == sorted(theirs, key=mine.__getitem__)


def test_a_prompt_that_begins_as_another_is_not_read_again(served_at: str) -> None:
    http = Http(served_at, "")

    def cached(question: str) -> tuple[int, int]:
        turns = [{"role": "user", "content": "The sky is blue and wide. " * 8 + question}]
        body = {"model": "m", "messages": turns, "max_tokens": 1}
        usage = json.loads(wait_for(http.post("chat/completions", body)).body)["usage"]
        return usage["prompt_tokens_details"]["cached_tokens"], usage["prompt_tokens"]

    cached("What is blue?")
    kept, whole = cached("What is wide?")
    http.close()
    assert kept > 0.8 * whole


def test_several_draws_come_of_one_request(served_at: str) -> None:
    backend = OpenAIBackend(OpenAIModel(model="m", base_url=served_at, n=3, timeout=120))
    asked = [
        request("Say hello.", sampling=Sampling(max_tokens=4, temperature=1, seed=seed))
        for seed in range(3)
    ]
    answers = list(backend.stream(asked))
    assert len(answers) == 3
    assert all(isinstance(said, Completion) and said.text for _, said in answers)
    assert backend.traffic.tries == 1
    backend.close()


def test_a_text_is_gone_on_with_and_its_options_are_scored(served_at: str) -> None:
    spec = OpenAIModel(model="m", base_url=served_at, endpoint="completions", timeout=120)
    backend = OpenAIBackend(spec)
    sampling = Sampling(max_tokens=1, temperature=0)
    asked = request(
        "Fire is hot: Yes. Ice is hot: No. Snow is hot:", options=("Yes", "No"), sampling=sampling
    )
    [(_, said)] = backend.stream([asked])
    backend.close()
    assert isinstance(said, Completion)
    assert set(shares(said)) == {"Yes", "No"}
    assert shares(said)["No"] > 0.3
