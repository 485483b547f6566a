from pathlib import Path

from actionformer.data.fingerprint import source_hash


def test_an_address_is_told_from_another_and_a_file_that_is_gone_from_none() -> None:
    one, two = (source_hash(Path(f"s3://bucket/{name}/a.mp4")) for name in ("one", "two"))
    assert one != two
    assert one == source_hash(Path("s3://bucket/one/a.mp4"))
    assert source_hash(Path("/nowhere/a.mp4")) == source_hash(Path("/nowhere/b.mp4")) != one
