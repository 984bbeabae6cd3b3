from rlaif.feedback.pair import pair
from rlaif.records import Prompt, Response

PROMPTS = [Prompt.of(f"Prompt {n}", id=str(n)) for n in range(40)]
RESPONSES = [
    Response(id=f"{p.id}#{k}", prompt_id=p.id, text=f"{k}", author="p")
    for p in PROMPTS
    for k in range(4)
]


def test_every_pair_of_a_prompt_is_compared_once_and_in_its_group():
    made = list(pair(PROMPTS, RESPONSES))
    assert len(made) == 40 * 6
    assert len({frozenset((c.first.id, c.second.id)) for c in made}) == 40 * 6
    assert {c.group for c in made} == {p.id for p in PROMPTS}


def test_no_slot_is_favoured():
    made = list(pair(PROMPTS, RESPONSES))
    swapped = sum(c.first.id > c.second.id for c in made)
    assert 0.35 < swapped / len(made) < 0.65


def test_a_few_pairs_are_drawn_by_the_prompt_itself():
    few = list(pair(PROMPTS, RESPONSES, per_prompt=2))
    assert len(few) == 80
    assert [c.id for c in pair(PROMPTS[7:8], RESPONSES, per_prompt=2)] == [
        c.id for c in few if c.prompt.id == "7"
    ]


def test_responses_to_unknown_prompts_are_left_aside():
    assert list(pair([Prompt.of("Other")], RESPONSES)) == []
