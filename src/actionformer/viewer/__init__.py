"""The viewer: a page that shows videos, detections and what the network says of them.

It holds no algorithm: kinds of error are those of `evaluation.diagnosis`, the network's words those of
`inference.explain`, and suppression step by step is `inference.suppression`.
"""
