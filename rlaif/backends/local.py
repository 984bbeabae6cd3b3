"""A Hugging Face model on this machine: batched sampling, and probabilities of options."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import PeftModel
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LogitsProcessorList,
    StoppingCriteriaList,
)
from transformers.utils.logging import disable_progress_bar

from rlaif.backends.base import Answered
from rlaif.backends.begun import begin
from rlaif.backends.device import own_device, unspread
from rlaif.backends.sampling import Done, SeededDraw
from rlaif.backends.scoring import Scorer
from rlaif.backends.sharing import scorer_for
from rlaif.backends.spelling import Spelling, likelihoods, spellings, steps
from rlaif.errors import InputError, MissingModelError
from rlaif.records import Completion, Failure, Request, Usage

_WINDOW = 8  # batches pulled ahead, so that requests that are alike can share one
_JOINER = "\u2060"  # breaks a special token up and shows nothing


class _Row(NamedTuple):
    """A request and the tokens of its prompt."""

    request: Request
    ids: list[int]


class LocalBackend:
    """Answers requests with a causal language model, in batches of requests that are alike.

    Every request draws from a generator seeded by its own `sampling.seed`, so an answer does not
    depend on what else is in the batch.
    """

    def __init__(  # noqa: PLR0913 - the fields of a model's spec, each with its default
        self,
        model: Path | str,
        *,
        name: str | None = None,
        adapter: Path | None = None,
        batch: int = 32,
        tokens: int = 8192,
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
        self._tokens = tokens
        self._device = _device(device)
        self._tokenizer, self._model = _load(model, adapter, _dtype(dtype, self._device))
        self._model.to(self._device).eval()
        if not self._tokenizer.chat_template:
            raise InputError(f"{model}: has no chat template; use an instruction-tuned model")
        self._ends = _ends(self._model, self._tokenizer)
        self._marks = _marks(self._tokenizer)
        self._context = int(getattr(self._model.config, "max_position_embeddings", 2**20))
        self._spellings: dict[tuple[str, ...], dict[str, tuple[Spelling, ...]]] = {}

    @cached_property
    def _scorer(self) -> Scorer:
        return scorer_for(self._model, batch=self._batch, tokens=self._tokens)

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        """Answer each request once; a window of requests is sorted so that neighbours are alike."""
        pending = iter(requests)
        while window := list(itertools.islice(pending, self._batch * _WINDOW)):
            yield from self._answer(window)

    def _answer(self, window: Sequence[Request]) -> Iterator[Answered]:
        scored: list[_Row] = []
        written: list[_Row] = []
        for request in window:
            row = _Row(request, self._ids(request))
            longest = self._context - self._room(request)
            if len(row.ids) > longest:
                detail = f"{len(row.ids)} tokens are more than the context of {longest} holds"
                yield request, Failure(kind="backend", detail=detail)
            else:
                (scored if request.options else written).append(row)
        # Prompts that begin alike, and a prompt's samples, side by side: they share a batch.
        written.sort(key=lambda row: row.ids)
        for start in range(0, len(written), self._batch):
            batch = written[start : start + self._batch]
            yield from zip((row.request for row in batch), self._generate(batch), strict=True)
        yield from self._score(scored)

    def _room(self, request: Request) -> int:
        """Count the tokens that are read after a request's prompt."""
        if not request.options:
            return request.sampling.max_tokens
        return max(map(len, steps(self._spelled(request.options))))

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
        for token in self._marks:
            if token in text:
                text = text.replace(token, token[0] + _JOINER + token[1:])
        return text

    def _score(self, rows: Sequence[_Row]) -> Iterator[Answered]:
        """Read the options' probabilities at the place of the answer."""
        asked = [
            (number, beginning, tokens)
            for number, row in enumerate(rows)
            for beginning, tokens in steps(self._spelled(row.request.options)).items()
        ]
        paths = [[*rows[number].ids, *beginning] for number, beginning, _ in asked]
        missing = Counter(number for number, _, _ in asked)
        read: dict[int, dict[Spelling, dict[int, float]]] = {number: {} for number in missing}
        for path, logprobs in self._scorer.logprobs(paths, [tokens for _, _, tokens in asked]):
            number, beginning, tokens = asked[path]
            read[number][beginning] = dict(zip(tokens, logprobs, strict=True))
            missing[number] -= 1
            if not missing[number]:
                yield rows[number].request, self._scored(rows[number], read.pop(number))

    def _scored(self, row: _Row, read: dict[Spelling, dict[int, float]]) -> Completion:
        scored = likelihoods(self._spelled(row.request.options), read)
        return Completion(
            text=max(scored, key=lambda option: scored[option]),
            model=self.name,
            option_logprobs=scored,
            usage=Usage(read=len(row.ids), written=1),
        )

    def _spelled(self, options: tuple[str, ...]) -> dict[str, tuple[Spelling, ...]]:
        if options not in self._spellings:
            try:
                self._spellings[options] = spellings(self._tokenizer, options)
            except InputError as error:
                raise InputError(f"{self.name}: {error}") from None
        return self._spellings[options]

    def _generate(self, batch: Sequence[_Row]) -> list[Completion]:
        requests, prompts = [row.request for row in batch], [row.ids for row in batch]
        pad = self._tokenizer.pad_token_id
        ids, mask, cache = begin(self._model, prompts, pad)
        prompt = ids.shape[1]
        written = self._model.generate(
            input_ids=ids,
            attention_mask=mask,
            past_key_values=cache,
            max_new_tokens=max(request.sampling.max_tokens for request in requests),
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            logits_processor=LogitsProcessorList([SeededDraw(requests, prompt)]),
            stopping_criteria=StoppingCriteriaList([Done(requests, prompt, self._tokenizer)]),
            pad_token_id=pad,
            # A trainer with ZeRO-3 would have it wait for processes that write nothing.
            synced_gpus=False,
        )
        return [
            self._completion(row, line[prompt:].tolist())
            for row, line in zip(batch, written.cpu(), strict=True)
        ]

    def _completion(self, row: _Row, written: list[int]) -> Completion:
        kept = written[: row.request.sampling.max_tokens]
        kept = list(itertools.takewhile(lambda token: token not in self._ends, kept))
        text: str = self._tokenizer.decode(kept, skip_special_tokens=True)
        for stop in row.request.sampling.stop:
            text = text.split(stop, 1)[0]
        usage = Usage(read=len(row.ids), written=len(kept))
        return Completion(text=text, model=self.name, usage=usage)


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    """Collect the tokens that end an answer; some models have several."""
    named = model.generation_config.eos_token_id
    several = named if isinstance(named, list) else [named]
    return frozenset({*several, tokenizer.eos_token_id, tokenizer.pad_token_id} - {None})


def _marks(tokenizer: Any) -> tuple[str, ...]:
    """List the tokens that a text must not spell: special ones, and others that look like marks.

    Some chat templates mark a turn, a thought or a tool's call with a token that is not special.
    """
    added = [str(token.content) for token in tokenizer.added_tokens_decoder.values()]
    marks = [token for token in added if len(token) > 2 and token[0] in "<[|"]
    return tuple(dict.fromkeys([*tokenizer.all_special_tokens, *marks]))


def _device(device: str) -> torch.device:
    if device != "auto":
        return torch.device(device)
    return own_device() if torch.cuda.is_available() else torch.device("cpu")


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
        with unspread():
            loaded = AutoModelForCausalLM.from_pretrained(model, dtype=dtype)
        if adapter:
            loaded = PeftModel.from_pretrained(loaded, adapter).merge_and_unload()
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        what = str(error).splitlines()[0][:200]
        raise MissingModelError(f"{model}: no model could be loaded: {what}") from None
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer, loaded
