from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture
def published(tmp_path: Path, small: Path) -> Callable[..., Path]:
    """Writes a published configuration: the small model's, with some sections changed."""

    def write(**changes: Any) -> Path:
        tables = yaml.safe_load((small / "official_config.yaml").read_text("utf-8"))
        for section, values in changes.items():
            if isinstance(values, dict):
                tables[section] = tables.get(section, {}) | values
            else:
                tables[section] = values
        path = tmp_path / "published.yaml"
        path.write_text(yaml.safe_dump(tables), "utf-8")
        return path

    return write
