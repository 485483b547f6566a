"""Which subsets are trained and evaluated."""

import numpy as np
import pytest

from actionformer.advice.subsets import usual_subsets
from actionformer.core.annotations import AnnotatedVideo, Annotations


def annotations(*subsets: str) -> Annotations:
    nothing = np.empty((0, 2)), np.empty(0, np.int64)
    return Annotations({name: AnnotatedVideo(name, name, None, None, *nothing) for name in subsets}, ("jump",))


@pytest.mark.parametrize(
    ("there", "train", "test"),
    [
        (("training", "validation", "test"), ["training"], ["validation"]),
        (("Train", "Testing"), ["train"], ["testing"]),
        (("training",), ["training"], None),
        (("mine", "val"), None, ["val"]),
        (("training", "validation", "held out"), ["training"], ["held out"]),  # by a split
    ],
)
def test_the_first_of_the_usual_names(there: tuple[str, ...], train: list[str] | None, test: list[str] | None) -> None:
    found = usual_subsets(annotations(*there), {})
    assert (found.get("train_subset"), found.get("test_subset")) == (train, test)


def test_a_subset_that_is_given_stays() -> None:
    assert usual_subsets(annotations("training", "test"), {"data": {"train_subset": ("test",)}}) == {
        "test_subset": ["test"]
    }
