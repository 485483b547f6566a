"""Feature files: one (T, D) array a video, and beside it a sidecar that says how it lies in time and what made it."""

from actionformer.features.arrays import (
    AS_LEARNED,
    TRANSPOSED,
    FeatureFolders,
    Features,
    check_duration,
    compare_duration,
    open_features,
    resize,
)
from actionformer.features.centred import CentredFeatures, RunningMean
from actionformer.features.joining import SourceJoiner
from actionformer.features.reader import FeatureReader, FeatureWindow
from actionformer.features.readers import READERS, other_features
from actionformer.features.spec import (
    FeatureSpec,
    check_backbone,
    feature_file,
    joined_spec,
    read_sidecar,
    sidecar_path,
    write_sidecar,
)
from actionformer.features.timing import ALL_THE_SAME, GRID, TIMING, UNKNOWN, check_timing, timing_of, unknown_of
from actionformer.features.whereabouts import lacking, whereabouts
from actionformer.features.writer import FeatureWriter

__all__ = [
    "ALL_THE_SAME",
    "AS_LEARNED",
    "GRID",
    "READERS",
    "TIMING",
    "TRANSPOSED",
    "UNKNOWN",
    "CentredFeatures",
    "FeatureFolders",
    "FeatureReader",
    "FeatureSpec",
    "FeatureWindow",
    "FeatureWriter",
    "Features",
    "RunningMean",
    "SourceJoiner",
    "check_backbone",
    "check_duration",
    "check_timing",
    "compare_duration",
    "feature_file",
    "joined_spec",
    "lacking",
    "open_features",
    "other_features",
    "read_sidecar",
    "resize",
    "sidecar_path",
    "timing_of",
    "unknown_of",
    "whereabouts",
    "write_sidecar",
]
