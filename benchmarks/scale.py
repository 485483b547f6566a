"""What a million hours of recordings cost, stage by stage, from rates that were measured; writes results/scale.md.

    python benchmarks/scale.py

Decoding, preprocessing and network of every backbone are those of `extract.json` (minutes of one core for an hour), the
detector is that of `speed.json` (ActionFormer for THUMOS14, 13,824 features, time of all threads added up). Features
are float32. The table stands in docs/scale.md too, which a test compares.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

from common import RESULTS, read_result

from actionformer.backbones.efficientnet import EfficientNetLite0
from actionformer.backbones.i3d import FEATURES
from actionformer.backbones.logmel import LogMelStatistics
from actionformer.backbones.motion import Motion
from actionformer.backbones.pose import Pose
from actionformer.backbones.r2plus1d import R2Plus1D
from actionformer.backbones.slowfast import SlowFast
from actionformer.backbones.squeezenet import SqueezeNet
from actionformer.backbones.yamnet import YAMNet

HOURS, CORES = 1_000_000, 1_000
OWN_RATE = 30
"""Pictures a second of the videos that were measured, where a backbone takes the video's own."""
KINDS: dict[str, Any] = {
    "motion": Motion,
    "squeezenet": SqueezeNet,
    "efficientnet_lite0": EfficientNetLite0,
    "i3d_rgb": SimpleNamespace(dim=FEATURES, fps=None, stride=4),  # it is these once its weights are known
    "r2plus1d_tsp": R2Plus1D,
    "slowfast_r50": SlowFast,
    "pose": Pose,
    "logmel": LogMelStatistics,
    "yamnet": YAMNet,
}
"""Where their widths, rates and strides are."""


class Cost(NamedTuple):
    """Of a backbone, and pictures of a size where it looks at some."""

    backbone: str
    size: str
    core_hours: tuple[float, float, float, float]
    """Decoding, preprocessing, network, detector."""
    terabytes: float
    """Of features."""

    @property
    def days(self) -> float:
        """On `CORES` cores."""
        return sum(self.core_hours) / CORES / 24


def costs(extraction: list[dict[str, Any]], speed: dict[str, Any]) -> list[Cost]:
    """The costs of a million hours, a row for each that was measured."""
    second = next(
        row["ms"] / row["length"] / 1000 * speed["threads"]
        for row in speed["rows"]
        if (row["part"], row["length"], row["precision"], row["device"]) == ("detect", 13_824, "float32", "cpu")
    )
    found = []
    for row in extraction:
        if (kind := KINDS.get(row["backbone"])) is None:
            continue
        features = 3600 * (kind.fps or OWN_RATE) / kind.stride  # in an hour
        stages = [row[stage] / 60 for stage in ("decoding", "preprocessing", "network")]
        hours = [HOURS * stage for stage in (*stages, features * second / 3600)]
        found.append(
            Cost(
                row["backbone"],
                row["size"],
                (hours[0], hours[1], hours[2], hours[3]),
                HOURS * features * kind.dim * 4e-12,
            )
        )
    return found


def table(rows: list[Cost]) -> str:
    """Thousands of core hours, days and terabytes, in Markdown."""
    stages = ("decoding", "preprocessing", "network", "detector", "together")
    head = ("backbone", "pictures", *stages, f"days on {CORES:,} cores", "features, TB")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in rows:
        hours = [rounded(one / 1000) for one in (*row.core_hours, sum(row.core_hours))]
        cells = [f"`{row.backbone}`", row.size or "-", *hours, rounded(row.days), rounded(row.terabytes)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def rounded(value: float) -> str:
    """Two digits that count."""
    return f"{float(f'{value:.2g}'):,g}"


def main() -> None:
    rows = costs(read_result("extract")["parts"]["costs"]["rows"], read_result("speed"))
    (RESULTS / "scale.md").write_text(table(rows), "utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
