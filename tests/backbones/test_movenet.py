from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from actionformer.backbones.base import Frame
from actionformer.backbones.movenet import (
    HIPS,
    KEY_POINTS,
    SHOULDERS,
    MoveNet,
    Pose,
    Square,
    around,
    cut,
    followed,
    whole,
)
from actionformer.core.errors import InputError


def person(hips: tuple[float, float], torso: float, arm: float = 0.0, confidence: float = 0.9) -> Pose:
    """Somebody upright, with the left wrist stretched out; what lies elsewhere is at the hips, and not seen."""
    pose = np.array([[*hips, 0.0]] * len(KEY_POINTS), np.float32)
    pose[[*HIPS, *SHOULDERS], 2] = confidence
    pose[list(SHOULDERS), 1] -= torso
    pose[KEY_POINTS.index("left_wrist")] = (hips[0] + arm, hips[1], 0.9 if arm else 0.0)
    return pose


def test_names_of_points() -> None:
    assert [KEY_POINTS[point] for point in (*SHOULDERS, *HIPS, 0, 9, 16)] == [
        "left_shoulder", "right_shoulder", "left_hip", "right_hip", "nose", "left_wrist", "right_ankle"
    ]  # fmt: skip
    assert len(KEY_POINTS) == 17


def test_the_whole_picture() -> None:
    assert whole(100, 300) == Square(0, -100, 300)
    assert whole(300, 100) == Square(-100, 0, 300)


def test_the_square_around_a_person_by_hand() -> None:
    assert around(person((200, 150), 40), 300, 400) == Square(124, 74, 152)  # 1.9 x 40 = 76 to each side
    assert around(person((200, 150), 40, arm=100), 300, 400) == Square(80, 30, 240)  # 1.2 x 100 = 120
    assert around(person((390, 150), 40, arm=-300), 300, 400) == whole(300, 400)  # 360 is more than half of 400
    assert around(person((200, 150), 40, arm=100, confidence=0.1), 300, 400) is None
    faint = person((200, 150), 40, arm=100)
    faint[KEY_POINTS.index("left_wrist"), 2] = 0.1
    assert around(faint, 300, 400) == Square(124, 74, 152)
    hips_alone = person((200, 150), 40)
    hips_alone[list(SHOULDERS), 2] = 0
    assert around(hips_alone, 300, 400) is None
    point = person((200, 150), 0)
    assert around(point, 300, 400) == whole(300, 400)  # a torso without length says no size


def test_a_square_is_cut_with_black_beyond_the_picture() -> None:
    frame = np.full((40, 60, 3), 200, np.uint8)
    frame[:, 30:] = 100
    np.testing.assert_array_equal(cut(frame, Square(20, 10, 20), 20), frame[10:30, 20:40])
    corner = cut(frame, Square(-10, -10, 20), 10)  # halved; the picture begins in the middle
    assert corner[5:, 5:].tolist() == np.full((5, 5, 3), 200).tolist()
    assert corner[:5].max() == corner[:, :5].max() == 0
    assert cut(frame, Square(500, 500, 20), 10).max() == 0


class Seer:
    """In place of the network: poses in order; remembers where it looked."""

    def __init__(self, *poses: Pose) -> None:
        self.poses, self.looks = iter(poses), list[Square]()

    def __call__(self, frame: Frame, square: Square) -> Pose:
        self.looks.append(square)
        return next(self.poses)


def frames(count: int) -> Iterator[Frame]:
    return (np.zeros((300, 400, 3), np.uint8) for _ in range(count))


def test_a_person_is_followed_and_sought_anew_when_lost() -> None:
    here, there, nobody = person((200, 150), 40), person((210, 150), 40), person((0, 0), 40, confidence=0.0)
    everything = whole(300, 400)
    seer = Seer(here, there, nobody, here, nobody, nobody, there)
    found = list(followed(frames(5), seer))  # type: ignore[arg-type]
    # lost in frame 2, which is then looked at as a whole; lost in 3 for good, so that 4 is looked at as a whole once
    first, second = around(here, 300, 400), around(there, 300, 400)
    assert seer.looks == [everything, first, second, everything, first, everything, everything]
    for pose, expected in zip(found, [here, there, here, nobody, there], strict=True):
        np.testing.assert_array_equal(pose, expected)


# With the real weights


@pytest.fixture(scope="module")
def network(shared: Path) -> MoveNet:
    pytest.importorskip("ai_edge_litert")
    return MoveNet(shared / "data" / "weights" / "movenet_single_pose_lightning_ptq.tflite")


@pytest.fixture(scope="module")
def seen(network: MoveNet, shared: Path) -> NDArray[np.float32]:
    """A woman in a kitchen, every third frame."""
    av = pytest.importorskip("av")
    with av.open(str(shared / "data" / "videos" / "flipping_a_pancake.mkv")) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.stack(list(followed(pictures[:273:3], network)))


def test_points_lie_where_they_are_seen(seen: NDArray[np.float32]) -> None:
    """Frame 60, read off the picture by eye."""
    by_eye = {"nose": (222, 25), "right_shoulder": (165, 70), "left_shoulder": (262, 85), "left_wrist": (242, 205)}
    for name, place in by_eye.items():
        x, y, confidence = seen[20, KEY_POINTS.index(name)]
        print(name, x, y, confidence)
        assert np.hypot(x - place[0], y - place[1]) < 20
        assert confidence > 0.4


def test_the_person_is_kept_in_sight(seen: NDArray[np.float32]) -> None:
    shoulders = seen[:, SHOULDERS, 2].min(1)
    assert (shoulders > 0.2).mean() > 0.95
    torso = np.hypot(*(seen[:, SHOULDERS, :2].mean(1) - seen[:, HIPS, :2].mean(1)).T)
    assert np.median(np.abs(np.diff(torso)) / torso[1:]) < 0.1  # it does not leap


def test_other_networks_are_refused(shared: Path, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    with pytest.raises(InputError, match=r"yamnet.*from .* to .*, expected a MoveNet for one person"):
        MoveNet(shared / "data" / "weights" / "yamnet_spectra_in.tflite")
    (tmp_path / "a.tflite").write_bytes(b"no network")
    with pytest.raises(InputError, match=r"a\.tflite: not a network that LiteRT can run"):
        MoveNet(tmp_path / "a.tflite")
