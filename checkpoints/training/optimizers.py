"""Muon for the layers' matrices, AdamW for all other weights."""

import torch
from files import Model
from torch import Tensor, nn

LEARNING_RATE, MUON_RATE, WEIGHT_DECAY = 3e-3, 0.02, 0.1
MOMENTUM = 0.95


class Muon(torch.optim.Optimizer):
    """Gradient descent with momentum, whose steps are orthogonalized (Jordan 2024)."""

    @torch.no_grad()
    def step(self) -> None:
        """Changes each matrix against the running mean of its gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                average = self.state[p].setdefault("average", torch.zeros_like(p))
                average.lerp_(p.grad, 1 - MOMENTUM)
                update = orthogonal(p.grad.lerp(average, MOMENTUM))
                rate = group["lr"]
                p.mul_(1 - rate * WEIGHT_DECAY)
                p.sub_(update, alpha=rate * max(1, p.shape[0] / p.shape[1]) ** 0.5)


def orthogonal(x: Tensor) -> Tensor:
    """Approximates U V^T of x = U S V^T by five Newton-Schulz steps, in bfloat16."""
    if x.shape[0] > x.shape[1]:
        return orthogonal(x.T).T
    x = (x / (x.norm() + 1e-7)).bfloat16()
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.float()


def build_optimizers(model: Model) -> list[torch.optim.Optimizer]:
    """Divides the weights between the two optimizers."""
    layers = [part for part in model.modules() if isinstance(part, nn.Linear)]
    matrices = [layer.weight for layer in layers]
    tables = [part for part in model.modules() if isinstance(part, nn.Embedding)]
    embeddings = [table.weight for table in tables]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": embeddings}, {"params": vectors, "weight_decay": 0.0}]
    rest = {"lr": LEARNING_RATE, "betas": (0.9, 0.95), "weight_decay": WEIGHT_DECAY}
    return [Muon(matrices, {"lr": MUON_RATE}), torch.optim.AdamW(groups, **rest)]
