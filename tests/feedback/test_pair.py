import itertools

from rlaif.feedback.pair import pair, side_by_side
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


def test_side_by_side_are_those_of_one_conversation_and_of_these_those_that_begin_alike():
    made = list(pair(PROMPTS, RESPONSES))
    dealt = [made[(n * 7) % len(made)] for n in range(len(made))]
    sorted_ = side_by_side(dealt)
    assert sorted(c.id for c in sorted_) == sorted(c.id for c in made)
    conversations = [name for name, _ in itertools.groupby(c.prompt.id for c in sorted_)]
    assert conversations == list(dict.fromkeys(c.prompt.id for c in dealt))
    beginnings = [key for key, _ in itertools.groupby((c.prompt.id, c.first.id) for c in sorted_)]
    assert len(beginnings) == len(set(beginnings))
