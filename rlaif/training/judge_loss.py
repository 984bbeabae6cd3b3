"""What a judge's answers cost in training: each by itself, and the two of a ranked pair."""

from collections.abc import Sequence

import torch

from rlaif.training.judge_data import Question

RANKING = 0.5
"""How much a question that ranks two replies counts beside one that is answered."""


def answer_loss(
    logits: torch.Tensor, sides: torch.Tensor, asked: Sequence[Question]
) -> tuple[torch.Tensor, list[float]]:
    """Give the summed loss of answers, and each one's log-odds of being true.

    Cross-entropy over the vocabulary with the answer's probability as its target; and, of a
    question that ranks two replies, −log σ of the difference of their log-odds (Bradley and Terry
    1952; Ouyang et al. 2022, equation 1), which counts `RANKING`.

    Args:
        logits: of the next token, shape (questions, vocabulary).
        sides: tokens that say true and not true, shape (questions, 2).
        asked: the questions in that order; the two of a pair are both among them.
    """
    said = torch.log_softmax(logits, dim=-1).gather(1, sides)
    wanted = torch.tensor([q.answer for q in asked], device=logits.device, dtype=said.dtype)
    loss = -(wanted * said[:, 0] + (1 - wanted) * said[:, 1]).sum()
    odds = said[:, 0] - said[:, 1]
    ranked = _ranked(asked)
    if ranked:
        better, worse = torch.tensor(ranked, device=logits.device).unbind(dim=1)
        loss = loss - RANKING * torch.nn.functional.logsigmoid(odds[better] - odds[worse]).sum()
    return loss, odds.detach().tolist()


def _ranked(asked: Sequence[Question]) -> list[tuple[int, int]]:
    """Find the pairs: the places of what is truer and of what is less true."""
    seen: dict[tuple[str, str], int] = {}
    found = []
    for place, question in enumerate(asked):
        before = seen.setdefault((question.pair, question.text), place) if question.pair else place
        if asked[before].answer != question.answer:
            is_first = asked[before].answer > question.answer
            found.append((before, place) if is_first else (place, before))
    return found
