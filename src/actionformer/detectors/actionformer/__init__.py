"""ActionFormer (Zhang, Wu & Li, ECCV 2022)."""
