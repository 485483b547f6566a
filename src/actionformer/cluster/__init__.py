"""Extraction and detection on the machines of a cluster, through Ray Data."""
