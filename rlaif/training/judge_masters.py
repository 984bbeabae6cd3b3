"""Adapter weights in half precision, trained as if they were not."""

import torch
from peft import PeftModel


class Trainable:
    """Half-precision adapter weights with a master copy in float32, and AdamW over the copy.

    A step of 1e-4 times a weight is lost in bfloat16; in the master copy it is not.
    """

    def __init__(self, model: PeftModel, learning_rate: float) -> None:
        """Take the model's trainable weights over."""
        self.weights = [weight for weight in model.parameters() if weight.requires_grad]
        self.masters = [weight.detach().float().clone() for weight in self.weights]
        self.optimizer = torch.optim.AdamW(
            self.masters, lr=learning_rate, betas=(0.9, 0.98), weight_decay=0.01
        )

    def step(self, learning_rate: float) -> None:
        """Move the masters by the weights' gradients, and copy them back."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        for weight, master in zip(self.weights, self.masters, strict=True):
            master.grad = None if weight.grad is None else weight.grad.float()
            weight.grad = None
        torch.nn.utils.clip_grad_norm_(self.masters, 1.0)
        self.optimizer.step()
        with torch.no_grad():
            for weight, master in zip(self.weights, self.masters, strict=True):
                weight.copy_(master)

    def state(self) -> dict[str, object]:
        """Give what a resumed run needs."""
        return {"masters": self.masters, "optimizer": self.optimizer.state_dict()}

    def restore(self, state: dict[str, object]) -> None:
        """Go on from a checkpoint."""
        with torch.no_grad():
            saved = state["masters"]
            assert isinstance(saved, list)
            for weight, master, kept in zip(self.weights, self.masters, saved, strict=True):
                master.copy_(kept)
                weight.copy_(kept)
        self.optimizer.load_state_dict(state["optimizer"])
