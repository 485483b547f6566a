from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from torch import Tensor

from actionformer.interop.published_weights import published_name
from actionformer.nn.pyramid_network import PyramidNetwork

SMALL = Path(__file__).resolve().parents[1] / "data" / "parity"
"""A small model in the published format with random weights, and the published implementation's numbers for it."""


@pytest.fixture(scope="session")
def small() -> Path:
    return SMALL


@pytest.fixture
def published(tmp_path: Path) -> Callable[..., Path]:
    """Writes a published configuration: the small model's, with some sections changed."""

    def write(**changes: Any) -> Path:
        tables = yaml.safe_load((SMALL / "official_config.yaml").read_text("utf-8"))
        for section, values in changes.items():
            if isinstance(values, dict):
                tables[section] = tables.get(section, {}) | values
            else:
                tables[section] = values
        path = tmp_path / "published.yaml"
        path.write_text(yaml.safe_dump(tables), "utf-8")
        return path

    return write


@pytest.fixture
def as_published() -> Callable[[PyramidNetwork], dict[str, Tensor]]:
    """A model's weights under the published names, in the published shapes."""

    def convert(model: PyramidNetwork) -> dict[str, Tensor]:
        weights = {}
        for name, tensor in model.named_parameters():
            tensor = tensor.detach()
            if name.endswith("relative_bias"):
                tensor = tensor[None, None]
            elif tensor.dim() == 2:
                tensor = tensor.unsqueeze(-1)
            elif tensor.dim() == 3:
                tensor = tensor.mT
            elif "norm" in name or name.endswith(".scale"):
                tensor = tensor.view(1, -1, 1)
            weights[published_name(name)] = tensor
        return weights

    return convert
