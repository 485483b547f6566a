"""Settings of the published benchmarks, one file each."""
