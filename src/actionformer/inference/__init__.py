"""From features to detections: sequences through a network, suppression, and the detector that composes them."""
