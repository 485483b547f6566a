"""The loop, optimisation, the weight average, and what a run leaves behind."""
