"""The videos that have features, splits and groups, windows, random crops and batches."""
