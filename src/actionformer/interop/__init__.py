"""Other people's files: the authors' checkpoints."""
