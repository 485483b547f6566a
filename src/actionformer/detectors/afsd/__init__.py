"""AFSD (Lin et al., CVPR 2021), on features."""
