"""From videos to features, as a stream of events."""
