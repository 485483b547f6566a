"""Video files as a browser plays them: as they are, copied into another container, or encoded in media segments."""
