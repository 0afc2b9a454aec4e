"""Trains and exports the PyTorch example: standardisation, two hidden layers with relu, one sigmoid output.

Kept apart from `train.py` so that the scikit-learn examples can be made without PyTorch.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

EPOCHS = 12
BATCH = 256


class Standardize(nn.Module):
    """Subtracts the mean of each input and divides by its standard deviation, as part of the exported model."""

    def __init__(self, features: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(features.mean(axis=0)))
        self.register_buffer("deviation", torch.tensor(features.std(axis=0)))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return (features - self.mean) / self.deviation


def fit(features: np.ndarray, labels: np.ndarray, seed: int) -> nn.Module:
    """Trains on one thread with a fixed seed, so that the same machine makes the same weights again."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    model = nn.Sequential(
        Standardize(features),
        nn.Linear(features.shape[1], 64),
        nn.ReLU(),
        nn.Linear(64, 32),
        nn.ReLU(),
        nn.Linear(32, 1),
        nn.Sigmoid(),
    )
    inputs = torch.tensor(features)
    targets = torch.tensor(labels, dtype=torch.float32).reshape(-1, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    loss = nn.BCELoss()
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(inputs)).split(BATCH):
            optimizer.zero_grad()
            loss(model(inputs[batch]), targets[batch]).backward()
            optimizer.step()
    return model.eval()


def export_mlp(features: np.ndarray, labels: np.ndarray, path: Path, seed: int) -> None:
    """Fits the network and writes it as ONNX with a dynamic batch; the output is the probability of class 1."""
    model = fit(features, labels, seed)
    torch.onnx.export(
        model,
        (torch.tensor(features[:2]),),
        path,
        input_names=["input"],
        output_names=["probability"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        opset_version=18,
        external_data=False,
        dynamo=True,
    )
    strip_metadata(path)


def strip_metadata(path: Path) -> None:
    """Removes the stack traces that the exporter writes into every node: they hold paths of the machine it ran on."""
    model = onnx.load(path)
    holders = [model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]
    for holder in [*holders, *model.graph.initializer]:
        del holder.metadata_props[:]
        holder.doc_string = ""
    path.write_bytes(model.SerializeToString(deterministic=True))
