from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from actionformer.data.annotations import read_annotations
from actionformer.data.dataset import TrainingVideo
from actionformer.data.framewise import fit_classifier, frame_targets, frame_wise_baseline, runs
from actionformer.data.synthetic import (
    ACTION_LENGTHS,
    CLASS_NAMES,
    GRID,
    draw_mixing,
    draw_sequence,
    make,
)
from actionformer.detections import Detections
from actionformer.features import FeatureFolders, check_duration
from actionformer.segments import TimeGrid, tiou

STEPS = TimeGrid(fps=1, stride=1, num_frames=1)


def test_writes_what_training_reads(tmp_path: Path) -> None:
    made = make(tmp_path, training_videos=3, test_videos=2, channels=8)
    annotations = read_annotations(made.annotations)
    assert annotations.class_names == CLASS_NAMES
    assert annotations.subset_names == ["test", "training", "unseen"]
    assert [len(annotations.subset(name)) for name in ("training", "test", "unseen")] == [3, 2, 1]
    folder = FeatureFolders.at(made.features)
    assert folder.missing(annotations.videos) == []
    for name, video in annotations.videos.items():
        features, spec = folder.open(name, width=8), folder.spec(name)
        assert spec.grid == GRID
        assert video.duration == spec.duration
        assert video.duration is not None
        check_duration(name, len(features), video.duration, GRID)
        assert (video.segments >= 0).all()
        assert (video.segments <= video.duration).all()
    assert made.unseen.is_file()


def test_the_seed_decides(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make(tmp_path / name, seed=seed, training_videos=1, test_videos=0)
    first, second, other = ((tmp_path / name / "annotations.json").read_bytes() for name in "abc")
    assert first == second != other
    arrays = [np.load(tmp_path / name / "features" / "training_000.npy") for name in "ab"]
    assert_array_equal(*arrays)


def test_the_data_are_hard_in_the_ways_promised() -> None:
    mixing = draw_mixing(np.random.default_rng(0), 4)
    assert (mixing >= 0).all()
    lengths, overlapping, touching = [], 0, 0
    for i in range(20):
        sequence = draw_sequence(np.random.default_rng(i), mixing, noise=1.0)
        lengths += np.diff(sequence.segments * GRID.fps, axis=1)[:, 0].round().tolist()
        overlap = tiou(sequence.segments, sequence.segments)
        pairs = sequence.labels[:, None] // 2 == sequence.labels // 2
        overlapping += int((overlap[~pairs] > 0).sum())
        assert (overlap[pairs & ~np.eye(len(overlap), dtype=bool)] < 1e-9).all()
        touching += int(np.isclose(sequence.segments[:, None, 0], sequence.segments[:, 1])[pairs].sum())
    assert (min(lengths), max(lengths)) == ACTION_LENGTHS
    assert overlapping > 100
    assert touching > 20


def test_an_action_and_its_reverse_have_the_same_frames() -> None:
    mixing = np.eye(len(CLASS_NAMES) + 1)
    frames: dict[int, list[np.ndarray]] = {0: [], 1: []}
    for i in range(30):
        sequence = draw_sequence(np.random.default_rng(i), mixing, noise=0.0)
        for (start, end), label in zip(
            (sequence.segments * GRID.fps).round().astype(int), sequence.labels, strict=True
        ):
            if label in frames:
                frames[label].append(sequence.features[start:end, :2])
    for label, pieces in frames.items():
        for piece in pieces:
            assert_allclose(piece.sum(axis=1), 1, atol=1e-6)
            assert (np.diff(piece[:, label]) < 0).all()  # its own pose gives way to the other
    means = [np.concatenate(pieces).mean(axis=0) for pieces in frames.values()]
    assert_allclose(means[0], means[1], atol=1e-6)


def test_frame_targets_by_hand() -> None:
    # Moments 1, 2 and 3 lie in [0.5, 3]; [-2, 0] reaches moment 0 only.
    targets = frame_targets(5, np.array([[0.5, 3.0], [-2.0, 0.0]]), np.array([1, 0]), 2)
    assert_array_equal(targets, [[1, 0], [0, 1], [0, 1], [0, 1], [0, 0]])


def test_runs_by_hand() -> None:
    curve = np.array([[0.9, 0.0], [0.7, 0.0], [0.1, 0.6], [0.0, 0.0]])
    found = runs(curve, STEPS, ("a", "b"), smoothing=1, threshold=0.5)
    assert_allclose(found.segments, [[0, 2], [2, 3]])
    assert_allclose(found.scores, [0.8, 0.6])
    assert found.labels.tolist() == [0, 1]
    smoothed = runs(curve[:, :1], STEPS, ("a",), smoothing=3, threshold=0.5)
    assert_allclose(smoothed.scores, [(0.8 + 1.7 / 3) / 2])
    assert len(runs(curve, STEPS, ("a", "b"), smoothing=1, threshold=0.95)) == 0


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
        return TrainingVideo(name, features, STEPS, segments, np.array([0]))

    train, test = [video("a"), video("b")], [video("c")]

    def overlap(found: Mapping[str, Detections]) -> float:
        return float(np.mean([tiou(v.segments + 0.5, found[v.id].segments).max(initial=0) for v in train]))

    found = frame_wise_baseline(train, test, ("shift",), overlap)
    assert list(found) == ["c"]
    assert tiou(found["c"].segments, STEPS.to_seconds(test[0].segments)).max() == pytest.approx(1)
