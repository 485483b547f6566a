"""G-TAD (Xu et al., CVPR 2020)."""
