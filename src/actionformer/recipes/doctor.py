"""What is wrong with data, all of it, before an hour is spent on a training."""

from __future__ import annotations

from pathlib import Path

from actionformer.advice.subsets import usual_subsets
from actionformer.checks.examination import Patient, examined
from actionformer.checks.reading import read_usable
from actionformer.checks.recordings import look_at, with_lengths
from actionformer.checks.report import DoctorReport
from actionformer.core.errors import InputError
from actionformer.data.collection import Paths, as_list
from actionformer.extraction.inputs import video_files
from actionformer.features import FeatureFolders
from actionformer.settings.config import Changes, Config
from actionformer.settings.loading import load_config


def doctor(
    annotations: str | Path,
    *,
    features: Paths | None = None,
    videos: Paths | None = None,
    config: str | Path | Config | None = None,
    settings: Changes | None = None,
) -> DoctorReport:
    """Examines annotations with their features or videos before a training, and says what is wrong and what to do.

    Nothing is trained, and of many features a part is read. Exit code 1 says that training would be pointless or
    refused; warnings cost a part of the data.

    Args:
        annotations: ActivityNet JSON.
        features: folders of feature files, several are joined by channel.
        videos: files or folders; their lengths are compared, and without features those that they would have.
        config: a preset's name or a TOML file, which training will use; by default small.
        settings: section -> setting -> value, of what is not to be as `config` has it.

    Raises:
        InputError: no annotations, no such folder, neither features nor videos, or unknown settings.
    """
    if features is None and videos is None:
        raise InputError("nothing to compare the annotations with: give --features or --videos")
    every, findings = read_usable(annotations)
    chosen = load_config(config or "small", settings)
    chosen = chosen if config is not None else chosen.replace(data=usual_subsets(every, settings or {}))
    source = None if features is None else FeatureFolders.at(features, chosen.data.prefix)
    recordings = None if videos is None else look_at(video_files(as_list(videos)))
    if recordings is not None:
        every = with_lengths(every, recordings)
    patient = Patient.of(every, chosen, source, recordings)
    return examined(patient, findings)
