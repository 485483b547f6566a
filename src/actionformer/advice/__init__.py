"""Settings that fit data, each with its reason: rules from facts to settings, one subject per file.

A rule names settings, never a detector: what the chosen detector does not have is left out.
"""
