"""Processes that share the batches of every step learn what one process learns alone."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from actionformer.core import ranks
from actionformer.core.errors import InputError
from actionformer.detectors.base import architecture_of
from actionformer.detectors.index import ARCHITECTURES
from actionformer.settings.config import Config
from actionformer.settings.loading import load_config
from actionformer.training.loop import Trainer

HERE = Path(__file__).resolve().parent
STEPS = 50
LOSSES, WEIGHTS = 1e-5, 1e-4
"""How far one process and several may be apart, losses in shares of them."""
PYRAMID = {"max_length": 64, "width": 16, "branch_blocks": 2, "regression_ranges": [[0, 4], [4, 8], [8, 1000]]}
THIN: dict[str, dict[str, Any]] = {
    "actionformer": PYRAMID | {"num_heads": 2, "window": 5, "dropout": 0.2, "drop_path": 0.3},
    "tridet": PYRAMID | {"window": 5, "width": 32, "drop_path": 0.3},
    "temporalmaxer": PYRAMID,
    "afsd": {"width": 32, "levels": 3, "frames_per_feature": 2},
    "bmn": {"width": 16, "bins": 8, "max_length": 24},
    "gtad": {"width": 16, "graph_groups": 4, "bins": 8, "neighbor_bins": 4, "max_length": 24},
    "tadtr": {
        "width": 32, "mlp_width": 48, "num_heads": 2, "num_queries": 8, "encoder_layers": 1, "decoder_layers": 2,
        "roi_bins": 4,
    },
    "muses": {"width": 8, "foregrounds": 2, "incompletes": 6, "backgrounds": 2, "foreground_tiou": 0.3},
}  # fmt: skip
"""Detector -> settings with which a step takes milliseconds."""
RATES = dict.fromkeys(("afsd", "gtad", "tadtr"), 1e-5)
"""Lower ones where rounding decides: which of two nearly equal maxima AFSD takes, which moments are neighbours for
G-TAD, which query TadTR matches. At high rates runs then part, and so they do in one process whose first weights are
others by 1e-7. AFSD's is the published one."""
UNSEEN = ("key.bias", "key_norm.bias", "in_proj_bias")
"""Weights that softmax does not see, or the norm after them: Adam makes steps of the rounding noise in their place."""
UNSEEN_OF = {"afsd": ".conv.bias", "tadtr": "projection.bias"}
"""Those before a norm, here of a channel each."""


def settings_of(detector: str, **sections: Any) -> dict[str, Any]:
    """Settings in which everything is drawn that can be."""
    given = {"input_dim": 6, "num_classes": 2} | THIN[detector] | sections.get("model", {})
    data: dict[str, Any] = {"feature_shift": 0.3, "feature_noise": 0.3, "feature_dropout": 0.1}
    data |= {"sensor_axes": 6, "sensor_rotation": 20.0}
    if detector in ("afsd", "bmn", "gtad", "tadtr"):
        data["window"] = 24
    training = {"batch_size": 8, "accumulate": 1, "epochs": 30, "warmup_epochs": 1, "drop_epochs": []}
    training |= {"learning_rate": RATES.get(detector, 1e-3)} | sections.get("training", {})
    return {"model": given, "data": data | sections.get("data", {}), "training": training}


def case(name: str, detector: str, *processes: int, **sections: Any) -> dict[str, Any]:
    preset = "small" if detector == "actionformer" else f"{detector}_small"
    settings = settings_of(detector, **sections)
    return {"name": name, "preset": preset, "settings": settings, "processes": [1, *processes]}


def run(cases: list[dict[str, Any]], folder: Path, steps: int = STEPS) -> Path:
    plan = folder / "plan.json"
    plan.write_text(json.dumps({"steps": steps, "cases": cases}), "utf-8")
    command = [sys.executable, str(HERE / "shared_steps.py"), str(plan), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def differences(folder: Path, name: str, processes: int) -> tuple[float, float]:
    """How far apart one process and several are: the losses of any step, in shares of them, and any weight.

    Weights that nothing sees are left out.
    """
    unseen = (*UNSEEN, UNSEEN_OF.get(name.split()[0], UNSEEN[0]))
    (alone,) = (torch.load(path) for path in folder.glob(f"{name}.1.*.pt"))
    every = [torch.load(folder / f"{name}.{processes}.{process}.pt") for process in range(processes)]
    for other in every[1:]:
        assert all(torch.equal(one, other["weights"][key]) for key, one in every[0]["weights"].items()), "drifted apart"
        assert other["figures"] == every[0]["figures"]
    pairs = zip(alone["figures"], every[0]["figures"], strict=True)
    losses = max(abs(one["loss"] / other["loss"] - 1) for one, other in pairs)
    weights = max(
        float((one - every[0][kind][key]).abs().max())
        for kind in ("weights", "average")
        for key, one in alone[kind].items()
        if not key.endswith(unseen)
    )
    return losses, weights


@pytest.mark.slow
def test_four_processes_learn_what_one_learns(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Of batches of 8, and at the end of every epoch of 3, with augmentation, dropout and drop path."""
    losses, weights = differences(run([case("plain", "actionformer", 4)], tmp_path), "plain", 4)
    record_property(f"4 processes against one after {STEPS} steps", f"{losses:.1e} losses, {weights:.1e} weights")
    assert losses < LOSSES
    assert weights < WEIGHTS


OTHERS = [
    case("actionformer", "actionformer", 2),
    *(case(detector, detector, 2, 4) for detector in ARCHITECTURES if detector != "actionformer"),
    case("accumulated", "actionformer", 3, training={"accumulate": 2, "batch_size": 4}),
    case("published", "actionformer", 4, model={"mask_padding": "published"}),
    case("tadtr published", "tadtr", 4, model={"mask_padding": "published"}, data={"window": 40}),
    case("repeated", "actionformer", 3, training={"repeat_rare": 0.9}),
]


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(OTHERS, tmp_path_factory.mktemp("others"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "processes"), [(one["name"], n) for one in OTHERS for n in one["processes"][1:]])
def test_so_does_every_detector(
    others: Path, name: str, processes: int, record_property: Callable[[str, object], None]
) -> None:
    losses, weights = differences(others, name, processes)
    record_property(f"{name}, {processes} processes against one", f"{losses:.1e} losses, {weights:.1e} weights")
    assert losses < LOSSES
    assert weights < WEIGHTS


def test_a_loss_that_needs_whole_batches_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "count", lambda: 2)
    for detector, section, setting, value in [
        ("actionformer", "training", "regression_weight", -1.0),
        ("tadtr", "model", "actionness_target", "batch"),
    ]:
        preset = "small" if detector == "actionformer" else f"{detector}_small"
        config: Config = load_config(preset, settings_of(detector, **{section: {setting: value}}))
        with pytest.raises(InputError, match=rf"{section}\.{setting} is .*whole batches: train in one process"):
            Trainer(architecture_of(config).network(), config, steps_per_epoch=1)
