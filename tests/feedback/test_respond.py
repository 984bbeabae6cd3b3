from rlaif.backends.scripted import ScriptedBackend
from rlaif.feedback.respond import RespondConfig, respond
from rlaif.records import Abstention, Failure, Prompt


def test_each_prompt_gets_its_samples_and_every_draw_a_seed_of_its_own():
    backend = ScriptedBackend(lambda request: f"seed {request.sampling.seed}")
    prompts = [Prompt.of("One"), Prompt.of("Two")]
    made = list(respond(prompts, backend, RespondConfig(samples=3)))
    assert len({response.id for response in made}) == 6
    assert len({response.text for response in made}) == 6
    again = list(respond(prompts[1:], backend, RespondConfig(samples=3)))
    assert {r.id: r.text for r in again}.items() <= {r.id: r.text for r in made}.items()


def test_a_failure_or_an_empty_answer_is_an_abstention_named_after_the_response():
    says = {"One": Failure(kind="timeout", detail="60 s"), "Two": "  "}
    backend = ScriptedBackend(lambda request: says[request.messages[-1].content])
    prompts = [Prompt.of("One", id="one"), Prompt.of("Two", id="two")]
    outcomes = {o.subject: o for o in respond(prompts, backend, RespondConfig(samples=1))}
    assert all(isinstance(o, Abstention) for o in outcomes.values())
    assert {k: o.kind for k, o in outcomes.items()} == {"one#0": "timeout", "two#0": "empty"}


def test_a_system_message_goes_before_the_prompt_and_is_not_kept_in_it():
    backend = ScriptedBackend(lambda request: request.messages[0].role)
    [made] = list(
        respond([Prompt.of("One")], backend, RespondConfig(samples=1, system="Be brief."))
    )
    assert made.text == "system"
