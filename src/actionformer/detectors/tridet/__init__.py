"""TriDet (Shi et al., CVPR 2023)."""
