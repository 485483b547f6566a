"""From video files to features: reading frames, clips, optical flow, backbones, extraction."""

from actionformer.video.reader import VideoReader
from actionformer.video.sampling import read_frames

__all__ = ["VideoReader", "read_frames"]
