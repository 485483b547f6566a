"""A model as a file for another runtime, which needs nothing of this package: network, decoding, suppression."""
