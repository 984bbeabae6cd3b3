"""A Hugging Face model on this machine: batched sampling, and log-probabilities of options."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)
from transformers.utils.logging import disable_progress_bar

from rlaif.backends.base import Answered
from rlaif.errors import InputError, MissingModelError
from rlaif.records import Completion, Failure, Request, Sampling, Usage

_WINDOW = 8  # batches pulled ahead, so that requests of like length can share one
_LIKELIEST = 1024
_JOINER = "\u2060"  # breaks a special token up and shows nothing


class LocalBackend:
    """Answers requests with a causal language model, in batches of like length.

    Every request draws from a generator seeded by its own `sampling.seed`, so an answer does not
    depend on what else is in the batch.
    """

    def __init__(
        self,
        model: Path | str,
        *,
        name: str | None = None,
        adapter: Path | None = None,
        batch: int = 32,
        dtype: str = "auto",
        device: str = "auto",
    ) -> None:
        """Load a model, and a PEFT adapter merged into it.

        Raises:
            MissingModelError: when there is no such model, or its folder is incomplete.
            InputError: when the model has no chat template.
        """
        self.name = name or str(model)
        self._batch = batch
        self._device = torch.device(_device(device))
        self._tokenizer, self._model = _load(model, adapter, _dtype(dtype, self._device))
        self._model.to(self._device).eval()
        if not self._tokenizer.chat_template:
            raise InputError(f"{model}: has no chat template; use an instruction-tuned model")
        self._ends = _ends(self._model, self._tokenizer)
        self._context = int(getattr(self._model.config, "max_position_embeddings", 2**20))

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        """Answer each request once; a window of requests is sorted by length and batched."""
        pending = iter(requests)
        while window := list(itertools.islice(pending, self._batch * _WINDOW)):
            yield from self._answer(window)

    def _answer(self, window: Sequence[Request]) -> Iterator[Answered]:
        tokenized = [(request, self._ids(request)) for request in window]
        fitting = []
        for request, ids in tokenized:
            longest = self._context - (0 if request.options else request.sampling.max_tokens)
            if len(ids) > longest:
                detail = f"{len(ids)} tokens are more than the context of {longest} holds"
                yield request, Failure(kind="backend", detail=detail)
            else:
                fitting.append((request, ids))
        fitting.sort(key=lambda pair: (bool(pair[0].options), len(pair[1])))
        for is_scored, group in itertools.groupby(fitting, key=lambda pair: bool(pair[0].options)):
            rows = list(group)
            for start in range(0, len(rows), self._batch):
                batch = rows[start : start + self._batch]
                answers = self._score(batch) if is_scored else self._generate(batch)
                yield from zip((request for request, _ in batch), answers, strict=True)

    def _ids(self, request: Request) -> list[int]:
        """Render and tokenize a request; no text in it can open a turn."""
        messages = [
            {"role": message.role, "content": self._neutral(message.content)}
            for message in request.messages
        ]
        text = self._tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=False
        )
        text += self._neutral(request.opening)
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _neutral(self, text: str) -> str:
        for token in self._tokenizer.all_special_tokens:
            if token in text:
                text = text.replace(token, token[0] + _JOINER + token[1:])
        return text

    def _padded(self, rows: Sequence[list[int]]) -> dict[str, torch.Tensor]:
        """Pad on the left: ids and mask, (batch, longest)."""
        longest = max(len(ids) for ids in rows)
        pad = self._tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (longest - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
        return {"input_ids": ids.to(self._device), "attention_mask": mask.to(self._device)}

    def _score(self, batch: Sequence[tuple[Request, list[int]]]) -> list[Completion]:
        """Read the options' log-probabilities at the place of the answer's first token."""
        inputs = self._padded([ids for _, ids in batch])
        positions = (inputs["attention_mask"].cumsum(-1) - 1).clamp(min=0)
        with torch.inference_mode():
            logits = self._model(**inputs, position_ids=positions, logits_to_keep=1).logits[:, -1]
            logprobs = torch.log_softmax(logits.float(), dim=-1).cpu()
        answers = []
        for (request, ids), row in zip(batch, logprobs, strict=True):
            tokens = self._option_tokens(request.options)
            scored = {
                option: float(torch.logsumexp(row[tokens[option]], 0)) for option in request.options
            }
            best = max(scored, key=lambda option: scored[option])
            answers.append(
                Completion(
                    text=best,
                    model=self.name,
                    option_logprobs=scored,
                    usage=Usage(read=len(ids), written=1),
                )
            )
        return answers

    def _option_tokens(self, options: Sequence[str]) -> dict[str, list[int]]:
        """Find each option's first token, with and without a leading space.

        Raises:
            InputError: when two options begin with the same token, so nothing tells them apart.
        """
        tokens = {
            option: sorted(
                {
                    self._tokenizer(lead + option, add_special_tokens=False)["input_ids"][0]
                    for lead in ("", " ")
                }
            )
            for option in options
        }
        for one, other in itertools.combinations(options, 2):
            shared = set(tokens[one]) & set(tokens[other])
            # A tokenizer that writes the space as a token of its own shares that one.
            for option in (one, other):
                tokens[option] = [token for token in tokens[option] if token not in shared]
            if not tokens[one] or not tokens[other]:
                raise InputError(
                    f"{self.name}: the options {one!r} and {other!r} begin with the same token; "
                    "choose options that differ at once, such as A and B"
                )
        return tokens

    def _generate(self, batch: Sequence[tuple[Request, list[int]]]) -> list[Completion]:
        inputs = self._padded([ids for _, ids in batch])
        prompt = inputs["input_ids"].shape[1]
        requests = [request for request, _ in batch]
        written = self._model.generate(
            **inputs,
            max_new_tokens=max(request.sampling.max_tokens for request in requests),
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            logits_processor=LogitsProcessorList([_SeededDraw(requests, prompt)]),
            stopping_criteria=StoppingCriteriaList([_Done(requests, prompt, self._tokenizer)]),
            pad_token_id=self._tokenizer.pad_token_id,
        )
        return [
            self._completion(request, ids, row[prompt:].tolist())
            for (request, ids), row in zip(batch, written.cpu(), strict=True)
        ]

    def _completion(self, request: Request, ids: list[int], written: list[int]) -> Completion:
        kept = written[: request.sampling.max_tokens]
        kept = list(itertools.takewhile(lambda token: token not in self._ends, kept))
        text: str = self._tokenizer.decode(kept, skip_special_tokens=True)
        for stop in request.sampling.stop:
            text = text.split(stop, 1)[0]
        return Completion(text=text, model=self.name, usage=Usage(read=len(ids), written=len(kept)))


class _SeededDraw(LogitsProcessor):  # type: ignore[misc]
    """Turns the greedy choice into a draw from each row's own generator (the Gumbel-max trick).

    The likeliest token after adding Gumbel noise is a sample of the softmax; the noise depends on
    the row's seed, the step and the token alone.
    """

    def __init__(self, requests: Sequence[Request], prompt: int) -> None:
        self._sampling = [request.sampling for request in requests]
        self._prompt = prompt

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Leave one token to choose in each drawn row of (batch, vocabulary) scores."""
        step = input_ids.shape[1] - self._prompt
        for row, sampling in enumerate(self._sampling):
            if sampling.temperature > 0:
                token = _drawn(scores[row].float(), sampling, step)
                scores[row] = float("-inf")
                scores[row, token] = 0.0
        return scores


def _drawn(logits: torch.Tensor, sampling: Sampling, step: int) -> torch.Tensor:
    """Draw one token of (vocabulary,) logits, the same on every device."""
    generator = torch.Generator()
    generator.manual_seed((sampling.seed * 1_000_003 + step) % 2**63)
    # A number for each token of the vocabulary, so that a token's luck does not depend on which
    # others are kept.
    uniform = torch.rand(len(logits), generator=generator, dtype=torch.float64)
    kept, places = _nucleus(logits / sampling.temperature, sampling.top_p)
    gumbel = -torch.log(-torch.log(uniform[places.cpu()].clamp(min=1e-300)))
    return places[(kept.cpu() + gumbel).argmax()]


def _nucleus(logits: torch.Tensor, top_p: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Give the logits, and the places, of the smallest set of tokens that holds `top_p`."""
    # Sorting a whole vocabulary takes as long as a small model's step, and few tokens count.
    for size in (min(_LIKELIEST, len(logits)), len(logits)):
        ordered, places = logits.topk(size)
        shares = torch.exp(ordered - logits.logsumexp(-1))
        below = shares.cumsum(-1) - shares < top_p
        if not below.all():
            break
    return ordered[below], places[below]


class _Done(StoppingCriteria):  # type: ignore[misc]
    """Ends each row at its own request's limit or stop text, though the batch may go on."""

    def __init__(self, requests: Sequence[Request], prompt: int, tokenizer: Any) -> None:
        self._limits = torch.tensor([request.sampling.max_tokens for request in requests])
        self._stops = {
            row: request.sampling.stop
            for row, request in enumerate(requests)
            if request.sampling.stop
        }
        self._prompt = prompt
        self._tokenizer = tokenizer

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:  # noqa: ARG002
        """Say of each row whether it is done, (batch,)."""
        done = self._limits <= input_ids.shape[1] - self._prompt
        for row, stops in self._stops.items():
            text = self._tokenizer.decode(input_ids[row, self._prompt :], skip_special_tokens=True)
            done[row] |= any(stop in text for stop in stops)
        return done.to(input_ids.device)


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    """Collect the tokens that end an answer; some models have several."""
    named = model.generation_config.eos_token_id
    several = named if isinstance(named, list) else [named]
    return frozenset({*several, tokenizer.eos_token_id, tokenizer.pad_token_id} - {None})


def _device(device: str) -> str:
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def _dtype(dtype: str, device: torch.device) -> torch.dtype:
    if dtype != "auto":
        chosen: torch.dtype = getattr(torch, dtype)
        return chosen
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    # Without these instructions a CPU emulates bfloat16, slower than float32.
    return torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32


def _load(model: Path | str, adapter: Path | None, dtype: torch.dtype) -> tuple[Any, Any]:
    disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
        loaded = AutoModelForCausalLM.from_pretrained(model, dtype=dtype)
        if adapter:
            loaded = PeftModel.from_pretrained(loaded, adapter).merge_and_unload()
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        what = str(error).splitlines()[0][:200]
        raise MissingModelError(f"{model}: no model could be loaded: {what}") from None
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer, loaded
