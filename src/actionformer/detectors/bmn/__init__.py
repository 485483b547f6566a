"""BMN (Lin et al., ICCV 2019)."""
