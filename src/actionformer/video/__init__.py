"""From a video file to features: reading frames, clips, optical flow, backbones, extraction."""
