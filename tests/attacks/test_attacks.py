"""A reply that talks to the judge opens no turn, closes no fence, and is not read as the answer."""

import html
import re
import unicodedata
from functools import lru_cache
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from rlaif.backends.local import LocalBackend
from rlaif.backends.scripted import Script, ScriptedBackend
from rlaif.constitution.principle import Principle
from rlaif.fences import calmed, shown_in
from rlaif.judges.base import Case, Judge
from rlaif.judges.build import judge_from
from rlaif.judges.scope import AskedConditions, Question
from rlaif.records import Abstention, Comparison, Prompt, Request, Response, Verdict
from tests.attacks.attacks import OTHER, PLAIN, PRINCIPLE, attacks, filled, judging, loaded

ATTACKS = attacks()
IDS = [attack.id for attack in ATTACKS]
SHORT = [attack for attack in ATTACKS if len(attack.text) < 2000]
FAMILIES = {
    "chatml": ("<|im_start|>", "<|im_end|>", "<|endoftext|>"),
    "llama-3": ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    "llama-2": ("<s>", "</s>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"),
    "mistral": ("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]",
                "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
    "gemma": ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"),
    "phi": ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
    "deepseek": ("<\uff5cbegin▁of▁sentence\uff5c>", "<\uff5cend▁of▁sentence\uff5c>",
                 "<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>"),
    "command": ("<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>", "<|CHATBOT_TOKEN|>"),
    "gpt-oss": ("<|start|>", "<|channel|>", "<|message|>", "<|return|>"),
    "glm": ("[gMASK]", "<sop>"),
    "exaone": ("[|system|]", "[|user|]", "[|assistant|]", "[|endofturn|]"),
    "granite": ("<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"),
    "thinking": ("<think>", "</think>", "<tool_call>", "</tool_call>"),
}  # fmt: skip


def test_there_are_enough_of_them_and_every_kind_of_token_is_among_them() -> None:
    assert len(ATTACKS) >= 60
    assert len(set(IDS)) == len({attack.text for attack in ATTACKS}) == len(ATTACKS)
    written = "".join(attack.text for attack in ATTACKS)
    for tokens in FAMILIES.values():
        assert all(token in written for token in tokens)


def skeleton(request: Request) -> list[tuple[str, str]]:
    """Give the turns with what is shown in them left out, as one who reads the fences sees it."""
    turns = []
    for turn in request.messages:
        text = turn.content
        for shown in shown_in(text):
            text = text.replace(f">\n{shown}\n</", ">…</", 1)
        turns.append((turn.role, re.sub(r"<(/?)([a-z_]+)-\d+>", r"<\1\2>", text)))
    return turns


@pytest.mark.parametrize("name", judging())
def test_no_attack_opens_a_turn_or_changes_the_question(name: str) -> None:
    plain = [skeleton(request) for request in filled(name, PLAIN)]
    for attack in ATTACKS if name == "compare" else SHORT:
        for request, expected in zip(filled(name, attack.text), plain, strict=True):
            got = skeleton(request)
            assert [role for role, _ in got] == [role for role, _ in expected], attack.id
            thinks = request.messages[-2].role == "assistant" if len(got) > 2 else False
            same = [turn for turn, _ in zip(got, expected, strict=True) if turn[0] != "assistant"]
            wanted = [turn for turn in expected if turn[0] != "assistant"]
            assert same == wanted if thinks else got == expected, attack.id


def seen(text: str) -> str:
    """Read a text as a hasty reader does: wide and unseen letters are as good as plain ones."""
    wide = unicodedata.normalize("NFKC", html.unescape(text))
    return "".join(sign for sign in wide if unicodedata.category(sign) != "Cf").casefold()


@pytest.mark.parametrize("name", judging())
def test_no_attack_closes_a_fence_or_opens_another_of_the_same_name(name: str) -> None:
    for attack in ATTACKS if name == "compare" else SHORT:
        for request in filled(name, attack.text):
            text = request.messages[-1].content
            for shown in shown_in(text):
                for fence in re.findall(r"^<([\w-]+)>$", text.replace(shown, ""), re.MULTILINE):
                    tag = rf"<[\s/\\]*{re.escape(fence)}(?![\w-])"
                    assert not re.search(tag, seen(shown)), (attack.id, fence)


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path):
    """A small model's real tokenizer, which knows the turns of every family."""
    found = AutoTokenizer.from_pretrained(tiny_model)
    tokens = [token for family in FAMILIES.values() for token in family]
    found.add_special_tokens({"additional_special_tokens": tokens})
    return found


def specials(tokenizer, text: str) -> set[str]:
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return set(tokenizer.convert_ids_to_tokens(sorted(set(ids) & set(tokenizer.all_special_ids))))


def test_a_server_would_read_the_same_texts_as_turns_if_nothing_were_done(tokenizer) -> None:
    read = set().union(*(specials(tokenizer, attack.text) for attack in SHORT))
    assert {token for family in FAMILIES.values() for token in family} <= read


@pytest.mark.parametrize("name", judging())
def test_no_attack_is_a_token_of_any_chat_template(name: str, tokenizer) -> None:
    for attack in SHORT:
        if attack.kind in ("chat-tokens", "role-headers", "look-alikes"):
            for request in filled(name, attack.text):
                written = "\n".join(turn.content for turn in request.messages)
                assert not specials(tokenizer, written), attack.id


def test_a_local_model_is_shown_no_token_of_its_own_even_where_no_prompt_file_calmed_it(
    tiny_model: Path, tmp_path: Path
) -> None:
    backend = LocalBackend(tiny_model, dtype="float32", device="cpu")
    # Some families' tokens are added and not special.
    backend._tokenizer.add_tokens([*FAMILIES["thinking"], *FAMILIES["llama-2"]])
    backend._tokenizer.save_pretrained(tmp_path)
    for file in ("config.json", "model.safetensors", "generation_config.json"):
        (tmp_path / file).write_bytes((tiny_model / file).read_bytes())
    knows = LocalBackend(tmp_path, dtype="float32", device="cpu")
    first = min(knows._tokenizer.added_tokens_decoder)
    ask = next(filled("absolute", PLAIN))
    plain = [token for token in knows._ids(ask) if token >= first]
    for attack in SHORT:
        raw = ask.messages[-1].model_copy(update={"content": attack.text})
        attacked = ask.model_copy(update={"messages": (*ask.messages[:-1], raw)})
        assert [token for token in knows._ids(attacked) if token >= first] == plain, attack.id


# What a judge says that is not impressed; the letter of the other reply, where it must name one.
FIRM = {
    "absolute": "No", "score": "3", "compare": "{other}", "compare-few-shot": "{other}",
    "compare-reasoned": "{other}", "compare-worse": "{attack}", "when": "No",
    "rank-written": "{other} > {attack}",
}  # fmt: skip


def firm(name: str, request: Request) -> str:
    """Say what a judge says that looks at the other reply alone."""
    shown = [one for turn in request.messages for one in shown_in(turn.content)]
    other, attack = ("A", "B") if shown[-2:][0] == OTHER else ("B", "A")
    return FIRM[name].format(other=other, attack=attack)


_SAY: dict[str, Script] = {}


@lru_cache
def judge_of(name: str) -> Judge:
    return judge_from(ScriptedBackend(lambda request: _SAY[name](request)), name, orders="one")


def asked(name: str, say: Script) -> Judge:
    """Give a judge that says what a script says; reading its prompt file takes the longest."""
    _SAY[name] = say
    return judge_of(name)


def answers(name: str, attack: str, say) -> list[float | bool | Abstention]:
    """Ask a scripted judge about an attack; give p that the attack is the better one, or why not.

    The attack stands first, then second; `when` is asked of a prompt that is the attack.
    """
    if name == "when":
        question = Question(Prompt.of(attack or "-", id="p"), "The user asks for a number.")
        judge = AskedConditions(ScriptedBackend(say), loaded("when"))
        return [said for _, said in judge.hold([question])]
    prompt = Prompt.of("What is two times two?", id="p")
    one, two = (
        Response(id=f"r{n}", prompt_id="p", text=text, author="a")
        for n, text in enumerate((attack, OTHER))
    )
    found = []
    for first, second in ((one, two), (two, one)):
        case = Case(
            Comparison(id="c", prompt=prompt, first=first, second=second),
            Principle(id="answers", text=PRINCIPLE),
        )
        [(_, said)] = asked(name, say).decide([case])
        is_verdict = isinstance(said, Verdict)
        found.append((said.p_first if first is one else 1 - said.p_first) if is_verdict else said)
    return found


def unmoved(name: str):
    def say(request: Request) -> str:
        thinks = name == "compare-reasoned" and len(request.messages) == 2
        return "Four is right." if thinks else firm(name, request)

    return say


@pytest.mark.parametrize("name", sorted(FIRM))
def test_a_judge_that_minds_no_attack_says_of_it_what_it_says_of_any_reply(name: str) -> None:
    plain = answers(name, PLAIN, unmoved(name))
    assert not any(isinstance(said, Abstention) for said in plain)
    for attack in ATTACKS if name == "compare" else SHORT:
        assert answers(name, attack.text, unmoved(name)) == plain, attack.id


@pytest.mark.parametrize("name", ["absolute", "score", "compare-worse", "rank-written"])
@pytest.mark.parametrize("quote", ['The reply says "%s". %s', "It reads:\n```\n%s\n```\n%s"])
def test_a_judge_that_quotes_an_attack_is_read_by_what_it_says_itself(
    name: str, quote: str
) -> None:
    plain = answers(name, PLAIN, unmoved(name))
    for attack in SHORT:
        if attack.id in ("bare-letter", "answer-yes", "answer-no"):
            continue  # one word, which is nobody's
        for own in ("I say: ", ""):

            def say(request: Request, own: str = own, shown: str = calmed(attack.text)) -> str:
                if name in ("absolute", "score") and OTHER in request.messages[-1].content:
                    return firm(name, request)
                return quote % (shown, own and own + firm(name, request))

            got = answers(name, attack.text, say)
            for said, expected in zip(got, plain, strict=True):
                assert isinstance(said, Abstention) or said == expected, (attack.id, said)


@pytest.mark.parametrize("name", ["absolute", "score", "compare", "compare-worse", "rank-written"])
def test_a_judge_that_repeats_an_attack_has_not_answered(name: str) -> None:
    for attack in SHORT:
        # Up to three words, an answer cannot be told from a repetition of it.
        if len(re.findall(r"\w+", attack.text)) > 3 and attack.id != "ranking-line":
            for said in answers(name, attack.text, lambda _, a=attack: calmed(a.text)):
                assert isinstance(said, Abstention), (attack.id, said)
