"""Endings of recordings."""

from pathlib import Path

from actionformer.core.endings import SOUND_ALONE, VIDEOS


def test_an_ending_is_as_paths_give_it_and_of_one_kind() -> None:
    assert all(Path(f"a{ending}").suffix == ending == ending.lower() for ending in VIDEOS | SOUND_ALONE)
    assert not VIDEOS & SOUND_ALONE
