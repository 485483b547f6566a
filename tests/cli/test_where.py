"""Verbs that work here or on a cluster: what is asked for that the other alone does."""

from pathlib import Path

from commands import Refused


def test_what_a_cluster_does_not_do_is_refused(refused: Refused, trained: Path, features: Path, tmp_path: Path) -> None:
    detect = ["detect", trained, features]
    assert "--overlay cannot be given with --cluster" in refused(
        *detect, "--overlay", tmp_path / "a", "--out", tmp_path / "a.json", "--cluster", "local"
    )
    assert "--attempts needs --cluster" in refused(*detect, "--attempts", "3")
    assert "--cluster writes into a file: give --out" in refused(*detect, "--cluster", "local")
    assert "--cluster writes json, jsonl, csv, parquet" in refused(
        *detect, "--out", tmp_path / "a.srt", "--cluster", "local"
    )
