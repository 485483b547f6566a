"""Parts that detectors share: layers, attention, pyramid, heads, losses, assignment. Knows tensors alone."""
