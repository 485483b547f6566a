"""Settings: typed, loaded, merged, described."""
