"""TadTR (Liu et al., IEEE TIP 2022)."""
