"""Which preferences to train on."""

from collections.abc import Iterable

from rlaif.records import Preference


def widest(preferences: Iterable[Preference]) -> list[Preference]:
    """Keep the surest preference of each group; those without a group stay as they are."""
    surest: dict[str, Preference] = {}
    for preference in preferences:
        name = preference.group or preference.id
        if name not in surest or preference.p_chosen > surest[name].p_chosen:
            surest[name] = preference
    return list(surest.values())
