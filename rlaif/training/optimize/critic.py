"""A head on the policy that says what an answer will earn: one number at each token.

It is computed within the policy's own forward, so that whatever wraps the policy for many devices
sees its weights used there. It is in no folder that is written for others; checkpoints keep it in
a file of its own.
"""

import functools
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from trl.trainer.utils import FusedCausalLMOutput

FILE = "value_head.safetensors"
HEAD = "value_head"


@dataclass
class ValuedOutput(FusedCausalLMOutput):  # type: ignore[misc]
    """What a policy with TRL's fused head gives, and what its critic says."""

    value: torch.Tensor | None = None
    """(answers, tokens), before each token but the first."""


class ValueHead(nn.Linear):  # type: ignore[misc]
    """One number from a hidden state; it begins at 0, and remembers what it said in a forward."""

    def __init__(self, width: int, device: torch.device) -> None:
        """Make a head that says 0 of everything."""
        super().__init__(width, 1, device=device, dtype=torch.float32)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)
        self.said: list[torch.Tensor] = []

    def take(self, tokens: int) -> torch.Tensor:
        """Give what was said before each of the last tokens since this was asked, and forget it.

        (answers, tokens), with the gradients that it was said with.
        """
        said, self.said = self.said, []
        return torch.cat(said)[:, -tokens:]


def add_value_head(policy: Any) -> ValueHead:
    """Put a head on a policy that has TRL's fused head; below an adapter, where there is one."""
    base = policy.get_base_model() if hasattr(policy, "get_base_model") else policy
    weight = base.get_output_embeddings().weight
    head = ValueHead(base.config.get_text_config().hidden_size, weight.device)
    base.add_module(HEAD, head)
    base._keys_to_ignore_on_save = [*(base._keys_to_ignore_on_save or []), rf"{HEAD}\..*"]
    inner = base.forward

    # Its signature stays, by which `generate` knows what the model takes.
    @functools.wraps(inner)
    def forward(self: Any, *args: Any, **named: Any) -> Any:
        if not named.get("fused_lm_head"):
            return inner(*args, **named)
        seen: list[torch.Tensor] = []
        hook = self.base_model.register_forward_hook(
            lambda *told: seen.append(told[2].last_hidden_state)
        )
        try:
            outputs = inner(*args, **named)
        finally:
            hook.remove()
        head = getattr(self, HEAD)
        # What is said before a token comes from what the token is predicted by.
        hidden = seen[-1][:, :-1].to(head.weight.device)
        with torch.autocast(hidden.device.type, enabled=False):
            values = head(hidden.to(head.weight.dtype)).squeeze(-1).float()
        head.said.append(values)
        # Whatever spreads the policy looks among its outputs for what it has used.
        return ValuedOutput(**outputs, value=values)

    base.forward = types.MethodType(forward, base)
    return head


def save_head(head: ValueHead, folder: Path, *, is_first: bool) -> None:
    """Keep a head beside a checkpoint's weights; all processes call this, the first one writes."""
    whole = {name: _whole(weight) for name, weight in head.state_dict().items()}
    if is_first:
        save_file(whole, folder / FILE)


def load_head(head: ValueHead, folder: Path) -> None:
    """Read a head back into its place, where the checkpoint has a file of it."""
    if not (folder / FILE).is_file():
        return
    with torch.no_grad():
        for name, weight in load_file(folder / FILE).items():
            getattr(head, name).copy_(weight)


def _whole(weight: torch.Tensor) -> torch.Tensor:
    """Give a weight that may be spread over processes."""
    if hasattr(weight, "full_tensor"):
        weight = weight.full_tensor()
    return weight.detach().cpu().contiguous()
