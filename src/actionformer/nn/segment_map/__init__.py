"""A map of all segments of a sequence, by length and first step: what detectors that score each of them share."""
