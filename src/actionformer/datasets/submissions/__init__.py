"""Files that the evaluation servers of benchmarks take: one file per benchmark, found through the `index`."""
