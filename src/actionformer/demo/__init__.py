"""Made data that shows what a detector does, and the frame-wise baseline it is compared with."""
