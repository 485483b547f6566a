"""MUSES (Liu et al., CVPR 2021)."""
