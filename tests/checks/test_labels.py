"""Names of classes that are one by a slip of the pen, and those that are not."""

import pytest
from featured import featured

from actionformer.checks.labels import check_spelling, check_typos


def typos(first: str, second: str, counts: tuple[int, int]) -> list[str]:
    labels = [0] * counts[0] + [1] * counts[1]
    videos = [one.video for one in featured([[[k, k + 1] for k in range(len(labels))]], [labels])]
    return [finding.example for finding in check_typos(videos, (first, second))]


@pytest.mark.parametrize(
    ("first", "second"),
    [("jump", "jmup"), ("jump", "jumpp"), ("jump", "jum"), ("cut tomato", "cut tomsto"), ("Walking", "wlaking")],
)
def test_slips_of_the_pen(first: str, second: str) -> None:
    expected = [f"{second!r} (2) of {first!r} (9)"] if len(second) > 3 else []
    assert typos(first, second, (9, 2)) == expected


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("action_01", "action_02"),
        ("reel 1 up", "reel 2 up"),
        ("put on", "put in"),
        ("sit to stand", "stand to sit"),
        ("STAND_TO_LIE", "STAND_TO_SIT"),
        ("cut tomato", "cut potato"),
        ("pan", "can"),
    ],
)
def test_other_classes(first: str, second: str) -> None:
    assert typos(first, second, (9, 2)) == []


def test_two_frequent_classes_may_be_a_letter_apart_but_not_in_another_order() -> None:
    assert typos("plate", "place", (9, 8)) == []
    assert typos("plate", "place", (9, 3)) == ["'place' (3) of 'plate' (9)"]
    assert typos("plate", "palte", (9, 8)) == ["'palte' (8) of 'plate' (9)"]


def test_spellings() -> None:
    (finding,) = check_spelling(["Jump", "run", "jump", "high-five", "high five"])
    assert finding.example == "'Jump' and 'jump', 'high-five' and 'high five'"
    assert check_spelling(["jump", "jumps", "run"]) == []
