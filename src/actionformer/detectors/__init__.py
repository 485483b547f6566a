"""The detectors, a folder each, and the contract that they keep."""
