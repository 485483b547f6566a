"""Ego4D Moment Queries on the grid of the published features."""

import json
from pathlib import Path
from typing import Any

import pytest

from actionformer import InputError
from actionformer.datasets.ego4d import read


def label(name: str, start: float, end: float, primary: bool = True) -> dict[str, Any]:
    return {"label": name, "primary": primary, "video_start_time": start, "video_end_time": end}


def clip(name: str, first: int, last: int, *labels: dict[str, Any], rate: float = 30.0) -> dict[str, Any]:
    times = {"video_start_sec": first / rate, "video_end_sec": last / rate}
    frames = {"video_start_frame": first, "video_end_frame": last}
    return {"clip_uid": name, **times, **frames, "annotations": [{"labels": list(labels)}]}


def write(folder: Path, name: str, *clips: dict[str, Any]) -> None:
    videos = [{"video_uid": "v", "split": "train", "clips": clips}]
    (folder / name).write_text(json.dumps({"videos": videos}))


def test_times_count_from_the_last_whole_feature_before_the_clip(tmp_path: Path) -> None:
    labels = label("wash", 4, 6), label("think", 4, 6, primary=False), label("blink", 4, 4.2)
    write(tmp_path, "moments_train.json", clip("c", 105, 300, *labels), clip("odd", 0, 300, rate=300.0))
    write(tmp_path, "moments_val.json", clip("d", 0, 320))
    dataset = read(tmp_path)
    assert dataset.splits["annotations.json"] == {"c": "training", "d": "validation"}
    (action,) = dataset.recordings["c"].actions
    assert (action.start, action.end) == pytest.approx((4 - 96 / 30, 6 - 96 / 30))
    assert action.label == "wash"
    assert dataset.recordings["c"].duration == pytest.approx((304 - 96) / 30)  # 96 + 32 + 11 strides
    assert dataset.recordings["d"].duration == pytest.approx(320 / 30)


def test_other_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "moments_train.json").write_text('{"videos": [{}]}')
    with pytest.raises(InputError, match=r"moments_train\.json: expected videos with clips as Ego4D writes them"):
        read(tmp_path)


@pytest.mark.parametrize("change", [{"video_start_sec": "zero"}, {"annotations": 3}, {"video_end_frame": None}])
def test_values_of_another_kind_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    write(tmp_path, "moments_train.json", clip("c", 0, 300) | change)
    with pytest.raises(InputError, match=r"moments_train\.json: expected videos with clips as Ego4D writes them \("):
        read(tmp_path)
