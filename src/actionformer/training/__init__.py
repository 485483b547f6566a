"""Targets, losses, optimisation, the loop, and what a run leaves behind."""
