"""The time that `pose` takes of one core, by part, on the shared clips; writes benchmarks/results/pose.json.

    python benchmarks/pose.py

Time is that of the processor, which a machine with other work does not change much. Frames are decoded beforehand.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
import torch
from common import shared_folder, write_result

from actionformer.backbones import Frame
from actionformer.backbones.movenet import HIPS, LEAST_CONFIDENCE, SHOULDERS, MoveNet, followed, whole
from actionformer.backbones.pose import PERSON, Pose, as_seen
from actionformer.backbones.posture import described

VIDEOS = ("flipping_a_pancake.mkv", "demo.mp4", "test.avi")
T = TypeVar("T")


def timed(work: Callable[[], T], frames: int) -> tuple[T, float]:
    """What work gives, and the milliseconds of the processor that it takes a frame."""
    begin = time.process_time()
    result = work()
    return result, 1000 * (time.process_time() - begin) / frames


def measured(video: Path, weights: Path) -> dict[str, Any]:
    """The figures of one video."""
    with av.open(str(video)) as container:
        frames: list[Frame] = [frame.to_ndarray(format="rgb24").astype(np.uint8) for frame in container.decode(video=0)]
    count, (height, width) = len(frames), frames[0].shape[:2]
    network, backbone, square = MoveNet(weights), Pose(weights=[weights]), whole(height, width)
    _, look = timed(lambda: [network(frame, square) for frame in frames], count)
    poses, follow = timed(lambda: list(followed(frames, network)), count)
    rows, describe = timed(lambda: list(described((as_seen(pose)[None] for pose in poses), PERSON, 15.0)), count)
    clips = torch.from_numpy(np.stack(rows)[: count // 8 * 8].reshape(-1, 8, PERSON.numbers))
    _, encode = timed(lambda: backbone.encode(clips), count)
    torsos = np.stack(poses)[:, [*SHOULDERS, *HIPS], 2].reshape(count, 2, 2).max(2).min(1)
    return {
        "video": video.name,
        "frames": count,
        "size": f"{width}x{height}",
        "look_ms": look,
        "follow_ms": follow,
        "describe_ms": describe,
        "encode_ms": encode,
        "frames_per_second_and_core": 1000 / (follow + describe + encode),
        "share_of_frames_with_torso": float((torsos >= LEAST_CONFIDENCE).mean()),
    }


def main() -> None:
    torch.set_num_threads(1)
    data = shared_folder("data/videos", "data/weights") / "data"
    weights = data / "weights" / "movenet_single_pose_lightning_ptq.tflite"
    results = []
    for video in VIDEOS:
        results.append(measured(data / "videos" / video, weights))
        print(results[-1])
    write_result("pose", {"videos": results})


if __name__ == "__main__":
    main()
