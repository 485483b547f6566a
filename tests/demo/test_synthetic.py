from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from actionformer.core.detections import Detections
from actionformer.core.segments import TimeGrid, tiou
from actionformer.data.dataset import TrainingVideo
from actionformer.demo.framewise import fit_classifier, frame_targets, frame_wise_baseline, runs
from actionformer.demo.reels import (
    FPS,
    HEIGHT,
    RING,
    STEPS,
    WALL,
    WIDTH,
    WINDOW_HEIGHT,
    WINDOW_WIDTH,
    WINDOWS,
    draw_frames,
    paint_reel,
    show,
)
from actionformer.demo.synthetic import (
    CLASS_NAMES,
    HALF_LENGTHS,
    LEAST_GAP,
    SPEED,
    Schedule,
    draw_schedule,
    drift,
    make,
    there_and_back,
    turn,
)
from actionformer.formats.annotations import read_annotations
from actionformer.video.reader import VideoReader

GRID_STEPS = TimeGrid(fps=1, stride=1, num_frames=1)


@pytest.fixture(scope="module")
def schedules() -> list[Schedule]:
    return [draw_schedule(np.random.default_rng(i)) for i in range(40)]


def halves(schedule: Schedule) -> list[tuple[NDArray[np.int64], NDArray[np.int64], int]]:
    """How far a reel goes in the frames of each half of every action, and the action's class."""
    found = []
    for start, stop, label in schedule.actions.tolist():
        way = np.diff(schedule.turned[start : stop + 1, label // 2])
        found.append((way[: len(way) // 2], way[len(way) // 2 :], label))
    return found


# --- schedules


def test_actions_overlap_touch_and_differ_tenfold_in_length(schedules: list[Schedule]) -> None:
    lengths, overlapping, touching = [], 0, 0
    for schedule in schedules:
        segments, reels = schedule.actions[:, :2].astype(np.float64), schedule.actions[:, 2] // 2
        same = reels[:, None] == reels
        overlap = tiou(segments, segments)
        assert (overlap[same & ~np.eye(len(same), dtype=bool)] == 0).all()
        lengths += np.diff(segments, axis=1)[:, 0].tolist()
        overlapping += int((overlap[~same] > 0).sum())
        touching += int((segments[:, None, 0] == segments[:, 1])[same].sum())
        assert (segments <= len(schedule.turned) - 1).all()
    assert (min(lengths), max(lengths)) == tuple(2 * half for half in HALF_LENGTHS)
    assert max(lengths) / min(lengths) == 10
    assert overlapping > 200
    assert touching > 40
    assert len({label for schedule in schedules for label in schedule.actions[:, 2]}) == len(CLASS_NAMES)


def test_an_action_goes_one_way_and_as_far_back(schedules: list[Schedule]) -> None:
    for schedule in schedules:
        for first, second, label in halves(schedule):
            up = 1 if label % 2 == 0 else -1
            assert (up * first >= 0).all()
            assert (up * second <= 0).all()
            assert up * first.sum() == -up * second.sum() > 0
            assert CLASS_NAMES[label].endswith("up-down" if up == 1 else "down-up")


def test_reels_also_turn_one_way_and_otherwise_stand_still(schedules: list[Schedule]) -> None:
    distractors = 0
    for schedule in schedules:
        speed = np.diff(schedule.turned, axis=0)
        for start, stop, label in schedule.actions.tolist():
            speed[start:stop, label // 2] = 0
        for column in speed.T:  # what is left is no action
            starts = 1 + np.flatnonzero((column[1:] != 0) & (column[:-1] == 0))
            for piece in np.split(column, starts)[1:]:
                assert (piece >= 0).all() or (piece <= 0).all()
            distractors += len(starts)
        for reel in range(len(WINDOWS)):
            events = schedule.actions[schedule.actions[:, 2] // 2 == reel]
            gaps = events[1:, 0] - events[:-1, 1]
            assert ((gaps == 0) | (gaps >= LEAST_GAP)).all()
    assert distractors > 100


def test_a_turn_by_hand() -> None:
    # Half a sine wave of 4 frames, highest 2.5 pixels a frame, goes 2.5 * 4 * 2 / pi = 6.37 pixels: twice 12.7 steps.
    # 13 + 13 sin((k - 2) pi / 4) = 0, 3.8, 13, 22.2, 26
    assert (SPEED, STEPS) == (2.5, 4)
    assert turn(4).tolist() == [0, 4, 13, 22, 26]
    assert there_and_back(4).tolist() == [0, 4, 13, 22, 26, 22, 13, 4, 0]


def test_the_light_drifts_slowly_around_nought() -> None:
    light = drift(np.random.default_rng(0), 20_000)
    assert abs(light.mean()) < 0.3
    assert 0.7 < light.std() < 1.3
    assert np.diff(light).std() < 0.2


# --- pictures


def test_what_a_window_shows_by_hand() -> None:
    ramp = np.broadcast_to(np.arange(RING * STEPS, dtype=np.float32)[:, None, None], (RING * STEPS, WINDOW_WIDTH, 3))
    turned = np.array([[0, 2, -4], [RING * STEPS + 8, 0, 0]])
    pictures = show([ramp, ramp + 1000, ramp + 2000], turned)
    assert pictures.shape == (2, HEIGHT, WIDTH, 3)
    tops = [[pictures[t, y, x, 0] for y, x in WINDOWS] for t in range(2)]
    assert tops == [[0, 1002, 2000 + RING * STEPS - 4], [8, 1000, 2000]]  # the last one has turned down, past the seam
    y, x = WINDOWS[0]
    assert pictures[1, y : y + 3, x, 0].tolist() == [8, 12, 16]  # a pixel is 4 steps: 2 pixels up, what was 2 below
    assert pictures[0, y + WINDOW_HEIGHT - 1, x + WINDOW_WIDTH - 1, 0] == 4 * (WINDOW_HEIGHT - 1)
    outside = np.ones((HEIGHT, WIDTH), dtype=bool)
    for y, x in WINDOWS:
        outside[y : y + WINDOW_HEIGHT, x : x + WINDOW_WIDTH] = False
    assert (pictures[:, outside] == np.array(WALL)).all()


def test_a_reel_is_a_ring_of_even_paint() -> None:
    reel = paint_reel(np.random.default_rng(0))
    step = np.abs(np.diff(reel, axis=0)).max()
    assert np.abs(reel[0] - reel[-1]).max() <= step  # no seam
    assert reel.std() > 30  # something to see
    assert (reel >= 0).all()
    assert (reel <= 255).all()


@pytest.mark.parametrize("half", [6, 7, 18, 19, 40, 60])
def test_no_frame_tells_an_action_from_its_twin(half: int) -> None:
    """The same pictures as often, and from each the same steps to the next: only their order differs."""
    up_down = there_and_back(half)
    down_up = up_down.max() - there_and_back(half)  # of the twin that starts where the first one turns back
    reels = [paint_reel(np.random.default_rng(i)) for i in range(3)]

    def frames(path: NDArray[np.int64]) -> list[bytes]:
        turned = np.stack([path[:-1], np.zeros_like(path[:-1]), np.zeros_like(path[:-1])], axis=1)
        return [picture.tobytes() for picture in show(reels, turned)]

    one, other = frames(up_down), frames(down_up)
    assert sorted(one) == sorted(other)
    assert one != other
    steps = [sorted(zip(path[:-1].tolist(), np.diff(path).tolist(), strict=True)) for path in (up_down, down_up)]
    assert steps[0] == steps[1]


def test_noise_and_light_lie_over_the_pictures() -> None:
    turned, light = np.zeros((40, 3), dtype=np.int64), np.linspace(-20, 20, 40, dtype=np.float32)
    frames = np.stack(list(draw_frames(turned, light, np.random.default_rng(0))))
    assert frames.shape == (40, HEIGHT, WIDTH, 3)
    assert frames.dtype == np.uint8
    wall = frames[:, :6].astype(float)  # above the windows
    assert_allclose(wall.mean(axis=(1, 2, 3)), np.mean(WALL) + light, atol=2)
    assert_allclose(np.diff(wall, axis=0).std(), 14, atol=1)  # of two noises of 10


# --- files


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make(folder, seed=1, training_videos=1, test_videos=1)
    return folder


def test_files_are_as_annotated(made: Path) -> None:
    annotations = read_annotations(made / "annotations.json")
    assert annotations.class_names == CLASS_NAMES
    assert {name: video.subset for name, video in annotations.videos.items()} == {
        "training_000": "training",
        "test_001": "test",
        "unseen": "unseen",
    }
    assert sorted(path.stem for path in (made / "videos").iterdir()) == sorted(annotations.videos)
    for name, annotated in annotations.videos.items():
        with VideoReader(made / "videos" / f"{name}.mp4") as video:
            times = [frame.time for frame in video.frames()]
        assert_allclose(times, np.arange(len(times)) / FPS, atol=1e-4)
        assert video.end == pytest.approx(annotated.duration, abs=1e-3)
        assert annotated.fps == video.fps == FPS
        assert annotated.duration is not None
        assert (annotated.segments >= 0).all()
        assert (annotated.segments <= annotated.duration).all()


def test_reels_turn_in_the_file_as_annotated(made: Path) -> None:
    """Halfway through its first half a reel goes the way that the class begins with, then back."""
    video = read_annotations(made / "annotations.json").videos["training_000"]
    with av.open(str(made / "videos" / "training_000.mp4")) as container:
        pictures = np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])
    assert len(video.segments) > 10
    for (start, end), label in zip(video.segments, video.labels, strict=True):
        quarters = [round(FPS * (start + share * (end - start))) for share in (0.25, 0.75)]
        ways = [np.sign(pixels_up(pictures[frame - 1 : frame + 2 : 2].astype(float), label // 2)) for frame in quarters]
        assert ways == ([1, -1] if label % 2 == 0 else [-1, 1])


def pixels_up(pair: NDArray[np.float64], reel: int) -> int:
    """By how many pixels what the window of a reel shows moved up from a picture to another."""
    y, x = WINDOWS[reel]
    before, after = pair[:, y : y + WINDOW_HEIGHT, x : x + WINDOW_WIDTH]
    still = slice(8, -8)
    apart = {way: np.abs(np.roll(before, -way, axis=0)[still] - after[still]).mean() for way in range(-8, 9)}
    return min(apart, key=lambda way: apart[way])


def test_the_seed_decides(made: Path, tmp_path: Path) -> None:
    for name, seed in (("same", 1), ("other", 2)):
        make(tmp_path / name, seed=seed, training_videos=1, test_videos=1)
    same, other = tmp_path / "same", tmp_path / "other"
    texts = [(folder / "annotations.json").read_bytes() for folder in (made, same, other)]
    assert texts[0] == texts[1] != texts[2]
    assert decoded(made) == decoded(same) != decoded(other)


def decoded(folder: Path) -> list[bytes]:
    with av.open(str(folder / "videos" / "test_001.mp4")) as container:
        return [frame.to_ndarray(format="gray").tobytes() for frame in islice(container.decode(video=0), 50)]


# --- frame-wise classification


def test_frame_targets_by_hand() -> None:
    # Moments 1, 2 and 3 lie in [0.5, 3]; [-2, 0] reaches moment 0 only.
    targets = frame_targets(5, np.array([[0.5, 3.0], [-2.0, 0.0]]), np.array([1, 0]), 2)
    assert_array_equal(targets, [[1, 0], [0, 1], [0, 1], [0, 1], [0, 0]])


def test_runs_by_hand() -> None:
    curve = np.array([[0.9, 0.0], [0.7, 0.0], [0.1, 0.6], [0.0, 0.0]])
    found = runs(curve, GRID_STEPS, ("a", "b"), smoothing=1, threshold=0.5)
    assert_allclose(found.segments, [[0, 2], [2, 3]])
    assert_allclose(found.scores, [0.8, 0.6])
    assert found.labels.tolist() == [0, 1]
    smoothed = runs(curve[:, :1], GRID_STEPS, ("a",), smoothing=3, threshold=0.5)
    assert_allclose(smoothed.scores, [(0.8 + 1.7 / 3) / 2])
    assert len(runs(curve, GRID_STEPS, ("a", "b"), smoothing=1, threshold=0.95)) == 0


def test_the_classifier_finds_its_maximum() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 3))
    targets = (features @ np.array([[2.0, 0], [0, -1], [0, 0]]) + rng.logistic(size=(400, 2)) > 0).astype(float)
    classifier = fit_classifier(features, targets)
    standard = (features - classifier.mean) / classifier.deviation
    gradient = np.c_[standard, np.ones(400)].T @ (classifier(features) - targets) + classifier.weights
    assert_allclose(gradient, 0, atol=1e-6)


def test_the_baseline_finds_what_frames_show() -> None:
    rng = np.random.default_rng(0)

    def video(name: str) -> TrainingVideo:
        start = int(rng.integers(5, 20))
        features = rng.normal(scale=0.1, size=(60, 2)).astype(np.float32)
        features[start : start + 21, 0] += 1
        segments = np.array([[start - 0.5, start + 20.5]], dtype=np.float32)
        return TrainingVideo(name, features, GRID_STEPS, segments, np.array([0]))

    train, test = [video("a"), video("b")], [video("c")]

    def overlap(found: Mapping[str, Detections]) -> float:
        return float(np.mean([tiou(v.segments + 0.5, found[v.id].segments).max(initial=0) for v in train]))

    found = frame_wise_baseline(train, test, ("shift",), overlap)
    assert list(found) == ["c"]
    assert tiou(found["c"].segments, GRID_STEPS.to_seconds(test[0].segments.astype(np.float64))).max() == pytest.approx(
        1
    )
