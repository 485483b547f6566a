"""Names of subsets: slips, and names that are meant."""

import numpy as np
import pytest

from actionformer.checks.subsets import check_chosen_subsets, check_subsets
from actionformer.core.annotations import AnnotatedVideo, Annotations
from actionformer.data.settings import DataSettings


def annotated(*subsets: str) -> Annotations:
    """A video of each subset, with an action."""
    action = np.array([[1.0, 2.0]]), np.zeros(1, np.int64)
    return Annotations(
        {f"v{i}": AnnotatedVideo(f"v{i}", name, 9.0, None, *action) for i, name in enumerate(subsets)}, ("a",)
    )


@pytest.mark.parametrize(
    ("used", "slip"),
    [
        ("validation", "validaton"),
        ("validation", "val"),
        ("training", "train"),
        ("training", "Trainig"),
        ("train", "training"),
        ("test", "testing"),
        ("test", "tests"),
    ],
)
def test_a_slip_is_told_with_the_name_that_is_near(used: str, slip: str) -> None:
    annotations = annotated("other", used, slip)
    data = DataSettings(train_subset=("other",), test_subset=(used,))
    for found in (check_subsets(annotations, data), check_chosen_subsets(annotations, data, asked=False)):
        (finding,) = [one for one in found if one.kind == "mistyped_subset"]
        assert finding.count == 1
        assert finding.example == f"{slip!r}, did you mean {used!r}?"


@pytest.mark.parametrize(
    ("train", "test", "unused"),
    [
        (("fold1", "fold2", "fold3"), ("fold4",), ("fold5",)),
        (("train_s1",), ("test_s1",), ("train_s2", "test_s2")),
        (("train10",), ("validation",), ("train50", "train100")),
        (("train",), ("val",), ("trainval", "test")),
        (("training",), ("validation",), ("testing",)),
    ],
)
def test_numbered_and_joined_subsets_are_meant(
    train: tuple[str, ...], test: tuple[str, ...], unused: tuple[str, ...]
) -> None:
    annotations = annotated(*train, *test, *unused)
    assert check_subsets(annotations, DataSettings(train_subset=train, test_subset=test)) == []


def test_one_of_several_that_is_not_there() -> None:
    data = DataSettings(train_subset=("training",), test_subset=("validation", "more"))
    (finding,) = check_chosen_subsets(annotated("training", "validation"), data, asked=True)
    assert (finding.severity, finding.what) == ("error", "no video in subset 'more'")
    (finding,) = check_chosen_subsets(
        annotated("training"), data.model_copy(update={"test_subset": ("x",)}), asked=True
    )
    assert finding.what == "no video in subset 'x', nothing is evaluated"
