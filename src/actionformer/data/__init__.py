"""Annotations, the videos that have features, random crops and batches; made data and the baseline to beat."""
