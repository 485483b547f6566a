"""What a text that names a live source stands for."""

import os
from pathlib import Path

import pytest

from actionformer.core.errors import InputError
from actionformer.video.sources import Source, source_of


def test_what_a_source_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file.ts").touch()
    address = "rtsp://user:secret@camera:554/live"
    for text, source, real_time in (
        ("-", Source("pipe", "-"), False),
        ("mjpeg:-", Source("pipe", "-", "mjpeg"), False),
        (str(tmp_path / "pipe"), Source("pipe", str(tmp_path / "pipe")), False),
        (str(tmp_path / "file.ts"), Source("file", str(tmp_path / "file.ts")), False),
        (address, Source("address", address), True),
        ("http://host/a.ts", Source("address", "http://host/a.ts"), False),
        ("mpegts:udp://127.0.0.1:9", Source("address", "udp://127.0.0.1:9", "mpegts"), True),
        ("/dev/video73", Source("device", "/dev/video73", "v4l2"), True),
        ("lavfi:testsrc=size=96x64", Source("device", "testsrc=size=96x64", "lavfi"), True),
    ):
        assert source_of(text) == source
        assert source_of(text).real_time == real_time
    assert source_of(address).name == "rtsp://camera:554/live"
    for text in (str(tmp_path / "none.ts"), str(tmp_path), "camera:0"):
        with pytest.raises(InputError, match="no such file, pipe or address"):
            source_of(text)
