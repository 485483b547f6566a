"""How good detections are: mean average precision, recall, and a report of both."""
