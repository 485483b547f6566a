"""From features to detections: decoding, suppression, and the detector that composes them with the network."""

from actionformer.inference.detector import Detector, build, load
from actionformer.inference.suppression import suppress

__all__ = ["Detector", "build", "load", "suppress"]
