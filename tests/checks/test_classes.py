"""Classes with hardly anything to learn from are named in one line."""

from featured import featured

from actionformer.checks.classes import FEW, check_evaluated_classes, check_trained_classes
from actionformer.core.annotations import AnnotatedVideo

NAMES = tuple(f"c{i}" for i in range(20))


def videos(*labels: int) -> list[AnnotatedVideo]:
    return [one.video for one in featured([[[1, 2]] * len(labels)], [labels])]


def test_classes_with_few_actions() -> None:
    enough = [0] * FEW
    assert check_trained_classes(videos(*enough), NAMES) == []
    (finding,) = check_trained_classes(videos(*enough, 1, 2, 2), NAMES)
    assert str(finding) == "2 of 3 classes have fewer than 3 actions to learn from: c1 (1), c2 (2)"
    (finding,) = check_trained_classes(videos(*range(20)), NAMES)
    assert str(finding).endswith("c9 (1) and 10 more")


def test_classes_that_only_the_evaluation_has() -> None:
    trained, evaluated = videos(0, 1), videos(0, 2, 2)
    (finding,) = check_evaluated_classes(evaluated, trained, NAMES)
    assert (finding.severity, finding.count, finding.total) == ("warning", 1, 2)
    assert "c2 (2)" in finding.example
    assert check_evaluated_classes(trained, trained, NAMES) == []
