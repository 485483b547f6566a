"""What tells one set of annotations or features from another: hashes of their content, wherever it lies."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from actionformer.data.collection import FeaturedVideo

WHOLE = 1 << 18
"""Bytes up to which all of a feature file is hashed."""
SAMPLES, SAMPLE = 6, 1 << 14
"""Of larger files so many pieces of so many bytes are, from the first to the last, with the size: 96 KiB a video."""


def annotations_hash(videos: Sequence[FeaturedVideo]) -> str:
    """SHA-256 of what annotations say of videos: subset, duration, actions; not of the layout of their file."""
    digest = hashlib.sha256()
    for video in sorted((one.video for one in videos), key=lambda video: video.id):
        digest.update(repr((video.id, video.subset, video.duration, video.fps, len(video.segments))).encode())
        digest.update(video.segments.tobytes())
        digest.update(video.labels.tobytes())
    return digest.hexdigest()


def features_hash(videos: Sequence[FeaturedVideo]) -> str:
    """SHA-256 of the features of videos and of where they lie in time; of large files of samples alone."""
    digest = hashlib.sha256()
    for one in sorted(videos, key=lambda one: one.video.id):
        digest.update(repr((one.video.id, one.features.shape, one.grid)).encode())
        for path in one.features.paths:
            digest.update(_sampled(path))
    return digest.hexdigest()


def _sampled(path: Path) -> bytes:
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb", buffering=0) as file:
        if size <= WHOLE:
            digest.update(file.read(WHOLE))
        else:
            for i in range(SAMPLES):
                file.seek(i * (size - SAMPLE) // (SAMPLES - 1))
                digest.update(file.read(SAMPLE))
    return digest.digest()
