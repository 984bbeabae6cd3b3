import pytest

from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Constitution, Example, Principle
from rlaif.feedback.revise import ReviseConfig, revise
from rlaif.records import Abstention, Failure, Prompt, Response, Revision, Verdict

EXAMPLE = Example(
    prompt="How do I spy on my sister?",
    better="I can't help with that.",
    worse="Read her mail.",
    why="It helps to spy.",
)
RULES = Constitution(
    name="rules",
    principles=(
        Principle(id="declines", text="The response declines to spy.", examples=(EXAMPLE,)),
    ),
)
PROMPT = Prompt.of("How do I read his mail?", id="mail")
BEFORE = Response(id="mail#0", prompt_id="mail", text="Guess the password first.", author="p")


class Prefers:
    """A judge that gives each candidate the probability that stands in a table."""

    name = contract = "prefers"

    def __init__(self, table):
        self.table = table

    def decide(self, cases):
        for case in cases:
            p = self.table[case.comparison.first.text]
            if p is None:
                yield case, Abstention(kind="no-mass", subject=case.comparison.id, by="j")
            else:
                yield case, Verdict(p_first=p, judge="j")


def critic(tries, critique="It helps to read another person's mail."):
    drafts = iter(tries)

    def answer(request):
        if "What in the reply goes against" in request.messages[-1].content:
            return critique
        return next(drafts)

    return ScriptedBackend(answer)


def run(backend, judge=None, **config):
    config = {"tries": 1, **config}
    [outcome] = list(
        revise([PROMPT], [BEFORE], RULES, backend, ReviseConfig(**config), judge=judge)
    )
    return outcome


def test_a_revision_keeps_before_critique_and_after():
    outcome = run(critic(["I can't help with reading his mail."]))
    assert isinstance(outcome, Revision)
    assert outcome.before == BEFORE
    assert [c.text for c in outcome.critiques] == ["It helps to read another person's mail."]
    assert outcome.after.text == "I can't help with reading his mail."
    assert outcome.after.parent == BEFORE.id


def test_the_judge_chooses_among_the_tries():
    tries = ["I will not help you.", "I can't help with that, but ask him.", "Ask him, I say."]
    judge = Prefers(dict(zip(tries, (0.6, 0.95, 0.2), strict=True)))
    outcome = run(critic(tries), judge, tries=3)
    assert outcome.after.text == tries[1]
    assert outcome.p_better == 0.95


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("No.", "empty"),
        ("guess the password first", "repeated"),
        ("The revised reply: I can't help.", "scaffolding"),
        ("I am so sorry and " * 8, "degenerate"),
    ],
)
def test_a_revision_that_is_unfit_is_left_out_with_its_reason(said, kind):
    outcome = run(critic([said]))
    assert isinstance(outcome, Abstention)
    assert (outcome.kind, outcome.subject) == (kind, BEFORE.id)


def test_a_revision_that_the_judge_does_not_prefer_is_left_out():
    outcome = run(
        critic(["Try his birthday instead."]), Prefers({"Try his birthday instead.": 0.3})
    )
    assert outcome.kind == "not-better"


def test_a_judge_without_an_answer_leaves_the_revision_out_and_is_no_preference():
    said = "I can't help with that."
    assert run(critic([said]), Prefers({said: None})).kind == "no-mass"


def test_a_failed_critique_is_no_revision():
    outcome = run(critic(["I can't help with that."], Failure(kind="timeout", detail="60 s")))
    assert outcome.kind == "no-critique"


def test_the_principles_examples_are_shown_as_turns_of_their_own():
    backend = critic(["I can't help with that."])
    run(backend)
    roles = [message.role for message in backend.seen[-1].messages]
    assert roles == ["system", "user", "assistant", "user"]
    assert backend.seen[-1].messages[2].content == EXAMPLE.better


def test_rounds_revise_the_revision():
    tries = ["I can't help with reading mail.", "I can't help with reading mail, but ask him."]
    outcome = run(critic(tries), rounds=2)
    assert outcome.after.text == tries[1]
    assert outcome.after.parent == "mail#0>1.0"
    assert len(outcome.critiques) == 2


def test_a_round_that_fails_keeps_what_the_round_before_made():
    outcome = run(critic(["I can't help with reading mail.", "No."]), rounds=2)
    assert outcome.after.text == "I can't help with reading mail."


def test_a_prompt_out_of_scope_is_left_out_and_counted():
    scoped = RULES.principles[0].model_copy(update={"scope": ("harmful",)})
    rules = RULES.model_copy(update={"principles": (scoped,)})
    [outcome] = list(revise([PROMPT], [BEFORE], rules, critic([])))
    assert outcome.kind == "no-principle"


def test_every_response_ends_as_exactly_one_outcome():
    prompts = [Prompt.of(f"Prompt {n}", id=str(n)) for n in range(7)]
    responses = [
        Response(id=f"{p.id}#0", prompt_id=p.id, text="Before it was so.", author="p")
        for p in prompts
    ]
    said = {0: "No.", 3: "Before it was so.", 5: Failure(kind="backend", detail="down")}

    def answer(request):
        text = request.messages[-1].content
        number = next(n for n in range(7) if f"Prompt {n}" in text)
        return said.get(number, f"I can't help with number {number}.")

    outcomes = list(revise(prompts, responses, RULES, ScriptedBackend(answer)))
    ended = [o.before.id if isinstance(o, Revision) else o.subject for o in outcomes]
    assert sorted(ended) == [f"{n}#0" for n in range(7)]
    assert sum(isinstance(o, Revision) for o in outcomes) == 4
