"""Counts in sentences."""

from actionformer.core.words import part, plural


def test_plural() -> None:
    assert [plural(n, "video") for n in (0, 1, 2000)] == ["0 videos", "1 video", "2,000 videos"]
    assert [plural(n, "class is", "classes are") for n in (1, 2)] == ["1 class is", "2 classes are"]


def test_the_first_verb_is_of_as_many() -> None:
    assert part(2, 3, "videos have features that are odd") == "2 of 3 videos have features that are odd"
    assert part(1, 3, "videos have features that are odd") == "1 of 3 videos has features that are odd"
    assert part(1, 1000, "labels lie after the last one") == "1 of 1,000 labels lies after the last one"
    assert part(1, 2, "files cannot be read") == "1 of 2 files cannot be read"


def test_what_is_theirs_is_of_as_many() -> None:
    assert part(1, 5, "actions reach beyond their video") == "1 of 5 actions reaches beyond its video"
    assert part(2, 5, "actions reach beyond their video") == "2 of 5 actions reach beyond their video"
