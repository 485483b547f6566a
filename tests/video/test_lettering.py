import warnings
from typing import Any

import numpy as np
import pytest

from actionformer.video.lettering import drawn_names

cv2 = pytest.importorskip("cv2")


class Ascii:
    """Draws as OpenCV 4 does: a question mark for every byte of another letter."""

    FONT_HERSHEY_SIMPLEX = 0

    def putText(self, image: Any, text: str, *_: Any) -> None:  # noqa: N802
        for place, byte in enumerate(text.encode()):
            image[place] = byte if byte < 128 else ord("?")


def test_letters_that_the_font_lacks() -> None:
    names = {0: "Öffnen", 1: "walk?", 2: "привет", 3: "日本", 4: "a → b"}
    with pytest.warns(UserWarning, match="an overlay draws 'Öffnen' as 'Offnen', 'привет' as 'class 2', .* and 1 more"):
        drawn = drawn_names(Ascii(), names)
    assert drawn == {0: "Offnen", 1: "walk?", 2: "class 2", 3: "class 3", 4: "a ? b"}


def test_names_that_can_be_drawn_are_drawn_as_they_are() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert drawn_names(cv2, {0: "walk [left]", 1: "a\x1b\n"}) == {0: "walk [left]", 1: r"a\x1b\n"}


def test_no_letter_is_drawn_as_a_question_mark_without_a_word() -> None:
    names = {0: "Öffnen", 1: "हिन्दी", 2: "привет"}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        drawn = drawn_names(cv2, names)
    assert bool(told) == (drawn != names)
    for name in drawn.values():
        image, marks = (np.zeros((40, 400), np.uint8) for _ in range(2))
        cv2.putText(image, name, (4, 30), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 1)
        cv2.putText(marks, "?" * len(name), (4, 30), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 1)
        assert not np.array_equal(image, marks)
