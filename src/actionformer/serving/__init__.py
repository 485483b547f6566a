"""The server of detection: requests over HTTP, answered with the JSON that `detect` writes. It holds no algorithm.

What decodes files of strangers does so in a process of its own, within limits (`worker`, `reading`, `workers`); one
thread runs the network on the features that wait (`network`). `service` leads a request through both, `application` has
the addresses.
"""
