from rlaif.feedback.select import widest
from rlaif.records import Preference, Prompt, Response

PROMPT = Prompt.of("P")


def preference(name, p, group):
    reply = {
        side: Response(id=f"{name}{side}", prompt_id=PROMPT.id, text=side, author="a")
        for side in ("good", "bad")
    }
    return Preference(
        id=name,
        prompt=PROMPT,
        chosen=reply["good"],
        rejected=reply["bad"],
        p_chosen=p,
        source="judge",
        by="j",
        group=group,
    )


def test_the_surest_pair_of_each_group_is_kept_and_those_without_a_group_all():
    rows = [
        preference("a", 0.6, "g"),
        preference("b", 0.9, "g"),
        preference("c", 0.7, "h"),
        preference("d", 0.5, None),
        preference("e", 0.5, None),
    ]
    assert [row.id for row in widest(rows)] == ["b", "c", "d", "e"]
