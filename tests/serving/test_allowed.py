import os
from pathlib import Path

import pytest

from actionformer.core.errors import InputError
from actionformer.serving.allowed import Allowed

LIST = ("https://media.example.org/videos", "http://box:8080/", "rtsp://camera/", "/dev/video0")


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("https://media.example.org/videos/one.mp4", True),
        ("https://media.example.org:443/videos/a/b.mp4?size=2", True),
        ("https://MEDIA.example.org/videos", True),
        ("http://box:8080/anything", True),
        ("https://media.example.org/videos2/one.mp4", False),
        ("https://media.example.org/other", False),
        ("http://media.example.org/videos/one.mp4", False),
        ("https://media.example.org.evil.example/videos/one.mp4", False),
        ("https://media.example.org@evil.example/videos/one.mp4", False),
        ("https://user@media.example.org/videos/one.mp4", False),
        ("https://media.example.org:444/videos/one.mp4", False),
        ("https://media.example.org/videos/../secret", False),
        ("https://media.example.org/videos/%2e%2e/secret", False),
        ("https://media.example.org/videos/%252e%252e/secret", False),
        ("https://media.example.org/videos/%25252e%25252e/secret", False),
        ("https://media.example.org/videos/..;/secret", False),
        ("https://media.example.org/videos/a..b/..mp4", False),
        ("https://media.example.org/videos/a..b/c..mp4", True),
        ("https://media.example.org/videos/..%5csecret", False),
        ("https://media.example.org\\videos\\one.mp4", False),
        ("https://media.example.org/videos/a b", False),
        ("https://media.example.org/videos/a\nb", False),
        ("https://media.exämple.org/videos/a", False),
        ("https://media.example.org:port/videos/a", False),
        ("file:///etc/passwd", False),
        ("/dev/video0", False),
        ("rtsp://camera/stream", False),
        ("ftp://box:8080/", False),
        ("", False),
    ],
)
def test_files_are_fetched_from_where_the_list_says(address: str, taken: bool) -> None:
    assert Allowed(LIST).fetches(address) is taken


@pytest.mark.parametrize(
    ("source", "taken"),
    [
        ("rtsp://camera/stream", True),
        ("/dev/video0", True),
        ("rtsp://camera.evil.example/stream", False),
        ("rtsp://other/stream", False),
        ("/dev/video01", False),
        ("/dev/video0/../sda", False),
        ("dev/video0", False),
        ("-", False),
        ("https://media.example.org/videos/live.m3u8", False),
        ("concat:/dev/video0", False),
    ],
)
def test_live_sources_are_those_of_the_list(source: str, taken: bool) -> None:
    assert Allowed(LIST).follows(source) is taken


def test_a_folder_of_sources_and_no_link_out_of_it(tmp_path: Path) -> None:
    folder, secret = tmp_path / "cameras", tmp_path / "secret"
    folder.mkdir()
    secret.touch()
    os.symlink(secret, folder / "link")
    allowed = Allowed([f"{folder}/"])
    assert allowed.follows(f"{folder}/one.ts")
    assert not allowed.follows(f"{folder}/link")
    assert not allowed.follows(f"{folder}/../secret")
    assert not allowed.follows(str(secret))


def test_nothing_is_taken_without_a_list() -> None:
    assert not Allowed().fetches("https://media.example.org/")
    assert not Allowed().follows("/dev/video0")


@pytest.mark.parametrize("prefix", ["media.example.org", "file:///srv/", "", "https://", "relative/path"])
def test_a_prefix_that_is_none_is_refused(prefix: str) -> None:
    with pytest.raises(InputError, match="is no prefix of addresses"):
        Allowed([prefix])
