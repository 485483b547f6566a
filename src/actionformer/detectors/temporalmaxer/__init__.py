"""TemporalMaxer (Tang, Kim & Sohn, arXiv 2303.09055)."""
