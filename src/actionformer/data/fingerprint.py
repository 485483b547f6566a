"""What tells one set of annotations, features or proposals from another: hashes of their content, wherever it lies."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from actionformer.core.hashes import sampled_hash
from actionformer.data.collection import FeaturedVideo
from actionformer.features import sidecar_path

_ADDRESS = re.compile(r"[A-Za-z][\w+.-]+:/")
"""What an address begins with: a `Path` makes one slash of two."""
SAMPLES, SAMPLE = 6, 48 << 10
"""Pieces of a feature file that are hashed, and bytes of each: all of a file of up to 288 KiB."""


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
        digest.update(repr(one.features.resampled).encode() if one.features.resampled else b"")
        for path in one.features.paths:
            digest.update(sampled_hash(path, SAMPLES, SAMPLE).encode())
    return digest.hexdigest()


def proposals_hash(videos: Sequence[FeaturedVideo]) -> str:
    """SHA-256 of the proposals of videos."""
    digest = hashlib.sha256()
    for one in sorted(videos, key=lambda one: one.video.id):
        if one.proposals is not None:
            digest.update(repr((one.video.id, len(one.proposals))).encode())
            digest.update(one.proposals.tobytes())
    return digest.hexdigest()


def source_hash(path: Path) -> str:
    """SHA-256 of a video or a feature file with its sidecar; of large files of samples alone, of none of nothing.

    Of an address in a store, such as s3://bucket/a.mp4, it is that of the address.
    """
    digest = hashlib.sha256()
    if _ADDRESS.match(str(path)):
        digest.update(str(path).encode("utf-8", "surrogateescape"))
    for file in (path, sidecar_path(path)):
        with suppress(OSError):
            digest.update(sampled_hash(file, SAMPLES, SAMPLE).encode() if file.is_file() else b"")
    return digest.hexdigest()
