"""Where the figures of a training go besides metrics.jsonl, one file each."""
