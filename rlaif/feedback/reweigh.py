"""Labels under edited weights and vetoes, from the verdicts that they carry: nothing is asked."""

from collections.abc import Iterable, Iterator

from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError
from rlaif.feedback.label import unsure
from rlaif.judges.principles import weigh
from rlaif.records import Abstention, Preference, Verdict, fingerprint_of


def reweigh(
    preferences: Iterable[Preference], constitution: Constitution, *, min_confidence: float = 0.5
) -> Iterator[Preference | Abstention]:
    """Weigh labels anew, in their order; those that no judge made come through as they are.

    Raises:
        InputError: for a label whose verdicts were given to other words than the constitution's.
    """
    for preference in preferences:
        if preference.source == "judge":
            yield reweighed(preference, constitution, min_confidence=min_confidence)
        else:
            yield preference


def reweighed(
    preference: Preference, constitution: Constitution, *, min_confidence: float = 0.5
) -> Preference | Abstention:
    """Weigh one label's verdicts anew; it may flip, or be left out as unsure.

    Verdicts of principles that are gone, or are no longer for its prompt, stay on the label and
    leave the weighting, so that a later weighing can bring them back.

    Raises:
        InputError: for a verdict that was given to other words than the constitution's.
    """
    rules = {
        principle.id: principle
        for principle in constitution.principles
        if principle.applies_to(preference.prompt.tags)
    }
    kept = [verdict for verdict in preference.verdicts if verdict.principle in rules]
    for verdict in kept:
        _need_same_words(verdict, preference, constitution)
    p = weigh(kept, rules)
    if p is None:
        detail = f"{constitution.name} has none of the principles that judged it"
        return Abstention(
            kind="no-principle", subject=preference.id, by=preference.by, detail=detail
        )
    if max(p, 1 - p) < min_confidence:
        return unsure(preference.id, preference.by, p, min_confidence)
    stays = p >= 0.5
    return preference.model_copy(
        update={
            "chosen": preference.chosen if stays else preference.rejected,
            "rejected": preference.rejected if stays else preference.chosen,
            "p_chosen": max(p, 1 - p),
            "verdicts": tuple(v if stays else v.swapped() for v in preference.verdicts),
            "constitution": constitution.fingerprint,
            "contract": fingerprint_of(
                ["reweighed", preference.contract, constitution.fingerprint_of_rules]
            ),
        }
    )


def _need_same_words(verdict: Verdict, preference: Preference, constitution: Constitution) -> None:
    principle = constitution[str(verdict.principle)]
    if verdict.wording != principle.fingerprint_of_wording:
        raise InputError(
            f"{constitution.name}: the principle {principle.id!r} is worded otherwise than when "
            f"{preference.id!r} was judged by it (sentence, `negated`, `when` or propositions); "
            "keep its words, or label again: what has not changed is not asked again"
        )
